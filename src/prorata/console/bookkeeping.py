"""The commands for the books: the journal as other programs read it, and the vendor's own account numbers."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from prorata.console.asked import day_of, sentences
from prorata.console.database import VendorOption, add_row, console, database, vendor_called
from prorata.engine.books import LEDGERS, Ledger
from prorata.engine.intake import IntakeError, near

exports = typer.Typer(help="What other programs read.", no_args_is_help=True)


class BooksFormat(StrEnum):
    csv = "csv"
    beancount = "beancount"
    hledger = "hledger"
    sie = "sie"


@exports.command("books")
def export_books(
    through: Annotated[str, typer.Option(help="Everything dated up to and with this day.")],
    vendor: VendorOption = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Only what is dated this day or later: the first day of a month.")
    ] = None,
    to: Annotated[BooksFormat, typer.Option("--format", "-f", help="For whom to write it.")] = BooksFormat.csv,
) -> None:
    """The journal of a vendor: what was issued and what became revenue of it, on standard output."""
    with sentences(), database():
        from prorata.books.exports import as_beancount, as_csv, as_hledger
        from prorata.books.journal import journal, wrong_part
        from prorata.books.sie import as_sie
        from prorata.subscriptions.queries import earliest_today
        from prorata.vendors.queries import ledger_accounts, now_of

        seller = vendor_called(vendor)
        first, last = None if since is None else day_of("--from", since), day_of("--through", through)
        is_part = first is not None or to is BooksFormat.sie
        if is_part and (wrong := wrong_part(first, last, earliest_today(seller, now_of(seller)))):
            raise IntakeError([f"--{wrong[0]}: {wrong[1]}"])
        entries = [one for one in journal(seller, last) if first is None or one.date >= first]
        accounts = ledger_accounts(seller)
        numbers = {ledger: account.number for ledger, account in accounts.items()}
        if to is BooksFormat.sie:
            sys.stdout.buffer.write(as_sie(seller, entries, accounts, now_of(seller).date()))
            return
        written = {
            BooksFormat.csv: lambda: as_csv(entries, numbers),
            BooksFormat.beancount: lambda: as_beancount(entries),
            BooksFormat.hledger: lambda: as_hledger(entries),
        }
        sys.stdout.write(written[to]())


def ledgers(
    key: Annotated[str, typer.Argument(help="The vendor's key.")],
    accounts: Annotated[
        list[str] | None,
        typer.Argument(metavar="LEDGER=NUMBER…", help='Its account in your books; a name may follow: tax="2611 VAT".'),
    ] = None,
) -> None:
    """Say under which account numbers your own books have the ledgers of the journal, or list them."""
    with sentences(), database():
        from prorata.vendors.actions import name_ledgers
        from prorata.vendors.queries import ledger_accounts

        seller = vendor_called(key)
        name_ledgers(vendor=seller, accounts=dict(_ledger_account(one) for one in accounts or ()))
        known = ledger_accounts(seller)
        table = Table("ledger", "account", "name", box=None, header_style="bold")
        for ledger in LEDGERS:
            account = known.get(ledger)
            add_row(table, ledger, account.number if account else "", account.name if account else "")
        console().print(table)


def _ledger_account(text: str) -> tuple[Ledger, tuple[str, str]]:
    ledger, equals, account = text.partition("=")
    found = next((one for one in LEDGERS if one == ledger), None)
    if found is None:
        allowed = f"{near(ledger, LEDGERS)}allowed: {', '.join(LEDGERS)}"
        raise IntakeError([f"{text!r} names no ledger; {allowed}"])
    number, _, name = account.partition(" ")
    if not equals or not (number.isalnum() and number.isascii()):
        raise IntakeError([f'{text!r} says no account number; write {ledger}=1510, or {ledger}="1510 Name"'])
    return found, (number, name.strip())
