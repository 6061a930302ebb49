"""Reading what was issued: as much of it as the next bill has to know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from prorata.engine.calendar import Moment, moment_of
from prorata.engine.due import Holding
from prorata.engine.policy.tariff import Price
from prorata.invoicing.models import Document, Lapse, Line
from prorata.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class IssuedLine:
    period_start: date
    period_end: date
    item: str
    start: date
    end: date
    after: Holding | None
    exact_minor: Fraction
    amount_minor: int


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    date: date
    known_until: Moment
    lines: Sequence[IssuedLine]
    total_minor: int
    credit_used_minor: int
    refund_minor: int


@dataclass(frozen=True, slots=True)
class IssuedLapse:
    date: date
    known_until: Moment
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class Issued:
    """What a subscription was billed through a day; the engine's Issued, from the database."""

    through: date
    known_until: Moment
    documents: Sequence[IssuedDocument]
    lapses: Sequence[IssuedLapse]


def issued_to(subscriptions: Iterable[Subscription], zones: dict[int, ZoneInfo]) -> dict[int, Issued]:
    """What was issued to each subscription that has been billed, by its id."""
    billed = {one.pk: one for one in subscriptions if one.billed_through is not None}
    lines: dict[int, list[IssuedLine]] = defaultdict(list)
    for line in Line.objects.filter(document__subscription__in=billed).order_by("document_id", "position"):
        lines[line.document_id].append(issued_line(line))
    documents: dict[int, list[IssuedDocument]] = defaultdict(list)
    for document in Document.objects.filter(subscription__in=billed).order_by("id"):
        pk = document.subscription_id
        documents[pk].append(issued_document(document, lines[document.pk], zones[pk]))
    lapses: dict[int, list[IssuedLapse]] = defaultdict(list)
    for lapse in Lapse.objects.filter(subscription__in=billed).order_by("id"):
        lapses[lapse.subscription_id].append(issued_lapse(lapse, zones[lapse.subscription_id]))
    found = {}
    for pk, one in billed.items():
        assert one.billed_through is not None
        assert one.known_until is not None
        known_until = moment_of(one.known_until, zones[pk])
        found[pk] = Issued(one.billed_through, known_until, documents[pk], lapses[pk])
    return found


def issued_document(document: Document, lines: Sequence[IssuedLine], zone: ZoneInfo) -> IssuedDocument:
    """A document's row, with its lines, as the next bill has to know it."""
    return IssuedDocument(
        document.date, moment_of(document.known_until, zone), lines,
        document.total_minor, document.credit_used_minor, document.refund_minor,
    )  # fmt: skip


def issued_lapse(lapse: Lapse, zone: ZoneInfo) -> IssuedLapse:
    """A lapse's row as the next bill has to know it."""
    return IssuedLapse(lapse.date, moment_of(lapse.known_until, zone), lapse.amount_minor, lapse.reason)


def issued_line(line: Line) -> IssuedLine:
    """A line's row as the next bill has to know it."""
    after: Holding | None = None
    if line.after_quantity is not None:
        assert line.price_minor is not None
        assert line.price_months is not None
        price = Price(line.price_minor, line.price_months, line.price_plan, line.price_role, line.price_above)
        after = (line.after_quantity, price)
    exact = Fraction(line.exact_numerator, line.exact_denominator)
    start, end, first, past = map(_local, (line.period_start, line.period_end, line.start, line.end))
    return IssuedLine(start, end, line.item, first, past, after, exact, line.amount_minor)


def _local(value: datetime | None) -> datetime:
    assert value is not None
    return value
