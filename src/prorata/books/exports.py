"""A journal as text that other programs read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from types import MappingProxyType

from prorata.books.journal import Entry
from prorata.engine.books import LEDGERS, Ledger
from prorata.engine.money import format_amount

# What a ledger is called in plain-text accounting, where the first word says of which sort it is.
NAMES: dict[Ledger, str] = {
    "receivable": "Assets:Receivable",
    "deferred_revenue": "Liabilities:DeferredRevenue",
    "revenue": "Income:Revenue",
    "tax": "Liabilities:Tax",
    "customer_credit": "Liabilities:CustomerCredit",
    "refunds": "Liabilities:Refunds",
    "lapsed_credits": "Income:LapsedCredits",
    "granted_credits": "Expenses:GrantedCredits",
    "bank": "Assets:Bank",
    "unapplied_payments": "Liabilities:UnappliedPayments",
}
assert set(NAMES) == set(LEDGERS)


def as_csv(entries: Iterable[Entry], numbers: Mapping[Ledger, str] = MappingProxyType({})) -> str:
    """One row for each entry: what is debited, what is credited, and the amount as a plain decimal.

    Where the vendor's own books have numbers for ledgers, these stand in columns of their own.
    """
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*_COLUMNS, *(_NUMBERED if numbers else ())))
    for one in entries:
        row = (one.date, one.debit, one.credit, format_amount(one.amount_minor, one.currency), one.currency, one.reason)
        rows.writerow((*row, numbers.get(one.debit, ""), numbers.get(one.credit, "")) if numbers else row)
    return text.getvalue()


_COLUMNS = ("date", "debit", "credit", "amount", "currency", "reason")
_NUMBERED = ("debit_account", "credit_account")


def as_beancount(entries: Sequence[Entry]) -> str:
    """For Beancount: every ledger is opened on the first day."""
    if not entries:
        return ""
    opened = [f"{entries[0].date} open {NAMES[ledger]}" for ledger in LEDGERS]
    told = [_transaction(one, f'* "{one.reason}"') for one in entries]
    return "\n".join(opened) + "\n\n" + "\n".join(told)


def as_hledger(entries: Sequence[Entry]) -> str:
    """For hledger: every ledger and currency is declared, so that `hledger check -s` finds what is misspelt."""
    currencies = sorted({one.currency for one in entries})
    declared = [f"commodity {_sample(currency)} {currency}" for currency in currencies]
    declared += [f"account {NAMES[ledger]}" for ledger in LEDGERS]
    told = [_transaction(one, f"* {one.reason}") for one in entries]
    return "\n".join(declared) + "\n\n" + "\n".join(told)


def _sample(currency: str) -> str:
    """An amount with the decimals of a currency; hledger wants a point even where there are none."""
    amount = format_amount(100_000, currency)
    return amount if "." in amount else f"{amount}."


def _transaction(one: Entry, title: str) -> str:
    amount = format_amount(one.amount_minor, one.currency)
    return (
        f"{one.date} {title}\n"
        f"  {NAMES[one.debit]:<30} {amount:>15} {one.currency}\n"
        f"  {NAMES[one.credit]:<30} {'-' + amount:>15} {one.currency}\n"
    )
