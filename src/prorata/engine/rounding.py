"""Amounts that are not running totals in minor units: to other decimals, or by the line, the seat or the day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from prorata.engine.calendar import Day, months_between
from prorata.engine.money import grain_of, in_grains, rounded
from prorata.engine.policy.model import RoundingRules
from prorata.engine.policy.tariff import Price
from prorata.engine.share import Scale


@dataclass(frozen=True, slots=True)
class Rounding:
    """How the lines of a period become amounts.

    What is rounded is a whole number of grains, which are so many minor units each. Worth is counted in `parts` of a
    minor unit, as Period.parts says. By the day, `whole` days are all of the interval and not cut into days; where the
    days are those of their calendar months, it is each whole month (`by_month`).
    """

    rules: RoundingRules
    grain: Fraction
    scale: Scale
    parts: int
    whole: Day
    by_month: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of a line of which a seat costs the same each, so many grains; None: they are whole, and cost their part."""

    start: Day
    end: Day
    each: int | None


def rounding_of(
    rules: RoundingRules, currency: str, scale: Scale, parts: int, whole: Day, *, by_month: bool
) -> Rounding | None:
    """How amounts are made; None where they are running totals in minor units, as mostly they are."""
    if rules.stage == "running" and rules.digits is None:
        return None
    return Rounding(rules, grain_of(currency, rules.digits), scale, parts, whole, by_month)


def amount(
    rounding: Rounding, start: Day, end: Day, quantity: int, price: Price, worth: int, exact: int, charged: int
) -> int:
    """What a line comes to, in minor units.

    `worth` is its own, in parts, `exact` that of all so far with it, and `charged` what was charged for all before it.
    """
    rules, grain = rounding.rules, rounding.grain
    if rules.stage in ("running", "line"):  # no grain is finer than a minor unit
        running = rules.stage == "running"
        grains = in_grains(exact if running else worth, rounding.parts, grain, rules.mode)
        return grains * grain.numerator - (charged if running else 0)
    if rules.stage == "seat":
        one = grain * seat_price(rounding, start, end, price)
    else:
        one = one_by_day(rounding, start, end, price)
    total = quantity * one
    return rounded(total.numerator, total.denominator, rules.mode)


def seat_price(rounding: Rounding, start: Day, end: Day, price: Price) -> int:
    """What one seat costs for some days, in grains."""
    worth = price.yearly_minor * rounding.scale.parts(start, end)
    return in_grains(worth, rounding.parts, rounding.grain, rounding.rules.mode)


def one_by_day(rounding: Rounding, start: Day, end: Day, price: Price) -> Fraction:
    """What one seat costs for some days by the rounded price of each, in minor units."""
    return sum((worth_of(rounding, one, price) for one in by_day(rounding, start, end, price)), Fraction(0))


def by_day(rounding: Rounding, start: Day, end: Day, price: Price) -> Iterator[Stretch]:
    """What the days of a line cost, one after the other."""
    for first, past, is_whole in _stretches(rounding, start, end):
        yield Stretch(first, past, None if is_whole else seat_price(rounding, first, first + 1, price))


def worth_of(rounding: Rounding, stretch: Stretch, price: Price) -> Fraction:
    """What one seat costs for a stretch, in minor units."""
    if stretch.each is None:
        return Fraction(price.yearly_minor * rounding.scale.parts(stretch.start, stretch.end), rounding.parts)
    return (stretch.end - stretch.start) * stretch.each * rounding.grain


def _stretches(rounding: Rounding, start: Day, end: Day) -> Iterator[tuple[Day, Day, bool]]:
    """The days of a line by what one of them costs, and whether they are whole; whole months stand together."""
    if not rounding.by_month:
        yield start, end, end - start == rounding.whole
        return
    for is_whole, months in groupby(months_between(start, end), lambda month: month[1] - month[0] == month[2]):
        told = list(months)
        if is_whole:
            yield told[0][0], told[-1][1], True
        else:
            yield from ((first, past, False) for first, past, _ in told)
