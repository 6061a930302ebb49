"""When a change within a period takes effect: on its day, or with the month, quarter or period around it or after it.

A rise that takes effect with the month it lies in is drawn forward to the month's first day; one that takes effect
with the next month does not count before that. A fall that takes effect with the next month leaves what had risen paid
for, and usable, until then. Whatever else happens meanwhile, the stretches in between stay as they are. Before any of
that, what rises and falls again too soon is left out, and a fall is put off by the notice it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import TypeVar

from prorata.engine.calendar import Day
from prorata.engine.period import Period, Waits
from prorata.engine.policy.tariff import Price, Tariff
from prorata.engine.steps import Span, Window, cut, joined, rising

V = TypeVar("V")
_YEARLY = attrgetter("yearly_minor")


def counts_in_effect(period: Period, window: Window[int], span: Span, today: Day) -> Window[int]:
    """The window of a count, up to the end of the span, by when its changes take effect: the part of it in the span.

    What has risen counts once it has lasted by `today`, where that has to.
    """
    if len(window) == 1:
        return [(span[0], window[0][1])]
    if period.keeps:  # what is most often asked for, in a fraction of the time
        return rising(window)
    return _in_effect(period, window, span, int, (period.rise_waits, period.fall_waits), today)


def prices_in_effect(period: Period, window: Window[Price], span: Span, today: Day) -> Window[Price]:
    """The same of a price; a dearer one is a rise."""
    if len(window) == 1:
        return [(span[0], window[0][1])]
    return _in_effect(period, window, span, _YEARLY, (period.rise_waits, period.fall_waits), today)


def plans_in_effect(period: Period, window: Window[Price], span: Span, today: Day) -> Window[Price]:
    """The same of the price of a seat, which is the plan's."""
    if len(window) == 1:
        return [(span[0], window[0][1])]
    return _in_effect(period, window, span, _YEARLY, period.plan_waits, today, of_plans=True)


def tariffs_in_effect(
    period: Period, window: Window[Tariff], span: Span, today: Day, size: Callable[[Tariff], int]
) -> Window[Tariff]:
    """The same of tariffs; `size` says which of two is the dearer."""
    return _in_effect(period, window, span, size, period.plan_waits, today, of_plans=True)


def _in_effect(
    period: Period,
    window: Window[V],
    span: Span,
    size: Callable[[V], int],
    waits: tuple[Waits | None, Waits | None],
    today: Day,
    *,
    of_plans: bool = False,
) -> Window[V]:
    rise_waits, fall_waits = waits
    is_bound = period.is_bound and (not of_plans or period.rules.change.cheaper_plan == "difference")

    def less(one: V, other: V) -> V:
        return other if size(other) < size(one) else one

    def more(one: V, other: V) -> V:
        return other if size(other) > size(one) else one

    start, end, _, _ = span
    if period.waiting:
        window = _lasting(window, period.waiting, today, size)
        window = cut(window, window[0][0], end)
    if period.notice:
        window = _noticed(window, period.notice, end, more)
    if period.notice or period.waiting:
        window = cut(window, max(period.bound_from if period.is_bound else start, window[0][0]), end)
    if rise_waits is not None:
        window = _passed(window, rise_waits, end, more, less, 0)
    if fall_waits is not None:
        if is_bound:
            fall_waits = (window[0][0], end), False
        window = _passed(window, fall_waits, end, less, more, period.rules.fall.window_days * period.policy.ticks)
    return cut(window, start, end) if window[0][0] < start else window


def _lasting(window: Window[V], days: int, today: Day, size: Callable[[V], int]) -> Window[V]:
    """The window without what rises and falls again within so many days, or has not lasted so long by today.

    Its first step counts anyway. Each other one that is higher than those around it is kept where it lasts, and where
    it does not it goes down to the higher of the two.
    """
    kept = window[:1]
    for day, value in window[1:]:
        start = day
        while len(kept) > 1 and start == day:
            (_, before), (risen, most) = kept[-2:]
            if not size(before) < size(most) > size(value) or day - risen >= days:
                break
            kept.pop()
            if size(before) < size(value):
                start = risen
        if value != kept[-1][1]:
            kept.append((start, value))
    lasting = kept[:1]
    for day, value in kept[1:]:
        is_young = day + days > today and size(value) > size(lasting[-1][1])
        lasting.append((day, lasting[-1][1] if is_young else value))
    return joined(lasting)


def _noticed(window: Window[V], days: int, end: Day, more: Callable[[V, V], V]) -> Window[V]:
    """The window where what falls does so as many days later: on each day the most there was in the days before it."""
    moves = sorted({day for at, _ in window for day in (at, at + days) if day < end})
    return joined(
        [
            (day, reduce(more, (value for _, value in cut(window, max(day - days, window[0][0]), day + 1))))
            for day in moves
        ]
    )


def _passed(
    window: Window[V], waits: Waits, end: Day, early: Callable[[V, V], V], late: Callable[[V, V], V], back: int
) -> Window[V]:
    """The window with each stretch between two borders gone through: from its end (early), or from its beginning.

    `back` is for how many days what was bought can be given back.
    """
    borders, is_early = waits
    found = [step for step in window if step[0] < borders[0]]
    for first, past in pairwise([*(border for border in borders if border < end), end]):
        part = cut(window, first, past)
        values = [value for _, value in part]
        if is_early:
            values = list(accumulate(reversed(values), early))[::-1]
        elif back:
            values = _given_back(part, back, early, late)
        else:
            values = list(accumulate(values, late))
        found += [(day, value) for (day, _), value in zip(part, values, strict=True)]
    return joined(found)


def _given_back(part: Window[V], back: int, less: Callable[[V, V], V], more: Callable[[V, V], V]) -> list[V]:
    """What is kept at each step, where a fall counts down to the least that was kept in the days before it."""
    kept: Window[V] = []
    for day, value in part:
        before = [one for at, (_, one) in enumerate(kept) if at + 1 == len(kept) or kept[at + 1][0] >= day - back]
        is_bound = day - back > part[0][0]
        kept.append((day, more(value, reduce(less, before)) if is_bound else value))
    return [value for _, value in kept]
