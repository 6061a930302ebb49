"""Advance the clock: the time of a sandbox moves forward, and what happens by itself meanwhile happens."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Min

from prorata.invoicing.actions.run_bills import Outcome, run_bills
from prorata.subscriptions.models import Subscription
from prorata.vendors.models import Vendor
from prorata.vendors.queries import now_of, rules_now

YEARS_AT_ONCE = 3

_TICK = timedelta(milliseconds=1)  # by which a clock that stands moves on, so that a run knows what was just told


class ClockRefused(ValueError):
    """A clock that cannot be moved so; says why."""


def advance_clock(*, vendor: Vendor, to: datetime) -> Outcome:
    """Moves a vendor's test clock forward to a moment, with a bill run as each day begins on which one is due.

    The clock follows the runs: what was interrupted is done when it is moved again, to the same moment or a later one.
    Who cannot be billed is a problem once. Raises ClockRefused of a vendor without a test clock, and of a moment that
    is before it or more than three years away.
    """
    _check(vendor, to)
    outcome = Outcome()
    while (run := min(_runs(vendor, outcome.refused), default=None)) is not None and run[0] <= to:
        moment, day = run
        outcome.include(run_bills(vendor=vendor, through=day, now=moment, but=outcome.refused))
        _set(vendor, moment)
    _set(vendor, to)
    return outcome


def ticked(vendor: Vendor, *, dry_run: bool = False) -> datetime:
    """What time it is for a bill run that somebody asks for; a test clock moves on, but for a dry run."""
    if vendor.test_clock is None or dry_run:
        return now_of(vendor) + (_TICK if vendor.test_clock else timedelta())
    Vendor.objects.filter(pk=vendor.pk).update(test_clock=F("test_clock") + _TICK)
    vendor.refresh_from_db(fields=["test_clock"])
    return now_of(vendor)


def _check(vendor: Vendor, to: datetime) -> None:
    if vendor.test_clock is None:
        raise ClockRefused(f"vendor {vendor.key} lives in real time; a test clock is given to a vendor as it is added")
    if to < vendor.test_clock:
        raise ClockRefused(f"the clock stands at {vendor.test_clock.isoformat()} and only moves forward")
    if to > vendor.test_clock + timedelta(days=366 * YEARS_AT_ONCE):
        raise ClockRefused(f"the clock moves by {YEARS_AT_ONCE} years at most; go there in steps")


def _runs(vendor: Vendor, but: Collection[int]) -> Iterator[tuple[datetime, date]]:
    """For each policy the moment of its next run, as the day begins on which somebody is due, and that day.

    Who was due before the clock's own day, or on it as it began, is due at once: a run was interrupted.
    """
    clock = vendor.test_clock
    assert clock is not None
    rows = Subscription.objects.filter(vendor=vendor, next_look__isnull=False).exclude(pk__in=but)
    for name, time_zone, day in rows.values_list("policy_name", "time_zone").annotate(day=Min("next_look")):
        zone = ZoneInfo(rules_now(vendor, name, clock, time_zone).time_zone)
        begins = datetime.combine(day, time.min, zone)
        yield (begins, day) if begins > clock else (clock + _TICK, clock.astimezone(zone).date())


def _set(vendor: Vendor, moment: datetime) -> None:
    """The time of the vendor, kept; raises ClockRefused where somebody else moved it meanwhile."""
    moment = moment.astimezone(UTC)
    if not Vendor.objects.filter(pk=vendor.pk, test_clock=vendor.test_clock).update(test_clock=moment):
        raise ClockRefused("somebody else moves the clock")
    vendor.test_clock = moment
