"""Documents, their lines and postings, and lapses as the tuples in which they are written and read many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from math import gcd
from typing import NamedTuple

from prorata.database.clock import Clock
from prorata.database.rows import Microseconds
from prorata.engine import books, credits, document
from prorata.engine.calendar import Day, to_day
from prorata.engine.credits import LapseReason
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import SubscriptionRow
from prorata.vendors.models import PolicyVersion

MOST = 2**63 - 1  # the largest amount that has room in a column

_DAY, _FIRST = 86_400_000_000, to_day(date(2000, 1, 1))


class DocumentRow(NamedTuple):
    """A Document's columns."""

    id: int
    vendor_id: int
    account_id: int
    subscription_id: int
    run_id: int | None
    policy_id: int
    kind: str
    number: int
    date: date
    known_until: Microseconds
    currency: str
    subtotal_minor: int
    total_minor: int
    credit_used_minor: int
    credit_left_minor: int
    refund_minor: int
    record: str = ""
    sha256: str = ""


class LineRow(NamedTuple):
    """A Line's columns but its id."""

    vendor_id: int
    document_id: int
    position: int
    item: str
    kind: str
    quantity: int
    amount_minor: int
    period_start: Microseconds
    period_end: Microseconds
    start: Microseconds
    end: Microseconds
    exact_numerator: int
    exact_denominator: int
    after_quantity: int | None
    price_minor: int | None
    price_months: int | None
    price_plan: str
    price_role: str
    price_above: int


class PostingRow(NamedTuple):
    """A Posting's columns but its id."""

    vendor_id: int
    document_id: int | None
    lapse_id: int | None
    date: date
    currency: str
    debit: str
    credit: str
    amount_minor: int


class OpenItemRow(NamedTuple):
    """An OpenItem's columns but its id, of a document."""

    vendor_id: int
    account_id: int
    document_id: int
    date: date
    currency: str
    open_minor: int


class LapseRow(NamedTuple):
    """A Lapse's columns."""

    id: int
    vendor_id: int
    subscription_id: int
    date: date
    known_until: Microseconds
    currency: str
    amount_minor: int
    reason: LapseReason


def local_of(point: Day, ticks: int) -> Microseconds:
    """A point of a policy's ticks as the time on the account's own clock that rows have."""
    return (point - _FIRST * ticks) * (_DAY // ticks)


def point_of(local: Microseconds, ticks: int) -> Day:
    """The point of a policy's ticks that a row has as a time on the account's own clock."""
    return _FIRST * ticks + local * ticks // _DAY


def document_row(
    subscription: Subscription | SubscriptionRow, policy: PolicyVersion, clock: Clock, found: document.Document
) -> DocumentRow:
    """A document's row but for its id, number, run and record."""
    return DocumentRow(
        0, subscription.vendor_id, subscription.account_id, subscription.id, None, policy.pk, found.kind, 0,
        found.date, clock.kept(found.known_until), found.currency, found.subtotal_minor, found.total_minor,
        found.credit_used_minor, found.credit_left_minor, found.refund_minor,
    )  # fmt: skip


def line_row(vendor_id: int, document_id: int, position: int, line: document.Line) -> LineRow:
    """A line's row; what it is worth before rounding is a fraction that cannot be reduced."""
    ticks, (numerator, denominator) = line.period.policy.ticks, line.exact_worth
    common = gcd(numerator, denominator)
    quantity, price = (None, None) if line.after is None else line.after
    return LineRow(
        vendor_id, document_id, position, line.item, line.kind, line.quantity, line.amount_minor,
        local_of(line.period.start, ticks), local_of(line.period.end, ticks),
        local_of(line.start_day, ticks), local_of(line.end_day, ticks),
        numerator // common, denominator // common, quantity,
        *((None, None, "", "", 0) if price is None else
        (price.minor, price.months, price.plan, price.role, price.above)),
    )  # fmt: skip


def posting_rows(vendor_id: int, document_id: int, found: document.Document) -> list[PostingRow]:
    """The rows of a document's postings."""
    day, earned_minor = to_day(found.date), 0
    for line in found.lines:
        earned_minor += books.earned_by(line, day * line.period.policy.ticks)
    return [
        PostingRow(vendor_id, document_id, None, found.date, found.currency, *posting)
        for posting in books.postings(found, earned_minor)
    ]


def open_item_rows(documents: Iterable[DocumentRow]) -> Iterator[OpenItemRow]:
    """What is open of documents that were just issued: what is to be paid of them, below zero to be paid back."""
    for row in documents:
        open_minor = max(row.total_minor, 0) - row.credit_used_minor - row.refund_minor
        if open_minor:
            yield OpenItemRow(row.vendor_id, row.account_id, row.id, row.date, row.currency, open_minor)


def lapse_row(subscription: SubscriptionRow, clock: Clock, currency: str, lapse: credits.Lapse) -> LapseRow:
    """A lapse's row but for its id."""
    known_until = clock.kept(lapse.known_until)
    return LapseRow(
        0, subscription.vendor_id, subscription.id, lapse.date, known_until, currency, lapse.amount_minor, lapse.reason
    )


def posting_of(lapse: LapseRow) -> PostingRow:
    """The row of a lapse's posting."""
    posting = books.lapse_posting(lapse.amount_minor, lapse.reason)
    return PostingRow(lapse.vendor_id, None, lapse.id, lapse.date, lapse.currency, *posting)
