"""The books: the journal of the vendor, and under which numbers its own books have the ledgers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from prorata.api.tokens import Bearer, vendor_of
from prorata.api.values import Amount, Day, In
from prorata.books.journal import Entry, journal, wrong_part
from prorata.engine.books import LEDGERS, Ledger
from prorata.engine.money import format_amount
from prorata.subscriptions.queries import earliest_today
from prorata.vendors.actions import name_ledgers
from prorata.vendors.models import Vendor
from prorata.vendors.queries import ledger_accounts, now_of

router = Router(tags=["Books"])

_Through = Annotated[Day, Query(description="Everything dated up to and with this day.")]
_From = Annotated[
    Day | None,
    Query(
        alias="from",
        description="Only what is dated this day or later: the first day of a month, and then `through` has to be the "
        "last of one that is over.",
    ),
]


class LedgerIn(In):
    ledger: Ledger
    number: Annotated[str, Field(pattern="^[A-Za-z0-9]{1,20}$")]
    name: Annotated[str, Field(max_length=100)] = ""


class LedgersIn(In):
    ledgers: list[LedgerIn] = Field(max_length=len(LEDGERS), description="Those that are left out stay as they are.")


class LedgerOut(Schema):
    ledger: Ledger
    number: str = Field(description="Empty where it was not said.")
    name: str


class LedgersOut(Schema):
    ledgers: list[LedgerOut]


class EntryOut(Schema):
    """An amount that debits one ledger and credits another."""

    date: date
    debit: Ledger
    credit: Ledger
    amount: Amount
    currency: str
    reason: str = Field(description="Such as the document.")


class BooksOut(Schema):
    entries: list[EntryOut]


@router.get("/books", response=BooksOut, auth=Bearer("read"))
def show_books(request: HttpRequest, through: _Through, since: _From = None) -> BooksOut:
    """The journal: what was issued and paid, and what became revenue of it at the end of each month.

    Ask for a month once it is over and its bills were run, and for no more than you need: all of it is one answer.
    """
    vendor = vendor_of(request)
    if since is not None and (wrong := wrong_part(since, through, earliest_today(vendor, now_of(vendor)))):
        raise HttpError(422, f"query {wrong[0]}: {wrong[1]}")
    entries = journal(vendor, through)
    return BooksOut(entries=[_told(one) for one in entries if since is None or one.date >= since])


@router.get("/ledgers", response=LedgersOut, auth=Bearer("read"))
def list_ledgers(request: HttpRequest) -> LedgersOut:
    """Under which account numbers the vendor's own books have the ledgers."""
    return LedgersOut(ledgers=list(_ledgers(vendor_of(request))))


@router.put("/ledgers", response=LedgersOut, auth=Bearer("settings"))
def name_the_ledgers(request: HttpRequest, body: LedgersIn) -> LedgersOut:
    """Say under which account numbers the vendor's own books have ledgers."""
    vendor = vendor_of(request)
    name_ledgers(vendor=vendor, accounts={one.ledger: (one.number, one.name) for one in body.ledgers})
    return LedgersOut(ledgers=list(_ledgers(vendor)))


def _ledgers(vendor: Vendor) -> Iterator[LedgerOut]:
    known = ledger_accounts(vendor)
    for ledger in LEDGERS:
        account = known.get(ledger)
        yield LedgerOut(ledger=ledger, number=account.number if account else "", name=account.name if account else "")


def _told(one: Entry) -> EntryOut:
    amount = format_amount(one.amount_minor, one.currency)
    return EntryOut(
        date=one.date, debit=one.debit, credit=one.credit, amount=amount, currency=one.currency, reason=one.reason
    )
