"""The share of a line as a person writes it: `20/30`, `12 × 200/365`, `(10 + 17/28)`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from prorata.engine.calendar import MONTHS, months_between, speak_month
from prorata.engine.document import Line
from prorata.engine.share import Whole


def speak_share(line: Line) -> str:
    """The part of the price's interval that the line is for: `20/30`, or `12` where it is twelve whole months.

    Of a year at a monthly price 200 days are `12 × 200/365`, and ten months and some days of February `(10 + 17/28)`.
    """
    numerator, denominator = line.share
    scale = line.period.scale
    if denominator == 1:
        return str(numerator)
    if isinstance(scale, Whole):
        whole, started = scale.pieces(line.start_day, line.end_day)
        each = Fraction(scale.months, line.price.months)
        if started:
            return _speak_pieces(whole, [_in_days(line, days, length) for days, length in started], each)
        return str(whole * each) if each.denominator == 1 else f"{numerator}/{denominator}"
    times = MONTHS[line.period.unit] // line.price.months
    if times > 1 and numerator % times == 0 and line.period.rules.share.by in ("days_of_period", "days_of_365"):
        return f"{times} × {_in_days(line, numerator // times, denominator)}"
    return _in_days(line, numerator, denominator)


def _in_days(line: Line, numerator: int, denominator: int) -> str:
    """A fraction of days, also where the policy counts more exactly and both are whole days."""
    ticks = line.period.policy.ticks
    if numerator % ticks or denominator % ticks:
        return f"{numerator}/{denominator}"
    return f"{numerator // ticks}/{denominator // ticks}"


def _speak_pieces(whole: int, started: Sequence[str], each: Fraction) -> str:
    """Whole months or quarters and parts of started ones; `each` is how much of the price's interval one of them is."""
    terms = [str(whole)] * bool(whole) + [*started]
    sum_ = terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"
    return sum_ if each == 1 else f"{each} × {sum_}"


def share_words(line: Line) -> str:
    """Where a share spans calendar months: `(18 of 28 days of February, then 10 months)`."""
    start, end = line.start_day, line.end_day
    if line.period.rules.share.by != "days_of_month":
        return ""
    months = months_between(start, end)
    if len(months) == 1:
        return ""
    words = []
    whole = 0
    for first, past, length in months:
        if past - first == length:
            whole += 1
            continue
        if whole:
            words.append(f"{whole} {'month' if whole == 1 else 'months'}")
            whole = 0
        words.append(f"{past - first} of {length} days of {speak_month(first)}")
    if whole:
        words.append(f"{whole} {'month' if whole == 1 else 'months'}")
    return f" ({', then '.join(words)})"
