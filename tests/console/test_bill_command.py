"""`prorata bill`: documents on standard output in three formats, and sentences about bad input on standard error."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from prorata.engine.intake import COLUMNS, KINDS
from prorata.samples import sample_text
from tests.console.command import COMMAND, bill, environment, prorata, refused, write

SAMPLES = {"konfidens": "clinics", "mainter": "workshops", "sloneek": "offices"}
THROUGH = {"konfidens": "2027-01-01", "mainter": "2026-09-01", "sloneek": "2023-10-10"}
DOCUMENT_KEYS = ["account", "kind", "date", "currency", "lines", "subtotal", "tax", "total", "credit_used",
                 "credit_left", "due", "refund"]  # fmt: skip
LINE_KEYS = ["item", "kind", "quantity", "unit_price", "start", "end", "days", "share", "amount", "text"]
MONEY = r"-?\d+\.\d\d"
WRITE = "write a date like 2026-04-01, or a moment with its zone like 2026-04-01T09:30:00Z"
HEADER = "at,account,event,user,role,plan,quantity,price"
FEES = 'currency = "EUR"\nintervals = ["month"]\n[plans.basic]\nprice = "30.00 per month"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for sample in SAMPLES.values():
        (tmp_path / f"{sample}.csv").write_text(sample_text(sample), encoding="utf-8")
    write(tmp_path, "one.csv", ["at,account,event,user", "2026-04-01,A,activate,anna"])
    (tmp_path / "fees.toml").write_text(FEES, encoding="utf-8")
    return tmp_path


def sample(policy: str, folder: Path, *words: str) -> str:
    name = f"{SAMPLES[policy]}.csv"
    said = bill("--policy", policy, "--events", name, *words, cwd=folder, through=THROUGH[policy])
    assert said.errors == ""
    return said.out


def documents(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# JSON


@pytest.mark.parametrize("policy", SAMPLES)
def test_json_is_one_document_a_line_with_the_keys_and_types_that_are_promised(policy: str, folder: Path) -> None:
    found = documents(sample(policy, folder, "--format", "json"))
    assert found
    for document in found:
        assert list(document) == DOCUMENT_KEYS
        assert document["kind"] in ("invoice", "credit_note")
        for key in ("subtotal", "tax", "total", "credit_used", "credit_left", "due", "refund"):
            assert isinstance(document[key], str)
            assert Decimal(document[key]).as_tuple().exponent == -2
        assert document["lines"]
        for line in document["lines"]:
            assert list(line) == LINE_KEYS
            assert isinstance(line["quantity"], int)
            assert isinstance(line["days"], int)
            assert line["kind"] in ("period", "rise", "fall", "plan", "price")
            numerator, denominator = line["share"].split("/")
            assert int(numerator) > 0 < int(denominator)
            assert line["start"] < line["end"]
            assert isinstance(line["unit_price"], str)
            assert isinstance(line["amount"], str)
            assert line["text"]


@pytest.mark.parametrize("policy", SAMPLES)
def test_lines_add_up_to_the_subtotal_and_what_is_due_is_the_total_less_credits(policy: str, folder: Path) -> None:
    for document in documents(sample(policy, folder, "--format", "json")):
        assert sum(Decimal(line["amount"]) for line in document["lines"]) == Decimal(document["subtotal"])
        assert Decimal(document["subtotal"]) + Decimal(document["tax"]) == Decimal(document["total"])
        total, used, due = (Decimal(document[key]) for key in ("total", "credit_used", "due"))
        assert due == (total - used if document["kind"] == "invoice" else 0)
        assert total >= 0
        for line in document["lines"]:
            assert (line["quantity"] > 0) == (Decimal(line["amount"]) > 0)


def test_a_credit_note_s_amounts_are_positive_and_it_is_used_on_the_next_invoices(folder: Path) -> None:
    # Three PRO users leave 10 days into April: 3 × 699.00 × 20/30 = 1,398.00
    found = [
        one for one in documents(sample("mainter", folder, "--format", "json")) if one["account"] == "Ström Service"
    ]
    may = next(one for one in found if one["date"] == "2026-05-01")
    assert (may["kind"], may["total"], may["credit_left"], may["due"]) == ("credit_note", "1398.00", "1398.00", "0.00")
    assert (may["lines"][0]["quantity"], may["lines"][0]["amount"]) == (3, "1398.00")
    june = next(one for one in found if one["date"] == "2026-06-01")
    # One is back from 12 May: 699 × 19/31 = 428.42, and 699.00 for June: 1,127.42 of the 1,398.00
    assert (june["total"], june["credit_used"], june["credit_left"], june["due"]) == (
        "1127.42", "1127.42", "270.58", "0.00",
    )  # fmt: skip


def test_an_explained_document_says_why_with_every_line(folder: Path) -> None:
    for document in documents(sample("konfidens", folder, "--format", "json", "--explain")):
        for line in document["lines"]:
            assert line["explanation"][0].startswith(line["text"])
            assert any("× 365.00 ×" in said for said in line["explanation"])


# CSV and tables


@pytest.mark.parametrize("policy", SAMPLES)
def test_csv_has_a_row_for_each_line_of_the_same_documents(policy: str, folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(sample(policy, folder, "--format", "csv"))))
    found = documents(sample(policy, folder, "--format", "json"))
    lines = [(one["account"], one["date"], line["amount"], line["text"]) for one in found for line in one["lines"]]
    assert [(row["account"], row["date"], row["amount"], row["text"]) for row in rows] == lines
    for (_, _), group in groupby(rows, key=lambda row: (row["account"], row["date"])):
        told = list(group)
        assert sum(Decimal(row["amount"]) for row in told) == Decimal(told[0]["subtotal"])
        assert len({row["total"] for row in told}) == 1


def test_a_table_shows_each_document_as_a_customer_reads_it(folder: Path) -> None:
    out = sample("konfidens", folder)
    assert "Invoice · Fjord Clinic · 1 April 2026" in out
    assert "1 seat Konfidens added, 27 March – 30 June 2026" in out
    assert "1 × 365.00 × 96/365" in out
    assert "96.00" in out
    assert "explain" not in out


def test_a_table_explained_says_who_and_why(folder: Path) -> None:
    out = sample("konfidens", folder, "--explain")
    assert "dora accepted the invitation on 27 March 2026" in out
    assert "held by anna, ben, chris" in out


def test_an_account_with_nothing_to_bill_says_so_in_a_table_and_nothing_in_json(folder: Path) -> None:
    words = ("--policy", "konfidens", "--events", "one.csv")
    assert bill(*words, cwd=folder, through="2026-03-01").out == "A: nothing to bill\n"
    assert bill(*words, "--format", "json", cwd=folder, through="2026-03-01").out == ""


# Options


def test_what_happens_after_the_agreement_ended_is_told_and_not_billed(folder: Path) -> None:
    rows = "at,account,event,user\n2026-04-01,A,activate,anna\n2026-05-10,A,cancel,\n"
    later = "2026-06-15,A,activate,ben\n2026-07-01,A,deactivate,anna\n"
    (folder / "ended.csv").write_text(rows)
    (folder / "later.csv").write_text(rows + later)
    words = ("bill", "--policy", "mainter", "--through", "2026-09-01", "--format", "json", "--events")
    ended, told = prorata(*words, "ended.csv", cwd=folder), prorata(*words, "later.csv", cwd=folder)
    assert (ended.out, ended.errors) == (told.out, "")
    assert told.errors == "A: the agreement ended with 31 May 2026; 1 event after it is not billed\n"


@pytest.mark.parametrize("format", ["table", "json"])
def test_orders_that_a_policy_of_active_members_does_not_bill_are_told(folder: Path, format: str) -> None:
    rows = "at,account,event,user,quantity\n2026-04-01,A,start,,5\n2026-04-01,A,activate,anna,\n"
    rows += "2026-04-01,B,start,,\n2026-04-01,C,seats,,7\n"
    (folder / "orders.csv").write_text(rows)
    words = ("--events", "orders.csv", "--through", "2026-04-01", "--format", format)
    told = prorata("bill", "--policy", "mainter", *words, cwd=folder)
    assert told.errors == (
        "A, C: seats were ordered, but policy mainter bills active members and not orders (seats.count)\n"
    )
    assert prorata("bill", "--policy", "sloneek", "--seats", "follow", *words, cwd=folder).errors == ""


def test_only_the_accounts_asked_for_are_billed(folder: Path) -> None:
    out = sample("konfidens", folder, "--format", "json", "--account", "Harbour Psychology")
    assert {one["account"] for one in documents(out)} == {"Harbour Psychology"}
    both = sample("konfidens", folder, "--format", "json", "-a", "Harbour Psychology", "-a", "Fjord Clinic")
    assert both == sample("konfidens", folder, "--format", "json")


def test_an_account_that_is_not_there_is_told_which_are(folder: Path) -> None:
    said = refused("--policy", "konfidens", "--events", "clinics.csv", "--account", "Fjord", cwd=folder)
    assert said == "--account 'Fjord' is not in clinics.csv; there: Fjord Clinic, Harbour Psychology"


def test_roles_are_translated(folder: Path) -> None:
    write(folder, "roles.csv", ["at,account,event,user,role", "2026-04-01,A,activate,anna,member",
                                "2026-04-01,A,activate,ben,guest"])  # fmt: skip
    words = ("--policy", "mainter", "--events", "roles.csv", "--format", "json")
    out = bill(*words, "--map-role", "member=paying", "--map-role", "guest=free", cwd=folder, through="2026-04-01").out
    [document] = documents(out)
    assert document["total"] == "299.00"  # guests are free
    assert refused(*words, "--map-role", "member", cwd=folder) == (
        "--map-role: 'member' is not FROM=TO, such as member=paying"
    )


def test_seats_follow_the_members_where_none_are_bought(folder: Path) -> None:
    write(folder, "many.csv", ["at,account,event,user", *(f"2026-04-01,A,activate,u{one}" for one in range(12))])
    words = ("--policy", "sloneek", "--events", "many.csv", "--format", "json")
    [document] = documents(bill(*words, "--seats", "follow", cwd=folder, through="2026-04-01").out)
    assert document["total"] == "96.00"  # 12 × 8.00
    said = refused(*words, cwd=folder)
    assert said.startswith("account A: the policy bills bought seats and the history buys none")
    assert said.endswith("(seats_follow; on the command line --seats follow)")


def test_accounts_start_on_the_day_asked_for_with_the_members_they_have(folder: Path) -> None:
    write(folder, "late.csv", ["at,account,event,user", "2026-01-10,A,activate,anna", "2026-02-10,A,activate,ben"])
    words = ("--policy", "mainter", "--events", "late.csv", "--format", "json", "--start", "2026-03-01")
    [document] = documents(bill(*words, cwd=folder, through="2026-03-31").out)
    assert (document["date"], document["total"]) == ("2026-03-01", "598.00")  # 2 × 299.00


def test_plan_and_interval_hold_where_the_history_is_silent(folder: Path) -> None:
    words = ("--policy", "mainter", "--events", "one.csv", "--format", "json", "--plan", "pro", "--interval", "yearly")
    [document] = documents(bill(*words, cwd=folder).out)
    assert document["total"] == "8388.00"  # 12 × 699.00


def test_json_lines_and_standard_input_give_what_a_csv_file_gives(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(sample_text("workshops"))))
    kept = [{name: value for name, value in row.items() if value} for row in rows]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in kept)
    (folder / "workshops.jsonl").write_text(text, encoding="utf-8")
    words = ("--policy", "mainter", "--format", "json")
    expected = bill(*words, "--events", "workshops.csv", cwd=folder).out
    assert expected
    assert bill(*words, "--events", "workshops.jsonl", cwd=folder).out == expected
    assert bill(*words, "--events", "-", cwd=folder, stdin=text.encode()).out == expected
    assert bill(*words, "--events", "-", cwd=folder, stdin=sample_text("workshops").encode()).out == expected
    with_mark = b"\xef\xbb\xbf" + sample_text("workshops").replace("\n", "\r\n").encode()
    assert bill(*words, "--events", "-", cwd=folder, stdin=with_mark).out == expected


def test_a_policy_file_of_one_s_own_is_used_by_its_path(folder: Path) -> None:
    [april] = documents(
        bill("--policy", "fees.toml", "--events", "one.csv", "--format", "json", cwd=folder, through="2026-04-30").out
    )
    assert (april["currency"], april["total"]) == ("EUR", "30.00")


# Bad input: row by row of the file bad.csv under mainter


BAD: dict[str, tuple[list[str], str]] = {
    "an unknown column": (
        ["at,account,event,usr", "2026-01-01,A,activate,anna"],
        f"bad.csv, line 1, column 4: 'usr' is not a column; did you mean 'user'? allowed: {', '.join(COLUMNS)}",
    ),
    "a missing column": (
        ["at,event,user", "2026-01-01,activate,anna"],
        "bad.csv, line 1: the column account is missing",
    ),
    "an unknown event": (
        [HEADER, "2026-01-01,A,activate,anna,,,,", "2026-01-02,A,actived,ben,,,,"],
        "bad.csv, line 3, column event: 'actived' is not an event; did you mean 'activate'? "
        f"allowed: {', '.join(KINDS)}",
    ),
    "an event in a sign of its own": (
        [HEADER, "2026-01-01,A,:warning:,anna,,,,"],
        f"bad.csv, line 2, column event: ':warning:' is not an event; allowed: {', '.join(KINDS)}",
    ),
    "an event that looks like markup": (
        [HEADER, "2026-01-01,A,[red]start[/red],anna,,,,"],
        "bad.csv, line 2, column event: '[red]start[/red]' is not an event; allowed: " + ", ".join(KINDS),
    ),
    "an unknown plan": (
        [HEADER, "2026-01-01,A,plan,,,GOLD,,"],
        "bad.csv, line 2, column plan: 'GOLD' is not a plan of policy mainter; allowed: BASIC, PRO",
    ),
    "an unknown role": (
        [HEADER, "2026-01-01,A,activate,anna,member,,,"],
        "bad.csv, line 2, column role: 'member' is not a role of policy mainter; allowed: paying, free; "
        "--map-role member=ROLE translates it into one of them",
    ),
    "a date that is none": (
        [HEADER, "2026-02-29,A,activate,anna,,,,"],
        f"bad.csv, line 2, column at: '2026-02-29' is not a date; {WRITE}",
    ),
    "a moment without a zone": (
        [HEADER, "2026-02-28T10:00:00,A,activate,anna,,,,"],
        f"bad.csv, line 2, column at: '2026-02-28T10:00:00' has no time zone; {WRITE}",
    ),
    "a deactivation of someone never active": (
        [HEADER, "2026-01-01,A,activate,anna,,,,", "", "2026-01-02,A,deactivate,ben,,,,"],
        "bad.csv, line 4, column user: 'ben' was never active before 2 January 2026",
    ),
    "too many decimals": (
        [HEADER, "2026-01-01,A,start,,,PRO,,699.005"],
        "bad.csv, line 2, column price: '699.005' has 3 decimals; SEK has 2",
    ),
    "a quantity that is none": (
        [HEADER, "2026-01-01,A,seats,,,,three,"],
        "bad.csv, line 2, column quantity: 'three' is not a number of seats or units; "
        "allowed: a whole number, 0 or more",
    ),
    "no account": (
        [HEADER, "2026-01-01,,activate,anna,,,,"],
        "bad.csv, line 2, column account: is empty; every row names its account",
    ),
    "more values than columns": (
        ["at,account,event,user", "2026-01-01,A,activate,anna,x"],
        "bad.csv, line 2: 5 values for 4 columns; put texts with commas in quotes",
    ),
    "a text that does not end": (
        ["at,account,event,user", '2026-01-01,A,activate,"anna', "2026-01-02,A,activate,ben"],
        "bad.csv, line 2: a quote is opened here and never closed",
    ),
    "a text that goes on after its end": (
        ["at,account,event,user", '2026-01-01,A,activate,"anna"s'],
        "bad.csv, line 2: a quoted value goes on after its closing quote; write a quote within one as two",
    ),
    "a mistake in a row of several lines": (
        ["at,account,event,reason", '2026-01-01,A,start,"two\nlines"', '2026-01-01,A,strat,"two\nlines"'],
        f"bad.csv, line 4, column event: 'strat' is not an event; did you mean 'start'? allowed: {', '.join(KINDS)}",
    ),
    "another separator": (
        ["at;account;event;user", "2026-01-01;A;activate;anna"],
        "bad.csv, line 1: the columns are separated by something else than commas: 'at;account;event;user'",
    ),
    "an empty file": ([], f"bad.csv is empty; the first line names the columns: {', '.join(COLUMNS)}"),
    "a header alone": ([HEADER], "bad.csv has a header and no events"),
    "what is not JSON": (
        ['{"at": "2026-01-01", "account": "A", "event": "activate", "user": "anna"}', '{"at": "2026-01-02",'],
        "bad.csv, line 2, column 21: this is not JSON: Expecting property name enclosed in double quotes",
    ),
    "JSON in JSON": (
        ['{"at": {"day": 1}}'],
        "bad.csv, line 1: a line is one flat object of texts and numbers",
    ),
    "a JSON array": (
        ['[{"at": "2026-01-01", "account": "A", "event": "activate", "user": "anna"}]'],
        "bad.csv, line 1: this is a JSON array; write JSON Lines, each event an object on its line",
    ),
    "a JSON key twice": (
        ['{"at": "2026-01-01", "account": "A", "event": "activate", "user": "anna", "user": "ben"}'],
        "bad.csv, line 1: 'user' is there twice",
    ),
    "a JSON number that is none": (
        ['{"at": NaN, "account": "A", "event": "activate", "user": "anna"}'],
        f"bad.csv, line 1, column at: 'NaN' is not a date; {WRITE}",
    ),
    "a key that is no column": (
        ['{"at": "2026-01-01", "account": "A", "event": "activate", "usr": "anna", "user": "anna"}'],
        f"bad.csv, line 1: 'usr' is not a column; did you mean 'user'? allowed: {', '.join(COLUMNS)}",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_told_in_a_sentence_with_its_place_and_what_is_allowed(bad: str, folder: Path) -> None:
    lines, sentence = BAD[bad]
    write(folder, "bad.csv", lines)
    assert refused("--policy", "mainter", "--events", "bad.csv", "--format", "json", cwd=folder) == sentence


def test_one_bad_row_of_many_accounts_and_nothing_is_billed(folder: Path) -> None:
    text = sample_text("clinics") + "2026-99-99,Fjord Clinic,activate,x,,,,\n"
    (folder / "bad.csv").write_text(text, encoding="utf-8")
    line = text.count("\n")
    said = refused("--policy", "konfidens", "--events", "bad.csv", cwd=folder)
    assert said == f"bad.csv, line {line}, column at: '2026-99-99' is not a date; {WRITE}"


def test_seats_below_the_active_users_are_refused(folder: Path) -> None:
    members = [f"2026-01-01,A,activate,u{one},,,," for one in range(3)]
    write(folder, "bad.csv", [HEADER, "2026-01-01,A,start,,,,12,", *members, "2026-02-01,A,seats,,,,2,"])
    assert refused("--policy", "sloneek", "--events", "bad.csv", cwd=folder) == (
        "bad.csv, line 6, column quantity: 3 members hold seats; free some before reducing to 2"
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (HEADER.encode() + "\n2026-01-01,Ström,activate,anna,,,,\n".encode("latin-1"),
         "line 2: the byte 0xF6 is not UTF-8; save the file as UTF-8"),
        ((HEADER + "\n").encode("utf-16"), "line 1: the byte 0xFF is not UTF-8; save the file as UTF-8"),
        ((HEADER + "\n").encode("utf-16-le"),
         "line 1: the file holds zero bytes, so it is not UTF-8 text; save it as UTF-8"),
    ],
    ids=["latin-1", "utf-16", "utf-16 without a mark"],
)  # fmt: skip
def test_a_file_in_another_encoding_is_told_the_line_and_the_byte(raw: bytes, sentence: str, folder: Path) -> None:
    (folder / "bad.csv").write_bytes(raw)
    words = ("--policy", "mainter", "--format", "json", "--events")
    assert refused(*words, "bad.csv", cwd=folder) == f"bad.csv, {sentence}"
    assert refused(*words, "-", cwd=folder, stdin=raw) == f"standard input, {sentence}"


def test_an_empty_standard_input_is_called_that(folder: Path) -> None:
    said = refused("--policy", "mainter", "--events", "-", cwd=folder)
    assert said == f"standard input is empty; the first line names the columns: {', '.join(COLUMNS)}"


def test_a_file_that_is_not_there_is_told_by_name(folder: Path) -> None:
    assert refused("--policy", "mainter", "--events", "none.csv", cwd=folder) == (
        "none.csv cannot be read: No such file or directory"
    )
    assert refused("--policy", "mainter", "--events", ".", cwd=folder) == ". cannot be read: Is a directory"


def test_an_impossible_policy_is_told_by_its_line(folder: Path) -> None:
    (folder / "bad.toml").write_text(FEES + '[fall]\ngive = "nothing"\nsettle = "now"\n', encoding="utf-8")
    assert refused("--policy", "bad.toml", "--events", "one.csv", cwd=folder) == (
        'bad.toml, line 7: fall.settle = "now" has nothing to settle with fall.give = "nothing"; leave one of them out'
    )
    (folder / "latin.toml").write_bytes(b'title = "Str\xf6m"\n' + FEES.encode())
    assert refused("--policy", "latin.toml", "--events", "one.csv", cwd=folder) == (
        "latin.toml is not UTF-8 text; save it as UTF-8"
    )
    assert refused("--policy", "maintr", "--events", "one.csv", cwd=folder) == (
        "maintr is neither a policy that ships (prorata policy list names them) nor a file; did you mean mainter?"
    )


def test_a_policy_of_a_very_long_name_is_no_policy(folder: Path) -> None:
    said = refused("--policy", "x" * 300, "--events", "one.csv", cwd=folder)
    assert said.startswith("xxx")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--through", "soon"), "--through: 'soon' is not a date; write one like 2026-04-01"),
        (("--through", "２０２６-05-01"), "--through: '２０２６-05-01' is not a date; write one like 2026-04-01"),
        (("--start", "2026-13-01"), "--start: '2026-13-01' is not a date; write one like 2026-04-01"),
        (("--interval", "decade"), "--interval: 'decade' is not an interval; allowed: month, quarter, half_year, year, "
         "week, two_weeks, four_weeks, 30_days"),
        (("--interval", "quarter"),
         "--interval: 'quarter' is not an interval of policy mainter; allowed: month, year"),
        (("--plan", "GOLD"), "--plan: 'GOLD' is not a plan of policy mainter; allowed: BASIC, PRO"),
        (("--map-role", "a=b"), "--map-role: 'b' is not a role of policy mainter; allowed: paying, free"),
    ],
)  # fmt: skip
def test_an_option_that_is_wrong_is_told_by_its_name(words: tuple[str, ...], sentence: str, folder: Path) -> None:
    assert refused("--policy", "mainter", "--events", "one.csv", *words, cwd=folder) == sentence


@pytest.mark.parametrize("words", [("--format", "xml"), ("--seats", "buy"), ("--nonsense",)])
def test_an_option_that_is_none_ends_with_2_and_nothing_on_standard_output(
    words: tuple[str, ...], folder: Path
) -> None:
    said = refused("--policy", "mainter", "--events", "one.csv", *words, cwd=folder)
    assert words[-1] in said or words[0] in said


@pytest.mark.parametrize(
    "raw",
    [
        b'{"at": "2026-01-01", "account": "A\\ud800", "event": "activate", "user": "anna"}\n',
        b'{"a":' * 20_000,
        b"at,account,event,user\n0001-01-01T00:00:00+14:00,A,activate,anna\n",
        b"at,account,event,user\n9999-12-31T23:59:59-12:00,A,activate,anna\n",
        b'at,account,event,user\n2026-01-01,A,activate,"' + b"x" * 200_000 + b'"\n',
    ],
    ids=["half a character", "deep JSON", "before the calendar", "after the calendar", "a very long value"],
)
def test_what_is_beyond_reason_is_refused_and_never_a_traceback(raw: bytes, folder: Path) -> None:
    (folder / "bad.csv").write_bytes(raw)
    assert refused("--policy", "konfidens", "--events", "bad.csv", "--format", "json", cwd=folder).startswith("bad.csv")


def test_a_line_break_of_another_kind_within_a_json_text_is_no_line_break(folder: Path) -> None:
    rows = [{"at": "2026-01-01", "account": "A\u2028B\u0085C", "event": "activate", "user": "anna"}]
    (folder / "odd.jsonl").write_text(json.dumps(rows[0], ensure_ascii=False) + "\n", encoding="utf-8")
    words = ("--policy", "konfidens", "--events", "odd.jsonl", "--format", "json")
    [line] = bill(*words, cwd=folder, through="2026-01-01").out.strip("\n").split("\n")
    assert json.loads(line)["account"] == "A\u2028B\u0085C"


def test_the_end_of_the_calendar_is_told_in_our_words(folder: Path) -> None:
    said = bill("--policy", "mainter", "--events", "one.csv", cwd=folder, through="9999-12-31", code=None)
    assert said.code in (0, 2)
    assert "out of range" not in said.errors


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_where_the_output_cannot_hold_every_sign_the_documents_come_all_the_same(format: str, folder: Path) -> None:
    words = ("bill", "--policy", "konfidens", "--events", "clinics.csv", "--through", "2026-07-01", "--format", format)
    said = prorata(*words, cwd=folder, env={"PYTHONIOENCODING": "ascii"})
    assert "Fjord Clinic" in said.out


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_a_reader_who_has_seen_enough_ends_the_command_quietly(format: str, folder: Path) -> None:
    words = ("bill", "--policy", "mainter", "--events", "one.csv", "--through", "2326-01-01", "--format", format)
    running = subprocess.Popen(
        [*COMMAND, *words], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout is not None
    assert running.stderr is not None
    assert os.read(running.stdout.fileno(), 10)
    running.stdout.close()
    errors = running.stderr.read().decode()
    running.stderr.close()
    running.wait(timeout=60)
    assert errors == ""


def test_the_command_says_how_it_is_used_when_told_nothing(folder: Path) -> None:
    said = prorata("--help", cwd=folder)
    for command in ("bill", "explain", "check", "demo", "policy"):
        assert command in said.out
