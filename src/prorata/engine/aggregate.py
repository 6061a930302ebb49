"""How the seats of a period are measured: from what held each day to what is billed for it."""

from __future__ import annotations

from collections.abc import Callable

from prorata.engine.calendar import Day
from prorata.engine.history import buys
from prorata.engine.known import Known
from prorata.engine.money import rounded
from prorata.engine.period import Period
from prorata.engine.policy.model import SeatRules
from prorata.engine.population import People
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Span, Window, joined, pieces, rising


def seats(known: Known, period: Period, span: Span) -> Window[int]:
    """The number of seats over the days of the span, before minimum and the like."""
    rules = period.rules.seats
    if rules.count == "bought":
        window = _bought(known, rules, span)
        return window if rules.measure == "level" else _measured(known, period, span, window)
    window = known.people.level(rules.counting).window(span)
    if rules.measure != "level":
        window = _measured(known, period, span, window)
    if rules.count == "larger" and known.seats.days:
        ordered = known.seats.window(span)
        window = joined([(day, max(one, other)) for day, _, one, other in pieces(window, ordered, span[1])])
    return window


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
    followed = rising(known.people.level(rules.counting).window(span))
    if not ordered.days:
        return followed
    first = ordered.days[0] + delay
    if first >= end:
        return followed
    bought = ordered.window((first, end, ordered.days[0], delay))
    return joined([step for step in followed if step[0] < first] + bought)


def _measured(known: Known, period: Period, span: Span, window: Window[int]) -> Window[int]:
    rules = period.rules.seats
    running = _RUNNING.get(rules.measure)
    if running is not None:
        return running(known, rules, span, window)
    over = span
    if rules.of == "period_before":
        before = known.span_before(period)
        if before is None:  # the agreement's first period: whoever is there on its first day
            return [(span[0], window[0][1])]
        bought = rules.count == "bought"
        over = before
        window = _bought(known, rules, over) if bought else known.people.level(rules.counting).window(over)
    return [(span[0], _NUMBERS[rules.measure](known, rules, over, window))]


def _high_water(_known: Known, _rules: SeatRules, _span: Span, window: Window[int]) -> Window[int]:
    return rising(window)


def _held(known: Known, rules: SeatRules, span: Span, window: Window[int]) -> Window[int]:
    """Whoever counted once, to the end of the span; a person who comes back counts once."""
    start = span[0]
    came: dict[Day, int] = {}
    for user in known.met(span):
        stays = known.people.stays(user, span, rules.counting)
        if stays and stays[0][0] > start:
            came[stays[0][0]] = came.get(stays[0][0], 0) + 1
    steps = [(start, window[0][1])]
    for day in sorted(came):
        steps.append((day, steps[-1][1] + came[day]))
    return steps


def _peak(_known: Known, _rules: SeatRules, _span: Span, window: Window[int]) -> int:
    return max(count for _, count in window)


def _mean(_known: Known, _rules: SeatRules, span: Span, window: Window[int]) -> int:
    start, end, _, _ = span
    ends = [day for day, _ in window[1:]] + [end]
    seat_days = sum(count * (past - day) for (day, count), past in zip(window, ends, strict=True))
    return rounded(seat_days, end - start)


def _snapshot(_known: Known, rules: SeatRules, span: Span, window: Window[int]) -> int:
    """The count of one day; where the span is shorter, of its last."""
    start, end, _, _ = span
    day = min(start + rules.on_day, end) - 1 if rules.on_day else end - 1
    return [count for first, count in window if first <= day][-1]


def _distinct(known: Known, rules: SeatRules, span: Span, window: Window[int]) -> int:
    """Everyone who counted on enough days of the span; a person who comes back counts once."""
    start, _, opened, delay = span
    first_day = (start, start + 1, opened, delay)
    count = window[0][1]  # those there at first are there on all days, unless something happened to them
    for user in known.met(span):
        there = bool(known.people.stays(user, first_day, rules.counting))
        count += counts_in(known.people, user, span, rules) - there
    return count


def counts_in(people: People, user: str, span: Span, rules: SeatRules) -> bool:
    """Whether a person takes a seat on some day of the span, or on as many as a distinct one must."""
    stays = people.stays(user, span, rules.counting)
    if rules.measure != "distinct":
        return bool(stays)
    length = span[1] - span[0]
    return sum(past - first for first, past in stays) >= min(rules.least_days or length, length)


# What changes within a period, and what is one number for all of it.
_RUNNING: dict[str, Callable[[Known, SeatRules, Span, Window[int]], Window[int]]] = {
    "high_water": _high_water,
    "held": _held,
}
_NUMBERS: dict[str, Callable[[Known, SeatRules, Span, Window[int]], int]] = {
    "peak": _peak,
    "mean": _mean,
    "snapshot": _snapshot,
    "distinct": _distinct,
}
