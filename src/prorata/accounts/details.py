"""Details: what documents say of many accounts, and where their mail goes, as a file tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from prorata.accounts.models import Account
from prorata.engine.intake import IntakeError, Row, near
from prorata.vendors.models import PARTY, Vendor
from prorata.webhooks.outbox import announce

DETAILS = (*PARTY, "reference", "email", "copies_to")
COLUMNS = ("account", *DETAILS)
BATCH = 500

Step = Callable[[int], None]  # told how many accounts more have been looked at


@transaction.atomic
def load_details(*, vendor: Vendor, rows: Sequence[Row], now: datetime, step: Step | None = None) -> int:
    """Writes what rows tell of the vendor's accounts, all of it or nothing; how many of them are otherwise now.

    What a row leaves out, or empty, stays as it is; the addresses of copies are separated by semicolons. Raises
    IntakeError with a sentence for each value that cannot be, and for each account that is not there, was deleted or is
    told of twice.
    """
    problems = [*_unknown(rows), *_told_twice(rows)]
    changed: list[tuple[str, list[str]]] = []
    for at in range(0, len(rows), BATCH):
        some = rows[at : at + BATCH]
        accounts = _accounts(vendor, some)
        moved = []
        for row in some:
            key = row.cells.get("account", "")
            account = accounts.get(key)
            if account is None or account.deleted_at is not None:
                problems += [_not_there(row, vendor, account)] if key else []
                continue
            others = _set(account, row)
            wrong = list(_wrong(account, row, others))
            problems += wrong
            if others and not wrong:
                moved.append(account)
                changed.append((account.key, others))
        Account.objects.bulk_update(moved, DETAILS)
        if step is not None:
            step(len(some))
    if problems:
        raise IntakeError(problems)
    told = ({"account": key, "changed": names} for key, names in changed)
    announce(vendor_id=vendor.pk, kind="account.changed", told=told, at=now)
    return len(changed)


def _unknown(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for name in row.cells:
            if name not in COLUMNS:
                yield f"{row.place}: {name!r} is not a column; {near(name, COLUMNS)}allowed: {', '.join(COLUMNS)}"


def _told_twice(rows: Sequence[Row]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for row in rows:
        key = row.cells.get("account", "")
        if not key:
            yield f"{row.place}, column account: is empty; every row names its account"
        elif key in seen:
            yield f"{row.place}, column account: {key!r} is told of already, in {seen[key]}"
        seen.setdefault(key, row.place)


def _accounts(vendor: Vendor, rows: Sequence[Row]) -> dict[str, Account]:
    """The accounts that rows name, locked."""
    keys = {row.cells.get("account", "") for row in rows}
    found = Account.objects.select_for_update(no_key=True).filter(vendor=vendor, key__in=keys).order_by("pk")
    return {account.key: account for account in found}


def _not_there(row: Row, vendor: Vendor, account: Account | None) -> str:
    key = row.cells.get("account", "")
    if account is not None:
        return f"{row.place}, column account: {key!r} was deleted; it stays as it is"
    return f"{row.place}, column account: {key!r} is not an account of vendor {vendor.key}"


def _set(account: Account, row: Row) -> list[str]:
    """Gives an account what a row tells; the names of the details that are others than before."""
    others = []
    for name in DETAILS:
        cell = row.cells.get(name, "")
        value: str | list[str] = cell.upper() if name == "country" and cell.isascii() else cell
        value = [one for one in re.split(r"[\s;]+", cell) if one] if name == "copies_to" and cell else value
        if value and value != getattr(account, name):
            setattr(account, name, value)
            others.append(name)
    return others


def _wrong(account: Account, row: Row, names: Collection[str]) -> Iterator[str]:
    """What cannot be of the details of these names."""
    try:
        account.clean_fields(exclude={field.name for field in Account._meta.fields} - set(names) | {"country"})
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            for sentence in sentences:
                yield f"{row.place}, column {name}: {row.cells[name][:60]!r}: {sentence}"
    if "country" in names and not re.fullmatch("[A-Z]{2}", account.country):
        told = row.cells["country"][:60]
        yield f"{row.place}, column country: {told!r} is not a country; write two letters, such as SE"
