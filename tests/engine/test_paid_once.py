"""Add-ons that are paid once: whole, when they are added, and never again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import BASE, documents, policy_of, records, refusals, remembered

FEE = '[add_ons.setup]\nprice = "49.00 once"\ncharge = "once"\n'
START: list[Mapping[str, object]] = [
    {"at": "2026-04-01", "event": "start"},
    {"at": "2026-04-01", "event": "activate", "user": "anna"},
]


def fee(at: str, quantity: int | None = None, **more: object) -> Mapping[str, object]:
    return {"at": at, "event": "add_on", "item": "setup", "quantity": quantity, **more}


def fees(
    text: str, *rows: Mapping[str, object], through: date = date(2026, 12, 31), **settings: object
) -> list[object]:
    """The day of the bill, the day, the quantity and the amount of every line of the fee."""
    return [
        (f"{one.date:%d %b}", f"{line.start:%d %b}", line.quantity, line.amount_minor)
        for one in documents([*START, *rows], policy_of(text), through, **settings)
        for line in one.lines
        if line.item == "setup"
    ]


def test_a_setup_fee_is_charged_whole_with_the_first_bill_and_never_again() -> None:
    assert fees(BASE + FEE, fee("2026-04-01")) == [("01 Apr", "01 Apr", 1, 4900)]


def test_a_fee_within_a_period_is_charged_whole_with_the_next_bill() -> None:
    assert fees(BASE + FEE, fee("2026-04-30")) == [("01 May", "30 Apr", 1, 4900)]
    assert fees(BASE + FEE + '[rise]\nsettle = "now"\n', fee("2026-04-30")) == [("30 Apr", "30 Apr", 1, 4900)]
    assert fees(BASE + FEE + '[period]\ncharge = "arrears"\n', fee("2026-04-10")) == [("01 May", "10 Apr", 1, 4900)]


def test_neither_shares_nor_waiting_changes_touch_it() -> None:
    rules = '[share]\nby = "period"\nstarted = "free"\n[rise]\ntakes_effect = "next_period"\n[seats]\n'
    assert fees(BASE + FEE + rules + 'change_day = "not_billed"\n', fee("2026-04-30")) == [
        ("01 May", "30 Apr", 1, 4900)
    ]  # fmt: skip


def test_every_pass_bought_is_charged_also_of_one_day_and_of_two_that_follow() -> None:
    rows = fee("2026-04-10", 2), fee("2026-04-10", 3), fee("2026-04-11", 5)
    # 2 + 3 on the tenth, 5 on the eleventh, each at 49.00
    assert fees(BASE + FEE, *rows) == [("01 May", "10 Apr", 5, 24500), ("01 May", "11 Apr", 5, 24500)]


def test_another_of_the_same_day_that_is_told_later_is_charged_then() -> None:
    rows = fee("2026-04-10"), fee("2026-04-10", recorded_at="2026-06-15")
    assert fees(BASE + FEE, *rows) == [("01 May", "10 Apr", 1, 4900), ("01 Jul", "10 Apr", 1, 4900)]


def test_removing_it_gives_nothing_back() -> None:
    removed: Mapping[str, object] = {"at": "2026-04-11", "event": "remove_add_on", "item": "setup"}
    assert fees(BASE + FEE, fee("2026-04-10"), removed) == [("01 May", "10 Apr", 1, 4900)]


def test_an_agreed_price_holds_and_prices_of_one_day_are_added_up() -> None:
    rows = fee("2026-04-10", 2, price="20.00"), fee("2026-04-12", 2, price="20.00"), fee("2026-04-12")
    # 2 × 20.00; 2 × 20.00 + 49.00
    assert fees(BASE + FEE, *rows) == [("01 May", "10 Apr", 2, 4000), ("01 May", "12 Apr", 1, 8900)]


def test_a_fee_from_before_the_start_is_charged_on_the_first_day() -> None:
    assert fees(BASE + FEE, fee("2026-03-20")) == [("01 Apr", "01 Apr", 1, 4900)]
    assert fees(BASE + FEE, fee("2026-04-10"), interval="year", through=date(2026, 4, 10)) == []


def test_a_fee_on_the_last_day_is_charged_and_one_after_the_end_is_not() -> None:
    cancel: Mapping[str, object] = {"at": "2026-04-15", "event": "cancel"}
    by_day = BASE + FEE + '[cancel]\nends = "day"\n'
    # 49.00 less 15 of 30 days at 10.00 back for the seat
    told = records([*START, fee("2026-04-15"), cancel], policy_of(by_day), date(2026, 6, 1))
    assert [one["total"] for one in told] == ["10.00", "44.00"]
    assert fees(by_day, fee("2026-04-16"), cancel) == []
    assert fees(BASE + FEE, fee("2026-04-16"), cancel) == [("01 May", "16 Apr", 1, 4900)]


def test_counted_to_the_second_a_fee_belongs_to_its_moment() -> None:
    text = 'precision = "second"\n' + BASE + FEE + '[cancel]\nends = "day"\n'
    at = "2026-04-15T12:00:00Z"
    cancel: Mapping[str, object] = {"at": at, "event": "cancel"}
    assert fees(text, fee(at), fee("2026-04-15T11:59:59Z"), cancel) == [("01 May", "15 Apr", 2, 9800)]
    assert fees(text, fee("2026-04-15T12:00:01Z"), cancel) == []


def test_its_tax_and_its_price_of_the_day_are_its_own() -> None:
    rows = '[[add_ons.setup.prices]]\nprice = "49.00 once"\n[[add_ons.setup.prices]]\nprice = "59.00 once"\n'
    text = BASE + rows + 'from = 2026-05-01\n[add_ons.setup]\ncharge = "once"\ntax_rate = "25"\n'
    assert fees(text, fee("2026-04-30"), fee("2026-05-02")) == [
        ("01 May", "30 Apr", 1, 4900), ("01 Jun", "02 May", 1, 5900),
    ]  # fmt: skip
    # 25 % of 49.00
    assert records([*START, fee("2026-04-30")], policy_of(text), date(2026, 5, 1))[1]["tax"] == "12.25"


def test_a_run_taken_up_again_charges_it_no_second_time() -> None:
    history = read_history([*START, fee("2026-04-10"), fee("2026-05-10")], policy=policy_of(BASE + FEE))
    first = remembered(bill(history, through=date(2026, 5, 1)))
    again = bill(history, through=date(2026, 7, 1), issued=first)
    assert again.documents == bill(history, through=date(2026, 7, 1)).documents[2:]


def test_its_line_names_all_that_was_added_and_no_share() -> None:
    history = read_history([*START, fee("2026-04-10"), fee("2026-04-10", 2)], policy=policy_of(BASE + FEE))
    document = bill(history, through=date(2026, 5, 1)).documents[1]
    told = explain(document.lines[0], document, history)
    assert told.causes == ("setup added on 10 April 2026", "setup added on 10 April 2026")
    assert told.arithmetic == "3 × 49.00 = 147.00"
    assert told.rules == (
        "setup is paid once, when it is added (add_ons.setup.charge)",
        "what is added is charged with the next invoice (rise.settle)",
    )


def test_its_price_is_told() -> None:
    said = [one.text for one in tell(policy_of(BASE + FEE))[0].sentences]
    assert said[1] == "setup costs EUR 49.00 once, when it is added."


BROKEN = {
    'add_ons.setup.prices: charge = "once" needs a price that is paid once, such as "49.00 once"':
        FEE.replace("49.00 once", "49.00 per month"),
    'add_ons.setup.prices: price is paid again in every period; give the add-on charge = "once"':
        FEE.replace('charge = "once"', 'charge = "flat"'),
    "plans.pro.prices: base is paid again in every period; only an add-on can be paid once":
        '[plans.pro]\nprice = "10.00 per month"\nbase = "5.00 once"\n',
    'add_ons.setup.price is written like "699.00 per month" (per month, quarter, half_year, year; or once), not '
    '"49.00"': FEE.replace("49.00 once", "49.00"),
    'fall.give would have no effect on setup, which is charged once (charge = "once")':
        FEE + '[[when]]\nitem = "setup"\nfall.give = "nothing"\n',
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_a_price_that_is_not_paid_as_it_is_charged_is_refused(sentence: str) -> None:
    assert [each.partition(": ")[2] for each in refusals(BASE + BROKEN[sentence])] == [sentence]
