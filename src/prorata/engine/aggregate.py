"""How the seats of a period are measured: from what held each day to what is billed for it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from prorata.engine.calendar import Day
from prorata.engine.history import buys
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Window


def seats(known: Known, period: Period, end: Day) -> Window[int]:
    """The number of seats over the days of [period.start, end), before minimum and the like."""
    rules = period.rules.seats
    delay = rules.delay_days
    opening = period.start == known.start
    if rules.count == "bought":
        window = _bought(known, period, end, delay, opening=opening)
    else:
        window = known.people.level(rules.counts_from).window(period.start, end, delay, opening=opening)
    if rules.measure == "level":
        return window
    return _MEASURES[rules.measure](known, period, window, end)


def _bought(known: Known, period: Period, end: Day, delay: int, *, opening: bool) -> Window[int]:
    """The seats ordered; until the first order as many as the active members need, where the subscription says so."""
    ordered = known.seats
    if not known.subscription.seats_follow:
        if not ordered.days and not any(buys(event) for event in known.subscription.events):
            raise CannotBill(
                "the policy bills bought seats and the history buys none; add seats events or a quantity to start, "
                "or let seats follow the active users (--seats follow)"
            )
        return ordered.window(period.start, end, delay, opening=opening)
    level = known.people.level(period.rules.seats.counts_from)
    followed = rising(level.window(period.start, end, delay, opening=opening))
    window = ordered.window(period.start, end, delay, opening=opening)
    first = ordered.days[0] if ordered.days else end
    first = period.start if opening and first <= period.start else first + delay
    if first <= period.start:
        return window
    return [step for step in followed if step[0] < first] + [step for step in window if step[0] >= first]


def distinct(known: Known, period: Period, window: Window[int], end: Day) -> Window[int]:
    """Everyone who counted on some day of the period, for all of it; a person who comes back counts once."""
    rules = period.rules.seats
    delay = rules.delay_days
    opened = period.start if period.start == known.start else period.start - delay
    first, past = bisect_left(known.days, opened + 1), bisect_left(known.days, end - delay)
    newcomers = 0
    for user in {event.user for event in known.events[first:past] if event.user}:
        there, came = known.people.presence(user, opened, end - delay, rules.counts_from)
        newcomers += came and not there
    return [(period.start, window[0][1] + newcomers)]


_MEASURES: dict[str, Callable[[Known, Period, Window[int], Day], Window[int]]] = {
    "high_water": lambda _known, _period, window, _end: rising(window),
    "distinct": distinct,
}


def rising(window: Window[int]) -> Window[int]:
    """A window that never falls: a freed seat stays paid and can be refilled."""
    highest = window[0][1]
    held = [window[0]]
    for day, value in window:
        if value > highest:
            highest = value
            held.append((day, value))
    return held
