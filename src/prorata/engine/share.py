"""What part of a price some days of a billing period are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import lcm
from typing import Protocol

from prorata.engine.calendar import MONTHS, Day, Interval, border, months_between

# The months a price can be for all divide a year, so a twelfth of a month's part measures every one of them.
YEAR = 12


class Scale(Protocol):
    """How a period's days are weighed, in months: two stretches that touch are worth their sum."""

    @property
    def denominator(self) -> int:
        """One denominator for every stretch of the period, so that its amounts add up as whole numbers."""
        ...

    def parts(self, start: Day, end: Day) -> int:
        """The months that [start, end) is worth, in parts of a month as small as the denominator says."""
        ...

    def worth(self, start: Day, end: Day) -> tuple[int, int]:
        """The same as numerator and denominator, left as a person would write it."""
        ...


@dataclass(frozen=True, slots=True)
class EvenDays:
    """Every day is worth the same: `month_parts` / `denominator` of a month."""

    month_parts: int
    denominator: int

    def parts(self, start: Day, end: Day) -> int:
        return (end - start) * self.month_parts

    def worth(self, start: Day, end: Day) -> tuple[int, int]:
        return self.parts(start, end), self.denominator


# Of something that is paid once: held on one day only, which is worth all of its price.
ONE_DAY = EvenDays(1, 1)


@dataclass(frozen=True, slots=True)
class MonthDays:
    """A day is worth one part of the calendar month it lies in; a whole month is one, whatever its length."""

    denominator: int

    def parts(self, start: Day, end: Day) -> int:
        over, below = self.worth(start, end)
        return over * (self.denominator // below)

    def worth(self, start: Day, end: Day) -> tuple[int, int]:
        whole, parts = 0, []
        for first, past, length in months_between(start, end):
            if past - first == length:
                whole += 1
            else:
                parts.append((past - first, length))
        if not parts:
            return (whole, 1) if whole != 1 else (end - start, end - start)
        below = lcm(*(length for _, length in parts))
        return whole * below + sum(days * (below // length) for days, length in parts), below


@dataclass(frozen=True, slots=True)
class Whole:
    """Months, quarters or the period count whole; what a started one is worth is a choice.

    The worth of a stretch is what is left of the period at its start less what is left at its end, so that
    stretches add up: one in which something changes is worth its days (`by_days`, `by_30`), or goes whole to the
    state at its end (`full`) or to the state at its start (`free`). Each of them is `months` long.
    """

    borders: tuple[Day, ...]
    months: int
    started: str
    denominator: int

    def parts(self, start: Day, end: Day) -> int:
        return self._left(start) - self._left(end)

    def worth(self, start: Day, end: Day) -> tuple[int, int]:
        whole, started = self.pieces(start, end)
        below = lcm(*(length for _, length in started))
        over = whole * below + sum(days * (below // length) for days, length in started)
        return over * self.months, below

    def pieces(self, start: Day, end: Day) -> tuple[int, tuple[tuple[int, int], ...]]:
        """How many of them the stretch is worth whole, and what of the started ones: `10` and `17/28`.

        Where days count and there is but one of them, it is always told by its days.
        """
        whole, started = 0, []
        for first, past in pairwise(self.borders):
            below = {"by_days": past - first, "by_30": 30}.get(self.started, 1)
            worth = self._left_of(first, past, start, below) - self._left_of(first, past, end, below)
            if worth == below and (below == 1 or len(self.borders) > 2):
                whole += 1
            elif worth:
                started.append((worth, below))
        return whole, tuple(started)

    def _left(self, day: Day) -> int:
        whole = self.months * self.denominator
        return sum(self._left_of(first, past, day, whole) for first, past in pairwise(self.borders))

    def _left_of(self, first: Day, past: Day, day: Day, whole: int) -> int:
        if day <= first:
            return whole
        return _STARTED[self.started](past - day, past - first, whole) if day < past else 0


# What is left of a whole when so many of its days are left.
_STARTED: dict[str, Callable[[int, int, int], int]] = {
    "full": lambda _days, _length, whole: whole,
    "free": lambda _days, _length, _whole: 0,
    "by_days": lambda days, length, whole: days * whole // length,
    "by_30": lambda days, _length, whole: min(days, 30) * whole // 30,
}


@lru_cache(maxsize=8192)
def make_scale(
    by: str, started: str, interval: Interval, start: Day, end: Day, counted_from: tuple[Day, int], ticks: int = 1
) -> Scale:
    """How the days of [start, end) are weighed.

    `counted_from` is the day from which months are counted, and how many of them lie between it and the beginning
    of the full interval; a first, shorter period starts later than that.
    """
    anchor, before = counted_from
    if by == "days_of_365":
        return EvenDays(YEAR, 365 * ticks)
    if by == "days_of_month":
        lengths = [length for _, _, length in months_between(start, end)]
        return EvenDays(1, lengths[0]) if len(lengths) == 1 else MonthDays(lcm(*lengths))
    months = MONTHS[interval]
    if by == "days_of_period":
        return EvenDays(months, end - border(anchor, before, interval, ticks))
    whole = min(_MONTHS_OF.get(by, months), months)
    borders = [border(anchor, before + month, interval, ticks) for month in range(0, months + 1, whole)]
    borders = [border for border, following in pairwise(borders) if following > start] + [end]
    lengths = [past - first for first, past in pairwise(borders)]
    below = {"by_days": lcm(*lengths), "by_30": 30}.get(started, 1)
    return Whole(tuple(borders), whole, started, below)


_MONTHS_OF = {"months": 1, "quarters": 3}
