"""A step function over days: each value holds from its day until the next one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, TypeAlias, TypeVar

from prorata.engine.calendar import Day

V = TypeVar("V")

Window: TypeAlias = list[tuple[Day, V]]  # one window's steps: the first at the window's start, values all different
Stretch: TypeAlias = tuple[Day, Day, V]


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

    def window(self, start: Day, end: Day, delay: int, *, opening: bool) -> Window[V]:
        """The steps of [start, end) as billed.

        `delay` is 0 where a day counts as it ended, and 1 where it counts as it began. On an agreement's opening
        day the state at its end counts either way: who is there on the first day is there from its start.
        """
        at = bisect_right(self.days, start if opening else start - delay)
        value = self.values[at - 1] if at else self.before
        steps = [(start, value)]
        days, values = self.days, self.values
        last = len(days)
        while at < last and days[at] + delay < end:
            if values[at] != value:
                value = values[at]
                steps.append((days[at] + delay, value))
            at += 1
        return steps


class Level(Steps[int]):
    """A count that moves by joiners and leavers."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0)

    def add(self, day: Day, change: int) -> None:
        """`change` more from the end of `day` on, for ever."""
        if not self.days or day > self.days[-1]:
            self.days.append(day)
            self.values.append((self.values[-1] if self.values else 0) + change)
            return
        at = bisect_left(self.days, day)
        if self.days[at] != day:
            self.days.insert(at, day)
            self.values.insert(at, self.values[at - 1] if at else 0)
        for later in range(at, len(self.values)):
            self.values[later] += change


def stretches(window: Window[V], end: Day) -> list[Stretch[V]]:
    """The steps of a window as half-open stretches."""
    cut = []
    for at in range(len(window) - 1):
        start, value = window[at]
        cut.append((start, window[at + 1][0], value))
    start, value = window[-1]
    if start < end:
        cut.append((start, end, value))
    return cut


W = TypeVar("W")


def together(left: Window[V], right: Window[W]) -> Window[tuple[V, W]]:
    """Two windows with the same start as one, cut wherever either steps."""
    if len(right) == 1:
        other = right[0][1]
        return [(day, (value, other)) for day, value in left]
    both: Window[tuple[V, W]] = []
    i = j = 0
    while True:
        day = max(left[i][0], right[j][0])
        both.append((day, (left[i][1], right[j][1])))
        next_left = left[i + 1][0] if i + 1 < len(left) else None
        next_right = right[j + 1][0] if j + 1 < len(right) else None
        if next_left is None and next_right is None:
            return both
        if next_right is None or (next_left is not None and next_left <= next_right):
            i += 1
            j += next_left == next_right
        else:
            j += 1


Difference: TypeAlias = tuple[Day, Day, V | None, V | None]

_NEVER = 1 << 40  # later than any day


def compare(left: list[Stretch[V]], right: list[Stretch[V]]) -> list[Difference[V]]:
    """Where two lists of stretches differ: start, end, left value, right value, None where there is none."""
    over: tuple[Day, Day, V | None] = (_NEVER, _NEVER, None)
    lefts: Iterator[tuple[Day, Day, V | None]] = iter(left)
    rights: Iterator[tuple[Day, Day, V | None]] = iter(right)
    left_start, left_end, left_value = next(lefts, over)
    right_start, right_end, right_value = next(rights, over)
    found: list[Difference[V]] = []
    day = min(left_start, right_start)
    while day < _NEVER:
        one = two = None
        end = left_start
        if left_start <= day:
            one, end = left_value, left_end
        if right_start <= day:
            two = right_value
            end = min(end, right_end)
        elif right_start < end:
            end = right_start
        if one != two:
            if found and found[-1][1] == day and found[-1][2:] == (one, two):
                found[-1] = (found[-1][0], end, one, two)
            else:
                found.append((day, end, one, two))
        day = end
        if left_end <= day:
            left_start, left_end, left_value = next(lefts, over)
        if right_end <= day:
            right_start, right_end, right_value = next(rights, over)
    return found
