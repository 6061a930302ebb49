"""`prorata compare`: what accounts would have paid as tables, JSON, CSV and a picture, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from prorata.console.comparison import speak_change
from prorata.samples import sample_text
from tests.console.command import Said, environment, prorata, write

DAYS = 'currency = "EUR"\nintervals = ["month", "year"]\n[plans.basic]\nprice = "10.00 per month"\n'
KEPT = f'{DAYS}[fall]\ngive = "nothing"\n'
ROLES = f"{DAYS}[roles.paying]\n[roles.free]\nbilled = false\n"
TWO = ("days.toml", "kept.toml")
EVENTS = [
    "at,account,event,user,role,quantity",
    "2026-01-01,Alder,activate,anna,,",
    "2026-01-01,Alder,activate,ben,,",
    "2026-02-15,Alder,deactivate,ben,,",
    "2026-01-01,Birch,activate,carl,,",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("days", DAYS), ("kept", KEPT), ("roles", ROLES), ("crowns", DAYS.replace("EUR", "SEK"))):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "days.toml").write_text(DAYS.replace("10.00", "8.00"), encoding="utf-8")
    write(tmp_path, "events.csv", EVENTS)
    (tmp_path / "workshops.csv").write_text(sample_text("workshops"), encoding="utf-8")
    return tmp_path


def compare(*words: str, cwd: Path, code: int | None = 0, events: str = "events.csv") -> Said:
    return prorata("compare", *words, "--events", events, "--through", "2026-04-01", cwd=cwd, code=code)


def refused(*words: str, cwd: Path, events: str = "events.csv") -> str:
    said = compare(*words, cwd=cwd, code=2, events=events)
    assert said.out == ""
    return said.errors.rstrip("\n")


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# What is printed


def test_a_table_has_a_row_for_each_month_and_one_for_each_account(folder: Path) -> None:
    # Ben leaves for 14 of February's 28 days: 10.00 × 14/28 = 5.00, credited in March under the first policy only.
    assert compare(*TWO, cwd=folder).out.splitlines() == [
        "What 2 accounts would have paid, in EUR",
        "",
        "month            days     kept   difference",
        "─────────────────────────────────────────────────────",
        "January 2026    30.00    30.00         0.00     0.0 %",
        "February 2026   30.00    30.00         0.00     0.0 %",
        "March 2026      15.00    20.00        +5.00   +33.3 %",
        "April 2026      20.00    20.00         0.00     0.0 %",
        "",
        "total           95.00   100.00        +5.00    +5.3 %",
        "",
        "By account, the greatest difference first",
        "",
        "account    days    kept   difference",
        "─────────────────────────────────────────────",
        "Alder     55.00   60.00        +5.00   +9.1 %",
        "Birch     40.00   40.00         0.00    0.0 %",
        "",
    ]


def test_one_account_is_its_own_total(folder: Path) -> None:
    out = compare(*TWO, "--account", "Birch", cwd=folder).out
    assert out.startswith("What 1 account would have paid, in EUR\n")
    assert "By account" not in out


def test_credits_that_nobody_has_used_are_told_under_the_total(folder: Path) -> None:
    write(folder, "gone.csv", [*EVENTS[:4], "2026-02-15,Alder,deactivate,anna,,"])
    out = compare(*TWO, cwd=folder, events="gone.csv").out
    # 2 × 10.00 × 14/28 = 10.00
    assert re.search(r"^credit left +10\.00 +0\.00 +−10\.00 +−100\.0 %$", out, re.MULTILINE)


def test_three_years_and_more_are_told_by_year(folder: Path) -> None:
    words = ("compare", *TWO, "--events", "events.csv", "--through")
    assert "December 2028" in prorata(*words, "2028-12-31", cwd=folder).out
    out = prorata(*words, "2029-01-01", cwd=folder).out
    assert re.search(r"^2027 +240\.00 +240\.00 ", out, re.MULTILINE)  # 12 × 2 × 10.00
    assert "By year, since there are 37 months; --format csv has each of them." in out
    assert "December" not in out


def test_where_the_paper_is_too_narrow_each_further_policy_has_a_table_of_its_own(folder: Path) -> None:
    for number in range(4):
        (folder / f"a-policy-with-a-long-name-{number}.toml").write_text(DAYS, encoding="utf-8")
    names = [path.name for path in sorted(folder.glob("a-policy*"))]
    out = compare(*names, cwd=folder).out
    assert out.count("January 2026") == 3
    assert all(len(line) <= 100 for line in out.splitlines())
    assert "…" not in out


def test_json_is_a_month_of_an_account_a_line(folder: Path) -> None:
    found = records(compare(*TWO, "--format", "json", cwd=folder).out)
    assert len(found) == 8
    assert found[2] == {
        "account": "Alder",
        "month": "2026-03",
        "currency": "EUR",
        "due": {"days": "5.00", "kept": "10.00"},
        "difference": {"kept": "5.00"},
        "credit_left": {"days": "0.00", "kept": "0.00"},
    }


def test_csv_has_the_same_amounts_in_columns(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(compare(*TWO, "--format", "csv", cwd=folder).out)))
    assert list(rows[0]) == [
        "account", "month", "currency", "days due", "kept due", "kept difference", "days credit_left",
        "kept credit_left",
    ]  # fmt: skip
    assert [row["days due"] for row in rows if row["account"] == "Alder"] == ["20.00", "20.00", "5.00", "10.00"]
    for row in rows:
        assert Decimal(row["kept due"]) - Decimal(row["days due"]) == Decimal(row["kept difference"])


def test_what_is_compared_is_what_bill_would_have_billed(folder: Path) -> None:
    found = records(compare("mainter", "mainter@year", "--format", "json", cwd=folder, events="workshops.csv").out)
    for label, interval in (("mainter", "month"), ("mainter@year", "year")):
        words = ("bill", "--policy", "mainter", "--interval", interval, "--events", "workshops.csv")
        billed = records(prorata(*words, "--through", "2026-04-01", "--format", "json", cwd=folder).out)
        paid = sum(Decimal(document["due"]) for document in billed)
        assert paid == sum(Decimal(record["due"][label]) for record in found) > 0


def test_a_change_in_percent_has_one_decimal_and_none_from_nothing() -> None:
    changes = ((125, 1000), (-1, 3), (0, 5), (5, 0), (100, -400), (20000, 1000))
    assert [speak_change(more, of) for more, of in changes] == ["+12.5 %", "−33.3 %", "0.0 %", "", "", "+2,000.0 %"]


# Which policies


def test_policies_of_one_name_are_told_apart_by_their_paths(folder: Path) -> None:
    [first, *_] = records(compare("days.toml", "old/days.toml", "--format", "json", cwd=folder).out)
    assert first["due"] == {"days.toml": "20.00", "old/days.toml": "16.00"}


def test_a_plan_and_an_interval_of_one_policy_alone_stand_behind_it(folder: Path) -> None:
    write(folder, "one.csv", ["at,account,event,user,role", "2026-04-01,A,activate,anna,paying"])
    words = ("mainter", "mainter@pro", "mainter@BASIC@yearly", "--format", "json")
    [month] = records(compare(*words, cwd=folder, events="one.csv").out)
    # 12 × 299.00 = 3,588.00
    assert month["due"] == {"mainter": "299.00", "mainter@pro": "699.00", "mainter@BASIC@yearly": "3588.00"}


def test_a_payment_method_of_one_policy_alone_stands_behind_it_and_one_for_all_is_for_those_that_have_it(
    folder: Path,
) -> None:
    ways = (
        'payment_methods = ["card", "invoice"]\n' + DAYS + '[[when]]\npayment_method = "invoice"\nseats.minimum = 3\n'
    )
    (folder / "ways.toml").write_text(ways, encoding="utf-8")
    words = ("--account", "Birch", "--format", "json")
    [month, *_] = records(compare("ways.toml", "ways.toml@Invoice", *words, cwd=folder).out)
    assert month["due"] == {"ways": "10.00", "ways@Invoice": "30.00"}  # never fewer than 3 where paid by invoice
    [month, *_] = records(compare("days.toml", "ways.toml", "--payment-method", "invoice", *words, cwd=folder).out)
    assert month["due"] == {"days": "10.00", "ways": "30.00"}
    assert refused("days.toml", "ways.toml", "--payment-method", "invoise", cwd=folder) == (
        "--payment-method: 'invoise' is not a payment method of any of the policies; did you mean 'invoice'? "
        "allowed: card, invoice"
    )
    assert refused("days.toml", "ways.toml@card@invoice", cwd=folder) == (
        "ways.toml@card@invoice: 'invoice' is a second payment method; name one"
    )
    assert "'cart' is neither a plan nor an interval nor a payment method of policy ways; did you mean 'card'?" in (
        refused("days.toml", "ways.toml@cart", cwd=folder)
    )


def test_a_file_whose_own_name_has_an_at_sign_is_found(folder: Path) -> None:
    (folder / "new@2027.toml").write_text(DAYS, encoding="utf-8")
    assert '"new@2027": "20.00"' in compare("days.toml", "new@2027.toml", "--format", "json", cwd=folder).out


def test_a_role_is_translated_for_the_policies_that_have_it(folder: Path) -> None:
    (folder / "editors.toml").write_text(f"{DAYS}[roles.editor]\n", encoding="utf-8")
    write(folder, "one.csv", ["at,account,event,user,role", "2026-04-01,A,activate,anna,member"])
    words = ("roles.toml", "editors.toml", "--map-role", "member=paying", "--map-role", "member=editor")
    [month] = records(compare(*words, "--format", "json", cwd=folder, events="one.csv").out)
    assert month["due"] == {"roles": "10.00", "editors": "10.00"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["days.toml"], "a comparison needs two policies or more, and days.toml is one"),
        (
            ["days.toml", "crowns.toml"],
            "policies in different currencies cannot be compared: days (EUR), crowns (SEK)",
        ),
        (
            ["days.toml", "days.toml"],
            "days.toml is there twice; name each policy, or each plan and interval of it, once",
        ),
        (
            ["mainter@PRA", "mainter"],
            "mainter@PRA: 'PRA' is neither a plan nor an interval of policy mainter; did you mean 'PRO'? "
            "its plans: BASIC, PRO; its intervals: month, year",
        ),
        (["mainter@PRO@BASIC", "mainter"], "mainter@PRO@BASIC: 'BASIC' is a second plan; name one"),
        (["mainter@year@month", "mainter"], "mainter@year@month: 'month' is a second interval; name one"),
        (
            ["days.toml", "kept.toml", "--plan", "PRO"],
            "--plan: 'PRO' is not a plan of days, which has: basic; for one policy alone write the plan behind it: "
            "days@basic",
        ),
        (
            ["days.toml", "kept.toml", "--interval", "quarter"],
            "--interval: 'quarter' is not an interval of days, which has: month, year; for one policy alone write the "
            "interval behind it: days@month",
        ),
        (
            ["roles.toml", "mainter@PRO", "--map-role", "member=payin"],
            "policies in different currencies cannot be compared: roles (EUR), mainter@PRO (SEK)",
        ),
        (
            ["mainter@BASIC", "mainter@PRO", "--map-role", "member=payin"],
            "--map-role: 'payin' is not a role of any of the policies; did you mean 'paying'? allowed: free, paying",
        ),
        (["days.toml", "kept.toml", "--account", "Ash"], "--account 'Ash' is not in events.csv; there: Alder, Birch"),
        (["days.toml", "kept.toml", "--plot", "a.pdf"], "--plot: 'a.pdf' is not the name of a picture; it ends with "
         ".svg or .png"),
        (["days.toml", "kept.toml", "--plot", "none/a.svg"], "--plot: the folder none does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_a_sentence(words: list[str], sentence: str, folder: Path) -> None:
    assert refused(*words, cwd=folder) == sentence


# Accounts that one of the policies cannot bill


def test_an_account_that_one_policy_cannot_bill_is_named_and_left_out_under_all(folder: Path) -> None:
    (folder / "bought.toml").write_text(f'{DAYS}[seats]\ncount = "bought"\n', encoding="utf-8")
    write(folder, "events.csv", [*EVENTS, "2026-01-01,Birch,seats,,,3"])
    said = compare("days.toml", "bought.toml", "--format", "json", cwd=folder, code=2)
    assert {record["account"] for record in records(said.out)} == {"Birch"}
    ordered, first, second = said.errors.splitlines()
    assert (
        ordered == "days: Birch: seats were ordered, but policy days bills active members and not orders (seats.count)"
    )
    assert first.startswith("bought: account Alder: the policy bills bought seats and the history buys none")
    assert second == "left out of the comparison under every policy: Alder"


def test_so_is_one_whose_rows_one_policy_cannot_read(folder: Path) -> None:
    write(folder, "events.csv", [*EVENTS, "2026-03-01,Birch,activate,dora,boss,"])
    said = compare("days.toml", "roles.toml", "--format", "json", cwd=folder, code=2)
    assert {record["account"] for record in records(said.out)} == {"Alder"}
    assert said.errors.splitlines() == [
        "roles: events.csv, line 6, column role: 'boss' is not a role of policy roles; allowed: paying, free; "
        "--map-role boss=ROLE translates it into one of them",
        "left out of the comparison under every policy: Birch",
    ]


def test_where_no_account_is_left_there_is_no_comparison(folder: Path) -> None:
    (folder / "bought.toml").write_text(f'{DAYS}[seats]\ncount = "bought"\n', encoding="utf-8")
    said = refused("days.toml", "bought.toml", cwd=folder)
    assert said.startswith("bought: account Alder, Birch: the policy bills bought seats")
    write(folder, "events.csv", [*EVENTS, "2026-03-01,,activate,dora,,"])
    assert refused(*TWO, cwd=folder) == (
        "days: events.csv, line 6, column account: is empty; every row names its account"
    )


def test_what_happens_after_an_agreement_s_end_is_told_for_each_policy(folder: Path) -> None:
    rows = [*EVENTS, "2026-02-10,Birch,cancel,,,", "2026-03-02,Birch,activate,dora,,"]
    write(folder, "events.csv", rows)
    (folder / "at-once.toml").write_text(f'{DAYS}[cancel]\nends = "day"\n', encoding="utf-8")
    assert compare("days.toml", "at-once.toml", cwd=folder).errors.splitlines() == [
        "days: Birch: the agreement ended with 28 February 2026; 1 event after it is not billed",
        "at-once: Birch: the agreement ended with 10 February 2026; 1 event after it is not billed",
    ]


def test_what_a_history_and_a_policy_do_not_have_in_common_is_told_for_each_policy(folder: Path) -> None:
    write(folder, "events.csv", [*EVENTS, "2026-01-01,Cedar,start,,,4", "2026-01-01,Dogwood,activate,dora,,"])
    with (folder / "events.csv").open("a", encoding="utf-8") as file:
        file.write("2026-01-05,Dogwood,activity,dora,,\n")
    (folder / "used.toml").write_text(f'{DAYS}[seats]\ncounts_from = "activity"\nidle_days = 28\n', encoding="utf-8")
    not_ordered = "Cedar: seats were ordered, but policy {} bills active members and not orders (seats.count)"
    assert compare("days.toml", "used.toml", cwd=folder).errors.splitlines() == [
        f"days: {not_ordered.format('days')}",
        f"used: {not_ordered.format('used')}",
        "used: Alder, Birch: no event tells of anybody's activity, and policy used bills who is active by it "
        "(seats.counts_from)",
    ]


# The picture


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_picture_is_the_same_on_every_run(suffix: str, folder: Path) -> None:
    drawn = []
    for name in ("a", "b"):
        compare(*TWO, "--plot", f"{name}.{suffix}", cwd=folder)
        drawn.append((folder / f"{name}.{suffix}").read_bytes())
    assert drawn[0] == drawn[1]
    assert drawn[0].startswith(b"<?xml" if suffix == "svg" else b"\x89PNG")


def test_the_picture_names_the_policies_with_what_they_come_to_and_the_currency(folder: Path) -> None:
    (folder / "$_kept$.toml").write_text(KEPT, encoding="utf-8")
    compare("days.toml", "$_kept$.toml", "--plot", "a.svg", cwd=folder)
    svg = (folder / "a.svg").read_text(encoding="utf-8")
    said = {element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")}
    assert {"95.00 days", "100.00 $_kept$", "EUR per month", "EUR since January 2026"} <= said
    assert "What 2 accounts would have paid" in said


def test_where_nothing_was_billed_there_is_nothing_to_draw(folder: Path) -> None:
    words = ("compare", *TWO, "--events", "events.csv", "--through", "2025-12-31")
    assert "nothing to bill under any of the policies" in prorata(*words, cwd=folder).out
    said = prorata(*words, "--plot", "a.svg", cwd=folder, code=2)
    assert said.errors == "--plot: there is nothing to draw, since 2 accounts would have paid nothing\n"


def test_without_matplotlib_a_picture_is_refused_and_a_table_is_not(folder: Path) -> None:
    (folder / "without").mkdir()
    text = "raise ModuleNotFoundError('No module named matplotlib', name='matplotlib')\n"
    (folder / "without" / "matplotlib.py").write_text(text, encoding="utf-8")
    path = {"PYTHONPATH": f"{folder / 'without'}:{environment()['PYTHONPATH']}"}
    words = ("compare", *TWO, "--events", "events.csv", "--through", "2026-04-01")
    assert "total" in prorata(*words, cwd=folder, env=path).out
    said = prorata(*words, "--plot", "a.svg", cwd=folder, env=path, code=2)
    assert said.errors == "--plot needs matplotlib, and matplotlib is not installed: pip install matplotlib\n"
    assert not (folder / "a.svg").exists()
