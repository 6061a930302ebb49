"""Whether a change begins a new period: how the account stood for the running one, and how it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prorata.engine.calendar import Day, Moment
from prorata.engine.due import counts_of, offers_in_effect
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.policy.tariff import Tariff
from prorata.engine.price import tariffs, yearly

_EVER: Moment = 1 << 62


@dataclass(frozen=True, slots=True)
class Standing:
    """What the running period bills of an account on a day: seats by role, and what its plan asks for them."""

    offer: Tariff
    counts: Mapping[str, int]


def standing(known: Known, period: Period, day: Day) -> Standing | None:
    """How the account stands on a day of the period, by what is known.

    None where the agreement does not run, and where nothing but another interval begins a new period.
    """
    if known.stint(period).cancel is not None or set(period.rules.change.restarting) <= {"interval"}:
        return None
    span = known.span_until(period, day + 1)
    if span is None:
        return None
    counts = counts_of(known, period, span)
    offers = offers_in_effect(period, tariffs(known, period, known.with_past(period, span)), span, 0, counts)
    return Standing(offers[-1][1], {role: window[-1][1] for role, window in counts.items()})


def seats_on(known: Known, period: Period, day: Day) -> int:
    """How many seats are billed on a day of the period, by what is known; none before the agreement starts."""
    span = known.span_until(period, day + 1)
    return 0 if span is None else sum(window[-1][1] for window in counts_of(known, period, span).values())


def begins_anew(known: Known, period: Period, day: Day, before: Standing | None) -> bool:
    """Whether a new period begins on a day of the running one, where the account stood so a moment before.

    On a period's first day nothing but another interval does: the period is of that day already. Once an agreement
    is cancelled, nothing begins a new one.
    """
    change, start = period.rules.change, known.start_of(period)
    if known.stint(period).cancel is not None or not change.restarting or day < start:
        return False
    asked = known.interval(max(day - period.delay, period.start), known_by=_EVER)
    if change.interval == "restart" and asked != period.interval:
        return True
    now = standing(known, period, day) if before is not None else None
    if day <= max(period.start, start) or before is None or now is None:
        return False
    if change.more_seats == "restart" and sum(now.counts.values()) > sum(before.counts.values()):
        return True
    return _plan_of(now) != _plan_of(before) and _of_plan(period, before, now) == "restart"


def _of_plan(period: Period, before: Standing, now: Standing) -> str:
    """What the policy says of the other plan, dearer or cheaper for the seats there are now."""
    dearer = yearly(now.offer, now.counts, period) - yearly(before.offer, now.counts, period)
    change = period.rules.change
    return change.dearer_plan if dearer > 0 else change.cheaper_plan if dearer else "difference"


def _plan_of(standing: Standing) -> str:
    return next(iter(standing.offer.tiers.values()))[0].price.plan
