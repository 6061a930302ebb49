"""When a change within a period takes effect: on its day, or with the month, quarter or period around it or after it.

A rise that takes effect with the month it lies in is drawn forward to the month's first day; one that takes effect
with the next month does not count before that. A fall that takes effect with the next month leaves what had risen paid
for, and usable, until then. Whatever else happens meanwhile, the stretches in between stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import TypeVar

from prorata.engine.calendar import Day
from prorata.engine.period import Period, Waits
from prorata.engine.policy.tariff import Price, Tariff
from prorata.engine.steps import Window, joined, rising

V = TypeVar("V")
_YEARLY = attrgetter("yearly_minor")


def counts_in_effect(period: Period, window: Window[int], end: Day) -> Window[int]:
    """The window of a count, which goes up to `end`, by when its changes take effect."""
    if len(window) == 1:
        return window
    if period.keeps:  # what is most often asked for, in a fraction of the time
        return rising(window)
    return _in_effect(period, window, end, int)


def prices_in_effect(period: Period, window: Window[Price], end: Day) -> Window[Price]:
    """The window of a price by when its changes take effect; a dearer price is a rise."""
    if len(window) == 1:
        return window
    return _in_effect(period, window, end, _YEARLY)


def tariffs_in_effect(
    period: Period, window: Window[Tariff], end: Day, size: Callable[[Tariff], int]
) -> Window[Tariff]:
    """The window of tariffs by when its changes take effect; `size` says which of two is the dearer."""
    return window if len(window) == 1 else _in_effect(period, window, end, size)


def _in_effect(period: Period, window: Window[V], end: Day, size: Callable[[V], int]) -> Window[V]:
    def less(one: V, other: V) -> V:
        return other if size(other) < size(one) else one

    def more(one: V, other: V) -> V:
        return other if size(other) > size(one) else one

    if period.rise_waits is not None:
        window = _passed(window, period.rise_waits, end, more, less)
    if period.fall_waits is not None:
        window = _passed(window, period.fall_waits, end, less, more)
    return window


def _passed(
    window: Window[V], waits: Waits, end: Day, early: Callable[[V, V], V], late: Callable[[V, V], V]
) -> Window[V]:
    """The window with each stretch between two borders gone through: from its end (early), or from its beginning."""
    borders, is_early = waits
    found: Window[V] = []
    for first, past in pairwise([*(border for border in borders if border < end), end]):
        part = _cut(window, first, past)
        values = [value for _, value in part]
        if is_early:
            values = list(accumulate(reversed(values), early))[::-1]
        else:
            values = list(accumulate(values, late))
        found += [(day, value) for (day, _), value in zip(part, values, strict=True)]
    return joined(found)


def _cut(window: Window[V], first: Day, past: Day) -> Window[V]:
    """The steps of the window between two days, the first of them on the first day; none where it begins later."""
    before = [step for step in window if step[0] <= first]
    inside = [step for step in window if first < step[0] < past]
    return [(first, before[-1][1]), *inside] if before else inside
