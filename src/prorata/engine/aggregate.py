"""How the seats of a period are measured: from what held each day to what is billed for it."""

from __future__ import annotations

from collections.abc import Callable

from prorata.engine.history import buys
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.policy.model import SeatRules
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Span, Window, joined


def seats(known: Known, period: Period, span: Span) -> Window[int]:
    """The number of seats over the days of the span, before minimum and the like."""
    rules = period.rules.seats
    if rules.count == "bought":
        window = _bought(known, rules, span)
    else:
        window = known.people.level(rules.counts_from).window(span)
    if rules.measure == "level":
        return window
    return _MEASURES[rules.measure](known, rules, span, window)


def _bought(known: Known, rules: SeatRules, span: Span) -> Window[int]:
    """The seats ordered; until the first order as many as the active members need, where the subscription says so."""
    ordered = known.seats
    if not known.subscription.seats_follow:
        if not ordered.days and not any(buys(event) for event in known.subscription.events):
            raise CannotBill(
                "the policy bills bought seats and the history buys none; add seats events or a quantity to start, "
                "or let seats follow the active users (--seats follow)"
            )
        return ordered.window(span)
    _, end, opened, delay = span
    if ordered.days and ordered.days[0] <= opened:
        return ordered.window(span)
    followed = rising(known.people.level(rules.counts_from).window(span))
    if not ordered.days:
        return followed
    first = ordered.days[0] + delay
    if first >= end:
        return followed
    bought = ordered.window((first, end, ordered.days[0], delay))
    return joined([step for step in followed if step[0] < first] + bought)


def distinct(known: Known, rules: SeatRules, span: Span, window: Window[int]) -> Window[int]:
    """Everyone who counted on some day of the span, for all of it; a person who comes back counts once."""
    start, end, opened, delay = span
    past = end - delay
    newcomers = 0
    for user in {event.user for event in known.happened(opened + 1, past) if event.user}:
        there, came = known.people.presence(user, opened, past, rules.counts_from)
        newcomers += came and not there
    return [(start, window[0][1] + newcomers)]


_MEASURES: dict[str, Callable[[Known, SeatRules, Span, Window[int]], Window[int]]] = {
    "high_water": lambda _known, _rules, _span, window: rising(window),
    "distinct": distinct,
}


def rising(window: Window[int]) -> Window[int]:
    """A window that never falls: a freed seat stays paid and can be refilled."""
    highest = window[0][1]
    held = [window[0]]
    for step in window:
        if step[1] > highest:
            highest = step[1]
            held.append(step)
    return held
