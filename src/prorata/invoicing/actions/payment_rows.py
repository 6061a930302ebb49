"""Payments of a file: all of them are recorded or none, and each that cannot be is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from prorata.accounts.models import Account
from prorata.accounts.queries import account_of
from prorata.database.refused import Refused
from prorata.engine.calendar import YEARS
from prorata.engine.intake import IntakeError, Row, near
from prorata.engine.money import parse_amount
from prorata.invoicing.actions.payments import Share, Transfer, currency_of, receive_payment
from prorata.invoicing.models import Document
from prorata.invoicing.open_items import hold
from prorata.invoicing.queries import document_of
from prorata.vendors.models import Vendor

COLUMNS = ("date", "account", "document", "amount", "currency", "method", "reference")
NEEDED = ("date", "amount")

Step = Callable[[int], None]  # told how many payments more have been looked at


@transaction.atomic
def load_payments(
    *, vendor: Vendor, rows: Sequence[Row], now: datetime, actor: str, step: Step | None = None
) -> tuple[int, int]:
    """Records a payment for each row, in their order; how many, and of how many something is left.

    A row names the account, or the document that is paid, or both. Raises IntakeError with a sentence for each value
    that cannot be.
    """
    problems: list[str] = []
    twice, left = dict(_told_twice(rows)), 0
    hold(one.pk for one in _accounts(vendor, rows))
    for row in rows:
        try:
            if row.place in twice:
                raise _Wrong(twice[row.place])
            with transaction.atomic():
                left += _received(vendor, row, now, actor)
        except _Wrong as wrong:
            problems += [f"{row.place}{wrong}"]
        except Refused as refused:
            problems += [f"{row.place}: {sentence}" for sentence in refused.sentences]
        except ValidationError as error:
            told = error.message_dict.items()
            problems += [f"{row.place}, column {name}: {sentence}" for name, said in told for sentence in said]
        if step is not None:
            step(1)
    if problems:
        raise IntakeError(problems)
    return len(rows), left


def _told_twice(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The rows, by their places, whose reference another has already, and what is to be said of them."""
    seen: dict[str, str] = {}
    for row in rows:
        reference = row.cells.get("reference", "")
        if reference and reference in seen:
            yield row.place, f", column reference: {reference!r} is there already, in {seen[reference]}"
        seen.setdefault(reference, row.place)


def _accounts(vendor: Vendor, rows: Sequence[Row]) -> Iterator[Account]:
    """The accounts that rows are about, as far as there are such."""
    for row in rows:
        try:
            yield _whose(vendor, row)[0]
        except _Wrong:
            continue


class _Wrong(ValueError):
    """What is wrong with a row, to follow its place."""


def _received(vendor: Vendor, row: Row, now: datetime, actor: str) -> bool:
    """Whether something is left of the payment of a row."""
    for name in row.cells:
        if name not in COLUMNS:
            raise _Wrong(f": {name!r} is not a column; {near(name, COLUMNS)}allowed: {', '.join(COLUMNS)}")
    account, documents = _whose(vendor, row)
    currency = currency_of(account, now)
    if (named := row.cells.get("currency", currency).upper()) != currency:
        raise _Wrong(f", column currency: {named!r} is not what account {account.key} is billed in, {currency}")
    try:
        amount_minor = parse_amount(row.cells.get("amount", ""), currency)
    except ValueError as error:
        raise _Wrong(f", column amount: {error}") from None
    if not amount_minor:
        raise _Wrong(", column amount: nothing was paid; write an amount above zero, or leave out the row")
    payment = receive_payment(
        account=account,
        amount_minor=amount_minor,
        by=Transfer(_day(row), row.cells.get("method", ""), row.cells.get("reference", "")),
        shares=[Share(one) for one in documents],
        now=now,
        actor=actor,
    )
    counted = sum(one.amount_minor for one in payment.allocations.all())
    return counted < amount_minor


def _whose(vendor: Vendor, row: Row) -> tuple[Account, list[Document]]:
    """The account of a row, and the document that it names."""
    key, name = row.cells.get("account", ""), row.cells.get("document", "")
    if not key and not name:
        raise _Wrong(": name the account, or the document that is paid")
    document = document_of(vendor, name) if name else None
    if name and document is None:
        raise _Wrong(f", column document: {name!r} is not a document of vendor {vendor.key}; they are like invoice-12")
    account = account_of(vendor, key) if key else document.account if document else None
    if account is None:
        raise _Wrong(f", column account: {key!r} is not an account of vendor {vendor.key}")
    return account, [document] if document else []


def _day(row: Row) -> date:
    text = row.cells.get("date", "")
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise _Wrong(f", column date: {text!r} is not a date; write one like 2026-04-01") from None
    if day.year not in YEARS:
        raise _Wrong(f", column date: {day} is too far away; write a year from {YEARS[0]} to {YEARS[-1]}")
    return day
