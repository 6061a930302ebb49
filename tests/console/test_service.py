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


@pytest.fixture(autouse=True)
def _events(folder: Path) -> None:
    write(folder, "events.csv", EVENTS)


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


def test_a_file_tells_what_documents_say_of_accounts(shop: Path) -> None:
    write(shop, "accounts.csv", ("account,name,address,country", 'nord,Nord AB,"Storgatan 1, Göteborg",se', "syd,,,SE"))
    said = prorata("import", "--accounts", "accounts.csv", cwd=shop, code=2)
    assert said.errors.splitlines()[0] == (
        "accounts.csv, line 2, column account: 'nord' is not an account of vendor acme"
    )
    both = ("import", "--events", "events.csv", "--accounts", "accounts.csv")
    told = "2 accounts, 6 events. The details of 2 accounts changed."
    assert prorata(*both, "--dry-run", cwd=shop).out == f"{told} Nothing was kept: this was a dry run.\n"
    assert prorata(*both, cwd=shop).out == f"{told}\n"
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    assert prorata("import", cwd=shop, code=2).errors == (
        "import needs --events, --accounts or --payments, or several of them\n"
    )
    write(shop, "wrong.csv", ("account,nmae", "nord,Nord AB"))
    assert prorata("import", "--accounts", "wrong.csv", cwd=shop, code=2).errors.startswith(
        "wrong.csv, line 1, column 2: 'nmae' is not a column; did you mean 'name'?"
    )


def test_what_documents_say_of_the_vendor_can_be_changed(shop: Path) -> None:
    said = prorata("vendor", "change", "acme", "--city", "Malmö", "--country", "se", cwd=shop)
    assert said.out == "The next documents of vendor acme say so.\n"
    assert prorata("vendor", "change", "acme", cwd=shop, code=2).errors == (
        "say what is to change: --name, --organisation-number, --vat-number, --address, --postal-code, --city, "
        "--country\n"
    )
    for option, value, sentence in (
        ("--country", "Sweden", "--country: 'Sweden' is not a country; write two letters, such as SE"),
        ("--name", "", "name: This field cannot be blank."),
        ("--city", "x" * 101, "city: Ensure this value has at most 100 characters (it has 101)."),
    ):
        assert prorata("vendor", "change", "acme", option, value, cwd=shop, code=2).errors == f"{sentence}\n"


def test_a_document_is_listed_and_explained_with_the_people_behind_it(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    listed = prorata("documents", "--account", "nord", cwd=shop).out.splitlines()
    assert listed[1].split() == ["invoice-1", "2026-04-01", "nord", "598.00", "0.00", "598.00", "598.00"]
    assert listed[2].split() == ["invoice-2", "2026-05-01", "nord", "1,096.33", "0.00", "1,096.33", "1,096.33"]
    said = prorata("explain", "invoice-2", "--line", "1", cwd=shop).out
    assert "1 seat BASIC added, 11–30 April 2026: chris joined on 10 April 2026" in said
    assert "1 × 299.00 × 20/30 = 199.33" in said
    assert prorata("explain", "2", "1", cwd=shop).out == said
    for words, sentence in (
        (("nix",), "'nix' is not a document; name one like invoice-12 or credit_note-3\n"),
        (("credit-note-1",), "vendor acme has no credit note 1\n"),
        (("invoice-2", "--line", "3"), "--line 3: the document of 2026-05-01 has lines 1 to 2\n"),
        (("invoice-2", "3"), "line 3: the document of 2026-05-01 has lines 1 to 2\n"),
        (("invoice-2", "2", "--line", "1"), "--line 1: line 2 is asked for already\n"),
        ((), "explain needs a document of the database, such as invoice-12, or --policy, --events, --account and "
             "--date\n"),
    ):  # fmt: skip
        assert prorata("explain", *words, cwd=shop, code=2).errors == sentence
    refused = prorata("documents", "--account", "nix", cwd=shop, code=2)
    assert refused.errors == "--account: vendor acme has no account 'nix'\n"


def test_a_line_that_is_wrong_is_named_and_nothing_of_the_file_is_kept(shop: Path) -> None:
    write(shop, "events.csv", (*EVENTS, "2026-04-12,nord,deactivate,zoe,"))
    said = prorata("import", "--events", "events.csv", cwd=shop, code=2)
    assert said.errors == "events.csv, line 7, column user: 'zoe' was never active before 12 April 2026\n"
    assert prorata("vendor", "list", cwd=shop).out.split()[-2:] == ["0", "0"]


def test_accounts_of_a_file_can_have_days_of_their_own(shop: Path) -> None:
    said = prorata("import", "--events", "events.csv", "--time-zone", "Norway/Oslo", cwd=shop, code=2)
    assert said.errors == "--time-zone: 'Norway/Oslo' is not a time zone; write one like Europe/Oslo\n"
    prorata("import", "--events", "events.csv", "--time-zone", "Pacific/Auckland", cwd=shop)
    shown = prorata("account", "show", "nord", cwd=shop).out
    assert ["clock", "Pacific/Auckland"] in [line.split() for line in shown.splitlines()]
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    assert prorata("verify", cwd=shop).out == "acme: 4 documents, each as it is when computed again.\n"
    assert "invoice-1  2026-04-01" in prorata("documents", cwd=shop).out
    assert "2026-04-10  activate  chris" in prorata("account", "history", "nord", cwd=shop).out


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
    # nord: two for June less 20 of 31 days of anna's May, 405.10; syd 699.00; ost 21 of 31 days of May, and June
    assert said == "acme: 3 accounts due; 4 invoices of 1,605.65 SEK, 0 credit notes.\n"
    again = prorata("import", "--events", "events.csv", cwd=shop, code=2)
    assert again.errors.splitlines()[0] == "events.csv, line 2: this activate of account nord is recorded already"
    assert "events.csv, line 5: this start of account syd is recorded already" in again.errors


def test_what_is_missing_or_misspelt_is_said_in_a_sentence(folder: Path) -> None:
    run = ("bill-run", "--through", "2026-05-01")
    told = f"the tables of {folder}/prorata.sqlite3 are not there, or older; run: prorata migrate\n"
    assert prorata(*run, cwd=folder, code=2).errors == told
    prorata("migrate", cwd=folder)
    none = "there is no vendor yet; add one: prorata vendor add KEY --name NAME --policy POLICY\n"
    assert prorata(*run, cwd=folder, code=2).errors == none
    said = prorata("vendor", "add", "a b", "--name", "A", "--policy", "mainter", cwd=folder, code=2)
    assert said.errors == "'a b' is not a vendor's key; write letters, digits, - and _, at most 50\n"
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


@pytest.mark.parametrize("url", ["foo", "http://example.org/x", "mysql://u@h/n", "[", "postgres"])
def test_an_address_of_no_database_of_ours_is_said_so(folder: Path, url: str) -> None:
    said = prorata("migrate", cwd=folder, env={"DATABASE_URL": url}, code=2)
    assert said.errors.startswith("DATABASE_URL names no database of ours; write postgresql://user:password@host/name")


def test_a_file_that_is_no_database_is_said_so(folder: Path) -> None:
    (folder / "prorata.sqlite3").write_text(
        "not a database, but long enough to be looked at as one" * 40, encoding="utf-8"
    )
    said = prorata("migrate", cwd=folder, code=2)
    assert said.errors == f"{folder}/prorata.sqlite3 cannot be used: file is not a database\n"


def test_a_policy_of_another_name_is_not_taken_for_the_next_version(shop: Path) -> None:
    text = prorata("policy", "show", "mainter", "--source", cwd=shop).out
    (shop / "mainter-2027.toml").write_text(text, encoding="utf-8")
    said = prorata("vendor", "policy", "acme", "--policy", "mainter-2027.toml", cwd=shop, code=2)
    assert said.errors == (
        "vendor acme has no policy mainter-2027, but mainter; call the file so, or say --new to bill further accounts "
        "by it\n"
    )
    twice = ("--policy", "mainter", "--policy", "mainter")
    said = prorata("vendor", "add", "dup", "--name", "Dup", *twice, cwd=shop, code=2)
    assert said.errors == "--policy: mainter is given twice\n"


def test_nobody_is_billed_ahead_of_time(shop: Path) -> None:
    said = prorata("bill-run", "--through", "2162-05-01", cwd=shop, code=2)
    assert said.errors == "2162-05-01 has not come yet; a dry run says what would be billed by then\n"


def test_one_process_bills_where_one_can_write(shop: Path) -> None:
    said = prorata("bill-run", "--through", "2026-05-01", "--workers", "2", cwd=shop, code=2)
    assert said.errors == "--workers: SQLite lets one process write at a time; with PostgreSQL more can\n"


def test_the_books_are_written_for_whoever_reads_them(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    rows = prorata("export", "books", "--through", "2026-05-31", cwd=shop).out.splitlines()
    assert rows[0] == "date,debit,credit,amount,currency,reason"
    assert any(row.startswith("2026-04-30,deferred_revenue,revenue,") for row in rows)
    told = prorata("export", "books", "--through", "2026-05-31", "--format", "beancount", cwd=shop).out
    assert told.count(" * ") == len(rows) - 1
    wrong = prorata("export", "books", "--through", "May", cwd=shop, code=2)
    assert "--through" in wrong.errors


def test_names_that_have_no_room_are_refused_with_their_place(shop: Path) -> None:
    write(shop, "long.csv", ("at,account,event,user", f"2026-04-01,nord,activate,{'x' * 201}"))
    said = prorata("import", "--events", "long.csv", cwd=shop, code=2)
    assert said.errors == "long.csv, line 2, column user: 201 signs are too many; allowed: 200\n"
    said = prorata("vendor", "add", "long", "--name", "x" * 201, "--policy", "mainter", cwd=shop, code=2)
    assert said.errors.startswith("name: Ensure this value has at most 200 characters")


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


def test_an_event_is_found_in_the_history_and_taken_back(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    listed = prorata("account", "history", "nord", cwd=shop).out.splitlines()
    assert listed[0].split() == ["number", "on", "event", "what", "recorded", "by", "withdrawn"]
    [chris] = [line.split() for line in listed if "chris" in line]
    assert chris == [chris[0], *"2026-04-10 activate chris 2026-04-10 command line".split()]
    said = prorata("account", "withdraw", chris[0], cwd=shop).out
    assert said == f"Event {chris[0]} (activate) of account nord is withdrawn.\n"
    assert "withdrawn already" in prorata("account", "withdraw", chris[0], cwd=shop, code=2).errors
    assert "acme has no event 999" in prorata("account", "withdraw", "999", cwd=shop, code=2).errors
    assert "acme has no account 'sud'" in prorata("account", "history", "sud", cwd=shop, code=2).errors
    again = prorata("account", "history", "nord", cwd=shop).out.splitlines()
    [taken_back] = [line.split() for line in again if "chris" in line]
    assert len(taken_back) == len(chris) + 1
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    assert "1,096.33" in prorata("documents", "--account", "nord", cwd=shop).out  # so it was known by then
    prorata("verify", cwd=shop)
    assert prorata("account", "history", "nord", "--scheduled", cwd=shop).out.count("\n") == 1


def test_a_name_is_shown_as_it_is_written(shop: Path) -> None:
    write(shop, "events.csv", ("at,account,event,user,reason", "2026-04-01,nord[/b],activate,ben[/x],oops [red]x"))
    prorata("import", "--events", "events.csv", cwd=shop)
    assert "ben[/x] oops [red]x" in prorata("account", "history", "nord[/b]", cwd=shop).out
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    assert "nord[/b]" in prorata("documents", cwd=shop).out


def test_a_credit_is_granted_and_is_on_the_next_invoice(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    said = prorata("account", "credit", "nord", "120.00", "--reason", "the outage", cwd=shop).out
    assert said == "Account nord has 120.00 SEK of credit more.\n"
    assert "120.00 the outage" in prorata("account", "history", "nord", cwd=shop).out
    refused = prorata("account", "credit", "nord", "much", "--reason", "x", cwd=shop, code=2)
    assert refused.errors.startswith("AMOUNT: 'much' is not an amount")
    assert "more than nothing" in prorata("account", "credit", "nord", "0", "--reason", "x", cwd=shop, code=2).errors


def test_a_list_of_users_is_compared_and_the_difference_recorded(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    write(shop, "users.csv", ("account,user,name", "nord,anna,Anna", "nord,fred,Fred", "nord,chris,", "syd,dora,"))
    compare = ("reconcile", "--users", "users.csv")
    told = prorata(*compare, cwd=shop, code=1).out.splitlines()
    assert [line.split() for line in told[1:3]] == [
        "nord fred is on the list and no member activate".split(),
        "nord ben is a member and not on the list deactivate".split(),
    ]
    assert told[3] == "2 events would mend it; --apply records them."
    rows = prorata(*compare, "--events", cwd=shop, code=1).out.splitlines()
    assert [row.split(",")[1:] for row in rows[1:]] == [
        ["nord", "activate", "fred", ""],
        ["nord", "deactivate", "ben", ""],
    ]
    assert prorata(*compare, "--apply", cwd=shop).out.endswith("2 events recorded.\n")
    assert prorata(*compare, cwd=shop).out == "The list and the members are the same.\n"
    write(shop, "users.csv", ("account,user,rol", "nord,anna,"))
    said = "users.csv, line 1, column 3: 'rol' is not a column; did you mean 'role'? allowed: account, user, role\n"
    assert prorata(*compare, cwd=shop, code=2).errors == said
    write(shop, "users.csv", ("account,user", "nord,anna", "nord,anna", ",ben"))
    assert prorata(*compare, cwd=shop, code=2).errors.splitlines() == [
        "users.csv, line 3, column user: 'anna' of account nord is listed twice",
        "users.csv, line 4, column account: is empty; every row names its account",
    ]


def test_of_an_account_that_was_deleted_nothing_more_is_recorded(shop: Path) -> None:
    write(shop, "ended.csv", ("at,account,event,user", "2026-04-01,ost,activate,eva", "2026-04-10,ost,cancel,"))
    prorata("import", "--events", "ended.csv", cwd=shop)
    assert "has not ended" in prorata("account", "delete", "ost", "--yes", cwd=shop, code=2).errors
    prorata("bill-run", "--through", "2026-05-01", cwd=shop)
    said = prorata("account", "delete", "ost", "--yes", cwd=shop).out
    still = "Something is still to be paid: prorata payment goes on."
    assert said == f"Account ost is deleted; its documents are kept. {still}\n"
    for words in (("credit", "ost", "5.00", "--reason", "x"), ("withdraw", "3")):
        assert prorata("account", *words, cwd=shop, code=2).errors.startswith("account ost was deleted on ")
    assert "eva" not in prorata("account", "history", "ost", cwd=shop).out
    prorata("verify", cwd=shop)


def test_the_books_are_written_as_sie_by_the_vendors_own_account_numbers(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    prorata("bill-run", "--through", "2026-04-01", cwd=shop)
    said = prorata("export", "books", "--through", "2026-04-30", "--format", "sie", cwd=shop, code=2)
    assert said.errors == (
        "SIE names accounts by number; say those of: "
        "prorata vendor ledgers acme receivable=NUMBER deferred_revenue=NUMBER revenue=NUMBER\n"
    )
    listed = prorata(
        "vendor", "ledgers", "acme", "receivable=1510 Kundfordringar", "deferred_revenue=2970", "revenue=3041", cwd=shop
    ).out
    assert "receivable 1510 Kundfordringar" in " ".join(listed.split())
    file = prorata("export", "books", "--through", "2026-04-30", "--format", "sie", cwd=shop).out
    assert file.startswith('#FLAGGA 0\r\n#FORMAT PC8\r\n#SIETYP 4\r\n#PROGRAM "Prorata" 1\r\n#GEN ')
    assert (
        '#VER "" "" 20260401 "invoice-1"\r\n{\r\n   #TRANS 1510 {} 598.00\r\n   #TRANS 2970 {} -598.00\r\n}\r\n' in file
    )
    for wrong, sentence in (
        (
            "revenu=3041",
            "'revenu=3041' names no ledger; did you mean 'revenue'? allowed: receivable, deferred_revenue, ",
        ),
        ("revenue", "'revenue' says no account number; write revenue=1510, or revenue=\"1510 Name\""),
    ):
        said = prorata("vendor", "ledgers", "acme", wrong, cwd=shop, code=2)
        assert said.errors.startswith(sentence)


def test_a_version_of_a_policy_is_tried_before_it_is_kept(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    prorata("bill-run", "--through", "2026-10-01", cwd=shop)
    text = prorata("policy", "show", "mainter", "--source", cwd=shop).out
    (shop / "mainter.toml").write_text(text.replace("699.00", "749.00"), encoding="utf-8")
    said = prorata("vendor", "policy", "acme", "--policy", "mainter.toml", "--dry-run", cwd=shop).out.splitlines()
    assert said[0].split() == ["account", "from", "a", "period", "becomes", "next", "document", "becomes", "at", "once"]
    syd = said[1].split()
    assert (syd[0], syd[2:4]) == ("syd", ["699.00", "749.00"])
    assert said[-1] == (
        "mainter: 1 of 2 accounts would be billed otherwise. Nothing was kept: this was a dry run."
    )  # fmt: skip
    again = prorata("vendor", "policy", "acme", "--policy", "mainter.toml", cwd=shop).out
    assert again == "Vendor acme bills by version 2 of mainter from now on.\n"


def test_an_account_is_shown_and_a_change_is_priced(shop: Path) -> None:
    prorata("import", "--events", "events.csv", cwd=shop)
    shown = prorata("account", "show", "syd", cwd=shop).out
    assert "state          active" in shown
    assert "billed seats   1 at 699.00 SEK" in shown
    write(shop, "change.csv", ("at,account,event,user", "2026-04-01,nord,activate,eva", "2026-04-01,syd,activate,eva"))
    said = prorata("account", "quote", "nord", "--events", "change.csv", cwd=shop, code=2)
    assert said.errors == "change.csv is also about syd; a quote is for one account\n"
    write(shop, "change.csv", ("at,account,event,user", "2026-04-01,nord,deactivate,eva"))
    said = prorata("account", "quote", "nord", "--events", "change.csv", cwd=shop, code=2)
    assert said.errors == "change.csv, line 2, column user: 'eva' was never active before 1 April 2026\n"
    said = prorata("account", "show", "väst", cwd=shop, code=2)
    assert said.errors == "vendor acme has no account 'väst'\n"
