"""Seats beyond those ordered: what they cost, what waits of either, and when they are billed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import documents, policy_of, refusals, remembered

SOLD = """\
currency = "EUR"
intervals = ["month", "year"]
[[plans.team.prices]]
price = "10.00 per month"
overage = "15.00 per month"
[seats]
count = "larger"
"""
START: Mapping[str, object] = {"at": "2026-04-01", "event": "start", "quantity": 3}
ANNA: Mapping[str, object] = {"at": "2026-04-01", "event": "activate", "user": "anna"}


def order(at: str, count: int) -> Mapping[str, object]:
    return {"at": at, "event": "seats", "quantity": count}


def joins(user: str, at: str) -> Mapping[str, object]:
    return {"at": at, "event": "activate", "user": user}


def totals(text: str, *rows: Mapping[str, object], through: date, interval: str = "month") -> dict[str, int]:
    """The total of each document, by its day."""
    found = documents([START, ANNA, *rows], policy_of(text), through, interval=interval)
    return {f"{one.date}": one.total_minor for one in found}


@pytest.mark.parametrize(
    "rules",
    [
        '[fall]\ntakes_effect = "next_period"\n',
        "[fall]\nnotice_days = 60\n",
        '[period]\nterm_months = 12\n[fall]\ntakes_effect = "next_term"\n',
    ],
)
def test_an_order_that_is_still_paid_for_leaves_nothing_beyond_it(rules: str) -> None:
    found = totals(SOLD + rules, order("2026-04-11", 1), through=date(2026, 5, 1))
    assert found["2026-05-01"] <= 3000  # of anna's one seat and two that nobody uses, none at 15.00
    assert all(amount % 100 == 0 for amount in found.values())


def test_a_minimum_and_packages_are_part_of_the_order() -> None:
    start = totals(SOLD + "minimum = 5\n", through=date(2026, 4, 1))
    assert start == {"2026-04-01": 5000}
    rows = [joins(f"user {number}", "2026-04-01") for number in range(5)]
    # 3 ordered are a package of 4; 6 people need 2 packages, of which 4 seats are beyond the order
    assert totals(SOLD + "packages = [4]\n", *rows, through=date(2026, 4, 1)) == {"2026-04-01": 4000 + 6000}


def test_the_base_price_of_a_tier_is_that_of_the_order() -> None:
    tiers = '[[plans.team.prices]]\nabove = 3\nprice = "9.00 per month"\nbase = "20.00 per month"\n'
    text = SOLD.replace("[seats]", tiers + "[seats]")
    rows = [joins("ben", "2026-04-01"), joins("chris", "2026-04-01"), joins("dora", "2026-04-01")]
    assert totals(text, *rows, through=date(2026, 4, 1)) == {"2026-04-01": 3000 + 1500}


# An order is paid a year ahead and stands for it; users beyond it are counted and billed each month afterwards.
YEAR = (
    SOLD
    + """\
measure = "distinct"
least_days = 1
[period]
measured = "month"
term_months = 12
[rise]
settle = "own_month"
[fall]
takes_effect = "next_term"
[[when]]
item = "overage"
period.charge = "arrears"
share.by = "period"
fall.takes_effect = "day"
"""
)
FOUR = [joins(name, "2026-06-10") for name in ("ben", "chris", "dora")]
GONE = [{"at": "2026-06-20", "event": "deactivate", "user": user} for user in ("ben", "chris", "dora")]


def test_an_order_is_paid_ahead_and_what_is_used_beyond_it_each_month_afterwards() -> None:
    rows = [*FOUR, *GONE, order("2026-08-05", 2)]
    assert totals(YEAR, *rows, through=date(2027, 4, 1), interval="year") == {
        "2026-04-01": 12 * 3000,
        "2026-07-01": 1500,  # one more than three in June, with the month after it
        "2027-04-01": 12 * 2000,  # the order falls with the next term
    }


def test_nothing_beyond_the_order_is_billed_ahead_of_the_months_to_come() -> None:
    assert totals(YEAR, *FOUR, through=date(2026, 9, 1), interval="year") == {
        "2026-04-01": 36000, "2026-07-01": 1500, "2026-08-01": 1500, "2026-09-01": 1500,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settle", "days"),
    [
        ("now", ["2026-04-15", "2026-06-15", "2026-07-15", "2026-08-15", "2027-04-15"]),
        ("own_month", ["2026-04-15", "2026-06-15", "2026-07-15", "2026-08-15", "2027-04-15"]),
        ("own_quarter", ["2026-04-15", "2026-07-15", "2026-10-15", "2027-04-15"]),
        ("month", ["2026-04-15", "2026-07-01", "2026-08-01", "2026-09-01", "2027-04-15"]),
        ("next_invoice", ["2026-04-15", "2027-04-15"]),
    ],
)
def test_what_is_due_afterwards_is_settled_as_what_has_risen(settle: str, days: list[str]) -> None:
    start, anna = ({**row, "at": "2026-04-15"} for row in (START, ANNA))
    gone = [{**row, "at": "2026-07-20"} for row in GONE]
    text = YEAR.replace('"own_month"', f'"{settle}"')
    found = documents([start, anna, *FOUR, *gone], policy_of(text), date(2027, 4, 15), interval="year")
    assert [f"{one.date}" for one in found] == days
    assert sum(one.total_minor for one in found) == 2 * 36000 + 3 * 1500  # from 15 May to 14 August


def test_it_is_the_same_in_two_runs_and_after_the_agreement_has_ended() -> None:
    text = YEAR.replace("[rise]", '[cancel]\nends = "day"\n[rise]').replace('share.by = "period"\n', "")
    policy = policy_of(text)
    history = read_history(
        [START, ANNA, *FOUR, {"at": "2026-06-20", "event": "cancel"}], policy=policy, interval="year"
    )
    whole = bill(history, through=date(2027, 6, 1))
    # April, May and 20 of 30 days of June are paid for, and of these 20 days one more than three
    assert sum(one.total_minor for one in whole.documents) == 3000 + 3000 + 2000 + 1000
    for last in (date(2026, 6, 12), date(2026, 6, 21), date(2026, 6, 30), date(2026, 7, 1)):
        first = bill(history, through=last)
        assert first.followed_by(bill(history, through=date(2027, 6, 1), issued=remembered(first))) == whole


def test_a_line_says_that_it_was_billed_afterwards() -> None:
    policy = policy_of(YEAR)
    history = read_history([START, ANNA, *FOUR], policy=policy, interval="year")
    document = bill(history, through=date(2026, 7, 1)).documents[-1]
    assert str(explain(document.lines[0], document, history)).splitlines() == [
        "1 seat team beyond those ordered, 1–30 June 2026",
        "1 × 15.00 × 1 = 15.00",
        "4 seats are used, and 3 ordered (seats.count)",
        "it is billed in arrears, once its month is over (period.charge)",
    ]


@pytest.mark.parametrize(
    "waits",
    [
        'takes_effect = "next_period"', 'takes_effect = "never"', "notice_days = 20",
        'takes_effect = "next_period"\nfall.window_days = 5',
    ],
)  # fmt: skip
def test_what_is_ordered_is_not_beyond_the_order_however_overage_waits(waits: str) -> None:
    text = f'{SOLD}[[when]]\nitem = "overage"\nfall.{waits}\n'
    lowered = totals(text, order("2026-04-11", 1), through=date(2026, 5, 1))
    # two seats less from 11 April on, 20 of 30 days back, and a month of one seat
    assert lowered["2026-05-01"] == -1333 + 1000


def test_an_order_that_waits_leaves_what_is_used_meanwhile_beyond_it() -> None:
    text = f'{SOLD}[rise]\ntakes_effect = "next_period"\n[[when]]\nitem = "overage"\nrise.takes_effect = "day"\n'
    people = [joins(name, "2026-04-11") for name in ("ben", "chris", "dora")]
    found = totals(text, order("2026-04-11", 5), *people, through=date(2026, 5, 1))
    # one more than three for 20 of 30 days; five seats from May on
    assert found["2026-05-01"] == 1000 + 5000


def test_an_order_is_the_cause_of_both_lines_that_it_moves() -> None:
    history = read_history(
        [START, *(joins(name, "2026-04-01") for name in ("anna", "ben", "chris", "dora")), order("2026-04-11", 4)],
        policy=policy_of(SOLD),
    )
    document = bill(history, through=date(2026, 5, 1)).documents[-1]
    assert [str(explain(line, document, history)).splitlines()[0] for line in document.lines[:2]] == [
        "1 seat team added, 11–30 April 2026: seats set to 4 on 11 April 2026",
        "1 seat team beyond those ordered removed, 11–30 April 2026: seats set to 4 on 11 April 2026",
    ]


def test_an_add_on_in_arrears_is_on_the_invoice_after_its_month() -> None:
    text = SOLD + '[add_ons.sms]\nprice = "4.00 per month"\n[[when]]\nitem = "sms"\nperiod.charge = "arrears"\n'
    added: Mapping[str, object] = {"at": "2026-04-16", "event": "add_on", "item": "sms"}
    assert totals(text, added, through=date(2026, 6, 1)) == {
        "2026-04-01": 3000, "2026-05-01": 3000 + 200, "2026-06-01": 3000 + 400,
    }  # fmt: skip


@pytest.mark.parametrize(("interval", "settle"), [("month", "own_month"), ("quarter", "own_quarter")])
def test_a_settlement_within_the_invoice_needs_a_longer_one(interval: str, settle: str) -> None:
    text = SOLD.replace('"month", "year"', f'"{interval}"') + f'[rise]\nsettle = "{settle}"\n'
    said = "would have no effect; no invoice is longer than that: leave it out"
    assert refusals(text) == (f'test.toml, line 9: rise.settle = "{settle}" {said}',)


def test_a_measure_beside_orders_that_wait_needs_rules_of_the_overage() -> None:
    text = YEAR[: YEAR.index("[[when]]")]
    assert refusals(text) == (
        'test.toml, line 8: fall.takes_effect = "next_term" keeps what was counted day by day; it needs seats.measure '
        '= "level", or rules of the overage alone ([[when]] item = "overage")',
    )


def test_a_role_without_overage_is_explained_by_who_is_more_than_were_ordered() -> None:
    text = SOLD.replace('overage = "15.00 per month"\n', "") + "[roles.full]\n[roles.viewer]\n"
    text += '[[plans.team.prices]]\nrole = "viewer"\nprice = "2.00 per month"\noverage = "3.00 per month"\n'
    one = {**START, "quantity": 1}
    history = read_history([one, ANNA, joins("ben", "2026-04-11")], policy=policy_of(text))
    document = bill(history, through=date(2026, 5, 1)).documents[-1]
    assert str(explain(document.lines[0], document, history)).splitlines()[0] == (
        "1 seat team added, 11–30 April 2026: ben joined on 11 April 2026"
    )


def test_how_many_are_used_and_ordered_is_told_where_that_is_the_difference() -> None:
    text = SOLD + '[fall]\ntakes_effect = "next_period"\n'
    rows = [START, ANNA, *(joins(name, "2026-04-01") for name in ("ben", "chris")), order("2026-04-11", 2)]
    history = read_history([*rows, joins("dora", "2026-04-16")], policy=policy_of(text))
    document = bill(history, through=date(2026, 5, 1)).documents[-1]
    said = {line.start.isoformat(): str(explain(line, document, history)) for line in document.lines[:1]}
    assert "ordered (seats.count)" not in said["2026-04-16"]  # 4 are used, 2 ordered, and 3 still paid for


def test_what_is_used_beyond_an_order_is_told_apart() -> None:
    said = {sentence.text: sentence.example for part in tell(policy_of(YEAR)) for sentence in part.sentences}
    beyond = (
        "A user beyond those ordered counts for the whole month. It is billed once the month is over, when the next "
        "month of the year begins. It is counted anew in the next month."
    )
    less = "A seat ordered less counts from the next term on; until then it stays paid for, and can be used."
    assert said[beyond] == "One user more on 10 February 2026: 2 × 15.00 × 1 = 30.00, on 1 March 2026"
    assert said[less].startswith("One seat ordered less on 10 February 2026: 1 × 10.00 × 31/31 = 10.00")
    assert said[less].endswith("on 1 January 2027")
