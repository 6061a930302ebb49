"""The night's bill runs: each vendor's, once a day, after midnight by the clocks of its accounts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError
from django.db.models import Count, Max, QuerySet

from prorata.invoicing.actions.run_bills import Outcome, run_bills
from prorata.invoicing.models import BillRun
from prorata.subscriptions.queries import clocks_of
from prorata.vendors.models import Vendor
from prorata.vendors.queries import policy_names, rules_now

_REST = timedelta(hours=1)


def run_nightly(*, now: datetime, at: time, workers: int = 1) -> Iterator[tuple[Vendor, Outcome]]:
    """Runs the bills of every vendor in real time for which a day has come since its last run, and a time of that day.

    What was interrupted or failed is run again, after two minutes, then four, and at last every hour. Where a vendor's
    policies or accounts are of several time zones, each has its own night.
    """
    for vendor in Vendor.objects.filter(test_clock=None).order_by("key"):
        try:
            if (through := _due(vendor, now, at)) is not None:
                yield vendor, run_bills(vendor=vendor, through=through, now=now, workers=workers)
        except (OperationalError, InterfaceError):
            raise  # without the database there is no night for anybody
        except Exception as error:  # the night of the others is not lost with it
            logging.getLogger(__name__).exception("the bill run of vendor %s failed", vendor.key)
            yield vendor, Outcome(problems=[f"the bill run failed: {error}; it is run again"])


def _due(vendor: Vendor, now: datetime, at: time) -> date | None:
    """The last day up to which the vendor is to be billed now; None where that was done."""
    days = []
    for zone in {*clocks_of(vendor), *(rules_now(vendor, name, now).time_zone for name in policy_names(vendor))}:
        day = now.astimezone(ZoneInfo(zone)).date()
        if datetime.combine(day, at, ZoneInfo(zone)) > now:
            day -= timedelta(days=1)  # the last night that has begun was yesterday's
        begins = datetime.combine(day, at, ZoneInfo(zone))
        runs = BillRun.objects.filter(vendor=vendor, account=None, through__gte=day, known_until__gte=begins)
        if not runs.filter(ended_at__isnull=False).exists() and _rested(runs, now):
            days.append(day)
    return max(days, default=None)


def _rested(runs: QuerySet[BillRun], now: datetime) -> bool:
    """Whether what was tried and did not end was tried long enough ago."""
    tried = runs.aggregate(times=Count("id"), last=Max("known_until"))
    if tried["last"] is None:
        return True
    rest = min(timedelta(minutes=2 ** min(tried["times"], 6)), _REST)
    return bool(now >= tried["last"] + rest)
