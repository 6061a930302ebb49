"""A bill run: the due subscriptions of a vendor in batches, each read, computed and written in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

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

_EAST = timedelta(hours=14)  # so much later it is where a day begins first
_MOST = 2**63  # what has no room in the database


class NotYet(ValueError):
    """A day up to which nobody can be billed yet."""


@dataclass(slots=True)
class Outcome:
    """What a run came to: how many subscriptions it looked at, its documents, and the accounts it could not bill.

    `totals` are the sums of invoices and of credit notes by currency, in minor units.
    """

    looked_at: int = 0
    documents: Counter[str] = field(default_factory=Counter)  # by their kind
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind and currency
    problems: list[str] = field(default_factory=list)

    def add(self, computed: Sequence[Computed]) -> None:
        """Counts what was computed."""
        for document in (document for one in computed for document in one.billing.documents):
            self.documents[document.kind] += 1
            self.totals[document.kind, document.currency] += abs(document.total_minor)


def count_due(*, vendor: Vendor, through: date) -> int:
    """How many of the vendor's subscriptions are due by a day."""
    return Subscription.objects.filter(vendor=vendor, next_look__lte=through).count()


def run_bills(
    *, vendor: Vendor, through: date, now: datetime, dry_run: bool = False, step: Step | None = None
) -> Outcome:
    """Bills every subscription of the vendor that is due by a day, with what had been recorded before now.

    Each batch is a transaction: a run that is killed has billed whole batches, and another goes on where it ended.
    Two runs at once share the batches, since each takes rows that nobody holds; rows that stay held are waited for at
    the end. A subscription that cannot be billed becomes a problem of the run, and stays due. With a `dry_run` all of
    it is computed and nothing stays written.

    Raises NotYet for a day that has not come: what is recorded until then belongs on its bills. Where it has come for
    some accounts only, the others are billed through their own today.
    """
    if not dry_run and through > (now + _EAST).date():
        raise NotYet(f"{through} has not come yet; --dry-run says what would be billed by then")
    run = BillRun(vendor=vendor, through=through, known_until=now)
    if not dry_run:
        run.save()
    outcome, looked_at = Outcome(), set[int]()
    for waits in (False, True):
        last = 0
        while pks := _bill_batch(run, outcome, looked_at, last, waits=waits, dry_run=dry_run):
            last = pks[-1]
            more = len(looked_at) - outcome.looked_at
            outcome.looked_at += more
            if step is not None:
                step(more)
    if not dry_run:
        run.looked_at, run.documents, run.ended_at = outcome.looked_at, outcome.documents.total(), Now()
        run.save(update_fields=["ended_at", "looked_at", "documents"])
    return outcome


@transaction.atomic
def _bill_batch(
    run: BillRun, outcome: Outcome, looked_at: set[int], last: int, *, waits: bool, dry_run: bool
) -> list[int]:
    """Bills the next due subscriptions behind an id; which they are."""
    due = list(_due(run, waits=waits).filter(pk__gt=last).order_by("pk")[:BATCH])
    rows = [row for row in due if row.pk not in looked_at]
    computed, problems = _computed(run, rows, dry_run=dry_run)
    outcome.add(computed)
    outcome.problems += [f"account {problem.subscription.account.key}: {problem.sentence}" for problem in problems]
    looked_at.update(row.pk for row in rows)
    if dry_run:
        transaction.set_rollback(True)
    elif rows:
        issue(vendor=run.vendor, computed=computed, run=run)
        Problem.objects.bulk_create(problems)
    return [row.pk for row in due]


def _due(run: BillRun, *, waits: bool) -> QuerySet[Subscription]:
    """The due rows, locked."""
    rows = Subscription.objects.filter(vendor=run.vendor, next_look__lte=run.through)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(of=("self",), skip_locked=not waits)
    return rows.select_related("account")


def _computed(run: BillRun, rows: Sequence[Subscription], *, dry_run: bool) -> tuple[list[Computed], list[Problem]]:
    if not rows:
        return [], []
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
        today = run.known_until.astimezone(zone).date()
        through = run.through if dry_run else min(run.through, today)
        if row.next_look is not None and row.next_look > through:
            continue
        try:
            billing = bill(
                told[row.pk],
                through=through,
                known_until=moment_of(known_until, zone),
                issued=issued.get(row.pk),
            )
            if any(abs(line.exact_parts) >= _MOST for document in billing.documents for line in document.lines):
                raise CannotBill("an amount is too large to be kept; look at the quantities and prices agreed")
        except CannotBill as refused:
            problems.append(Problem(vendor=run.vendor, run=run, subscription=row, sentence=str(refused)))
        else:
            computed.append(Computed(row, versions[row.policy_name], zone, billing))
    return computed, problems
