"""Prices that depend on the role, on the number of seats, or on what was ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from prorata.engine.policy.model import Policy
from prorata.engine.policy.price_checks import unpriced
from tests.engine.stories import documents, policy_of, records, refusals

HEAD = 'currency = "EUR"\nintervals = ["month", "year"]\n'
TIERS = """
[[plans.team.prices]]
price = "10.00 per month"
[[plans.team.prices]]
above = 5
price = "8.00 per month"
"""
ROLES = """
[roles.editor]
[roles.viewer]
[roles.guest]
[[plans.team.prices]]
price = "10.00 per month"
[[plans.team.prices]]
role = "viewer"
price = "3.00 per month"
"""
START: dict[str, object] = {"at": "2026-04-01", "event": "start"}
ORDER: dict[str, object] = {**START, "quantity": 7}
BOUGHT = '[seats]\ncount = "bought"\n'


def billed(
    rows: Sequence[Mapping[str, object]], policy: Policy, through: date = date(2026, 4, 1)
) -> list[tuple[object, ...]]:
    """Item, quantity, price and amount of every line."""
    return [
        (line["item"], line["quantity"], line["unit_price"], line["amount"])
        for document in records(rows, policy, through)
        for line in document["lines"]
    ]


def member(user: str, role: str, at: str = "2026-04-01") -> dict[str, object]:
    return {"at": at, "event": "activate", "user": user, "role": role}


def test_with_volume_prices_all_seats_cost_what_their_number_says() -> None:
    policy = policy_of(HEAD + TIERS + BOUGHT)
    assert billed([ORDER], policy) == [("seats", 7, "8.00", "56.00")]
    assert billed([{**ORDER, "quantity": 5}], policy) == [("seats", 5, "10.00", "50.00")]


def test_with_graduated_prices_each_seat_costs_what_its_tier_says() -> None:
    policy = policy_of(HEAD + TIERS + BOUGHT + '[plans.team]\ntiers = "graduated"\n')
    assert billed([ORDER], policy) == [("seats", 5, "10.00", "50.00"), ("seats>5", 2, "8.00", "16.00")]


def test_the_sixth_seat_makes_all_of_them_cheaper_from_its_day_on() -> None:
    policy = policy_of(HEAD + TIERS + BOUGHT)
    rows = [{**ORDER, "quantity": 5}, {"at": "2026-04-16", "event": "seats", "quantity": 6}]
    # 5 seats 2.00 cheaper for 15 of 30 days, and one more at 8.00: −5.00 + 4.00
    assert billed(rows, policy, date(2026, 5, 1))[1:] == [
        ("seats", -5, "2.00", "-5.00"), ("seats", 1, "8.00", "4.00"), ("seats", 6, "8.00", "48.00"),
    ]  # fmt: skip


def test_a_stairstep_is_a_base_price_by_the_number_of_seats() -> None:
    steps = """
[[plans.team.prices]]
price = "0.00 per month"
base = "50.00 per month"
[[plans.team.prices]]
above = 10
price = "0.00 per month"
base = "90.00 per month"
"""
    policy = policy_of(HEAD + steps + BOUGHT)
    assert billed([ORDER], policy) == [("base", 1, "50.00", "50.00")]
    assert billed([{**ORDER, "quantity": 11}], policy) == [("base", 1, "90.00", "90.00")]


def test_a_tier_that_says_no_base_keeps_that_of_the_tier_before() -> None:
    policy = policy_of(
        HEAD + TIERS.replace('"10.00 per month"', '"10.00 per month"\nbase = "20.00 per month"') + BOUGHT
    )
    assert billed([ORDER], policy) == [("seats", 7, "8.00", "56.00"), ("base", 1, "20.00", "20.00")]


def test_a_role_with_a_price_of_its_own_is_counted_apart() -> None:
    rows: list[Mapping[str, object]] = [
        START,
        member("anna", "editor"),
        member("ben", "viewer"),
        member("chris", "viewer"),
        member("dora", "guest"),
    ]
    assert billed(rows, policy_of(HEAD + ROLES)) == [
        ("seats", 2, "10.00", "20.00"),
        ("seats:viewer", 2, "3.00", "6.00"),
    ]


def test_who_changes_role_leaves_one_price_and_takes_the_other() -> None:
    rows: list[Mapping[str, object]] = [
        START,
        member("anna", "editor"),
        {"at": "2026-04-21", "event": "role", "user": "anna", "role": "viewer"},
    ]
    policy = policy_of(HEAD + ROLES)
    may = documents(rows, policy, date(2026, 5, 1))[1]
    # −10.00 × 10/30 and 3.00 × 10/30, and May
    assert [(line.item, line.amount_minor) for line in may.lines] == [
        ("seats", -333), ("seats:viewer", 100), ("seats:viewer", 300),
    ]  # fmt: skip


def test_so_many_of_a_role_are_free_and_the_rest_cost_like_the_others() -> None:
    free = '[[plans.team.prices]]\nrole = "guest"\nprice = "0.00 per month"\n'
    more = '[[plans.team.prices]]\nrole = "guest"\nabove = 2\nprice = "10.00 per month"\n'
    policy = policy_of(HEAD + ROLES + free + more + '[plans.team]\ntiers = "graduated"\n')
    rows: list[Mapping[str, object]] = [START, *(member(f"guest {number}", "guest") for number in range(5))]
    assert billed(rows, policy) == [("seats:guest>2", 3, "10.00", "30.00")]


def test_seats_are_bought_by_role() -> None:
    rows: list[dict[str, object]] = [
        {**START, "quantity": 4},
        {"at": "2026-04-01", "event": "seats", "role": "viewer", "quantity": 20},
    ]
    assert billed(rows, policy_of(HEAD + ROLES + BOUGHT)) == [
        ("seats", 4, "10.00", "40.00"), ("seats:viewer", 20, "3.00", "60.00"),
    ]  # fmt: skip


def test_the_dearest_role_is_the_one_whose_tiers_go_highest() -> None:
    prices = '[plans.team]\ntiers = "graduated"\nprices = [{ price = "0.00 per month" }, '
    prices += '{ above = 2, price = "90.00 per month" }, { role = "viewer", price = "30.00 per month" }]\n'
    policy = policy_of(f'{HEAD}{prices}[roles.editor]\n[roles.viewer]\n[seats]\nmeasure = "held"\n')
    rows = [member("a", "editor"), member("b", "editor"), member("c", "viewer")]
    rows.append({"at": "2026-04-16", "event": "role", "user": "c", "role": "editor"})
    may = [line for line in billed(rows, policy, date(2026, 5, 1)) if line[0] != "seats"][1:]
    # c is the third editor from the 16th on and no viewer any more: 15 of 30 days of each
    assert may[:2] == [("seats>2", 1, "90.00", "45.00"), ("seats:viewer", -1, "30.00", "-15.00")]


@pytest.mark.parametrize("measure", ["distinct", "held"])
def test_who_had_two_roles_in_a_period_is_billed_once_for_the_dearest(measure: str) -> None:
    policy = policy_of(HEAD + ROLES + f'[period]\ncharge = "arrears"\n[seats]\nmeasure = "{measure}"\n')
    rows: list[Mapping[str, object]] = [
        START,
        member("anna", "editor"),
        {"at": "2026-04-02", "event": "role", "user": "anna", "role": "viewer"},
        member("ben", "viewer"),
    ]
    assert billed(rows, policy, date(2026, 5, 1)) == [
        ("seats", 1, "10.00", "10.00"),
        ("seats:viewer", 1, "3.00", "3.00"),
    ]


def test_a_freed_seat_is_refilled_by_somebody_of_the_same_role_only() -> None:
    policy = policy_of(HEAD + ROLES + '[seats]\nmeasure = "high_water"\n[rise]\nsettle = "now"\n')
    rows: list[Mapping[str, object]] = [
        START,
        member("anna", "editor"),
        {"at": "2026-04-16", "event": "deactivate", "user": "anna"},
        member("ben", "viewer", "2026-04-16"),
        member("chris", "editor", "2026-04-16"),
    ]
    assert billed(rows, policy, date(2026, 4, 30)) == [
        ("seats", 1, "10.00", "10.00"),
        ("seats:viewer", 1, "3.00", "1.50"),
    ]


def test_seats_beyond_those_ordered_cost_the_overage() -> None:
    text = HEAD + '[plans.team]\n[[plans.team.prices]]\nprice = "10.00 per month"\noverage = "15.00 per month"\n'
    policy = policy_of(text + '[period]\ncharge = "arrears"\n[seats]\ncount = "larger"\n')
    rows: list[Mapping[str, object]] = [{**START, "quantity": 2}, *(member(f"u{number}", "") for number in range(3))]
    assert billed(rows, policy, date(2026, 5, 1)) == [
        ("seats", 2, "10.00", "20.00"),
        ("seats>ordered", 1, "15.00", "15.00"),
    ]


def test_the_minimum_is_of_the_members_without_a_price_of_their_own() -> None:
    policy = policy_of(HEAD + ROLES + "[seats]\nminimum = 5\n")
    rows: list[Mapping[str, object]] = [
        START,
        member("anna", "editor"),
        member("ben", "viewer"),
        member("chris", "viewer"),
    ]
    assert billed(rows, policy) == [("seats", 5, "10.00", "50.00"), ("seats:viewer", 2, "3.00", "6.00")]


def test_a_plan_dearer_by_its_base_and_cheaper_by_its_seat_takes_effect_as_a_whole() -> None:
    plans = (
        '[plans.small]\nprice = "10.00 per month"\n[plans.large]\nbase = "100.00 per month"\nprice = "6.00 per month"\n'
    )
    policy = policy_of(HEAD + plans + BOUGHT + '[fall]\ngive = "nothing"\n[rise]\nsettle = "now"\n')
    to_large: dict[str, object] = {"at": "2026-04-16", "event": "plan", "plan": "large"}
    # 7 seats: 70.00 before, 142.00 after, so it is a rise: half a month of each
    assert billed([{**ORDER, "plan": "small"}, to_large], policy, date(2026, 4, 30))[1:] == [
        ("seats", -7, "4.00", "-14.00"), ("base", 1, "100.00", "50.00"),
    ]  # fmt: skip
    # 30 seats: 300.00 before, 280.00 after: it waits for the next period
    many = [{**ORDER, "quantity": 30, "plan": "small"}, to_large]
    assert billed(many, policy, date(2026, 4, 30))[1:] == []


BROKEN = {
    "a role that is none": (
        ROLES.replace('role = "viewer"', 'role = "reader"'),
        "test.toml, line 10: plans.team.prices: reader is not one of roles (editor, viewer, guest)",
    ),
    "a role that is not billed": (
        ROLES.replace("[roles.viewer]", "[roles.viewer]\nbilled = false"),
        "test.toml, line 11: plans.team.prices: members with the role viewer are not billed (roles.viewer)",
    ),
    "a tier without one below": (
        TIERS.replace('price = "10.00 per month"', 'above = 2\nprice = "10.00 per month"'),
        "test.toml, line 5: plans.team.prices: there is no price for the first 2 seats",
    ),
    "graduated without tiers": (
        '[plans.team]\nprice = "10.00 per month"\ntiers = "graduated"\n',
        "test.toml, line 5: plans.team.tiers would have no effect; it needs prices above some number",
    ),
    "overage where nothing is ordered": (
        '[[plans.team.prices]]\nprice = "10.00 per month"\noverage = "15.00 per month"\n',
        'test.toml, line 5: plans.team.prices: overage would have no effect; it needs seats.count = "larger"',
    ),
    "a tier of an add-on": (
        TIERS + '[[add_ons.sms.prices]]\nprice = "1.00 per month"\nabove = 3\n',
        "test.toml, line 11: add_ons.sms.prices: above is about seats; an add-on has one price for all",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_price_that_cannot_be_meant_is_refused(broken: str) -> None:
    text, sentence = BROKEN[broken]
    assert sentence in refusals(HEAD + text)


def row(role: str = "", interval: str = "") -> str:
    told = [f'role = "{role}"'] if role else []
    told += [f'interval = "{interval}"'] if interval else []
    return "\n".join(["[[plans.team.prices]]", 'price = "120.00 per year"', *told, ""])


THREE = 'currency = "EUR"\nintervals = ["month", "year"]\n'
WHO = "[roles.editor]\n[roles.viewer]\n[roles.guest]\nbilled = false\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (row() + WHO, []),
        (row(interval="year") + WHO, ["plan team has no price for interval month"]),
        (row("editor") + row("viewer") + WHO, []),
        (row("editor") + WHO, ["plan team has no price for viewer seats"]),
        (row("editor") + "[seats]\nfree = ['viewer']\n" + WHO, []),
        (row(interval="year") + row("viewer") + WHO, ["plan team has no price for editor seats billed by month"]),
        (
            row("editor", "year") + WHO,
            ["plan team has no price for interval month", "plan team has no price for viewer seats"],
        ),
    ],
)
def test_what_has_no_price_is_told(text: str, told: list[str]) -> None:
    assert list(unpriced(policy_of(THREE + text))) == told
