"""The journal as SIE 4I, read by the rules of the format."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest
from django.core.exceptions import ValidationError

from prorata.books.exports import as_csv
from prorata.books.journal import Entry, journal
from prorata.books.sie import NoSie, as_sie
from prorata.engine.books import LEDGERS, Ledger
from prorata.engine.money import parse_amount
from prorata.vendors.actions import name_ledgers
from prorata.vendors.models import Vendor
from prorata.vendors.queries import ledger_accounts
from tests.service.test_books import sums
from tests.service.world import a_year, seller

_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\{\})|(\S+)')
NUMBERS: dict[Ledger, tuple[str, str]] = {
    ledger: (str(1510 + 10 * place), f"Konto för {ledger}") for place, ledger in enumerate(LEDGERS)
}


def read(file: bytes) -> tuple[dict[str, list[list[str]]], list[list[tuple[str, int]]]]:
    """The items of a file by their labels, and its verifications; raises AssertionError where it breaks the format."""
    assert file.endswith(b"\r\n")
    items: dict[str, list[list[str]]] = {}
    verifications: list[list[tuple[str, int]]] = []
    is_open = False
    for line in file.decode("cp437").removesuffix("\r\n").split("\r\n"):
        assert "\n" not in line
        if line in ("{", "}"):
            assert is_open == (line == "}")
            is_open = line == "{"
            continue
        label, _, rest = line.strip().partition(" ")
        assert label.startswith("#")
        fields = [quoted.replace('\\"', '"') or empty or plain for quoted, empty, plain in _FIELD.findall(rest)]
        if label == "#TRANS":
            assert is_open
            account, objects, amount = fields
            assert objects == "{}"
            assert [account] in [told[:1] for told in items["#KONTO"]]
            sign = -1 if amount.startswith("-") else 1
            verifications[-1].append((account, sign * parse_amount(amount.lstrip("-"), "SEK")))
            continue
        assert not is_open
        if label == "#VER":
            verifications.append([])
            assert re.fullmatch(r"\d{8}", fields[2])
        items.setdefault(label, []).append(fields)
    assert next(iter(items)) == "#FLAGGA"
    assert {"#FLAGGA", "#FORMAT", "#SIETYP", "#PROGRAM", "#GEN", "#FNAMN"} <= set(items)
    return items, verifications


@pytest.mark.parametrize("policy", ["mainter", "sloneek"])
def test_a_year_as_sie_has_the_same_sums(policy: str) -> None:
    vendor = a_year(policy, accounts=4)
    name_ledgers(vendor=vendor, accounts=NUMBERS)
    entries = journal(vendor, date(2026, 12, 31))
    items, verifications = read(as_sie(vendor, entries, ledger_accounts(vendor), date(2027, 1, 2)))
    assert items["#SIETYP"] == [["4"]]
    assert items["#GEN"] == [["20270102"]]
    assert items["#FNAMN"] == [["Vendor"]]
    assert items["#VALUTA"] == [[entries[0].currency]]
    assert len(verifications) == len(entries)
    found: Counter[str] = Counter()
    for one in verifications:
        assert sum(amount for _, amount in one) == 0
        for account, amount in one:
            found[account] += amount
    assert found == {NUMBERS[ledger][0]: amount for ledger, amount in sums(entries).items()}  # type: ignore[index]
    assert [fields[2] for fields in items["#VER"]] == [f"{one.date:%Y%m%d}" for one in entries]


def test_names_are_kept_in_the_code_page_and_quoted() -> None:
    vendor = seller()
    Vendor.objects.filter(pk=vendor.pk).update(name='Åkes "Bil" & Däck', organisation_number="556036-0793")
    vendor.refresh_from_db()
    name_ledgers(vendor=vendor, accounts={"receivable": ("1510", "Kundfordringar"), "revenue": ("3041", "")})
    entry = Entry(date(2026, 1, 1), "receivable", "revenue", 12345, "SEK", "invoice-1")
    items, [verification] = read(as_sie(vendor, [entry], ledger_accounts(vendor), date(2026, 1, 2)))
    assert items["#FNAMN"] == [['Åkes "Bil" & Däck']]
    assert items["#ORGNR"] == [["556036-0793"]]
    assert items["#KONTO"] == [["1510", "Kundfordringar"], ["3041", "revenue"]]
    assert items["#VER"] == [["", "", "20260101", "invoice-1"]]
    assert verification == [("1510", 12345), ("3041", -12345)]


def test_ledgers_without_a_number_are_told() -> None:
    vendor = seller()
    name_ledgers(vendor=vendor, accounts={"receivable": ("1510", "")})
    entry = Entry(date(2026, 1, 1), "receivable", "revenue", 100, "SEK", "invoice-1")
    with pytest.raises(NoSie) as refused:
        as_sie(vendor, [entry], ledger_accounts(vendor), date(2026, 1, 2))
    assert str(refused.value) == (
        "SIE names accounts by number; say those of: prorata vendor ledgers vendor revenue=NUMBER"
    )
    other = entry._replace(credit="tax", currency="EUR")
    name_ledgers(vendor=vendor, accounts=NUMBERS)
    dinars = entry._replace(currency="KWD")
    with pytest.raises(NoSie, match="SIE knows 2 decimals, and KWD has more"):
        as_sie(vendor, [dinars], ledger_accounts(vendor), date(2026, 1, 2))
    with pytest.raises(NoSie, match="a SIE file is in one currency, and the books are in EUR and SEK"):
        as_sie(vendor, [entry, other], ledger_accounts(vendor), date(2026, 1, 2))


def test_an_account_that_is_no_number_is_told_and_what_is_not_seen_is_left_out() -> None:
    vendor = seller()
    Vendor.objects.filter(pk=vendor.pk).update(name="Acme\x1b\x7f \\ AB")
    vendor.refresh_from_db()
    name_ledgers(vendor=vendor, accounts={"receivable": ("AR", ""), "revenue": ("3041", "")})
    entry = Entry(date(2026, 1, 1), "receivable", "revenue", 100, "SEK", "invoice-1")
    with pytest.raises(NoSie, match="SIE names accounts by digits alone; AR are not"):
        as_sie(vendor, [entry], ledger_accounts(vendor), date(2026, 1, 2))
    name_ledgers(vendor=vendor, accounts={"receivable": ("1510", "")})
    items, _ = read(as_sie(vendor, [entry], ledger_accounts(vendor), date(2026, 1, 2)))
    assert items["#FNAMN"] == [["Acme / AB"]]


def test_numbers_stand_in_the_csv_and_can_be_changed() -> None:
    vendor = seller()
    name_ledgers(vendor=vendor, accounts={"receivable": ("1500", ""), "revenue": ("3041", "")})
    name_ledgers(vendor=vendor, accounts={"receivable": ("1510", "Kundfordringar")})
    numbers = {ledger: account.number for ledger, account in ledger_accounts(vendor).items()}
    entry = Entry(date(2026, 1, 1), "receivable", "revenue", 12345, "SEK", "invoice-1")
    assert as_csv([entry], numbers) == (
        "date,debit,credit,amount,currency,reason,debit_account,credit_account\n"
        "2026-01-01,receivable,revenue,123.45,SEK,invoice-1,1510,3041\n"
    )
    with pytest.raises(ValidationError):
        name_ledgers(vendor=vendor, accounts={"receivable": ("1" * 21, "")})
