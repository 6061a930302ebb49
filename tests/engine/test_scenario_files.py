"""Scenario files: a wrong expectation is told as expected against computed, and a file that is none says why."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from prorata.engine.policy.reading import PolicyError
from prorata.engine.scenario import ScenarioError, read_scenario, run_scenario
from prorata.policies import policy_text

STORY = '''\
claims = ["K2"]
title = "A second user joins"
policy = "konfidens"
through = 2026-04-01
history = """
at,         event,    user
2026-01-01, activate, anna
2026-03-27, activate, dora
"""

[[document]]
date = 2026-01-01
total = "181.00"

[[document]]
date = 2026-04-01
total = "96.00"
lines = [{ kind = "rise", quantity = 1, amount = "96.00" }]
'''


def policy_document(name: str) -> dict[str, Any]:
    if name not in ("konfidens", "mainter", "sloneek"):
        raise PolicyError([f"{name} is no policy"])
    return tomllib.loads(policy_text(name))


def problems(text: str) -> tuple[str, ...]:
    return run_scenario(read_scenario(text, name="story.toml", policy_document=policy_document))


def refusal(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text, name="story.toml", policy_document=policy_document)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in STORY
    return STORY.replace(old, new)


def test_a_story_that_is_right_has_no_problems() -> None:
    assert problems(STORY) == ()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('total = "181.00"', 'total = "180.00"', "document 1 of 2026-01-01: total expected 180.00, computed 181.00"),
        ("date = 2026-04-01", "date = 2026-04-02",
         "document 2 of 2026-04-01: date expected 2026-04-02, computed 2026-04-01"),
        ('kind = "rise"', 'kind = "fall"', "document 2 of 2026-04-01, line 1: kind expected fall, computed rise"),
        ("quantity = 1,", "quantity = 2,", "document 2 of 2026-04-01, line 1: quantity expected 2, computed 1"),
        ('amount = "96.00"', 'amount = "96.0"',
         "document 2 of 2026-04-01, line 1: amount expected 96.0, computed 96.00"),
    ],
)  # fmt: skip
def test_a_wrong_expectation_is_told_as_expected_against_computed(old: str, new: str, problem: str) -> None:
    assert problems(changed(old, new)) == (problem,)


def test_a_document_too_many_and_one_too_few_are_told() -> None:
    more = STORY + '\n[[document]]\ndate = 2026-07-01\ntotal = "1.00"\n'
    assert problems(more) == ("document 3: expected date 2026-07-01, total 1.00, computed none",)
    [fewer] = problems(STORY[: STORY.rindex("[[document]]")])
    assert fewer.startswith("document 2: expected none, computed account account, kind invoice, date 2026-04-01, ")
    assert "total 96.00" in fewer


def test_a_line_too_many_and_one_too_few_are_told() -> None:
    more = changed('96.00" }]', '96.00" }, { amount = "1.00" }]')
    assert problems(more) == ("document 2 of 2026-04-01, line 2: expected amount 1.00, computed none",)
    fewer = changed('lines = [{ kind = "rise", quantity = 1, amount = "96.00" }]', "lines = []")
    [problem] = problems(fewer)
    assert problem.startswith("document 2 of 2026-04-01, line 1: expected none, computed kind rise, quantity 1, ")


def test_a_story_that_is_refused_says_so_and_one_that_should_be_is_told_it_was_not() -> None:
    refused = changed("2026-03-27, activate, dora", "2026-03-27, deactivate, dora")
    sentence = "history, row 2, column user: 'dora' was never active before 27 March 2026"
    assert problems(refused) == (f"refused: {sentence}",)
    as_expected = refused[: refused.index("[[document]]")] + 'refused = "was never active"\n'
    assert problems(as_expected) == ()
    other = as_expected.replace("never active", "never here")
    assert problems(other) == ("expected refusal: was never here", f"computed: {sentence}")
    accepted = STORY[: STORY.index("[[document]]")] + 'refused = "was never active"\n'
    assert problems(accepted) == ("expected refusal: was never active", "computed: it was accepted")


def test_a_lapse_is_compared_too() -> None:
    lapse = STORY + '[[lapse]]\naccount = "account"\ndate = 2026-04-01\namount = "1.00"\n'
    [problem] = problems(lapse)
    assert problem.startswith("lapse 1: expected ")
    assert problem.endswith("computed none")


def test_changes_of_the_policy_are_for_the_story_only() -> None:
    dearer = changed("through", '[changes.plans.standard]\nprice = "730.00 per year"\n[x]\nthrough').replace(
        "[x]\n", ""
    )
    top, rest = dearer.split("[changes", 1)
    changes, rest = rest.split("through", 1)
    text = top + "through" + rest + "\n[changes" + changes
    # twice the price: 362.00 and 192.00
    assert [problem.partition(": ")[2] for problem in problems(text)] == [
        "total expected 181.00, computed 362.00",
        "total expected 96.00, computed 192.00",
        "amount expected 96.00, computed 192.00",
    ]
    assert problems(STORY) == ()


@pytest.mark.parametrize("key", ["title", "policy", "through", "history"])
def test_a_key_that_every_story_needs_is_missed_by_name(key: str) -> None:
    told = tomllib.loads(STORY)
    assert key in told
    text = STORY.replace(f"{key} = ", f"# {key} = ", 1) if key != "history" else STORY.replace("history", "x", 1)
    said = refusal(text)
    assert said.startswith("story.toml")
    assert key in said


def test_a_key_that_is_none_is_told_what_there_is() -> None:
    allowed = "account, credit_left, credit_used, currency, date, due, kind, lines, refund, subtotal, tax, total"
    assert refusal(changed('total = "181.00"', 'totle = "181.00"')) == (
        f"story.toml, line 13: totle is not a key of document; did you mean 'total'? allowed: {allowed}"
    )
    assert refusal(changed("quantity = 1", "quantty = 1")) == (
        "story.toml, line 18: quantty is not a key of document.lines; did you mean 'quantity'? "
        "allowed: amount, days, end, item, kind, quantity, share, start, text, unit_price"
    )
    assert refusal("tilte = 1\n" + STORY).startswith(
        "story.toml, line 1: tilte is not a key of a scenario; did you mean 'title'? allowed: changes, "
    )


def test_a_document_that_is_wrong_is_named_by_its_line_and_not_the_first_one_s() -> None:
    assert (
        refusal(changed('total = "96.00"', "total = 96"))
        == "story.toml, line 17: total of document is a text in quotes, not 96"
    )


def test_documents_in_the_plural_are_asked_whether_document_is_meant() -> None:
    said = refusal(STORY.replace("[[document]]", "[[documents]]"))
    assert said.startswith("story.toml, line 11: documents is not a key of a scenario; did you mean 'document'? ")


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ('plan = "GOLD"', "plan: 'GOLD' is not a plan of policy mainter; allowed: BASIC, PRO"),
        ('interval = "quarter"', "interval: 'quarter' is not an interval of policy mainter; allowed: month, year"),
        ('payment_method = "card"', "payment_method: policy mainter names no payment_methods"),
        ('roles = { member = "payed" }', "roles: 'payed' is not a role of policy mainter; allowed: "
         "paying, free"),
    ],
)  # fmt: skip
def test_what_a_story_settles_is_called_by_its_own_keys(key: str, problem: str) -> None:
    assert problems(changed("konfidens", "mainter").replace("through", f"{key}\nthrough", 1)) == (
        f"refused: {problem}",
    )


def test_a_role_that_is_none_is_translated_by_the_story_s_own_key() -> None:
    story = changed("konfidens", "mainter").replace("user\n", "user, role\n", 1).replace("anna", "anna, boss", 1)
    [said] = problems(story)
    assert said.endswith('allowed: paying, free; roles = { boss = "ROLE" } translates it into one of them')


def test_seats_that_nobody_bought_are_followed_by_the_story_s_own_key() -> None:
    [said] = problems(changed("konfidens", "sloneek"))
    assert said.endswith("or let seats follow the active members (seats_follow; on the command line --seats follow)")


def test_a_story_that_expects_nothing_is_none() -> None:
    text = STORY[: STORY.index("[[document]]")]
    assert refusal(text) == "story.toml: a scenario expects at least one [[document]], or to be refused"


def test_what_is_not_toml_says_so() -> None:
    assert refusal("title = ").startswith("story.toml: this is not TOML: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("through = 2026-04-01", 'through = "2026-04-01"'),
        ('claims = ["K2"]', "claims = 5"),
        ('claims = ["K2"]', "changes = 5"),
        ('claims = ["K2"]', "plan = 5"),
        ('claims = ["K2"]', "roles = 5"),
        ('claims = ["K2"]', 'start = "2026-01-01"'),
        ('claims = ["K2"]', "lapse = 5"),
        ('claims = ["K2"]', "lapse = [{ amuont = '1.00', account = 'account' }]"),
        ('claims = ["K2"]', "document = 5"),
        ('title = "A second user joins"', "title = 5"),
        ('lines = [{ kind = "rise", quantity = 1, amount = "96.00" }]', "lines = 5"),
        ('lines = [{ kind = "rise", quantity = 1, amount = "96.00" }]', "lines = [5]"),
        ("history = ", "history = 5\nclaim = "),
    ],
)
def test_a_value_of_another_type_is_told_by_its_key(old: str, new: str) -> None:
    said = refusal(changed(old, new).replace("[[document]]", "[[document]]" if "document = 5" not in new else "[[x]]"))
    assert said.startswith("story.toml, line ")
