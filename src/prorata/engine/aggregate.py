"""How the seats of a period are measured: from what held each day to what is billed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from prorata.engine.calendar import Day
from prorata.engine.history import is_billed_order
from prorata.engine.known import Known
from prorata.engine.money import rounded
from prorata.engine.period import Period
from prorata.engine.policy.model import Counting, SeatRules
from prorata.engine.population import People
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Span, Window, joined, pieces, rising


def seats(known: Known, period: Period, span: Span, role: str = "") -> Window[int]:
    """The seats over the days of the span, before minimum and the like, of a role counted apart or of all others."""
    rules = period.rules.seats
    if rules.count == "bought":
        window = _bought(known, period, span, role)
        return window if rules.measure == "level" else _measured(known, period, span, window, role)
    window = used(known, period, span, role)
    if rules.count == "larger" and role in known.seats:
        both = pieces(window, ordered(known, role, span), span[1])
        window = joined([(day, max(one, other)) for day, _, one, other in both])
    return window


def used(known: Known, period: Period, span: Span, role: str) -> Window[int]:
    """The seats of a role that its members need over the days of the span, as they are measured."""
    window = known.people.level(period.countings[role]).window(span)
    return window if period.rules.seats.measure == "level" else _measured(known, period, span, window, role)


def ordered(known: Known, role: str, span: Span) -> Window[int]:
    """The seats of a role that were ordered, over the days of the span."""
    steps = known.seats.get(role)
    return steps.window(span) if steps is not None else [(span[0], 0)]


def _bought(known: Known, period: Period, span: Span, role: str) -> Window[int]:
    """The seats ordered; until the first order as many as the active members need, where the subscription says so."""
    orders = known.seats.get(role) or known.seats[""]
    if not known.subscription.seats_follow:
        if not (role in known.seats and orders.days) and not _has_orders(known, period, role):
            of_role, how = (f"{role} ", f" of the role {role}") if role else ("", " or a quantity to start")
            raise CannotBill(
                f"the policy bills bought {of_role}seats and the history buys none; add seats events{how}, "
                "or let seats follow the active members (seats_follow; on the command line --seats follow)"
            )
        return ordered(known, role, span)
    _, end, opened, delay = span
    days = orders.days if role in known.seats else []
    if days and days[0] <= opened:
        return orders.window(span)
    followed = rising(known.people.level(period.countings[role]).window(span))
    if not days:
        return followed
    first = days[0] + delay
    if first >= end:
        return followed
    bought = orders.window((first, end, days[0], delay))
    return joined([step for step in followed if step[0] < first] + bought)


def _has_orders(known: Known, period: Period, role: str) -> bool:
    """Whether the account ever orders seats that are billed; of a role also where it has no members to need any."""
    if any(is_billed_order(event, period.policy) for event in known.subscription.events):
        return True
    return role != "" and not any(known.people.level(period.countings[role]).values)


def _measured(known: Known, period: Period, span: Span, window: Window[int], role: str) -> Window[int]:
    rules = period.rules.seats
    running = _RUNNING.get(rules.measure)
    if running is not None:
        return running(known, period, span, window, role)
    over = span
    if rules.of == "period_before":
        before = known.span_before(period)
        if before is None:  # the agreement's first period: whoever is there on its first day
            return [(span[0], window[0][1])]
        bought = rules.count == "bought"
        over = before
        window = (
            _bought(known, period, over, role) if bought else known.people.level(period.countings[role]).window(over)
        )
    return [(span[0], _NUMBERS[rules.measure](known, period, over, window, role))]


def _high_water(_known: Known, _period: Period, _span: Span, window: Window[int], _role: str) -> Window[int]:
    return rising(window)


def _held(known: Known, period: Period, span: Span, window: Window[int], role: str) -> Window[int]:
    """Whoever counted once, to the end of the span, and in the dearest role so far; who comes back counts once."""
    start = span[0]
    roles = dearest_first(known, period, span)
    moves: dict[Day, int] = {}
    for user in known.met(span):
        stays = [
            (first, rank) for rank, each in enumerate(roles) for first in _first_days(known, period, span, user, each)
        ]
        best = len(roles)
        for first, rank in sorted(stays):
            if rank < best:
                change = (roles[rank] == role) - (best < len(roles) and roles[best] == role)
                best = rank
                if first > start and change:
                    moves[first] = moves.get(first, 0) + change
    steps = [(start, window[0][1])]
    for day in sorted(moves):
        steps.append((day, steps[-1][1] + moves[day]))
    return joined(steps)


def _first_days(known: Known, period: Period, span: Span, user: str, role: str) -> list[Day]:
    return [first for first, _ in known.people.stays(user, span, period.countings[role])]


def dearest_first(known: Known, period: Period, span: Span) -> list[str]:
    """The roles that are measured alike, the dearest of the plan on the first day of the span first."""
    roles = list(period.alike)
    if len(roles) > 1:
        tariff = period.tariffs.get(known.terms.window(span)[0][1].plan)
        tiers = tariff.tiers if tariff else {}
        plain = tiers.get("", ())
        yearly = {
            role: max((tier.price.yearly_minor for tier in tiers.get(role) or plain), default=0) for role in roles
        }
        roles.sort(key=lambda role: -yearly[role])
    return roles


def _peak(_known: Known, _period: Period, _span: Span, window: Window[int], _role: str) -> int:
    return max(count for _, count in window)


def _mean(_known: Known, _period: Period, span: Span, window: Window[int], _role: str) -> int:
    start, end, _, _ = span
    ends = [day for day, _ in window[1:]] + [end]
    seat_days = sum(count * (past - day) for (day, count), past in zip(window, ends, strict=True))
    return rounded(seat_days, end - start)


def _snapshot(_known: Known, period: Period, span: Span, window: Window[int], _role: str) -> int:
    """The count of one day; where the span is shorter, of its last."""
    start, end, _, _ = span
    on_day = period.rules.seats.on_day * period.policy.ticks
    day = min(start + on_day, end) - 1 if on_day else end - 1
    return [count for first, count in window if first <= day][-1]


def _distinct(known: Known, period: Period, span: Span, window: Window[int], role: str) -> int:
    """Everyone who counted on enough days of the span, in the dearest role they had; who comes back counts once."""
    start, _, opened, delay = span
    first_day = (start, start + 1, opened, delay)
    people, countings = known.people, period.countings
    roles = dearest_first(known, period, span)
    count = window[0][1]  # those there at first are there on all days, unless something happened to them
    for user in known.met(span):
        count -= bool(people.stays(user, first_day, countings[role]))
        count += role == distinct_role(people, user, span, period, roles)
    return count


def distinct_role(people: People, user: str, span: Span, period: Period, roles: Iterable[str]) -> str | None:
    """As whom somebody is one of the distinct: the first of the roles they had whose least days they reach in all."""
    stays = {role: people.stays(user, span, period.countings[role]) for role in roles}
    lasted = _lasted(chain.from_iterable(stays.values()))
    least = {role: _least(period.alike[role], span, period.policy.ticks) for role in stays}
    return next((role for role in stays if stays[role] and lasted >= least[role]), None)


def counts_in(people: People, user: str, span: Span, rules: SeatRules, counting: Counting, ticks: int) -> bool:
    """Whether a person takes a seat on some day of the span, or on as many as a distinct one must."""
    stays = people.stays(user, span, counting)
    return _lasted(stays) >= _least(rules, span, ticks) if rules.measure == "distinct" else bool(stays)


def _least(rules: SeatRules, span: Span, ticks: int) -> int:
    """For how long a person must count within the span to be one of its distinct ones."""
    length = span[1] - span[0]
    return min(rules.least_days * ticks or length, length)


def _lasted(stays: Iterable[tuple[Day, Day]]) -> int:
    return sum(past - first for first, past in stays)


# What changes within a period, and what is one number for all of it.
_RUNNING: dict[str, Callable[[Known, Period, Span, Window[int], str], Window[int]]] = {
    "high_water": _high_water,
    "held": _held,
}
_NUMBERS: dict[str, Callable[[Known, Period, Span, Window[int], str], int]] = {
    "peak": _peak,
    "mean": _mean,
    "snapshot": _snapshot,
    "distinct": _distinct,
}
