"""What a document means in the books: amounts that move from one ledger to another.

Each posting has one ledger that it debits and one that it credits, so that books are balanced whatever is posted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal, NamedTuple, Protocol, get_args

from prorata.engine.calendar import Day
from prorata.engine.credits import LapseReason
from prorata.engine.money import rounded

Ledger = Literal[
    "receivable", "deferred_revenue", "revenue", "tax", "customer_credit", "refunds", "lapsed_credits",
    "granted_credits", "bank", "unapplied_payments",
]  # fmt: skip
LEDGERS: tuple[Ledger, ...] = get_args(Ledger)

Allocated = Literal["invoice", "credit_note", "payment"]  # what a part of a payment can count for
_LEDGER_OF: dict[Allocated, Ledger] = {"invoice": "receivable", "credit_note": "refunds", "payment": "bank"}


class Posting(NamedTuple):
    """An amount above zero, in minor units, that debits one ledger and credits another."""

    debit: Ledger
    credit: Ledger
    amount_minor: int


class BookedLine(Protocol):
    """What the books have to know of a line: its days, as points of the policy's ticks, and its amount."""

    @property
    def start_day(self) -> Day: ...
    @property
    def end_day(self) -> Day: ...
    @property
    def amount_minor(self) -> int: ...


class BookedDocument(Protocol):
    """What the books have to know of a document; Document has all of it."""

    @property
    def date(self) -> date: ...
    @property
    def subtotal_minor(self) -> int: ...
    @property
    def total_minor(self) -> int: ...
    @property
    def credit_used_minor(self) -> int: ...
    @property
    def refund_minor(self) -> int: ...


def earned_by(line: BookedLine, point: Day) -> int:
    """How much of a line is revenue before a point: as much of it as of its days is over, of each day alike.

    Running totals are rounded, so that what is earned in all its parts is the line's amount.
    """
    start, end = line.start_day, line.end_day
    if point <= start:
        return 0
    if point >= end:
        return line.amount_minor
    return rounded(line.amount_minor * (point - start), end - start)


def postings(document: BookedDocument, earned_minor: int) -> Iterator[Posting]:
    """The postings of an issued document, of whose lines so much was earned before its date.

    What is for days before its date is revenue; the rest is deferred, and becomes revenue day by day. What the
    customer owes is `receivable`; what a credit note leaves them is their credit, or is to be refunded.
    """
    tax_minor = document.total_minor - document.subtotal_minor
    deferred_minor = document.subtotal_minor - earned_minor
    yield from _owed("deferred_revenue", deferred_minor)
    yield from _owed("revenue", earned_minor)
    yield from _owed("tax", tax_minor)
    given_minor = max(-document.total_minor, 0) - document.refund_minor
    if given_minor:
        yield Posting("receivable", "customer_credit", given_minor)
    if document.refund_minor:
        yield Posting("receivable", "refunds", document.refund_minor)
    if document.credit_used_minor:
        yield Posting("customer_credit", "receivable", document.credit_used_minor)


def lapse_posting(amount_minor: int, reason: LapseReason) -> Posting:
    """The posting of a credit that was lost: what was granted by mistake is as if it had not been."""
    return Posting("customer_credit", "granted_credits" if reason == "withdrawn" else "lapsed_credits", amount_minor)


def grant_posting(amount_minor: int) -> Posting:
    """The posting of a credit that a vendor granted; what it costs lowers no revenue and no tax."""
    return Posting("granted_credits", "customer_credit", amount_minor)


def payment_posting(unallocated_minor: int) -> Posting:
    """The posting of what came in and did not count for an invoice at once: it is the customer's money until it does.

    It is no credit: it never lapses, and can be paid back (M11 is about credits alone). Below zero it went out.
    """
    if unallocated_minor > 0:
        return Posting("bank", "unapplied_payments", unallocated_minor)
    return Posting("unapplied_payments", "bank", -unallocated_minor)


def allocation_posting(amount_minor: int, to: Allocated, *, at_once: bool) -> Posting:
    """The posting of a part of a payment that counts for an invoice, or is paid back.

    `at_once` tells what moves with the money from what counts on another day. Of a payment that goes out, for a credit
    note, the amount is below zero; so is what is taken back.
    """
    source: Ledger = "bank" if at_once else "unapplied_payments"
    ledger = _LEDGER_OF[to]
    if amount_minor > 0:
        return Posting(source, ledger, amount_minor)
    return Posting(ledger, source, -amount_minor)


def _owed(ledger: Ledger, amount_minor: int) -> Iterator[Posting]:
    """What the customer owes for something, or is owed where the amount is below zero."""
    if amount_minor > 0:
        yield Posting("receivable", ledger, amount_minor)
    elif amount_minor < 0:
        yield Posting(ledger, "receivable", -amount_minor)
