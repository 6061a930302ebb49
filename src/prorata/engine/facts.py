"""What is told of an account becomes its history: in order, with what follows from it, checked one against another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from prorata.engine.calendar import Day, Interval, Moment, day_of, moment_at, point_of, speak_day, speak_point
from prorata.engine.history import (
    BEGIN_EVENTS,
    END_EVENTS,
    FOLLOWING,
    NEVER,
    PERSON_EVENTS,
    Event,
    EventKind,
    Subscription,
    buys,
)
from prorata.engine.policy.model import Policy, Rules, seats_of
from prorata.engine.population import People
from prorata.engine.refusal import CannotBill
from prorata.engine.settlement import Settlement


class Fact(NamedTuple):
    """One thing that was told: as an Event, but that its place among the others is not known yet.

    `at` is the moment at which it took effect, `place` where it was written, for who has to mend it. `withdrawn` is the
    moment at which it was said that it did not happen, or is not to be.
    """

    kind: EventKind
    at: Moment
    recorded: Moment
    user: str = ""
    role: str = ""
    plan: str = ""
    item: str = ""
    quantity: int | None = None
    price_minor: int | None = None
    interval: Interval | None = None
    until: Day | None = None
    reason: str = ""
    payment_method: str = ""
    withdrawn: Moment | None = None
    place: str = ""


def facts_from(
    rows: Iterable[tuple[Any, ...]],
    withdrawn: Mapping[int, int],
    moment: Callable[[int], Moment],
    until_of: Callable[[int], Day],
) -> list[Fact]:
    """Facts from rows as a database has them, many at a time: the user, the row's id, and what a Fact has, in order.

    None stands for an empty text, too. `moment` and `until_of` lead from its numbers to those of the account;
    `withdrawn` has its moments of withdrawal, by the ids of what was withdrawn.
    """
    found = []
    known = last = -1
    for (
        user, one, kind, at, recorded_at, role, plan, item, quantity, price_minor, interval, until, reason, method,
    ) in rows:  # fmt: skip
        took_effect = moment(at)
        if recorded_at != known:  # of what is told at once it is the same moment
            known = recorded_at
            last = took_effect if recorded_at == at else moment(recorded_at)
        told = (
            kind, took_effect, last, "" if user is None else str(user), role or "", plan or "", item or "", quantity,
            price_minor, interval or None, None if until is None else until_of(until), reason or "", method or "",
            moment(withdrawn[one]) if one in withdrawn else None, "",
        )  # fmt: skip
        found.append(tuple.__new__(Fact, told))  # Fact(*told) in half the time
    return found


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What is wrong with a fact beside the others, and the column that says so."""

    fact: Fact
    column: str
    sentence: str


def history(agreement: Subscription, facts: Iterable[Fact]) -> Subscription:
    """The agreement with all that was told of it, in the order in which it took effect.

    Facts of one moment stay in the order in which they are given. `agreement` says what holds before the first.
    """
    ticks = agreement.policy.ticks
    told = _in_order(agreement, facts)
    if any(fact.withdrawn is not None for fact in told):
        events = list(_with_withdrawals(told, ticks))
    else:
        events = [_event(fact, order, ticks) for order, fact in enumerate(told)]
    if any(fact.kind == "credit" for fact in told):
        grants = tuple(event for event in events if event.kind == "credit")
        return _with_events(agreement, [event for event in events if event.kind != "credit"], grants)
    return _with_events(agreement, events, agreement.grants)


def _with_events(agreement: Subscription, events: Iterable[Event], grants: tuple[Event, ...]) -> Subscription:
    """replace, in a fifth of the time."""
    return Subscription(
        agreement.account, agreement.policy, tuple(events), agreement.plan, agreement.interval,
        agreement.seats_follow, agreement.payment_method, grants,
    )  # fmt: skip


def contradictions(agreement: Subscription, facts: Iterable[Fact]) -> Iterator[Contradiction]:
    """What the facts of one account say that cannot all be true, or that its policy refuses."""
    everything = list(facts)
    told = _in_order(agreement, [fact for fact in everything if fact.withdrawn is None])
    yield from _endless(agreement, told)
    yield from _begun_twice(agreement, told, everything)
    yield from _not_begun(told)
    yield from _unmet(agreement, told)
    yield from _below_active(agreement, told)


def _with_withdrawals(told: Iterable[Fact], ticks: int) -> Iterator[Event]:
    """The events of facts, each that was withdrawn after it was known with its withdrawal."""
    order = 0
    for fact in told:
        if fact.withdrawn is not None and fact.withdrawn <= fact.recorded:
            continue
        event = _event(fact, order, ticks)
        yield event
        if fact.withdrawn is not None:
            yield event._replace(recorded=fact.withdrawn, order=order + 1, withdraws=order)
        order += 2


def _event(fact: Fact, order: int, ticks: int) -> Event:
    kind, at, recorded, user, role, plan, item, quantity, price_minor, interval, until, reason, method, _, _ = fact
    told = (
        kind, point_of(at, ticks), recorded, order, user, role, plan, item, quantity, price_minor, interval, until,
        reason, method, None,
    )  # fmt: skip
    return tuple.__new__(Event, told)  # Event(*told) in half the time


def _in_order(agreement: Subscription, facts: Iterable[Fact]) -> list[Fact]:
    """The facts by the moment at which they took effect, with the ends of trials and with what follows."""
    policy = agreement.policy
    told = sorted(facts, key=_at)
    if any(fact.until is None and fact.kind in ("trial", "trial_plan") for fact in told):
        told = list(_with_ends(agreement, told))
    follows = [*_following(policy, told), *(_waits(agreement, told) if policy.may_wait else ())]
    return sorted([*follows, *told], key=_at) if follows else told


def _at(fact: Fact) -> Moment:
    return fact.at


def _waits(agreement: Subscription, told: Sequence[Fact]) -> Iterator[Fact]:
    """How long paid periods wait after a trial for a payment method to be told of, as it became known (S14).

    Once they have begun they do not wait again.
    """
    ticks = agreement.policy.ticks
    trial = next((fact for fact in told if fact.kind == "trial"), None)
    if trial is None or agreement.payment_method:
        return
    if _rules_at(agreement, told, trial).trial.without_payment_method != "suspended":
        return
    assert trial.until is not None
    methods = [fact for fact in told if fact.payment_method]
    moments = {trial.recorded, *(one.recorded for one in methods), *(one.withdrawn or 0 for one in methods)}
    last = None
    for moment in sorted(moment for moment in moments if moment >= trial.recorded):
        if last is not None and moment_at(max(last, trial.until), ticks) <= moment:
            return
        known = [one for one in methods if _is_known(one, moment)]
        until = min((point_of(_on_file(one, trial.until, ticks), ticks) for one in known), default=NEVER * ticks)
        if until != last:
            yield Fact("wait", trial.at, moment, until=until, place=trial.place)
        last = until


def _on_file(method: Fact, ends: Day, ticks: int) -> Moment:
    """From when on a payment method is on file: when it is told, where that is after the trial."""
    return max(method.at, method.recorded) if method.recorded >= moment_at(ends, ticks) else method.at


def _with_ends(agreement: Subscription, told: Sequence[Fact]) -> Iterator[Fact]:
    """With the policy's length of a trial where nobody named its end."""
    for fact, days in _trial_days(agreement, told):
        if days is None:
            yield fact
        else:
            ticks = agreement.policy.ticks
            yield fact._replace(until=point_of(fact.at, ticks) + days * ticks)


def _trial_days(agreement: Subscription, told: Sequence[Fact]) -> Iterator[tuple[Fact, int | None]]:
    """Each fact with the days of a trial whose end nobody named, by the rules that hold for the account by then."""
    for fact in told:
        if fact.kind not in ("trial", "trial_plan") or fact.until is not None:
            yield fact, None
            continue
        trial = _rules_at(agreement, told, fact).trial
        yield fact, trial.days if fact.kind == "trial" else trial.plan_days


def _rules_at(agreement: Subscription, told: Sequence[Fact], fact: Fact) -> Rules:
    """The rules by which a trial goes: a trial keeps them, whatever is withdrawn after it was told."""
    policy, interval, method = agreement.policy, agreement.interval, agreement.payment_method
    for one in told:
        if one.withdrawn is None or one.withdrawn > fact.recorded:
            interval, method = one.interval or interval, one.payment_method or method
        if one is fact:
            break
    return policy.rules(interval, point_of(fact.at, policy.ticks) // policy.ticks, payment_method=method)


def _following(policy: Policy, told: Sequence[Fact]) -> Iterator[Fact]:
    """That people have not been active for as long as the policy waits, or that their free days are over."""
    if waits := policy.idle_days:
        for fact in told:
            if fact.kind == "activity":
                yield _after(fact, "idle", waits, policy.ticks)
    if waits := policy.free_days:
        for fact in _first_joins(told, policy):
            yield _after(fact, "free_end", waits, policy.ticks)


def _after(fact: Fact, kind: EventKind, waits: int, ticks: int) -> Fact:
    """What follows from something that was told, so many days later."""
    day = point_of(fact.at, ticks)
    begins = moment_at(day + waits * ticks, ticks)
    recorded = max(begins, fact.recorded)
    return Fact(kind, begins, recorded, fact.user, until=day, withdrawn=fact.withdrawn, place=fact.place)


def _first_joins(told: Iterable[Fact], policy: Policy) -> Iterator[Fact]:
    """What each person joined with first; as this became known, where that was told late or another was withdrawn."""
    joins: dict[str, list[Fact]] = {}
    for fact in told:
        if fact.kind in policy.joins_with:
            joins.setdefault(fact.user, []).append(fact)
    for facts in joins.values():
        moments = {fact.recorded for fact in facts}.union(
            fact.withdrawn for fact in facts if fact.withdrawn is not None
        )
        seen: list[Fact] = []
        for moment in sorted(moments):
            known = [one for one in facts if _is_known(one, moment)]
            first = min(known, key=lambda fact: (fact.at, fact.recorded), default=None)
            if first is not None and first not in seen:
                seen.append(first)
                yield first._replace(recorded=moment)


def _endless(agreement: Subscription, told: Iterable[Fact]) -> Iterator[Contradiction]:
    """Trials whose end neither they nor the policy names."""
    name, ticks = agreement.policy.name, agreement.policy.ticks
    for fact in told:
        if fact.kind in ("trial", "trial_plan") and fact.until == point_of(fact.at, ticks):
            named = "days" if fact.kind == "trial" else "plan_days"
            sentence = f"is empty, and policy {name} says nothing of trial.{named}; give the first day after it"
            yield Contradiction(fact, "until", sentence)


def _begun_twice(agreement: Subscription, told: Sequence[Fact], everything: Sequence[Fact]) -> Iterator[Contradiction]:
    """More than one beginning, but for those with which an agreement that had ended comes back."""
    order = {id(fact): place for place, fact in enumerate(sorted(everything, key=_at))}
    ends = [fact for fact in everything if fact.kind in END_EVENTS]
    ticks = agreement.policy.ticks
    last: dict[str, Fact] = {}

    def on(fact: Fact) -> str:
        return speak_point(point_of(fact.at, ticks), ticks)

    for place, fact in enumerate(told):
        if fact.kind not in BEGIN_EVENTS:
            continue
        if (
            fact.kind == "start"
            and last
            and any(order[id(end)] < order[id(fact)] and _is_known(end, fact.recorded) for end in ends)
        ):
            if sentence := _still_runs(agreement, told[:place], fact):
                yield Contradiction(fact, "event", sentence)
        elif fact.kind in last:
            sentence = f"the account has a {fact.kind} on {on(last[fact.kind])} already"
            yield Contradiction(fact, "event", sentence)
        elif (
            fact.kind == "trial"
            and (start := last.get("start"))
            and point_of(start.at, ticks) < point_of(fact.at, ticks)
        ):
            yield Contradiction(fact, "at", f"the trial begins after the agreement started on {on(start)}")
        last[fact.kind] = fact


def _is_known(fact: Fact, by: Moment) -> bool:
    """Whether a fact was told by a moment, and not withdrawn."""
    return fact.recorded <= by and not (fact.withdrawn and fact.withdrawn <= by)


def ends_nothing(fact: Fact, begins: Sequence[Fact]) -> bool:
    """Whether a fact ends an agreement that nothing began before it, nor was told to begin."""
    if fact.kind not in END_EVENTS:
        return False
    return not any(begin.at <= fact.at or begin.recorded <= fact.recorded for begin in begins)


def _not_begun(told: Sequence[Fact]) -> Iterator[Contradiction]:
    begins = [fact for fact in told if fact.kind in BEGIN_EVENTS]
    for fact in told:
        if ends_nothing(fact, begins):
            yield Contradiction(fact, "event", f"the agreement has not begun by then; there is nothing to {fact.kind}")


def _still_runs(agreement: Subscription, told: Sequence[Fact], start: Fact) -> str:
    """Why an agreement cannot come back on a day: that it had not ended by then, by what had been told."""
    ticks = agreement.policy.ticks
    day = point_of(start.at, ticks) // ticks
    before = Settlement(history(agreement, [fact for fact in told if fact.kind not in FOLLOWING]))
    try:
        before.catch_up(max(day, *(day_of(fact.recorded) for fact in told)))
        ends, cancel = before.ends(), before.known.stints[-1].cancel
    except CannotBill:
        return ""  # which whoever bills is told
    if ends is None or cancel is None:
        return "the agreement runs on that day; it comes back only after it has ended"
    if ends > day:
        last = speak_day(ends - 1)
        return f"the agreement runs to {last}; withdraw what ends it, or let it come back later"
    if day_of(cancel.recorded) >= day:
        told_on = speak_day(day_of(cancel.recorded))
        return f"that the agreement ended was recorded on {told_on} only; it can come back on a later day"
    return ""


def _unmet(agreement: Subscription, told: Iterable[Fact]) -> Iterator[Contradiction]:
    """Whoever leaves, or is given a role, without ever having come."""
    ticks = agreement.policy.ticks
    met: set[str] = set()
    for fact in told:
        if fact.kind in ("invite", "accept", "activate", "activity"):
            met.add(fact.user)
        elif fact.kind in ("deactivate", "suspend", "resume", "role") and fact.user not in met:
            was = "was never a member before" if fact.kind == "role" else "was never active before"
            on = speak_point(point_of(fact.at, ticks), ticks)
            yield Contradiction(fact, "user", f"{fact.user!r} {was} {on}")


def _below_active(agreement: Subscription, told: Sequence[Fact]) -> Iterator[Contradiction]:
    """Where the policy forbids it, there may at no moment be fewer seats bought than members are active.

    Facts of the same moment, such as those of one date, are one change: whoever leaves on that date has left. The
    seats of each role that is counted apart are for its members.
    """
    policy, interval = agreement.policy, agreement.interval
    people = People(policy)
    active: dict[str, int] = {}
    bought: dict[str, int] = {}
    short: dict[str, int] = {}
    lowered: set[str] = set()
    for order, fact in enumerate(told):
        interval = fact.interval or interval
        event = _event(fact, order, policy.ticks)
        if event.kind in PERSON_EVENTS:
            was = people.seat_of(event.user)
            people.learn((event,))
            for role, more in ((was, -1), (people.seat_of(event.user), 1)):
                if role is not None:
                    active[role] = active.get(role, 0) + more
        elif buys(event):
            assert event.quantity is not None
            role = policy.role_apart(event.role)
            if event.quantity < bought.get(role, 0):
                lowered.add(role)
            bought[role] = event.quantity
        if order + 1 < len(told) and told[order + 1].at == fact.at:
            continue
        roles = {**active, **bought} if bought else {}
        missing = {role: max(active.get(role, 0) - bought.get(role, 0), 0) for role in roles}
        for role in (role for role in missing if missing[role] > short.get(role, 0)):
            seats = policy.rules(interval, event.day // policy.ticks, item=seats_of(role)).seats
            if seats.below_active == "refused" and seats.count == "bought":
                count, whose = bought.get(role, 0), f"{role} members" if role else "members"
                way_out = f"free some before reducing to {count}" if role in lowered else f"buy more than {count} first"
                column = "quantity" if event.quantity is not None else "user" if event.user else "event"
                yield Contradiction(fact, column, f"{active[role]} {whose} hold seats; {way_out}")
        short = missing
        lowered = set()
