"""The commands of the service, on a database of their own: what they print, and with which exit code they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.command import prorata, write

EVENTS = (
    "at,account,event,user,plan",
    "2026-04-01,nord,activate,anna,",
    "2026-04-01,nord,activate,ben,",
    "2026-04-10,nord,activate,chris,",
    "2026-04-01,syd,start,,PRO",
    "2026-04-01,syd,activate,dora,",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an event file; commands run there keep their database in it."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("PRORATA_HOME", raising=False)
    write(tmp_path, "events.csv", EVENTS)
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Path:
    """A folder with a database that has a vendor."""
    assert prorata("migrate", cwd=folder).out == f"The tables of {folder}/prorata.sqlite3 are up to date.\n"
    said = prorata("vendor", "add", "acme", "--name", "Acme AB", "--policy", "mainter", cwd=folder)
    assert said.out == "Vendor acme bills by mainter.\n"
    return folder


def test_from_an_event_file_to_documents_that_are_verified(shop: Path) -> None:
    assert prorata("import", "--events", "events.csv", cwd=shop).out == "2 accounts, 6 events.\n"
    # anna and ben April and May, chris 20 of 30 days and May; dora of syd twice 699.00
    billed = "acme: 2 accounts due; 4 invoices of 3,092.33 SEK, 0 credit notes.\n"
    run = ("bill-run", "--through", "2026-05-01")
    assert prorata(*run, "--dry-run", cwd=shop).out == billed.rstrip("\n") + " Nothing was kept: this was a dry run.\n"
    assert prorata(*run, cwd=shop).out == billed
    assert prorata(*run, cwd=shop).out == "acme: 0 accounts due; 0 invoices, 0 credit notes.\n"
    assert prorata("verify", cwd=shop).out == "acme: 4 documents, each as it is when computed again.\n"
    listed = prorata("vendor", "list", cwd=shop).out.split()
    assert listed[-6:] == ["acme", "Acme", "AB", "mainter", "2", "4"]


def test_a_line_that_is_wrong_is_named_and_nothing_of_the_file_is_kept(shop: Path) -> None:
    write(shop, "events.csv", (*EVENTS, "2026-04-12,nord,deactivate,zoe,"))
    said = prorata("import", "--events", "events.csv", cwd=shop, code=2)
    assert said.errors == "events.csv, line 7, column user: 'zoe' was never active before 12 April 2026\n"
    assert prorata("vendor", "list", cwd=shop).out.split()[-2:] == ["0", "0"]


def test_a_dry_run_of_an_import_keeps_nothing(shop: Path) -> None:
    said = prorata("import", "--events", "events.csv", "--dry-run", cwd=shop)
    assert said.out == "2 accounts, 6 events. Nothing was kept: this was a dry run.\n"
    assert prorata("import", "--events", "events.csv", cwd=shop).out == "2 accounts, 6 events.\n"


def test_what_happened_since_is_imported_into_the_accounts_there_are(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    write(
        shop, "more.csv", ["at,account,event,user", "2026-05-11,nord,deactivate,anna", "2026-05-11,ost,activate,erik"]
    )
    assert prorata("import", "--events", "more.csv", cwd=shop).out == "2 accounts, 1 of them known before, 3 events.\n"
    said = prorata("bill-run", "--through", "2026-06-01", cwd=shop).out
    # nord: two for June, less 21 of 31 days of anna's May; syd 699.00; ost 21 of 31 days of May, and June
    assert said == "acme: 3 accounts due; 4 invoices of 1,596.00 SEK, 0 credit notes.\n"
    again = prorata("import", "--events", "events.csv", cwd=shop, code=2)
    assert again.errors == "events.csv, line 5, column event: the account has a start on 1 April 2026 already\n"


def test_what_is_missing_or_misspelt_is_said_in_a_sentence(folder: Path) -> None:
    run = ("bill-run", "--through", "2026-05-01")
    told = f"the tables of {folder}/prorata.sqlite3 are not there, or older; run: prorata migrate\n"
    assert prorata(*run, cwd=folder, code=2).errors == told
    prorata("migrate", cwd=folder)
    none = "there is no vendor yet; add one: prorata vendor add KEY --name NAME --policy POLICY\n"
    assert prorata(*run, cwd=folder, code=2).errors == none
    said = prorata("vendor", "add", "a b", "--name", "A", "--policy", "mainter", cwd=folder, code=2)
    assert said.errors == "'a b' is not a vendor's key; write letters, digits, - and _ only\n"
    said = prorata("vendor", "add", "acme", "--name", "A", "--policy", "mainte", cwd=folder, code=2)
    assert "mainte" in said.errors
    for key in ("acme", "best"):
        prorata("vendor", "add", key, "--name", key, "--policy", "mainter", "--policy", "konfidens", cwd=folder)
    said = prorata("vendor", "add", "acme", "--name", "A", "--policy", "mainter", cwd=folder, code=2)
    assert said.errors == "there is a vendor acme already; prorata vendor policy changes its policies\n"
    said = prorata("import", "--events", "events.csv", cwd=folder, code=2)
    assert said.errors == "there are 2 vendors; say which: --vendor acme or best\n"
    said = prorata("import", "--events", "events.csv", "--vendor", "acmee", cwd=folder, code=2)
    assert said.errors == "--vendor: 'acmee' is not a vendor; did you mean 'acme'? there: acme, best\n"
    said = prorata("import", "--events", "events.csv", "--vendor", "acme", cwd=folder, code=2)
    assert said.errors == "--policy: say which; vendor acme has: konfidens, mainter\n"
    said = prorata("bill-run", "--through", "1 May", cwd=folder, code=2)
    assert said.errors == "--through: '1 May' is not a date; write one like 2026-04-01\n"


def test_a_database_that_is_not_there_is_said_so(folder: Path) -> None:
    env = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    said = prorata("bill-run", "--through", "2026-05-01", cwd=folder, env=env, code=2)
    assert said.errors.startswith("the PostgreSQL database none cannot be used: ")


def test_other_rules_are_billed_by_from_now_on(shop: Path) -> None:
    text = prorata("policy", "show", "mainter", "--source", cwd=shop).out
    (shop / "mainter.toml").write_text(text.replace("699.00", "710.00"), encoding="utf-8")
    said = prorata("vendor", "policy", "acme", "--policy", "mainter.toml", cwd=shop)
    assert said.out == "Vendor acme bills by version 2 of mainter from now on.\n"


def test_an_account_that_cannot_be_billed_is_told_and_the_run_ends_with_one(folder: Path) -> None:
    prorata("migrate", cwd=folder)
    prorata("vendor", "add", "acme", "--name", "Acme", "--policy", "sloneek", cwd=folder)
    write(folder, "events.csv", ("at,account,event,quantity", "2026-04-01,brno,start,", "2026-04-01,praha,start,12"))
    prorata("import", "--events", "events.csv", cwd=folder)
    said = prorata("bill-run", "--through", "2026-04-01", cwd=folder, code=1)
    assert said.out == "acme: 2 accounts due; 1 invoice of 96.00 EUR, 0 credit notes.\n"
    assert said.errors.startswith("acme: account brno: the policy bills bought seats and the history buys none;")
