"""Advance the clock: the time of a sandbox moves forward, and what happens by itself meanwhile happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Min

from prorata.invoicing.actions.run_bills import Outcome, run_bills
from prorata.subscriptions.models import Subscription
from prorata.vendors.models import Vendor
from prorata.vendors.queries import now_of, rules_now

YEARS_AT_ONCE = 3


class ClockRefused(ValueError):
    """A clock that cannot be moved so; says why."""


def advance_clock(*, vendor: Vendor, to: datetime) -> Outcome:
    """Moves a vendor's test clock forward to a moment, with a bill run as each day begins on which one is due.

    The clock moves with the runs, so that what is interrupted goes on where it ended. Raises ClockRefused of a vendor
    without a test clock, and of a moment that is not after it or more than three years away.
    """
    _check(vendor, to)
    outcome = Outcome()
    while (run := _next_run(vendor)) is not None and run[0] <= to:
        moment, day = run
        _set(vendor, moment)
        outcome.include(run_bills(vendor=vendor, through=day, now=moment))
    _set(vendor, to)
    return outcome


def ticked(vendor: Vendor) -> datetime:
    """What time it is for a bill run that somebody asks for; a test clock moves on, so that it knows what was told."""
    if vendor.test_clock is not None:
        Vendor.objects.filter(pk=vendor.pk).update(test_clock=F("test_clock") + timedelta(seconds=1))
        vendor.refresh_from_db(fields=["test_clock"])
    return now_of(vendor)


def _check(vendor: Vendor, to: datetime) -> None:
    if vendor.test_clock is None:
        raise ClockRefused(f"vendor {vendor.key} lives in real time; a test clock is given to a vendor as it is added")
    if to <= vendor.test_clock:
        raise ClockRefused(f"the clock stands at {vendor.test_clock.isoformat()} and only moves forward")
    if to > vendor.test_clock + timedelta(days=366 * YEARS_AT_ONCE):
        raise ClockRefused(f"the clock moves by {YEARS_AT_ONCE} years at most; go there in steps")


def _next_run(vendor: Vendor) -> tuple[datetime, date] | None:
    """The moment at which the next day begins on which somebody is due, and the day."""
    return min(_runs(vendor), default=None)


def _runs(vendor: Vendor) -> Iterator[tuple[datetime, date]]:
    clock = vendor.test_clock
    assert clock is not None
    rows = Subscription.objects.filter(vendor=vendor, next_look__isnull=False)
    for name, day in rows.values_list("policy_name").annotate(day=Min("next_look")):
        zone = ZoneInfo(rules_now(vendor, name, clock).time_zone)
        tomorrow = clock.astimezone(zone).date() + timedelta(days=1)
        due = max(day, tomorrow)
        yield datetime.combine(due, time.min, zone), due


@transaction.atomic
def _set(vendor: Vendor, moment: datetime) -> None:
    """The time of the vendor, kept; raises ClockRefused where somebody else moved it meanwhile."""
    moment = moment.astimezone(UTC)
    moved = Vendor.objects.filter(pk=vendor.pk, test_clock=vendor.test_clock).update(test_clock=moment)
    if not moved:
        raise ClockRefused("somebody else moves the clock")
    vendor.test_clock = moment
