"""What happened to an account, as it was told: events with the day they took effect and when they were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from prorata.engine.calendar import YEARS, Day, Interval, Moment, moment_at
from prorata.engine.policy.model import Policy

EventKind = Literal[
    "start", "trial", "invite", "accept", "activate", "deactivate", "suspend", "resume", "activity", "role", "seats",
    "plan", "trial_plan", "add_on", "remove_add_on", "interval", "payment_method", "cancel", "pause", "credit",
    "idle", "free_end", "wait",
]  # fmt: skip
FOLLOWING: tuple[EventKind, ...] = ("idle", "free_end", "wait")  # what is not told but follows from what was
BEGIN_EVENTS: tuple[EventKind, ...] = ("start", "trial")  # with what an agreement begins; they are not withdrawn
END_EVENTS: tuple[EventKind, ...] = ("cancel", "pause")  # with what one ends, the latter perhaps for a while only
PERSON_EVENTS = frozenset(
    {"invite", "accept", "activate", "deactivate", "suspend", "resume", "activity", "role", "idle", "free_end"}
)
SCHEDULE_EVENTS = frozenset({"start", "trial", "interval", "wait"})
NEVER: Day = date(YEARS[-1], 1, 1).toordinal()  # further ahead nobody asks, nor does anything happen


class Event(NamedTuple):
    """One thing that happened.

    `day` is the day in the account's time zone on which it took effect, or the hour, minute or second where the policy
    counts them (`precision`); `recorded` is the moment at which it became known. `order` is its place among the
    account's events by the moment they took effect. `until` is the first day that is no longer part of what the event
    grants. An agreed price is in minor units for the interval that the plan's list price is for; of a credit it is the
    amount.

    What was told wrongly, or is not to be, can be withdrawn: another event, which is the same but for when it was
    recorded, `withdraws` the one of that `order`. Bills until then knew it; for those after it never happened.

    Three kinds are not told but follow: `idle`, that nobody heard of the person since the activity of the day `until`,
    `free_end`, that the free days are over of the person who joined on the day `until`, and `wait`, that after a trial
    paid periods do not begin before the day `until`, since no payment method is told of before that (S14).
    """

    kind: EventKind
    day: Day
    recorded: Moment
    order: int
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
    withdraws: int | None = None


def in_force(events: Iterable[Event]) -> list[Event]:
    """The events that were not withdrawn."""
    told = list(events)
    withdrawn = {event.withdraws for event in told if event.withdraws is not None}
    if not withdrawn:
        return told
    return [event for event in told if event.withdraws is None and event.order not in withdrawn]


def buys(event: Event) -> bool:
    """Whether the event says how many seats are bought."""
    return event.quantity is not None and event.kind in ("start", "trial", "seats")


def is_billed_order(event: Event, policy: Policy) -> bool:
    """Whether the event orders seats of which the policy somewhere bills how many are ordered."""
    return buys(event) and policy.role_apart(event.role) in policy.ordered_roles


def starts_on(events: Iterable[Event]) -> Day | None:
    """The first billed day: of `start` and the day after a trial the later; None without either.

    A trial without a start may have to wait. A start with which an agreement comes back is none of these events.
    """
    start = trial_end = waits = None
    for event in events:
        if event.kind == "start":
            start = event.day
        elif event.kind == "trial":
            trial_end = event.until
        elif event.kind == "wait":
            waits = event.until
    told = (start, trial_end, waits if start is None else None)
    return max((day for day in told if day is not None), default=None)


def returns(events: Sequence[Event]) -> list[Event]:
    """The starts with which an agreement comes back, of events in the order in which they took effect.

    Each was told when something that ends what began before it was told of, and not withdrawn.
    """
    begins = [event for event in events if event.kind in BEGIN_EVENTS]
    if len(begins) < 2:
        return []
    withdrawn = {event.withdraws: event.recorded for event in events if event.withdraws is not None}
    ends = [event for event in events if event.kind in END_EVENTS and event.withdraws is None]
    begun = min(event.order for event in begins)
    return [
        start
        for start in begins
        if start.kind == "start"
        and any(
            begun < end.order < start.order
            and end.recorded <= start.recorded < withdrawn.get(end.order, start.recorded + 1)
            for end in ends
        )
    ]


def opens_on(begins: Sequence[Event], ticks: int) -> Day:
    """The day on which the first billing period begins, from the `start` and `trial` in the order of their recording.

    It is where the agreement starts by what was recorded before that day, or was the first to be recorded. If the
    start is moved to a later day afterwards, the periods stay, and the days before it are credited.
    """
    told = begins[0].recorded
    day = -1
    for known, event in enumerate(begins):
        if known and event.recorded >= max(moment_at(day, ticks), told + 1):
            break
        start = starts_on(begins[: known + 1])
        assert start is not None
        day = start
    return day


@dataclass(frozen=True, slots=True)
class Subscription:
    """An account's agreement under a policy: who bills it how, and all that happened to it.

    `plan`, `interval` and `payment_method` are what holds until an event says otherwise. With `seats_follow`, where the
    policy bills bought seats the account has until its first order as many as its active members need: up at once, down
    with the next period. `grants` are the credits that were granted, apart from what is billed.
    """

    account: str
    policy: Policy
    events: tuple[Event, ...]
    plan: str
    interval: Interval
    seats_follow: bool = False
    payment_method: str = ""
    grants: tuple[Event, ...] = ()
