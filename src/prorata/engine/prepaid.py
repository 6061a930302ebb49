"""Time paid in advance as a stock: another number of seats uses it up sooner, or makes it last."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from prorata.engine.calendar import Day, add_months


class Stock(NamedTuple):
    """What a stretch of paid time is made of.

    `carried` seats were paid up to the day before `paid_until`; `bought` are paid on the stretch's first day, each for
    a whole interval, up to the day before `whole_until`. Together they last `seats` of them up to the day before `end`.
    `counted` says from which day the one before it is counted, and how many months after that it began.
    """

    seats: int
    carried: int
    paid_until: Day
    bought: int
    whole_until: Day
    counted: tuple[Day, int]
    end: Day


def stock_of(
    start: Day,
    seats: int,
    carried: int,
    paid_until: Day,
    whole_until: Day,
    counted: tuple[Day, int],
    *,
    extends: bool,
    by_months: bool,
) -> Stock:
    """What so many seats have from a day on, where others are paid for already.

    Seats more are paid for where they extend the time (`extends`) or nothing is left. Time is counted in days, of
    which a started one is lost, or in months and days of a started one; a stretch has at least one day.
    """
    bought = max(seats - carried, 0) if extends or not carried else 0
    if not carried:
        return Stock(seats, carried, paid_until, bought, whole_until, counted, whole_until)
    stretch = _months if by_months else _days
    return Stock(
        seats, carried, paid_until, bought, whole_until, counted,
        max(stretch(start, seats, (carried, paid_until), (bought, whole_until)), start + 1),
    )  # fmt: skip


def _days(start: Day, seats: int, *paid: tuple[int, Day]) -> Day:
    return start + sum(count * (end - start) for count, end in paid) // seats


def _months(start: Day, seats: int, *paid: tuple[int, Day]) -> Day:
    total = sum((count * months_of(start, end) for count, end in paid), Fraction(0)) / seats
    whole = total.numerator // total.denominator
    first, past = add_months(start, whole), add_months(start, whole + 1)
    part = (total - whole) * (past - first)
    return first + part.numerator // part.denominator


def months_of(start: Day, end: Day) -> Fraction:
    """How many months there are from a day to another, with the part of a started one that its days are."""
    whole = 0
    while add_months(start, whole + 1) <= end:
        whole += 1
    first, past = add_months(start, whole), add_months(start, whole + 1)
    return whole + Fraction(end - first, past - first)
