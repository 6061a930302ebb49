"""The journal as SIE 4I: the format in which Swedish bookkeeping programs take in transactions.

By the SIE group's specification, version 4B: code page 437, one item a line, and each verification balanced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from prorata.books.journal import Entry
from prorata.engine.books import LEDGERS, Ledger
from prorata.engine.money import digits_of, format_amount
from prorata.vendors.models import LedgerAccount, Vendor

_CODE_PAGE, _DECIMALS = "cp437", 2


class NoSie(ValueError):
    """A journal that SIE cannot say: whose ledgers have no account numbers, or of amounts that it does not know."""


def as_sie(vendor: Vendor, entries: Sequence[Entry], accounts: Mapping[Ledger, LedgerAccount], today: date) -> bytes:
    """A file with a verification for each entry; raises NoSie, and where there is more than one currency."""
    used = {ledger for one in entries for ledger in (one.debit, one.credit)}
    if missing := [ledger for ledger in LEDGERS if ledger in used and ledger not in accounts]:
        named = " ".join(f"{ledger}=NUMBER" for ledger in missing)
        raise NoSie(f"SIE names accounts by number; say those of: prorata vendor ledgers {vendor.key} {named}")
    if odd := sorted(accounts[one].number for one in used if not re.fullmatch("[0-9]+", accounts[one].number)):
        raise NoSie(f"SIE names accounts by digits alone; {', '.join(odd)} are not")
    currencies = sorted({one.currency for one in entries})
    if len(currencies) > 1:
        raise NoSie(f"a SIE file is in one currency, and the books are in {' and '.join(currencies)}")
    if currencies and digits_of(currencies[0]) > _DECIMALS:
        raise NoSie(f"SIE knows {_DECIMALS} decimals, and {currencies[0]} has more")
    lines = [*_head(vendor, currencies, today), *_accounts(used, accounts)]
    for one in entries:
        lines += _verification(one, accounts)
    return "".join(f"{line}\r\n" for line in lines).encode(_CODE_PAGE, errors="replace")


def _head(vendor: Vendor, currencies: Sequence[str], today: date) -> Iterator[str]:
    yield "#FLAGGA 0"
    yield "#FORMAT PC8"
    yield "#SIETYP 4"
    yield '#PROGRAM "Prorata" 1'
    yield f"#GEN {today:%Y%m%d}"
    if vendor.organisation_number:
        yield f"#ORGNR {_quoted(vendor.organisation_number)}"
    yield f"#FNAMN {_quoted(vendor.name)}"
    yield from (f"#VALUTA {currency}" for currency in currencies)


def _accounts(used: set[Ledger], accounts: Mapping[Ledger, LedgerAccount]) -> Iterator[str]:
    told = {accounts[ledger].number: accounts[ledger].name or ledger for ledger in LEDGERS if ledger in used}
    for number, name in sorted(told.items()):
        yield f"#KONTO {_quoted(number)} {_quoted(name)}"


def _verification(one: Entry, accounts: Mapping[Ledger, LedgerAccount]) -> Iterator[str]:
    """Debits are positive, credits negative."""
    amount = format_amount(one.amount_minor, one.currency)
    yield f'#VER "" "" {one.date:%Y%m%d} {_quoted(one.reason)}'
    yield "{"
    yield f"   #TRANS {_quoted(accounts[one.debit].number)} {{}} {amount}"
    yield f"   #TRANS {_quoted(accounts[one.credit].number)} {{}} -{amount}"
    yield "}"


def _quoted(text: str) -> str:
    """A field; quotes around what has spaces, as around all else."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text)
    told = " ".join(seen.split()).replace("\\", "/").replace('"', '\\"')
    return told if told.isalnum() and told.isascii() else f'"{told}"'
