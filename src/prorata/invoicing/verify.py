"""Verify: what was issued is computed again from what was known then, and every number and digest is looked at."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min

from prorata.engine.bill import bill
from prorata.engine.calendar import midnight, moment_of
from prorata.engine.history import Subscription as History
from prorata.engine.record import document_record
from prorata.engine.refusal import CannotBill
from prorata.invoicing.models import Document, Lapse, Line
from prorata.invoicing.queries import Issued, IssuedDocument, IssuedLapse, issued_document, issued_lapse, issued_line
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import histories
from prorata.vendors.models import Series, Vendor
from prorata.vendors.queries import policy_of

BATCH = 200

Step = Callable[[int], None]  # told how many subscriptions more have been verified


@dataclass(frozen=True, slots=True)
class _Stored:
    """What was issued to one subscription: the rows in their order, and as the engine remembers them."""

    rows: Sequence[Document]
    lines: Sequence[Sequence[Line]]
    documents: Sequence[IssuedDocument]
    lapses: Sequence[IssuedLapse]

    def before(self, at: int) -> Issued | None:
        """What had been issued when a document came up, as far as documents tell; None before the first."""
        if not at:
            return None
        day, last = self.rows[at].date, self.documents[at - 1]
        through, known_until = day - timedelta(days=1), midnight(day.toordinal())
        if last.date == day:
            through, known_until = day, last.known_until
        lapses = [lapse for lapse in self.lapses if lapse.date <= through]
        return Issued(through, known_until, self.documents[:at], lapses)


def verify(vendor: Vendor, step: Step | None = None) -> Iterator[str]:
    """Whatever is wrong with what a vendor issued, in sentences; nothing where all is right."""
    yield from _numbers(vendor)
    last = 0
    while rows := list(
        Subscription.objects.filter(vendor=vendor, pk__gt=last).select_related("account").order_by("pk")[:BATCH]
    ):
        last = rows[-1].pk
        yield from _batch(rows)
        if step is not None:
            step(len(rows))


def _numbers(vendor: Vendor) -> Iterator[str]:
    """The numbers of each series run from 1 to the last one used."""
    of_kind = Document.objects.filter(vendor=vendor).values("kind")
    used = {row["kind"]: row for row in of_kind.annotate(first=Min("number"), last=Max("number"), count=Count("id"))}
    for series in Series.objects.filter(vendor=vendor).order_by("kind"):
        row = used.get(series.kind, {"first": 1, "last": 0, "count": 0})
        if (row["first"], row["last"], row["count"]) != (1, series.last, series.last):
            yield (
                f"series {series.kind}: {series.last} numbers were given, and there are {row['count']} documents, "
                f"numbered from {row['first']} to {row['last']}"
            )


def _batch(rows: Sequence[Subscription]) -> Iterator[str]:
    documents: dict[int, list[Document]] = defaultdict(list)
    for document in Document.objects.filter(subscription__in=rows).select_related("policy").order_by("id"):
        documents[document.subscription_id].append(document)
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(document__subscription__in=rows).order_by("document_id", "position"):
        lines[line.document_id].append(line)
    lapses: dict[int, list[Lapse]] = defaultdict(list)
    for lapse in Lapse.objects.filter(subscription__in=rows).order_by("id"):
        lapses[lapse.subscription_id].append(lapse)
    for row in rows:
        if of_row := documents[row.pk]:
            zone = ZoneInfo(policy_of(of_row[0].policy).time_zone)
            its_lines = [lines[document.pk] for document in of_row]
            yield from _subscription(row, _stored(of_row, its_lines, lapses[row.pk], zone), zone)


def _stored(
    rows: Sequence[Document], lines: Sequence[Sequence[Line]], lapses: Sequence[Lapse], zone: ZoneInfo
) -> _Stored:
    documents = [
        issued_document(row, [issued_line(line) for line in its], zone) for row, its in zip(rows, lines, strict=True)
    ]
    return _Stored(rows, lines, documents, [issued_lapse(lapse, zone) for lapse in lapses])


def _subscription(row: Subscription, stored: _Stored, zone: ZoneInfo) -> Iterator[str]:
    told: dict[int, History] = {}
    for at, document in enumerate(stored.rows):
        if document.policy_id not in told:
            told[document.policy_id] = histories([row], {row.pk: policy_of(document.policy)})[row.pk]
        problems = [*_record(document, stored.lines[at])]
        problems += _again(document, told[document.policy_id], stored.before(at), zone)
        for sentence in problems:
            yield f"{row.account.key}: {document.kind} {document.number} of {document.date}: {sentence}"


def _record(row: Document, lines: Sequence[Line]) -> Iterator[str]:
    """What the document's own row says."""
    record = json.loads(row.record)
    if sha256(row.record.encode()).hexdigest() != row.sha256:
        yield "its record is not what its digest was taken of"
    if (record.get("kind"), record.get("number")) != (row.kind, row.number):
        yield f"its record says {record.get('kind')} {record.get('number')}"
    total = sum(line.amount_minor for line in lines)
    if total != row.subtotal_minor:
        yield f"its lines add up to {total}, and its subtotal is {row.subtotal_minor}"


def _again(row: Document, history: History, before: Issued | None, zone: ZoneInfo) -> Iterator[str]:
    """What it is when it is computed again, from what was known then and issued before."""
    known_until = moment_of(row.known_until, zone)
    try:
        again = bill(history, through=row.date, known_until=known_until, issued=before).documents
    except CannotBill as refused:
        yield f"it cannot be computed again: {refused}"
        return
    if len(again) != 1:
        yield f"computed again there are {len(again)} documents by that day that were not issued before"
        return
    record = json.loads(row.record)
    stated = {key: record.get(key) for key in document_record(again[0])}
    if stated != document_record(again[0]) or again[0].total_minor != row.total_minor:
        yield f"it states {row.total_minor} (in minor units), and computed again it comes to {again[0].total_minor}"
