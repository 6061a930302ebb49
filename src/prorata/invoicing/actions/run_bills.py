"""A bill run: the due subscriptions of a vendor in batches, each read, computed and written in one transaction."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import zip_longest
from operator import or_
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from prorata.accounts.models import Account
from prorata.database.clock import clock_of
from prorata.database.garbage import kept_to_the_end
from prorata.database.one_of import one_of
from prorata.database.rows import microseconds_of, rows_of
from prorata.database.workers import in_processes
from prorata.engine.bill import bill
from prorata.engine.calendar import day_of, to_date
from prorata.engine.document import Document
from prorata.engine.refusal import CannotBill
from prorata.invoicing.actions.issue import BUYER, Computed, issue
from prorata.invoicing.models import BillRun, Problem
from prorata.invoicing.queries import issued_to
from prorata.invoicing.rows import MOST
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import SubscriptionRow, agreement_of, earliest_today, histories, subscription_rows
from prorata.vendors.models import Vendor
from prorata.vendors.queries import policy_at, policy_of
from prorata.webhooks.outbox import announce

BATCH = 2000

Step = Callable[[int], None]  # told how many subscriptions more have been looked at

_AHEAD = timedelta(days=5 * 365)
_EAST = timedelta(hours=14)  # so much later it is where a day begins first


class NotYet(ValueError):
    """A day up to which nobody can be billed yet."""


_Limits: TypeAlias = tuple[tuple[str, str, date], ...]  # how far those of a policy and a time zone can be billed


class _Batch(NamedTuple):
    """A stretch of ids, from the first up to an end if it has one, whose due subscriptions a run is to bill.

    But for some, of which it knows that they stay due. It `waits` for rows that somebody else holds, or leaves them.
    """

    run: BillRun
    first: int
    end: int | None
    but: frozenset[int]
    waits: bool
    dry_run: bool
    limits: _Limits


@dataclass(slots=True)
class Outcome:
    """What a run came to: how many subscriptions it looked at, its documents, and the accounts it could not bill.

    `totals` are the sums of invoices and of credit notes by currency, in minor units.
    """

    looked_at: int = 0
    documents: Counter[str] = field(default_factory=Counter)  # by their kind
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind and currency
    problems: list[str] = field(default_factory=list)
    left: set[int] = field(default_factory=set)  # who was looked at and is still due
    refused: set[int] = field(default_factory=set)  # who of them could not be billed
    run: BillRun | None = field(default=None, compare=False)  # its row, of a run that is kept

    def add(self, computed: Sequence[Computed]) -> None:
        """Counts what was computed."""
        for document in (document for one in computed for document in one.billing.documents):
            self.documents[document.kind] += 1
            self.totals[document.kind, document.currency] += abs(document.total_minor)

    def include(self, more: Outcome) -> None:
        """Counts what another part of the run came to."""
        self.looked_at += more.looked_at
        self.documents.update(more.documents)
        self.totals.update(more.totals)  # += would leave out a sum of nothing
        self.problems += more.problems
        self.left |= more.left
        self.refused |= more.refused


def count_due(*, vendor: Vendor, through: date) -> int:
    """How many of the vendor's subscriptions are due by a day."""
    return Subscription.objects.filter(vendor=vendor, next_look__lte=through).count()


def run_bills(
    *,
    vendor: Vendor,
    through: date,
    now: datetime,
    account: Account | None = None,
    but: Collection[int] = (),
    dry_run: bool = False,
    workers: int = 1,
    step: Step | None = None,
) -> Outcome:
    """Bills every subscription of the vendor, or of one account, that is due by a day, as recorded before now.

    But for those of some ids, which are left as they are.

    Each batch is a transaction, done by one of so many worker processes: a run that is killed has billed whole batches,
    and another goes on where it ended. Two runs at once share the batches, since each takes rows that nobody holds;
    rows that stay held are waited for at the end. A subscription that cannot be billed becomes a problem of the run,
    and stays due. With a `dry_run` all of it is computed and nothing is written.

    Raises NotYet for a day that has not come: what is recorded until then belongs on its bills. Where it has come for
    some accounts only, the others are billed through their own today.
    """
    if not dry_run and through > (now + _EAST).date():
        raise NotYet(f"{through} has not come yet; a dry run says what would be billed by then")
    if through > (now + _AHEAD).date():
        raise NotYet(f"{through} is too far ahead; a dry run looks {_AHEAD.days // 365} years ahead at most")
    run = BillRun(vendor=vendor, account=account, through=through, known_until=now)
    if not dry_run:
        run.save()
    outcome = Outcome(left=set(but), run=None if dry_run else run)
    limits = () if dry_run else _limits(run)
    for waits in (False,) if dry_run else (False, True):
        batches = _batches(run, outcome.left, limits, waits=waits, dry_run=dry_run)
        for part in in_processes(min(workers, len(batches) or 1), _bill_batch, batches):
            outcome.include(part)
            if step is not None:
                step(part.looked_at)
    if not dry_run:
        _end(run, outcome)
    return outcome


@transaction.atomic
def _end(run: BillRun, outcome: Outcome) -> None:
    run.looked_at, run.documents, run.ended_at = outcome.looked_at, outcome.documents.total(), Now()
    run.save(update_fields=["ended_at", "looked_at", "documents"])
    if outcome.looked_at:
        announce(vendor_id=run.vendor_id, kind="bill_run.ended", told=[_told(run, outcome)], at=run.known_until)


def _told(run: BillRun, outcome: Outcome) -> dict[str, object]:
    """What of a run is told to others."""
    return {
        "run": run.pk,
        "through": run.through.isoformat(),
        "looked_at": outcome.looked_at,
        "invoices": outcome.documents["invoice"],
        "credit_notes": outcome.documents["credit_note"],
        "problems": len(outcome.problems),
    }


def _limits(run: BillRun) -> _Limits:
    """How far each can be billed by its own clock, where the day has not come for all of them."""
    if earliest_today(run.vendor, run.known_until) >= run.through:
        return ()
    ruled = _all_due(run).order_by().values_list("policy_name", "time_zone").distinct()
    found = []
    for name, zone in ruled:
        own = ZoneInfo(policy_of(policy_at(run.vendor, name, run.known_until), zone).time_zone)
        found.append((name, zone, min(run.through, run.known_until.astimezone(own).date())))
    return tuple(found)


def _batches(run: BillRun, but: Collection[int], limits: _Limits, *, waits: bool, dry_run: bool) -> list[_Batch]:
    """What there is to do, in stretches of ids with so many due subscriptions each."""
    due = _all_due(run, limits).order_by("pk")
    rest = (pk for pk in due.values_list("pk", flat=True).iterator() if pk not in but)
    firsts = [pk for at, pk in enumerate(rest) if at % BATCH == 0]
    known = sorted(but)
    batches = []
    for first, end in zip_longest(firsts, firsts[1:]):
        some = known[bisect_left(known, first) : None if end is None else bisect_left(known, end)]
        batches.append(_Batch(run, first, end, frozenset(some), waits, dry_run, limits))
    return batches


def _all_due(run: BillRun, limits: _Limits = ()) -> QuerySet[Subscription]:
    rows = Subscription.objects.filter(vendor=run.vendor, next_look__lte=run.through)
    if limits:
        own = (Q(policy_name=name, time_zone=zone, next_look__lte=day) for name, zone, day in limits)
        rows = rows.filter(reduce(or_, own))
    return rows if run.account_id is None else rows.filter(account_id=run.account_id)


def _bill_batch(batch: _Batch) -> Outcome:
    """Bills a batch in a transaction of its own."""
    with kept_to_the_end(), transaction.atomic():
        return _billed(batch)


def _billed(batch: _Batch) -> Outcome:
    run = batch.run
    rows = [row for row in subscription_rows(_due(batch)) if row.id not in batch.but]
    computed, problems = _computed(run, rows, dry_run=batch.dry_run)
    outcome = Outcome(looked_at=len(rows))
    outcome.add(computed)
    outcome.problems += [f"account {key}: {problem.sentence}" for key, problem in problems]
    outcome.left = {row.id for row in rows}.difference(one.subscription.id for one in computed)
    outcome.refused = {problem.subscription_id for _, problem in problems}
    if rows and not batch.dry_run:
        issue(vendor=run.vendor, computed=computed, run=run)
        Problem.objects.bulk_create(problem for _, problem in problems)
    return outcome


def _due(batch: _Batch) -> QuerySet[Subscription]:
    """The due rows of a batch; locked, but for a dry run."""
    rows = _all_due(batch.run, batch.limits).filter(pk__gte=batch.first)
    if batch.end is not None:
        rows = rows.filter(pk__lt=batch.end)
    if connection.features.has_select_for_update_skip_locked and not batch.dry_run:
        rows = rows.select_for_update(skip_locked=not batch.waits)
    return rows.order_by("pk")


def _computed(
    run: BillRun, rows: Sequence[SubscriptionRow], *, dry_run: bool
) -> tuple[list[Computed], list[tuple[str, Problem]]]:
    """What looking at each row came to, and which of them could not be billed, with their accounts' keys."""
    if not rows:
        return [], []
    versions = {name: policy_at(run.vendor, name, run.known_until) for name in {row.policy_name for row in rows}}
    accounts = _accounts(row.account_id for row in rows)
    agreements = {
        row.id: agreement_of(row, accounts[row.account_id][0], policy_of(versions[row.policy_name], row.time_zone))
        for row in rows
    }
    told = histories(agreements, named=False)
    issued = issued_to(rows, {pk: one.policy for pk, one in agreements.items()})
    known_until = microseconds_of(run.known_until)
    computed, problems = [], []
    for row in rows:
        history, version = told[row.id], versions[row.policy_name]
        clock = clock_of(history.policy.time_zone)
        now = clock.moment(known_until)
        through = run.through if dry_run else min(run.through, to_date(day_of(now)))
        if row.next_look is not None and row.next_look > through:
            continue
        known = now if row.known_until is None else max(now, clock.moment(row.known_until))
        try:
            billing = bill(history, through=through, known_until=known, issued=issued.get(row.id))
            if any(map(_has_no_room, billing.documents)) or any(one.amount_minor > MOST for one in billing.lapses):
                raise CannotBill("an amount is too large to be kept; look at the quantities and prices agreed")
        except CannotBill as refused:
            problem = Problem(vendor=run.vendor, run=run, subscription_id=row.id, sentence=str(refused))
            problems.append((history.account, problem))
        else:
            buyer = accounts[row.account_id][1]
            computed.append(Computed(row, history.account, buyer, version, clock, history.policy.currency, billing))
    return computed, problems


def _has_no_room(document: Document) -> bool:
    amounts = (document.subtotal_minor, document.total_minor, document.credit_left_minor)
    return max(map(abs, (*amounts, *(line.exact_parts for line in document.lines)))) > MOST


def _accounts(ids: Iterable[int]) -> dict[int, tuple[str, Mapping[str, str]]]:
    """The keys of accounts, and what documents say of them, by their ids."""
    accounts = Account.objects.filter(one_of("id", set(ids)))
    return {
        pk: (key, dict(zip(BUYER, told, strict=True)))
        for pk, key, *told in rows_of(accounts.values_list("id", "key", *BUYER))
    }
