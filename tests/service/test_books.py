"""The journal that is exported, read by another program."""

from __future__ import annotations

import csv
import subprocess
from collections import Counter
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Transaction

from prorata.books.exports import NAMES, as_beancount, as_csv, as_hledger
from prorata.books.journal import Entry, journal
from prorata.engine.books import LEDGERS
from prorata.engine.money import parse_amount
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Document
from prorata.vendors.models import Vendor
from tests.hledger import program
from tests.service.world import a_year, at, seller, told, with_people

pytestmark = pytest.mark.django_db


def sums(entries: list[Entry]) -> Counter[str]:
    """What each ledger is left with: debits less credits."""
    left: Counter[str] = Counter()
    for one in entries:
        left[one.debit] += one.amount_minor
        left[one.credit] -= one.amount_minor
    return left


def owed_and_credited(vendor: Vendor) -> tuple[int, int]:
    documents = list(Document.objects.filter(vendor=vendor).order_by("id"))
    last = {one.subscription_id: one.credit_left_minor for one in documents}
    return sum(max(one.total_minor, 0) - one.credit_used_minor for one in documents), sum(last.values())


@pytest.mark.parametrize("policy", ["konfidens", "mainter", "sloneek"])
def test_the_books_of_a_year_agree_with_its_documents(policy: str) -> None:
    vendor = a_year(policy, accounts=8)
    entries = journal(vendor, date(2199, 12, 31))
    left, (owed, credited) = sums(entries), owed_and_credited(vendor)
    assert owed > 0
    assert left["receivable"] == owed
    lapsed = -left["lapsed_credits"]
    assert -left["customer_credit"] == credited - lapsed
    assert left["deferred_revenue"] == 0  # by then all of it is earned
    assert sum(left.values()) == 0
    halfway = journal(vendor, date(2026, 3, 14))
    assert halfway == [one for one in halfway if one.date <= date(2026, 3, 14)]
    assert [one for one in halfway if one.reason != "earned in 2026-03"] == [
        one for one in entries if one.date <= date(2026, 3, 14)
    ]


@pytest.mark.parametrize("policy", ["konfidens", "mainter", "sloneek"])
def test_beancount_reads_the_same_sums(policy: str) -> None:
    vendor = a_year(policy, accounts=4)
    entries = journal(vendor, date(2199, 12, 31))
    read, errors, _ = loader.load_string(as_beancount(entries))
    assert errors == []
    found: Counter[str] = Counter()
    transactions: list[Any] = [one for one in read if isinstance(one, Transaction)]
    for posting in (posting for one in transactions for posting in one.postings):
        found[posting.account] += int(posting.units.number * 100)
    assert len(transactions) == len(entries)
    assert {name: found[name] for name in NAMES.values()} == {
        name: sums(entries)[ledger] for ledger, name in NAMES.items()
    }


def balances(text: str, folder: Path) -> dict[str, int]:
    """What hledger says that each ledger is left with, in hundredths, having checked the journal strictly."""
    file = folder / "books.journal"
    file.write_text(text)
    told = [program(), "-f", str(file)]
    subprocess.run([*told, "check", "-s", "ordereddates"], check=True)
    asked = [*told, "balance", "--flat", "--no-total", "-O", "csv"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return {
        row["account"]: int(row["balance"].partition(" ")[0].replace(".", "")) for row in csv.DictReader(StringIO(said))
    }


@pytest.mark.parametrize("policy", ["konfidens", "mainter", "sloneek"])
def test_hledger_finds_nothing_wrong_and_reads_the_same_sums(policy: str, tmp_path: Path) -> None:
    entries = journal(a_year(policy, accounts=4), date(2026, 3, 14))
    left = sums(entries)
    assert balances(as_hledger(entries), tmp_path) == {NAMES[one]: left[one] for one in LEDGERS if left[one]}
    assert left["revenue"] < 0


def test_currencies_without_decimals_are_read_too(tmp_path: Path) -> None:
    yen = [Entry(date(2026, 1, 1), "receivable", "revenue", 1500, "JPY", "invoice-1")]
    assert balances(as_hledger(yen), tmp_path) == {"Assets:Receivable": 1500, "Income:Revenue": -1500}
    assert loader.load_string(as_beancount(yen))[1] == []


def test_what_is_misspelt_is_found_by_hledger(tmp_path: Path) -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna")
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    text = as_hledger(journal(vendor, date(2026, 1, 10)))
    assert balances(text, tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        balances(text.replace("  Income:Revenue", "  Income:Revenues"), tmp_path)


def test_what_is_paid_in_advance_is_earned_by_the_month() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna")
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    # 10 of 31 days of January at 299.00: 96.45
    assert [tuple(one) for one in journal(vendor, date(2026, 1, 10))] == [
        (date(2026, 1, 1), "receivable", "deferred_revenue", 29900, "SEK", "invoice-1"),
        (date(2026, 1, 10), "deferred_revenue", "revenue", 9645, "SEK", "earned in 2026-01"),
    ]
    assert journal(vendor, date(2026, 2, 28))[1:] == [
        Entry(date(2026, 1, 31), "deferred_revenue", "revenue", 29900, "SEK", "earned in 2026-01")
    ]


def test_a_lapse_is_income_and_csv_has_it_all() -> None:
    vendor = told("scenarios/M11-credits-lapse-at-the-end.toml")
    entries = journal(vendor, date(2026, 12, 31))
    rows = list(csv.DictReader(StringIO(as_csv(entries))))
    assert [(row["date"], row["debit"], row["credit"], row["reason"]) for row in rows] == [
        (str(one.date), one.debit, one.credit, one.reason) for one in entries
    ]
    assert [parse_amount(row["amount"], row["currency"]) for row in rows] == [one.amount_minor for one in entries]
    [lapse] = [one for one in entries if one.reason == "lapse"]
    assert (lapse.debit, lapse.credit) == ("customer_credit", "lapsed_credits")
    assert as_beancount([]) == ""
