"""Reading what was issued: as much of it as the next bill has to know."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from django.db.models import F

from prorata.database.clock import Clock, clock_of
from prorata.database.one_of import one_of
from prorata.database.rows import Microseconds, Row, microseconds_of, rows_of, unless_empty
from prorata.engine.calendar import Day, Moment
from prorata.engine.due import Holding
from prorata.engine.policy.model import Policy
from prorata.engine.policy.tariff import Price
from prorata.invoicing.models import Document, Lapse, Line
from prorata.invoicing.rows import DocumentRow, LapseRow, LineRow, point_of
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import SubscriptionRow
from prorata.vendors.models import Vendor


class IssuedLine(NamedTuple):
    period_start_day: Day
    period_end_day: Day
    item: str
    start_day: Day
    end_day: Day
    after: Holding | None
    exact_worth: tuple[int, int]
    amount_minor: int


class IssuedDocument(NamedTuple):
    date: date
    known_until: Moment
    lines: Sequence[IssuedLine]
    total_minor: int
    credit_used_minor: int
    refund_minor: int


class IssuedLapse(NamedTuple):
    date: date
    known_until: Moment
    amount_minor: int
    reason: str


class Issued(NamedTuple):
    """What a subscription was billed through a day; the engine's Issued, from the database."""

    through: date
    known_until: Moment
    documents: Sequence[IssuedDocument]
    lapses: Sequence[IssuedLapse]


class _Document(NamedTuple):
    """Of a Document's columns those that the next bill has to know."""

    id: int
    subscription_id: int
    date: date
    known_until: Microseconds
    total_minor: int
    credit_used_minor: int
    refund_minor: int


_LINE = (
    "item", "amount_minor", "period_start", "period_end", "start", "end", "exact_numerator", "exact_denominator",
    "after_quantity", "price_minor", "price_months", "price_plan", "price_role", "price_above",
)  # fmt: skip
_OF_LINE = itemgetter(*map(LineRow._fields.index, _LINE))  # of a LineRow what the next bill has to know
_LINE_COLUMNS = tuple(unless_empty(name) if name in ("price_plan", "price_role") else F(name) for name in _LINE)


class IssuedRows(NamedTuple):
    """What was issued to one subscription, in order, as its rows have it."""

    documents: list[DocumentRow]
    lines: list[list[LineRow]]
    lapses: list[LapseRow]


def document_of(vendor: Vendor, name: str) -> Document | None:
    """The vendor's document of a name, such as invoice-12."""
    kind, _, number = name.rpartition("-")
    if not re.fullmatch(r"[1-9][0-9]{0,17}", number):
        return None
    rows = Document.objects.filter(vendor=vendor, kind=kind, number=int(number))
    return rows.select_related("account__vendor", "policy", "subscription__account").first()


def issued_rows(subscriptions: Iterable[int]) -> dict[int, IssuedRows]:
    """What was issued to subscriptions, by their ids."""
    found: dict[int, IssuedRows] = defaultdict(lambda: IssuedRows([], [], []))
    ids = list(subscriptions)
    documents = Document.objects.filter(one_of("subscription_id", ids)).order_by("id")
    lines: dict[int, list[LineRow]] = {}
    for row in rows_of(documents.values_list(*DocumentRow._fields)):
        document = DocumentRow._make(row)
        one = found[document.subscription_id]
        one.documents.append(document)
        lines[document.id] = []
        one.lines.append(lines[document.id])
    asked = Line.objects.filter(one_of("document_id", lines)).order_by("document_id", "position")
    for row in rows_of(asked.values_list(*LineRow._fields)):
        line = LineRow._make(row)
        lines[line.document_id].append(line)
    for pk, its in _lapses(ids).items():
        found[pk].lapses.extend(its)
    return found


def _lapses(subscriptions: Iterable[int]) -> dict[int, list[LapseRow]]:
    found: dict[int, list[LapseRow]] = defaultdict(list)
    asked = Lapse.objects.filter(one_of("subscription_id", subscriptions)).order_by("id")
    for row in rows_of(asked.values_list(*LapseRow._fields)):
        lapse = LapseRow._make(row)
        found[lapse.subscription_id].append(lapse)
    return found


def issued_to(
    subscriptions: Iterable[Subscription | SubscriptionRow], policies: Mapping[int, Policy]
) -> dict[int, Issued]:
    """What was issued to each subscription that has been billed, by its id."""
    billed = {one.id: one for one in subscriptions if one.billed_through is not None}
    if not billed:
        return {}
    documents_of: dict[int, list[_Document]] = defaultdict(list)
    lines_of: dict[int, list[Row]] = defaultdict(list)
    documents = Document.objects.filter(one_of("subscription_id", billed)).order_by("id")
    for row in rows_of(documents.values_list(*_Document._fields)):
        documents_of[row[1]].append(_Document._make(row))
    ids = [one.id for some in documents_of.values() for one in some]
    lines = Line.objects.filter(one_of("document_id", ids)).order_by("document_id", "position")
    for row in rows_of(lines.values_list("document_id", *_LINE_COLUMNS)):
        lines_of[row[0]].append(row[1:])
    lapses_of = _lapses(billed)
    found = {}
    for pk, one in billed.items():
        through, known_until = one.billed_through, one.known_until
        assert through is not None
        assert known_until is not None
        clock, ticks = clock_of(policies[pk].time_zone), policies[pk].ticks
        its = [_issued_document(row, lines_of[row.id], clock, ticks) for row in documents_of[pk]]
        lapses = [issued_lapse(row, clock) for row in lapses_of[pk]]
        known = microseconds_of(known_until) if isinstance(known_until, datetime) else known_until
        found[pk] = Issued(through, clock.moment(known), its, lapses)
    return found


def issued_document(row: DocumentRow, lines: Iterable[LineRow], clock: Clock, ticks: int) -> IssuedDocument:
    """A document's row, with its lines, as the next bill has to know it."""
    return _issued_document(row, map(_OF_LINE, lines), clock, ticks)


def _issued_document(row: DocumentRow | _Document, lines: Iterable[Row], clock: Clock, ticks: int) -> IssuedDocument:
    return IssuedDocument(
        row.date, clock.moment(row.known_until), [_issued_line(line, ticks) for line in lines],
        row.total_minor, row.credit_used_minor, row.refund_minor,
    )  # fmt: skip


def issued_lapse(row: LapseRow, clock: Clock) -> IssuedLapse:
    """A lapse's row as the next bill has to know it."""
    return IssuedLapse(row.date, clock.moment(row.known_until), row.amount_minor, row.reason)


def _issued_line(line: Row, ticks: int) -> IssuedLine:
    """A line as the next bill has to know it, of its columns in _LINE; None stands for an empty text, too."""
    (
        item, amount_minor, period_start, period_end, start, end, numerator, denominator,
        quantity, price_minor, months, plan, role, above,
    ) = line  # fmt: skip
    after = None if quantity is None else (quantity, _price(price_minor, months, plan or "", role or "", above))
    told = (
        point_of(period_start, ticks), point_of(period_end, ticks), item, point_of(start, ticks), point_of(end, ticks),
        after, (numerator, denominator), amount_minor,
    )  # fmt: skip
    return tuple.__new__(IssuedLine, told)  # IssuedLine(*told) in half the time


_price = lru_cache(maxsize=4096)(Price)
