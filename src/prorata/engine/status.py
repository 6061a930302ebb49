"""How an agreement stands at a moment: its plan, what is ordered and billed, its credits, as far as is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from prorata.engine.bill import credits_of
from prorata.engine.calendar import Day, Interval, Moment, day_of, point_of, to_date
from prorata.engine.due import due
from prorata.engine.history import BEGIN_EVENTS, Subscription, in_force
from prorata.engine.issued import Issued
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.refusal import CannotBill
from prorata.engine.settlement import Settlement

State = Literal["waiting", "trial", "active", "ended"]


class Billed(NamedTuple):
    """So many of an item are billed at a moment, at a price in minor units for so many months."""

    item: str
    quantity: int
    price_minor: int
    price_months: int


@dataclass(frozen=True, slots=True)
class Status:
    """An agreement is on `trial` or `waiting` before its first billed day, and has `ended` after its last.

    `starts` is the first billed day, `ends` the first on which it no longer runs, if it was cancelled; `trial_plan` is
    one that is tried out for nothing until `trial_ends`. The running period is from `period_start` up to `period_end`.
    `ordered` are the seats that are bought, by role where roles are counted apart and else under "". `billed` is
    what a bill of today would count; where that cannot be said, `problem` says why. `credit_left_minor` has what the
    next invoice can use.
    """

    state: State
    plan: str
    interval: Interval
    payment_method: str
    credit_left_minor: int
    starts: date | None = None
    ends: date | None = None
    trial_plan: str = ""
    trial_ends: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    ordered: Mapping[str, int] | None = None
    billed: tuple[Billed, ...] = ()
    problem: str = ""


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
    ends, running = settlement.ends(), settlement.period_at(point)
    is_over = ends is not None and ends * ticks <= point
    on_trial = [one for one in told if one.kind == "trial_plan" and one.day <= point < (one.until or 0)]
    items, problem = _billed(known, None if is_over else running, point)
    state: State = "ended" if is_over else "active"
    if point < known.start:
        is_tried = any(one.kind == "trial" and one.day <= point < (one.until or 0) for one in told)
        state = "trial" if is_tried else "waiting"
    return Status(
        state=state,
        plan=known.terms.at(point).plan,
        interval=known.interval(point, known_by=now + 1),
        payment_method=known.payment_method(point, now + 1),
        credit_left_minor=credits.left_minor,
        starts=_date(known.start, ticks),
        ends=None if ends is None else to_date(ends),
        trial_plan=on_trial[-1].plan if on_trial else "",
        trial_ends=_date(on_trial[-1].until or 0, ticks) if on_trial else None,
        period_start=_date(running.start, ticks) if running and not is_over else None,
        period_end=_date(running.end, ticks) if running and not is_over else None,
        ordered={role: steps.at(point) for role, steps in known.seats.items() if steps.days},
        billed=items,
        problem=problem,
    )


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
