"""Verify: what was issued is computed again from what was known then, and every number and digest is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any, TypeAlias, get_args

from django.db.models import Count, Exists, F, ForeignKey, Max, Min, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from prorata.accounts.models import Account
from prorata.database.one_of import one_of
from prorata.database.rows import rows_of, spoken
from prorata.database.snapshot import of_one_moment
from prorata.engine.bill import bill
from prorata.engine.books import lapse_posting
from prorata.engine.credits import LapseReason
from prorata.engine.history import BEGIN_EVENTS
from prorata.engine.history import Subscription as History
from prorata.engine.money import speak_amount
from prorata.engine.record import document_record
from prorata.engine.refusal import CannotBill
from prorata.engine.words import plural
from prorata.invoicing.again import Stored, computed_again, stored, told_under
from prorata.invoicing.models import Allocation, Document, Lapse, Line, OpenItem, Payment, Posting
from prorata.invoicing.rows import DocumentRow, LineRow, PostingRow, document_row, line_row, posting_rows
from prorata.subscriptions.models import Event, Subscription, Withdrawal
from prorata.vendors.models import PolicyVersion, Series, Vendor

BATCH = 200

_UNCHECKED: tuple[type[Event | Document | Line | Posting | OpenItem], ...] = (Event, Document, Line, Posting, OpenItem)
_OF_A_VENDOR: tuple[type[Model], ...] = (*_UNCHECKED, Withdrawal, Lapse, Payment, Allocation)

_Row: TypeAlias = DocumentRow | LineRow

Step = Callable[[int], None]  # told how many subscriptions more have been verified


def verify(vendor: Vendor, step: Step | None = None, *, account: Account | None = None) -> Iterator[str]:
    """Whatever is wrong with what a vendor issued, to all or to one account, in sentences; else nothing."""
    if account is None:
        with of_one_moment():
            wrong = [*_policies(vendor), *_numbers(vendor), *_orphans(vendor), *_not_in_the_books(vendor)]
        yield from wrong
    with of_one_moment():
        wrong = [*_documents_open(vendor, account), *_payments_open(vendor, account)]
        wrong += [*_wrong_items(vendor, account), *_wrong_allocations(vendor, account)]
    yield from wrong
    versions = PolicyVersion.objects.filter(vendor=vendor).order_by("name", "number")
    latest_of = {version.name: version for version in versions}
    last = 0
    while True:
        with of_one_moment():
            rows = list(_rows(vendor, account, last)[:BATCH])
            issued_to = stored(rows)
            posted = _posted(issued_to)
            wrong = [sentence for issued in issued_to for sentence in _subscription(issued, latest_of, posted)]
            wrong += [sentence for row in rows for sentence in _forgotten(row)]
        yield from wrong
        if not rows:
            return
        last = rows[-1].pk
        if step is not None:
            step(len(rows))


def _rows(vendor: Vendor, account: Account | None, last: int) -> QuerySet[Subscription]:
    rows = Subscription.objects.filter(vendor=vendor, pk__gt=last)
    if account is not None:
        rows = rows.filter(account=account)
    return rows.select_related("account", "vendor").order_by("pk")


def _posted(issued_to: Sequence[Stored]) -> dict[int, list[PostingRow]]:
    """The postings of documents, by their ids."""
    found: dict[int, list[PostingRow]] = {row.id: [] for issued in issued_to for row in issued.rows}
    postings = Posting.objects.filter(one_of("document_id", found))
    for values in rows_of(postings.values_list(*PostingRow._fields)):
        posting = PostingRow._make(values)
        assert posting.document_id is not None
        found[posting.document_id].append(posting)
    return found


def _policies(vendor: Vendor) -> Iterator[str]:
    """The texts of policies are those their digests were taken of."""
    for version in PolicyVersion.objects.filter(vendor=vendor).order_by("name", "number"):
        if sha256(version.text.encode()).hexdigest() != version.sha256:
            yield f"policy {version.name} {version.number}: its text is not what its digest was taken of"


def _numbers(vendor: Vendor) -> Iterator[str]:
    """The numbers of each series run from 1 to the last one used."""
    of_series = Document.objects.filter(vendor=vendor, kind=OuterRef("kind")).order_by().values("kind")
    series = Series.objects.filter(vendor=vendor).annotate(
        first=Subquery(of_series.annotate(of=Min("number")).values("of")),
        highest=Subquery(of_series.annotate(of=Max("number")).values("of")),
        count=Subquery(of_series.annotate(of=Count("id")).values("of")),
    )
    for row in series.order_by("kind"):
        first, highest, count = row.first or 1, row.highest or 0, row.count or 0
        if (first, highest, count) != (1, row.last, row.last):
            documents = f"{count} {plural('document', count)}, numbered from {first} to {highest}"
            yield f"series {row.kind}: {row.last} {plural('number', row.last)} given to {documents}"


def strays() -> Iterator[str]:
    """Rows of a vendor that is not there, in the tables of which the database does not check it; of the whole database.

    None of them is seen by who verifies one vendor after another.
    """
    for table in _UNCHECKED:
        for row in table._default_manager.filter(~_refers(Vendor, "vendor_id")).order_by("pk"):
            yield f"{_called(row)} is of vendor {row.vendor_id}, which is not there"


def _orphans(vendor: Vendor) -> Iterator[str]:
    """What the database does not check: that rows refer to what is there, and is the same vendor's."""
    for table in _OF_A_VENDOR:
        rows = table._default_manager.filter(vendor=vendor).order_by("pk")
        for field in table._meta.concrete_fields:
            if not isinstance(field, ForeignKey) or field.related_model is Vendor:
                continue
            there = _refers(field.related_model, field.attname, vendor=vendor)
            for row in rows.filter(~there, **{f"{field.attname}__isnull": False}):
                said = f"{_called(row)} names {field.verbose_name} {getattr(row, field.attname)}"
                yield f"{said}, which is not there or another vendor's"


def _refers(model: type[Model], name: str, **more: Vendor) -> Exists:
    return Exists(model._default_manager.filter(pk=OuterRef(name), **more))


def _called(row: Model) -> str:
    return f"{row._meta.verbose_name} {row.pk}"


def _not_in_the_books(vendor: Vendor) -> Iterator[str]:
    """Every lapse has its posting."""
    same = {name: OuterRef(name) for name in ("date", "currency", "amount_minor")}
    for reason in get_args(LapseReason):
        debit, credit, _ = lapse_posting(0, reason)
        made = Posting.objects.filter(lapse=OuterRef("pk"), vendor=vendor, debit=debit, credit=credit, **same)
        for lost in Lapse.objects.filter(~Exists(made), vendor=vendor, reason=reason).order_by("pk"):
            yield f"the lapse of {lost.date} of subscription {lost.subscription_id} is not in the books as it should be"


def _documents_open(vendor: Vendor, account: Account | None) -> Iterator[str]:
    """Of every document is open what was not paid of it, and no more was paid than was to be."""
    to_pay = Greatest(F("total_minor"), 0) - F("credit_used_minor") - F("refund_minor")
    rows = Document.objects.filter(vendor=vendor, **({} if account is None else {"account": account})).annotate(
        left_minor=to_pay - _sum(Allocation.objects.filter(document=OuterRef("pk")), "document"),
        open_minor=_sum(OpenItem.objects.filter(document=OuterRef("pk")), "document", "open_minor"),
    )
    wrong = (
        ~Q(left_minor=F("open_minor")) | Q(left_minor__lt=0, total_minor__gt=0) | Q(left_minor__gt=0, total_minor__lt=0)
    )
    for row in rows.filter(wrong).order_by("pk"):
        yield _wrongly_open(row.name, row.left_minor, row.open_minor, row.currency)


def _payments_open(vendor: Vendor, account: Account | None) -> Iterator[str]:
    """Of every payment is left what does not count for a document and was not paid back."""
    rows = Payment.objects.filter(vendor=vendor, **({} if account is None else {"account": account})).annotate(
        left_minor=F("amount_minor")
        - _sum(Allocation.objects.filter(payment=OuterRef("pk")), "payment")
        + _sum(Allocation.objects.filter(paid_back_by=OuterRef("pk")), "paid_back_by"),
        open_minor=-_sum(OpenItem.objects.filter(payment=OuterRef("pk")), "payment", "open_minor"),
    )
    for row in rows.filter(~Q(left_minor=F("open_minor")) | Q(left_minor__lt=0)).order_by("pk"):
        yield _wrongly_open(f"payment {row.pk}", row.left_minor, row.open_minor, row.currency)


def _wrong_items(vendor: Vendor, account: Account | None) -> Iterator[str]:
    """An open item says of whom and of when it is as what it is of does."""
    items = OpenItem.objects.filter(vendor=vendor)
    for of in ("document", "payment"):
        same = {name: F(f"{of}__{name}") for name in ("account", "currency", "date")}
        wrong = items.filter(**{f"{of}__isnull": False}).exclude(**same)
        if account is not None:
            wrong = wrong.filter(Q(account=account) | Q(**{f"{of}__account": account}))
        for item in wrong.select_related(of).order_by("pk"):
            named = item.document.name if item.document else f"payment {item.payment_id}"
            yield f"{named}: its open item is of another account, currency or day"


def _wrong_allocations(vendor: Vendor, account: Account | None) -> Iterator[str]:
    """A payment counts for documents of its own account, from a day on which both are there."""
    rows = Allocation.objects.filter(vendor=vendor)
    if account is not None:
        rows = rows.filter(payment__account=account)
    for of in ("document", "paid_back_by"):
        same = {f"{of}__{name}": F(f"payment__{name}") for name in ("account", "currency")}
        for one in rows.filter(**{f"{of}__isnull": False}).exclude(**same).order_by("pk"):
            yield f"payment {one.payment_id}: {of.replace('_', ' ')} is another account's, or in another currency"
    before = Q(date__lt=F("payment__date")) | Q(date__lt=F("document__date"))
    for one in rows.filter(before | (Q(at_once=True) & ~Q(date=F("payment__date")))).order_by("pk"):
        yield f"payment {one.payment_id}: it cannot count from {one.date} on, or not so"


def _wrongly_open(name: str, left_minor: int, open_minor: int, currency: str) -> str:
    left, said = (f"{speak_amount(minor, currency)} {currency}" for minor in (left_minor, open_minor))
    return f"{name}: {left} of it are open by what was paid, and the open items say {said}"


def _sum(rows: QuerySet[Any], of: str, name: str = "amount_minor") -> Coalesce:
    """The sum over rows that belong to one thing; 0 where there are none."""
    return Coalesce(Subquery(rows.order_by().values(of).annotate(of_all=Sum(name)).values("of_all")), 0)


def _forgotten(row: Subscription) -> Iterator[str]:
    """Who has begun and not ended is due some day."""
    if row.next_look is None and row.ended_on is None and row.events.filter(kind__in=BEGIN_EVENTS).exists():
        yield f"{row.account.key}: it has not ended, and is not to be looked at any more"


def _subscription(
    issued: Stored, latest_of: Mapping[str, PolicyVersion], postings: Mapping[int, list[PostingRow]]
) -> Iterator[str]:
    key, last = issued.subscription.account.key, issued.versions[issued.rows[-1].policy_id]
    versions = {issued.versions[pk] for pk in {row.policy_id for row in issued.rows}}
    told = {version: told_under(issued.subscription, version) for version in versions}
    for at, row in enumerate(issued.rows):
        version = issued.versions[row.policy_id]
        for sentence in (*_record(row), *_again(issued, at, version, told[version], postings[row.id])):
            yield f"{key}: {row.kind} {row.number} of {row.date}: {sentence}"
    latest = latest_of.get(issued.subscription.policy_name, last)
    if latest not in told:
        told[latest] = told_under(issued.subscription, latest)
    for sentence in (*_lapses(issued, told[last]), *_how_far(issued, [told[last], told[latest]])):
        yield f"{key}: {sentence}"


def _lapses(issued: Stored, history: History) -> Iterator[str]:
    """The credits that lapsed had to."""
    for at, lapse in enumerate(issued.lapses):
        try:
            before = issued.before_lapse(at)
            again = bill(history, through=lapse.date, known_until=lapse.known_until, issued=before).lapses
        except CannotBill:
            again = ()
        told = [(one.date, one.amount_minor, one.reason) for one in again]
        if (lapse.date, lapse.amount_minor, lapse.reason) not in told:
            yield f"a credit of {lapse.amount_minor} (in minor units) lapsed on {lapse.date}, and had not to"


def _how_far(issued: Stored, histories: Iterable[History]) -> Iterator[str]:
    """All was billed up to where the subscription says, by the rules of the last document or the latest.

    By which of them later looks were is not known.
    """
    row, everything = issued.subscription, issued.everything()
    if everything is None or everything.through < issued.rows[-1].date:
        yield f"it was billed on {issued.rows[-1].date}, and says that it was through {row.billed_through}"
        return
    since = issued.since_the_last()
    later = len(everything.lapses) - len(since.lapses)
    said = []
    for history in histories:
        try:
            more = bill(history, through=everything.through, known_until=everything.known_until, issued=since)
        except CannotBill as refused:
            said.append(f"it cannot be billed any more: {refused}")
            continue
        if not more.documents and len(more.lapses) <= later:
            return
        said.append(f"by {everything.through} more was due, or had lapsed, than was issued")
    yield said[-1]


def _record(row: DocumentRow) -> Iterator[str]:
    """What the document's own row says."""
    record = json.loads(row.record)
    if sha256(row.record.encode()).hexdigest() != row.sha256:
        yield "its record is not what its digest was taken of"
    if (record.get("kind"), record.get("number")) != (row.kind, row.number):
        yield f"its record says {record.get('kind')} {record.get('number')}"


def _again(
    issued: Stored, at: int, version: PolicyVersion, history: History, postings: list[PostingRow]
) -> Iterator[str]:
    """What is otherwise when it is computed again."""
    row = issued.rows[at]
    try:
        again = computed_again(issued, at, history)
    except CannotBill as refused:
        yield f"it cannot be computed again: {refused}"
        return
    if len(again) != 1:
        yield f"computed again there are {len(again)} documents by that day that were not issued before"
        return
    [found] = again
    record = json.loads(row.record)
    for key, value in document_record(found).items():
        if record.get(key) != value:
            yield f"its record says {key} {record.get(key)!r}, and computed again it is {value!r}"
    expected = document_row(issued.subscription, version, issued.clock, found)
    yield from _differences(Document, row, expected, {"id", "number", "run_id", "record", "sha256"})
    lines = issued.lines[at]
    if len(lines) != len(found.lines):
        yield f"it has {len(lines)} lines, and computed again {len(found.lines)}"
    for position, (line, one) in enumerate(zip(lines, found.lines, strict=False), 1):
        for sentence in _differences(Line, line, line_row(row.vendor_id, row.id, position, one)):
            yield f"line {position}: {sentence}"
    by_ledgers = itemgetter(*map(PostingRow._fields.index, ("debit", "credit")))
    if sorted(postings, key=by_ledgers) != sorted(posting_rows(row.vendor_id, row.id, found), key=by_ledgers):
        yield "its postings are not what it means in the books"


def _differences(model: type[Model], row: _Row, expected: _Row, but: Collection[str] = ()) -> Iterator[str]:
    """The columns in which a row is another than it should be."""
    for name, there, should_be in zip(row._fields, row, expected, strict=True):
        if name not in but and there != should_be:
            was, is_now = (spoken(model, name, value) for value in (there, should_be))
            yield f"{name} is {was}, and computed again it is {is_now}"
