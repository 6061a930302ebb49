"""The commands for payments, and files of them: what they say, and what they refuse."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.console.command import prorata, write

EVENTS = (
    "at,account,event,user,plan",
    "2026-04-01,nord,activate,anna,",
    "2026-04-01,syd,start,,PRO",
    "2026-04-01,syd,activate,dora,",
)
PAY = ("payment", "add", "nord")


@pytest.fixture(scope="module")
def owing(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vendor whose account nord owes 299.00 twice (invoice-1 and 2), and syd 699.00 twice (invoice-3 and 4)."""
    folder = tmp_path_factory.mktemp("owing")
    shutil.copy(made / "prorata.sqlite3", folder)
    write(folder, "events.csv", EVENTS)
    prorata("import", "--events", "events.csv", cwd=folder)
    prorata("bill-run", "--through", "2026-05-01", cwd=folder)
    return folder


@pytest.fixture
def shop(folder: Path, owing: Path) -> Path:
    shutil.copy(owing / "prorata.sqlite3", folder)
    return folder


def test_what_is_paid_shows_wherever_an_account_is_looked_at(shop: Path) -> None:
    prorata(*PAY, "700.00", "--date", "2026-05-04", cwd=shop)
    listed = prorata("payment", "list", "--left", "--account", "nord", cwd=shop).out.splitlines()
    assert [line.split() for line in listed[1:]] == [["1", "2026-05-04", "nord", "700.00", "102.00"]]
    shown = prorata("account", "show", "nord", cwd=shop).out
    assert ["paid", "too", "much", "102.00", "SEK"] in [line.split() for line in shown.splitlines()]
    shown = prorata("account", "show", "syd", cwd=shop).out
    assert ["to", "pay", "1,398.00", "SEK"] in [line.split() for line in shown.splitlines()]
    still = prorata("documents", "--open", cwd=shop).out.splitlines()
    assert [line.split()[0] for line in still[1:]] == ["invoice-3", "invoice-4"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("payment", "add", "vest", "1.00"), "vendor acme has no account 'vest'"),
        ((*PAY, "1,00"), "AMOUNT: '1,00' is not an amount; write digits with a point before the decimals, such as"),
        ((*PAY, "0"), "AMOUNT: '0' is nothing; write an amount above zero"),
        ((*PAY, "1.00", "--date", "4 May"), "--date: '4 May' is not a date; write one like 2026-04-01"),
        ((*PAY, "1.00", "--date", "2198-01-01"), "2198-01-01 has not come yet; it is "),
        ((*PAY, "1.00", "-d", "invoice-9"), "vendor acme has no document 'invoice-9'; name one like invoice-12 or"),
        ((*PAY, "1.00", "-d", "invoice-3"), "invoice-3 is not of account nord"),
        ((*PAY, "1.00", "--reference", "x" * 201), "reference: Ensure this value has at most 200 characters"),
        (("payment", "allocate", "7", "invoice-1"), "vendor acme has no payment 7; prorata payment list lists them"),
        (("payment", "release", "1", "invoice-3"), "payment 1 does not count for invoice-3"),
        (("payment", "refund", "1"), "nothing is left of payment 1"),
        (("payment", "refund", "invoice-1"), "nothing is to be paid back of invoice-1"),
        (("payment", "refund", "invoice-1", "--amount", "1.00"), "--amount: a credit note is paid back as a whole"),
        (("payment", "refund", "9" * 5000), "vendor acme has no document '9999"),
        (("payment", "list", "--account", "vest"), "--account: vendor acme has no account 'vest'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(shop: Path, words: tuple[str, ...], sentence: str) -> None:
    prorata(*PAY, "299.00", "--date", "2026-05-04", cwd=shop)
    said = prorata(*words, cwd=shop, code=2)
    assert said.errors.startswith(sentence)
    assert len(prorata("payment", "list", cwd=shop).out.splitlines()) == 2


def test_what_is_not_utf_8_is_said_so(shop: Path) -> None:
    said = prorata(*PAY, "1.00", "--reference", os.fsdecode(b"R\xff"), cwd=shop, code=2)
    assert said.errors == "R\\udcff is not UTF-8; write it so\n"


def test_who_is_deleted_may_still_be_owed_something(shop: Path) -> None:
    prorata(*PAY, "700.00", "--date", "2026-05-04", cwd=shop)
    write(shop, "ends.csv", ("at,account,event", "2026-05-20,nord,cancel", "2026-05-20,syd,cancel"))
    prorata("import", "--events", "ends.csv", cwd=shop)
    prorata("bill-run", "--through", "2026-06-01", cwd=shop)
    for account, still in (("nord", "was paid too much"), ("syd", "is still to be paid")):
        told = f"Account {account} is deleted; its documents are kept. Something {still}: prorata payment goes on.\n"
        assert prorata("account", "delete", account, "--yes", cwd=shop).out == told
    assert prorata("payment", "refund", "1", "--date", "2026-06-02", cwd=shop).out == (
        "Payment 2: 102.00 SEK went back to account nord on 2026-06-02.\n"
    )


def test_a_file_of_payments_is_loaded_as_a_whole_or_not_at_all(shop: Path) -> None:
    write(
        shop,
        "wrong.csv",
        (
            "date,account,document,amount,currency,method,reference",
            "2026-05-04,nord,,299.00,SEK,,R1",
            "2026-05-04,,,299.00,,,",
            "2026-05-04,vest,,299.00,,,",
            "2026-05-04,,invoice-9,299.00,,,",
            "2026-05-04,nord,invoice-3,299.00,,,",
            "2026-05-04,nord,,299.00,EUR,,",
            "2026-05-04,nord,,299,00,,",
            "2026-05-04,nord,,0,,,",
            "4 May,nord,,299.00,,,",
            "2026-05-04,syd,,299.00,,,R1",
            f"2026-05-04,syd,,299.00,,{'x' * 41},",
            "2026-W23-1,syd,,299.00,,,",
            "1500-01-01,syd,,299.00,,,",
            "2026-05-04,syd,,99999999999999.00,,,",
        ),
    )
    said = prorata("import", "--payments", "wrong.csv", cwd=shop, code=2)
    assert said.errors.splitlines() == [
        "wrong.csv, line 3: name the account, or the document that is paid",
        "wrong.csv, line 4, column account: 'vest' is not an account of vendor acme",
        "wrong.csv, line 5, column document: 'invoice-9' is not a document of vendor acme; they are like invoice-12",
        "wrong.csv, line 6: invoice-3 is not of account nord",
        "wrong.csv, line 7, column currency: 'EUR' is not what account nord is billed in, SEK",
        "wrong.csv, line 8, column currency: '00' is not what account nord is billed in, SEK",
        "wrong.csv, line 9, column amount: nothing was paid; write an amount above zero, or leave out the row",
        "wrong.csv, line 10, column date: '4 May' is not a date; write one like 2026-04-01",
        "wrong.csv, line 11, column reference: 'R1' is there already, in wrong.csv, line 2",
        "wrong.csv, line 12, column method: Ensure this value has at most 40 characters (it has 41).",
        "wrong.csv, line 13, column date: '2026-W23-1' is not a date; write one like 2026-04-01",
        "wrong.csv, line 14, column date: 1500-01-01 is too far away; write a year from 1970 to 2999",
        "wrong.csv, line 15: a payment of more than 10,000,000,000,000.00 SEK cannot be kept",
    ]
    assert len(prorata("payment", "list", cwd=shop).out.splitlines()) == 1
    write(shop, "wrong.csv", ("date,account,amuont", "2026-05-04,nord,299.00"))
    said = prorata("import", "--payments", "wrong.csv", cwd=shop, code=2)
    assert said.errors.splitlines()[0].startswith("wrong.csv, line 1, column 3: 'amuont' is not a column; did you mean")
    write(
        shop,
        "payments.jsonl",
        (
            '{"date": "2026-05-04", "account": "nord", "amount": "300.00", "reference": "R1"}',
            '{"date": "2026-05-05", "document": "invoice-3", "amount": "700.00"}',
        ),
    )
    told = "2 payments recorded, and something is left of 1 of them."
    said = prorata("import", "--payments", "payments.jsonl", "--dry-run", cwd=shop)
    assert said.out == f"{told} Nothing was kept: this was a dry run.\n"
    assert prorata("import", "--payments", "payments.jsonl", cwd=shop).out == f"{told}\n"
    assert prorata("verify", cwd=shop).out == "acme: 4 documents, each as it is when computed again.\n"
