"""`prorata check`, `policy`, `explain` and `demo`: what they print, and with which exit code they end."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from prorata.engine.policy.language import keys_of
from prorata.engine.policy.model import SeatRules
from prorata.policies import policy_names, policy_text, preset_names
from prorata.samples import sample_text
from tests.console.command import prorata

GOOD = '''\
title = "One user"
policy = "konfidens"
through = 2026-01-01
history = """
at,         event,    user
2026-01-01, activate, anna
"""
[[document]]
date = 2026-01-01
total = "181.00"
'''
FEES = 'currency = "EUR"\nintervals = ["month"]\n[plans.basic]\nprice = "30.00 per month"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "workshops.csv").write_text(sample_text("workshops"), encoding="utf-8")
    return tmp_path


def scenario(folder: Path, name: str, text: str = GOOD) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


# check


def test_stories_that_come_out_are_counted(folder: Path) -> None:
    scenario(folder, "stories/a.toml")
    scenario(folder, "stories/deeper/b.toml")
    scenario(folder, "c.toml")
    said = prorata("check", "stories", "c.toml", cwd=folder)
    assert (said.out, said.errors) == ("3 passed, 0 failed\n", "")


def test_a_story_that_does_not_is_told_as_expected_against_computed(folder: Path) -> None:
    scenario(folder, "a.toml")
    scenario(folder, "b.toml", GOOD.replace("181.00", "182.00"))
    said = prorata("check", "a.toml", "b.toml", cwd=folder, code=1)
    assert said.out.splitlines() == [
        "FAILED b.toml",
        "  document 1 of 2026-01-01: total expected 182.00, computed 181.00",
        "1 passed, 1 failed",
    ]


def test_a_file_that_is_no_story_fails_and_the_others_are_run(folder: Path) -> None:
    scenario(folder, "a.toml", "titel = 1\n")
    scenario(folder, "b.toml", "title = ")
    scenario(folder, "c.toml")
    scenario(folder, "d.toml", GOOD.replace('"konfidens"', '"konfident"'))
    said = prorata("check", ".", cwd=folder, code=1)
    assert (
        "FAILED a.toml\n  a.toml, line 1: titel is not a key of a scenario; did you mean 'title'? allowed: " in said.out
    )
    assert "FAILED b.toml\n  b.toml: this is not TOML: " in said.out
    assert (
        "konfident is neither a policy that ships (prorata policy list names them) nor a file; did you mean konfidens?"
        in said.out
    )
    assert said.out.endswith("\n1 passed, 3 failed\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("through = 2026-01-01", 'through = "2026-01-01"'),
        ('policy = "konfidens"', "policy = 5"),
        ('title = "One user"', 'title = "x"\nchanges = 5'),
        ('title = "One user"', 'title = "x"\nroles = 5'),
        ('title = "One user"', 'title = "x"\nroles = {a = 1}'),
        ("through = 2026-01-01", "through = 9999-12-31"),
        ("through = 2026-01-01", "through = 2026-01-01T10:00:00"),
        ('title = "One user"', 'title = "x"\nlapse = [{ amuont = "1.00" }]'),
        ('total = "181.00"', 'total = "181.00"\nlines = [5]'),
    ],
)
def test_a_story_with_a_value_of_another_type_fails_in_a_sentence(old: str, new: str, folder: Path) -> None:
    scenario(folder, "a.toml", GOOD.replace(old, new))
    said = prorata("check", "a.toml", cwd=folder, code=1)
    assert said.out.startswith("FAILED a.toml\n  ")
    assert said.out.endswith("\n0 passed, 1 failed\n")


def test_a_folder_named_like_a_story_is_not_one(folder: Path) -> None:
    scenario(folder, "stories/a.toml")
    (folder / "stories" / "folder.toml").mkdir()
    assert prorata("check", "stories", cwd=folder).out == "1 passed, 0 failed\n"


def test_where_there_are_no_stories_the_exit_code_is_2(folder: Path) -> None:
    said = prorata("check", "none", cwd=folder, code=2)
    assert (said.out, said.errors) == ("", "none does not exist\n")
    (folder / "empty").mkdir()
    said = prorata("check", "empty", cwd=folder, code=2)
    assert (said.out, said.errors) == ("", "no scenario files (*.toml) there\n")


# policy


def test_the_policies_that_ship_are_listed_with_how_they_bill(folder: Path) -> None:
    lines = [re.sub(" +", " ", line) for line in prorata("policy", "list", cwd=folder).out.splitlines()]
    assert lines[:5] == [
        "konfidens NOK billed half-yearly or monthly or yearly; plans: standard",
        "mainter SEK billed monthly or yearly; plans: BASIC, PRO",
        "sloneek EUR billed monthly or yearly; plans: professional, essential",
        "",
        "Presets to start your own from (prorata policy show NAME --source > mine.toml):",
    ]
    assert [line.split(" ")[0] for line in lines[5:]] == list(preset_names())
    assert "peak-in-arrears The peak of the month" in lines


@pytest.mark.parametrize("name", ["konfidens", "mainter", "sloneek"])
def test_a_policy_is_shown_in_sentences_or_as_its_file(name: str, folder: Path) -> None:
    shown = prorata("policy", "show", name, cwd=folder).out
    assert "Billed every month" in shown
    assert "per seat." in shown
    assert "Decided where the vendor's page is silent" in shown
    assert prorata("policy", "show", name, "--source", cwd=folder).out == policy_text(name)


def test_a_preset_is_shown_as_its_file_which_can_be_used_as_one_s_own(folder: Path) -> None:
    said = prorata("policy", "show", "peak-in-arrears", "--source", cwd=folder).out
    assert said == policy_text("peak-in-arrears")
    (folder / "mine.toml").write_text(said, encoding="utf-8")
    assert prorata("policy", "check", "mine.toml", cwd=folder).out == "mine.toml: fine. 1 plan, billed monthly.\n"


def test_a_policy_is_shown_for_one_interval(folder: Path) -> None:
    shown = prorata("policy", "show", "konfidens", "--interval", "monthly", cwd=folder).out
    assert "Billed every month" in shown
    assert "Billed every year" not in shown
    said = prorata("policy", "show", "mainter", "--interval", "quarter", cwd=folder, code=2)
    assert (said.out, said.errors) == (
        "", "--interval: 'quarter' is not an interval of policy mainter; allowed: month, year\n",
    )  # fmt: skip


@pytest.mark.parametrize("title", ["A [/bold] B", "[red]A[/red]", "A :warning: B"])
def test_a_policy_s_title_is_shown_as_it_is_written(title: str, folder: Path) -> None:
    (folder / "own.toml").write_text(f'title = "{title}"\n' + FEES, encoding="utf-8")
    assert title in prorata("policy", "show", "own.toml", cwd=folder).out


@pytest.mark.parametrize(
    "more",
    ["[roles.free]\nbilled = false\n[roles.paying]\n", '[plans.trial]\nprice = "0.00 per month"\n'],
)
def test_a_policy_that_is_fine_can_be_shown(more: str, folder: Path) -> None:
    (folder / "own.toml").write_text(FEES + more, encoding="utf-8")
    prorata("policy", "check", "own.toml", cwd=folder)
    assert "basic costs EUR 30.00 a month per seat." in prorata("policy", "show", "own.toml", cwd=folder).out


def test_a_policy_file_that_is_fine_is_told_on_one_line_however_long_its_name(folder: Path) -> None:
    name = "a-policy-with-a-name-that-is-much-longer-than-the-line-of-a-terminal-of-eighty-columns.toml"
    (folder / name).write_text(FEES, encoding="utf-8")
    said = prorata("policy", "check", name, cwd=folder)
    assert said.out.startswith(f"{name}: fine. ")
    assert said.out.count("\n") == 1


def test_every_mistake_of_a_policy_file_is_told_with_its_line(folder: Path) -> None:
    (folder / "bad.toml").write_text(FEES + "[seats]\nminimun = 3\n[tax]\nrate = 25\n", encoding="utf-8")
    said = prorata("policy", "check", "bad.toml", cwd=folder, code=2)
    assert said.out == ""
    assert said.errors.splitlines() == [
        "bad.toml, line 6: seats.minimun is not a key; did you mean minimum? "
        f"allowed here: {', '.join(one.name for one in keys_of(SeatRules))}",
        'bad.toml, line 8: tax.rate is a percentage in quotes like "25", not 25',
    ]


def plain(value: Any) -> Any:
    """TOML as JSON has it: dates as texts."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def test_the_schema_takes_the_policies_that_ship_and_refuses_a_misspelt_key(folder: Path) -> None:
    schema = json.loads(prorata("policy", "schema", cwd=folder).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name in policy_names():
        document = plain(tomllib.loads(policy_text(name)))
        assert list(validator.iter_errors(document)) == []
        assert not validator.is_valid(document | {"tite": "x"})
        assert not validator.is_valid(document | {"seats": {"minimun": 3}})
        assert not validator.is_valid(document | {"seats": {"count": "bouhgt"}})
        assert not validator.is_valid(document | {"plans": {"a": {"price": "1.00 per decade"}}})
        assert not validator.is_valid(document | {"plans": {"a": {"titel": "x", "price": "1.00 per month"}}})
        assert not validator.is_valid(document | {"when": [{"form": "2026-01-01"}]})
        assert not validator.is_valid({key: one for key, one in document.items() if key != "plans"})


def test_the_schema_refuses_an_empty_list_where_the_reader_does(folder: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(prorata("policy", "schema", cwd=folder).out))
    document = plain(tomllib.loads(FEES))
    assert validator.is_valid(document)
    assert not validator.is_valid(document | {"intervals": []})
    assert not validator.is_valid(document | {"plans": {}})


# explain

EXPLAIN = ("explain", "--policy", "mainter", "--events", "workshops.csv", "--account", "Nord Verkstad")


def test_a_document_is_explained_line_by_line(folder: Path) -> None:
    out = prorata(*EXPLAIN, "--date", "2026-05-01", cwd=folder).out
    # six users from BASIC to PRO 10 days into April: 6 × 400.00 × 20/30 = 1,600.00
    assert "Invoice · Nord Verkstad · 1 May 2026" in out
    assert "plan changed to PRO on 10 April 2026" in out
    assert "6 × 400.00 × 20/30 = 1,600.00" in out
    assert "held by anna, ben, chris, dora, erik, frida" in out


def test_one_line_of_it_is_explained_alone(folder: Path) -> None:
    out = prorata(*EXPLAIN, "--date", "2026-05-01", "--line", "1", cwd=folder).out
    assert "6 × 400.00 × 20/30 = 1,600.00" in out
    assert "held by" not in out


def test_a_document_that_is_not_there_is_told_which_are(folder: Path) -> None:
    said = prorata(*EXPLAIN, "--date", "2026-05-02", cwd=folder, code=2)
    assert (said.out, said.errors) == (
        "", "account Nord Verkstad has no document of 2026-05-02; its documents up to then: "
        "2026-03-01, 2026-04-01, 2026-05-01\n",
    )  # fmt: skip


def test_a_line_that_is_not_there_is_told_which_are(folder: Path) -> None:
    said = prorata(*EXPLAIN, "--date", "2026-05-01", "--line", "3", cwd=folder, code=2)
    assert (said.out, said.errors) == ("", "--line 3: the document of 2026-05-01 has lines 1 to 2\n")
    assert prorata(*EXPLAIN, "--date", "2026-05-01", "--line", "0", cwd=folder, code=2).out == ""


# demo


def test_the_demo_bills_the_samples_under_every_policy_explains_a_line_and_says_what_to_try(folder: Path) -> None:
    for _ in range(2):  # it begins from nothing each time
        said = prorata("demo", cwd=folder)
        assert said.errors == ""
        assert "sloneek: 1,134 documents, each as it is when computed again." in said.out
    verified = prorata("verify", "--vendor", "konfidens", cwd=folder, env={"PRORATA_HOME": "demo", "DATABASE_URL": ""})
    assert verified.out == "konfidens: 981 documents, each as it is when computed again.\n"
    for words in (
        "Invoice · Fjord Clinic · 1 January 2026",
        "Invoice · Nord Verkstad · 1 May 2026",
        "Letná Studio",
        "Vltava Logistics",
        "Why Fjord Clinic is billed this on 1 April 2026:",
        "dora accepted the invitation on 27 March 2026",
        "What to try next",
        "prorata bill --policy mainter",
    ):
        assert words in said.out
    # 50 licences more from 1 July 2023: 50 × 60.00 × 6/12
    assert "1,500.00" in said.out
