"""How an agreement stands at a moment: its plan, what is ordered and billed, its credits, as far as is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from prorata.engine.bill import credits_of
from prorata.engine.calendar import Day, Interval, Moment, day_of, point_of, speak_day, speak_point, to_date
from prorata.engine.due import due
from prorata.engine.history import BEGIN_EVENTS, NEVER, Event, Subscription, in_force
from prorata.engine.issued import Issued
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.refusal import CannotBill
from prorata.engine.settlement import Settlement

State = Literal["waiting", "trial", "suspended", "active", "paused", "ended"]


class Billed(NamedTuple):
    """So many of an item are billed at a moment, at a price in minor units for so many months."""

    item: str
    quantity: int
    price_minor: int
    price_months: int


@dataclass(frozen=True, slots=True)
class Status:
    """An agreement is on `trial` or `waiting` before its first billed day, and has `ended` after its last.

    It is `suspended` after a trial until a payment method is told of, where the policy says so, and `paused` after a
    pause or until the day `returns` on which it comes back.
    `starts` is the first billed day, `ends` the first on which it no longer runs, if it was cancelled; `trial_plan` is
    one that is tried out for nothing until `trial_ends`. The running period is from `period_start` up to `period_end`.
    `ordered` are the seats that are bought, by role where roles are counted apart and else under "". `billed` is
    what a bill of today would count; where that cannot be said, `problem` says why. `credit_left_minor` has what the
    next invoice can use. The `message` tells people why it does not run, and what makes it run.
    """

    state: State
    plan: str
    interval: Interval
    payment_method: str
    credit_left_minor: int
    starts: date | None = None
    ends: date | None = None
    returns: date | None = None
    trial_plan: str = ""
    trial_ends: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    ordered: Mapping[str, int] | None = None
    billed: tuple[Billed, ...] = ()
    problem: str = ""
    message: str = ""


def status(subscription: Subscription, *, now: Moment, issued: Issued | None = None) -> Status:
    """How it stands by what was recorded up to and with a moment, and has taken effect by then."""
    credits = credits_of(subscription, issued)
    for _ in credits.come(now + 1):
        pass
    told = in_force([event for event in subscription.events if event.recorded <= now])
    if not any(event.kind in BEGIN_EVENTS for event in told):
        agreed = subscription.plan, subscription.interval, subscription.payment_method
        return Status("waiting", *agreed, credits.left_minor)
    settlement = Settlement(subscription, now + 1, issued)
    settlement.catch_up(day_of(now))
    ticks, known = subscription.policy.ticks, settlement.known
    point = point_of(now, ticks)
    stints = known.stints
    later = next((stint for stint in stints[1:] if stint.begins > point), None)
    stint = stints[stints.index(later) - 1] if later else stints[-1]
    ends, running = settlement.ends(stint), settlement.period_at(point)
    is_over = ends is not None and ends * ticks <= point
    on_trial = [one for one in told if one.kind == "trial_plan" and one.day <= point < (one.until or 0)]
    items, problem = _billed(known, None if is_over else running, point)
    begins = (known.start, *(one.begins for one in stints[1:]))
    state: State = "active"
    if is_over:
        state = "ended" if stint.is_final and later is None else "paused"
    elif stint is stints[0] and point < known.start:
        state = _before_start(told, point)
    return Status(
        state=state,
        plan=known.terms.at(point).plan,
        interval=known.interval(point, known_by=now + 1),
        payment_method=known.payment_method(point, now + 1),
        credit_left_minor=credits.left_minor,
        starts=next((_date(day, ticks) for day in begins if day < NEVER * ticks), None),
        ends=None if ends is None else to_date(ends),
        returns=_date(later.begins, ticks) if later else None,
        trial_plan=on_trial[-1].plan if on_trial else "",
        trial_ends=_date(on_trial[-1].until or 0, ticks) if on_trial else None,
        period_start=_date(running.start, ticks) if running and not is_over else None,
        period_end=_date(running.end, ticks) if running and not is_over else None,
        ordered={role: steps.at(point) for role, steps in known.seats.items() if steps.days},
        billed=items,
        problem=problem,
        message=_message(state, told, ends, later.begins if later else known.start, ticks),
    )


def _before_start(told: Sequence[Event], point: Day) -> State:
    """How an agreement stands that is not billed yet."""
    if any(one.kind == "trial" and one.day <= point < (one.until or 0) for one in told):
        return "trial"
    return "suspended" if any(one.kind == "wait" for one in told) else "waiting"


def _message(state: State, told: Sequence[Event], ends: Day | None, runs: Day, ticks: int) -> str:
    """Why it does not run, and when it does: on the point `runs`, if that is still to come and known."""
    if state == "suspended":
        ended = max((one.until or 0 for one in told if one.kind == "trial"), default=0)
        over = f"The trial ended with {speak_point(ended - 1, ticks)}"
        if runs < NEVER * ticks:
            return f"{over}; the account runs from {speak_point(runs, ticks)}."
        return f"{over}, and no payment method is on file; the account runs from the day on which one is given."
    if state == "paused" and ends is not None:
        back = f", to come back on {speak_point(runs, ticks)}" if runs >= ends * ticks else ""
        return f"Paused since {speak_day(ends)}{back}."
    return f"Ended with {speak_day(ends - 1)}." if state == "ended" and ends is not None else ""


def _billed(known: Known, period: Period | None, point: Day) -> tuple[tuple[Billed, ...], str]:
    if period is None:
        return (), ""
    try:
        return tuple(_at(known, period, point)), ""
    except CannotBill as error:
        return (), str(error)


def _at(known: Known, period: Period, point: Day) -> Iterator[Billed]:
    for item, steps in due(known, period).items():
        held = None
        for day, holding in steps:
            if day > point:
                break
            held = holding
        if held is not None and held[0]:
            quantity, price = held
            yield Billed(item, quantity, price.minor, price.months)


def _date(point: Day, ticks: int) -> date:
    """The day of a point; of one within a day the next day, which is the first that is whole."""
    return to_date(-(-point // ticks))
