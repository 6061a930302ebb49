"""A bill run: the due subscriptions of a vendor in batches, each read, computed and written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet

from prorata.engine.bill import bill
from prorata.engine.calendar import moment_of
from prorata.engine.refusal import CannotBill
from prorata.invoicing.actions.issue import Computed, issue
from prorata.invoicing.models import BillRun, Problem
from prorata.invoicing.queries import issued_to
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import histories
from prorata.vendors.models import PolicyVersion, Vendor
from prorata.vendors.queries import policy_at, policy_of

BATCH = 500

Step = Callable[[int], None]  # told how many subscriptions more have been looked at


def run_bills(*, vendor: Vendor, through: date, now: datetime, step: Step | None = None) -> BillRun:
    """Bills every subscription of the vendor that is due by a day, with what had been recorded before now.

    Each batch is a transaction: a run that is killed has billed whole batches, and another goes on where it ended.
    Two runs at once share the batches, since each takes rows that nobody holds; rows that stay held are waited for at
    the end. A subscription that cannot be billed becomes a problem of the run, and stays due.
    """
    run = BillRun.objects.create(vendor=vendor, through=through, known_until=now)
    for waits in (False, True):
        last = 0
        while pks := _bill_batch(run, last, waits=waits):
            last = pks[-1]
            if step is not None:
                step(len(pks))
    run.ended_at = now
    run.save(update_fields=["ended_at", "looked_at", "documents"])
    return run


@transaction.atomic
def _bill_batch(run: BillRun, last: int, *, waits: bool) -> list[int]:
    """Bills the next due subscriptions behind an id; which they are."""
    rows = list(_due(run, waits=waits).filter(pk__gt=last).order_by("pk")[:BATCH])
    if not rows:
        return []
    computed, problems = _computed(run, rows)
    run.documents += issue(vendor=run.vendor, computed=computed, run=run)
    run.looked_at += len(rows)
    Problem.objects.bulk_create(problems)
    return [row.pk for row in rows]


def _due(run: BillRun, *, waits: bool) -> QuerySet[Subscription]:
    """The due rows that this run has no problem with yet, locked."""
    rows = Subscription.objects.filter(vendor=run.vendor, next_look__lte=run.through).exclude(problems__run=run)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(of=("self",), skip_locked=not waits)
    return rows.select_related("account")


def _computed(run: BillRun, rows: Sequence[Subscription]) -> tuple[list[Computed], list[Problem]]:
    versions: dict[str, PolicyVersion] = {}
    for name in dict.fromkeys(row.policy_name for row in rows):
        versions[name] = policy_at(run.vendor, name, run.known_until)
    policies = {row.pk: policy_of(versions[row.policy_name]) for row in rows}
    zones = {pk: ZoneInfo(policy.time_zone) for pk, policy in policies.items()}
    told, issued = histories(rows, policies), issued_to(rows, zones)
    computed, problems = [], []
    for row in rows:
        zone = zones[row.pk]
        known_until = max(run.known_until, row.known_until or run.known_until)
        try:
            billing = bill(
                told[row.pk],
                through=run.through,
                known_until=moment_of(known_until, zone),
                issued=issued.get(row.pk),
            )
        except CannotBill as refused:
            problems.append(Problem(vendor=run.vendor, run=run, subscription=row, sentence=str(refused)))
        else:
            computed.append(Computed(row, versions[row.policy_name], zone, billing))
    return computed, problems
