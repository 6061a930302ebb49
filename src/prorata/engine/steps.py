"""A step function over days: each value holds from its day until the next one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Generic, TypeAlias, TypeVar

from prorata.engine.calendar import Day

V = TypeVar("V")


# The days of a period from a start up to an end (there is at least one), and how they see what happened: start, end,
# opened, delay. A day counts as it ended (delay 0) or as it began (delay 1). `opened` is the day whose end tells what
# holds on the first day: on an agreement's own first day that very day, either way, for who is there on the first day
# is there from its start.
Span: TypeAlias = tuple[Day, Day, Day, int]
Window: TypeAlias = list[tuple[Day, V]]  # one window's steps: the first at the window's start, values all different


class Steps(Generic[V]):
    """What held at the end of each day, growing as more becomes known."""

    __slots__ = ("before", "days", "values")

    def __init__(self, before: V) -> None:
        self.before = before
        self.days: list[Day] = []
        self.values: list[V] = []

    def set(self, day: Day, value: V) -> None:
        """From the end of `day` until the next day with a value of its own, `value` holds."""
        at = bisect_left(self.days, day)
        if at < len(self.days) and self.days[at] == day:
            self.values[at] = value
        else:
            self.days.insert(at, day)
            self.values.insert(at, value)

    def at(self, day: Day) -> V:
        """What holds at the end of `day`."""
        at = bisect_right(self.days, day)
        return self.values[at - 1] if at else self.before

    def window(self, span: Span) -> Window[V]:
        """The steps of a span as billed."""
        days, values = self.days, self.values
        start, end, opened, delay = span
        at = bisect_right(days, opened)
        value = values[at - 1] if at else self.before
        steps = [(start, value)]
        for later in range(at, len(days)):
            day = days[later] + delay
            if day >= end:
                break
            if values[later] != value:
                value = values[later]
                steps.append((day, value))
        return steps


class Level(Steps[int]):
    """A count that moves by joiners and leavers."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0)

    def add(self, day: Day, change: int) -> None:
        """So many more from the end of `day` on, for ever."""
        days, values = self.days, self.values
        if not days:
            days.append(day)
            values.append(change)
        elif day > days[-1]:
            days.append(day)
            values.append(values[-1] + change)
        else:
            at = bisect_left(days, day)
            if days[at] != day:
                days.insert(at, day)
                values.insert(at, values[at - 1] if at else 0)
            for later in range(at, len(values)):
                values[later] += change


def joined(window: Window[V]) -> Window[V]:
    """The window without the steps that change nothing."""
    kept = [window[0]]
    for step in window:
        if step[1] != kept[-1][1]:
            kept.append(step)
    return kept


def summed(windows: Iterable[Window[int]], end: Day) -> Window[int]:
    """Windows with the same start as one, up to `end`."""
    total, *others = windows
    for each in others:
        total = [(day, one + other) for day, _, one, other in pieces(total, each, end)]
    return joined([step for step in total if step[0] < end])


def cut(window: Window[V], first: Day, past: Day) -> Window[V]:
    """The steps of the window between two days, the first of them on the first day; none where it begins later."""
    before = [step for step in window if step[0] <= first]
    inside = [step for step in window if first < step[0] < past]
    return [(first, before[-1][1]), *inside] if before else inside


def rising(window: Window[int]) -> Window[int]:
    """A window that never falls: a freed seat stays paid and can be refilled."""
    highest = window[0][1]
    held = [window[0]]
    for step in window:
        if step[1] > highest:
            highest = step[1]
            held.append(step)
    return held


W = TypeVar("W")


def pieces(left: Window[V], right: Window[W], end: Day) -> list[tuple[Day, Day, V, W]]:
    """Two windows up to `end` with the same start, cut wherever either steps: from, up to, left value, right value."""
    found: list[tuple[Day, Day, V, W]] = []
    i, j = len(left) - 1, len(right) - 1
    while i >= 0:
        start, one = left[i]
        right_day, two = right[j]
        if start > right_day:
            i -= 1
        elif start < right_day:
            start = right_day
            j -= 1
        else:
            i -= 1
            j -= 1
        found.append((start, end, one, two))
        end = start
    found.reverse()
    return found


def overlaid(window: Window[V], start: Day, end: Day, past: Day, value: V) -> Window[V]:
    """The window, which goes up to `past`, with another value from `start` up to `end`."""
    before = [step for step in window if step[0] < start]
    held = [step for step in window if step[0] <= end][-1][1]
    after = [(end, held), *(step for step in window if step[0] > end)] if end < past else []
    return joined([*before, (start, value), *after])
