"""The sum by which a line comes to its amount, as a person would write it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from prorata.engine.calendar import Day, speak_month
from prorata.engine.document import Line
from prorata.engine.money import digits_of, in_grains, rounded, speak_amount, speak_decimal
from prorata.engine.policy.model import BASE, is_taken
from prorata.engine.policy.tariff import Price
from prorata.engine.rounding import Rounding, Stretch, by_day, one_by_day, seat_price, worth_of
from prorata.engine.spoken import share_words, speak_share
from prorata.engine.words import plural


def arithmetic(line: Line, currency: str) -> str:
    """Each step in the order in which it is done, with what was rounded before and after."""
    rounding = line.period.rounding
    if rounding is not None and not is_seat_exact(line):
        return _by_seat(line, rounding, currency)
    if rounding is not None and is_by_day(line):
        return _by_day(line, rounding, currency)
    return _by_line(line, currency)


def product(line: Line, currency: str, sign: int = 1) -> str:
    """What is multiplied last, in short: `2 × 10.00 × 12/30`, and where the price of a day was rounded `2 × 12 × 0.33`.

    With a sign of −1 as it stands on a credit note.
    """
    quantity = str(sign * line.quantity).replace("-", "−")
    rounding = line.period.rounding
    if rounding is not None and not is_seat_exact(line):
        return f"{quantity} × {_speak_grains(seat_price(rounding, *_of(line)), rounding, currency)}"
    if rounding is not None and rounding.rules.stage == "day":
        stretches = list(by_day(rounding, *_of(line)))
        if len(stretches) == 1 and (each := stretches[0].each) is not None:
            return f"{quantity} × {line.days} × {_speak_grains(each, rounding, currency)}"
    return f"{quantity} × {speak_amount(line.price.minor, currency)}{_share(line)}"


def is_by_day(line: Line) -> bool:
    """Whether the price of a day was rounded, for some days of the line."""
    rounding = line.period.rounding
    if rounding is None or rounding.rules.stage != "day":
        return False
    return any(stretch.each is not None for stretch in by_day(rounding, *_of(line)))


def is_seat_exact(line: Line) -> bool:
    """Whether no price of a seat had to be rounded for the days of the line."""
    rounding = line.period.rounding
    if rounding is None or rounding.rules.stage != "seat":
        return True
    return line.exact_minor == line.quantity * seat_price(rounding, *_of(line)) * rounding.grain


def _by_line(line: Line, currency: str) -> str:
    sign = "−" if line.quantity < 0 else ""
    words = "" if line.period.once else share_words(line)
    sum_ = f"{sign}{abs(line.quantity)} × {speak_amount(line.price.minor, currency)}{_share(line)}{words}"
    exact, amount = line.exact_minor, speak_amount(line.amount_minor, currency)
    if exact == line.amount_minor:
        return f"{sum_} = {amount}"
    near = _decimals(exact, digits_of(currency), currency)
    if _rounded_once(line) == line.amount_minor:
        return f"{sum_} = {near}, rounded to {amount}"
    return f"{sum_} = {near}, with the fractions of what the period was billed before {amount}"


def _rounded_once(line: Line) -> int:
    """What the line would come to if nothing had been billed before it."""
    exact, mode, rounding = line.exact_minor, line.period.rules.rounding.mode, line.period.rounding
    if rounding is None or rounding.rules.stage == "day":
        return rounded(exact.numerator, exact.denominator, mode)
    return in_grains(exact.numerator, exact.denominator, rounding.grain, mode) * rounding.grain.numerator


def _by_seat(line: Line, rounding: Rounding, currency: str) -> str:
    """`10.00 × 10/31 = 3.22580…, rounded to 3.23 a seat × 2 seats = 6.46`."""
    share = "" if line.period.once else f"{_share(line)}{share_words(line)}"
    price = seat_price(rounding, *_of(line))
    rate = _rate(line.exact_minor / line.quantity, price, rounding, currency)
    each = "" if line.item == BASE else " a seat" if is_taken(line.item) else " each"
    total = _total(line, line.quantity * price * rounding.grain, currency)
    return f"{speak_amount(line.price.minor, currency)}{share} = {rate}{each}{_times(line)} = {total}"


def _by_day(line: Line, rounding: Rounding, currency: str) -> str:
    """`10.00 / 30 = 0.33333…, rounded to 0.33 a day × 12 days × 2 seats = 7.92`, month by month where they differ."""
    stretches = list(by_day(rounding, *_of(line)))
    parts = list(_stretch_words(line, stretches, rounding, currency))
    one = one_by_day(rounding, *_of(line))
    total = _total(line, line.quantity * one, currency)
    if len(parts) == 1:
        return f"{parts[0]}{_times(line)} = {total}"
    sums = [_decimals(worth_of(rounding, one, line.price), _digits(rounding, currency), currency) for one in stretches]
    told = "; ".join(f"{part} = {sum_}" for part, sum_ in zip(parts, sums, strict=True))
    if line.quantity == 1:
        return f"{told}; together {total}"
    together = _decimals(one, _digits(rounding, currency), currency)
    return f"{told}; together {together}{_times(line)} = {total}"


def _stretch_words(line: Line, stretches: list[Stretch], rounding: Rounding, currency: str) -> Iterator[str]:
    for stretch in stretches:
        own = line._replace(start_day=stretch.start, end_day=stretch.end)
        if stretch.each is None:
            yield f"{speak_amount(line.price.minor, currency)}{_share(own)}"
            continue
        day = line._replace(start_day=stretch.start, end_day=stretch.start + 1)
        exact = line.price.yearly_minor * Fraction(rounding.scale.parts(day.start_day, day.end_day), rounding.parts)
        rate = _rate(exact, stretch.each, rounding, currency)
        month = f" of {speak_month(stretch.start)}" if len(stretches) > 1 else ""
        days = f"{own.days} {plural('day', own.days)}{month}"
        yield f"{speak_amount(line.price.minor, currency)}{_part(day)} = {rate} a day × {days}"


def _part(day: Line) -> str:
    numerator, denominator = day.share
    return f" / {denominator}" if numerator == 1 else f" × {numerator}/{denominator}"


def _rate(exact: Fraction, grains: int, rounding: Rounding, currency: str) -> str:
    """The price of a seat or of a day, and what it was before it was rounded."""
    said = _speak_grains(grains, rounding, currency)
    if exact == grains * rounding.grain:
        return said
    return f"{_decimals(exact, _digits(rounding, currency), currency)}, rounded to {said}"


def _times(line: Line) -> str:
    """How many of them: ` × 2 seats`, or nothing of a base price, of which there is one."""
    sign, count = "−" if line.quantity < 0 else "", abs(line.quantity)
    if line.item == BASE:
        return " × −1" if line.quantity < 0 else ""
    noun = f" {plural('seat', count)}" if is_taken(line.item) else ""
    return f" × {sign}{count}{noun}"


def _total(line: Line, exact: Fraction, currency: str) -> str:
    amount = speak_amount(line.amount_minor, currency)
    if exact == line.amount_minor:
        return amount
    return f"{_decimals(exact, digits_of(currency), currency)}, rounded to {amount}"


def _digits(rounding: Rounding, currency: str) -> int:
    digits = rounding.rules.digits
    return digits_of(currency) if digits is None else digits


def _speak_grains(grains: int, rounding: Rounding, currency: str) -> str:
    return speak_decimal(grains, _digits(rounding, currency))


def _of(line: Line) -> tuple[Day, Day, Price]:
    return line.start_day, line.end_day, line.price


def _share(line: Line) -> str:
    return "" if line.period.once else f" × {speak_share(line)}"


def _decimals(exact: Fraction, digits: int, currency: str) -> str:
    """Minor units as a decimal: with those it has, or three places more than are kept and an ellipsis."""
    places = digits + 3
    finer = exact * Fraction(10) ** (places - digits_of(currency))
    said = speak_decimal(rounded(finer.numerator, finer.denominator, "down"), places)
    if finer.denominator > 1:
        return f"{said}…"
    more = len(said) - len(said.rstrip("0"))
    return said[: len(said) - min(more, 3)].rstrip(".")
