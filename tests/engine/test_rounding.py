"""What is rounded, and to how many decimals: totals, lines, the price of a seat or of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.plain.telling import tell
from prorata.engine.policy.plain.words import Sentence
from tests.engine.stories import BASE, documents, policy_of, records, refusals

DAY = '[rounding]\nstage = "day"\n'
SEAT = '[rounding]\nstage = "seat"\n'
Rows = Sequence[Mapping[str, object]]


def person(at: str, user: str, event: str = "activate", **told: object) -> Mapping[str, object]:
    return {"at": at, "event": event, "user": user, **told}


ANNA = person("2026-04-01", "anna")
JOINERS = [ANNA, person("2026-04-19", "ben"), person("2026-04-19", "chris")]


def amounts(rows: Rows, policy: Policy, through: str) -> list[tuple[str, str]]:
    """The date and amount of each line; credits are negative."""
    return [
        (record["date"], ("-" if record["kind"] == "credit_note" else "") + line["amount"])
        for record in records(rows, policy, date.fromisoformat(through))
        for line in record["lines"]
    ]


def arithmetics(rows: Rows, policy: Policy, through: str) -> list[str]:
    """The arithmetic of each line."""
    history = read_history(rows, policy=policy)
    found = bill(history, through=date.fromisoformat(through)).documents
    return [explain(line, document, history).arithmetic for document in found for line in document.lines]


def test_by_the_seat_the_price_for_the_days_is_rounded_and_then_multiplied() -> None:
    # 10.00 × 20/30 = 6.666…, rounded 6.67; two of them 13.34, where two rounded together are 13.33
    rows = [ANNA, person("2026-04-11", "ben"), person("2026-04-11", "chris")]
    assert amounts(rows, policy_of(BASE + SEAT), "2026-05-01")[1] == ("2026-05-01", "13.34")
    assert amounts(rows, policy_of(BASE), "2026-05-01")[1] == ("2026-05-01", "13.33")


def test_by_the_day_the_price_of_a_day_is_rounded_and_then_multiplied_by_days_and_seats() -> None:
    # 10.00 / 30 = 0.333…, rounded 0.33; × 12 × 2
    policy = policy_of(BASE + DAY)
    assert amounts(JOINERS, policy, "2026-05-01")[1] == ("2026-05-01", "7.92")
    assert arithmetics(JOINERS, policy, "2026-05-01")[1] == (
        "10.00 / 30 = 0.33333…, rounded to 0.33 a day × 12 days × 2 seats = 7.92"
    )


def test_by_the_day_a_whole_period_costs_exactly_its_price() -> None:
    # not 30 × 0.33 = 9.90
    assert amounts([ANNA], policy_of(BASE + DAY), "2026-04-01") == [("2026-04-01", "10.00")]


def test_a_shorter_first_period_is_shared_out_by_the_day() -> None:
    # 20 of April's 30 days: 20 × 0.33; May is whole
    policy = policy_of(BASE + '[period]\nanchor = "calendar"\n' + DAY)
    rows = [person("2026-04-11", "anna")]
    assert amounts(rows, policy, "2026-05-01") == [("2026-04-11", "6.60"), ("2026-05-01", "10.00")]


def test_by_the_day_what_is_left_after_a_fall_is_the_price_less_the_days_given_back() -> None:
    # 10.00 − 20 × 0.33 = 3.40 for the ten days, a tenth more than ten days cost on their own
    rows = [ANNA, person("2026-04-01", "ben"), person("2026-04-11", "ben", "deactivate")]
    assert amounts(rows, policy_of(BASE + DAY), "2026-05-01")[:2] == [("2026-04-01", "20.00"), ("2026-05-01", "-6.60")]


@pytest.mark.parametrize("stage", ["line", "seat", "day"])
def test_a_line_and_its_reversal_over_the_same_days_come_to_nothing(stage: str) -> None:
    # ben and chris were not there after all: told after they were billed
    policy = policy_of(BASE + f'[rise]\nsettle = "now"\n[rounding]\nstage = "{stage}"\n')
    undone = [person("2026-04-19", user, "deactivate", recorded_at="2026-04-25") for user in ("ben", "chris")]
    charged, taken_back = amounts([*JOINERS, *undone], policy, "2026-05-01")[1:3]
    # 12 days of two: 2 × 4.00, and by the day 2 × 12 × 0.33
    assert charged == ("2026-04-19", "7.92" if stage == "day" else "8.00")
    assert taken_back == ("2026-05-01", f"-{charged[1]}")


def test_a_whole_period_is_taken_back_whole_and_its_days_each_as_a_day() -> None:
    whole = person("2026-04-01", "ben", "deactivate", recorded_at="2026-04-10")
    rows = [ANNA, person("2026-04-01", "ben"), whole]
    assert amounts(rows, policy_of(BASE + DAY), "2026-05-01")[:2] == [("2026-04-01", "20.00"), ("2026-05-01", "-10.00")]
    # First the days from the 11th, then the ten before them: 20 × 0.33 and 10 × 0.33, and 0.10 remain
    late = person("2026-04-01", "ben", "deactivate", recorded_at="2026-05-10")
    policy = policy_of(BASE + DAY)
    told = [(record["date"], record["lines"][0]["amount"]) for record in records(
        [ANNA, person("2026-04-01", "ben"), person("2026-04-11", "ben", "deactivate"), late], policy, date(2026, 6, 1)
    )]  # fmt: skip
    assert told == [("2026-04-01", "20.00"), ("2026-05-01", "-6.60"), ("2026-06-01", "-3.30")]


def test_over_calendar_months_each_is_taken_on_its_own_and_a_whole_one_costs_its_part() -> None:
    policy = policy_of(
        'currency = "EUR"\nintervals = ["quarter"]\n[plans.basic]\nprice = "100.00 per year"\n'
        f'[share]\nby = "days_of_month"\n{DAY}'
    )
    # 100.00/360 = 0.277…: 16 × 0.28 = 4.48; May and June 100.00 × 2/12 = 16.666…; 100.00/372 = 0.268…: 14 × 0.27 = 3.78
    rows = [person("2026-04-15", "anna")]
    assert amounts(rows, policy, "2026-04-15") == [("2026-04-15", "24.93")]
    assert arithmetics(rows, policy, "2026-04-15") == [
        "100.00 / 360 = 0.27777…, rounded to 0.28 a day × 16 days of April = 4.48; 100.00 × 2/12 = 16.66666…; "
        "100.00 / 372 = 0.26881…, rounded to 0.27 a day × 14 days of July = 3.78; together 24.92666…, rounded to 24.93"
    ]
    # Three of them: 3 × 24.92666… = 74.78, rounded once
    three = [*rows, person("2026-04-15", "ben"), person("2026-04-15", "chris")]
    assert amounts(three, policy, "2026-04-15") == [("2026-04-15", "74.78")]
    assert arithmetics(three, policy, "2026-04-15")[0].endswith("together 24.92666… × 3 seats = 74.78")


def test_a_calendar_year_of_whole_months_costs_exactly_its_price() -> None:
    # not 12 × 8.33 = 99.96
    policy = policy_of(
        'currency = "EUR"\nintervals = ["year"]\n[plans.basic]\nprice = "100.00 per year"\n'
        f'[share]\nby = "days_of_month"\n{DAY}'
    )
    assert amounts([person("2026-01-01", "anna")], policy, "2026-01-01") == [("2026-01-01", "100.00")]


def test_a_day_of_365_is_a_rounded_part_of_the_yearly_price() -> None:
    policy = policy_of(
        'currency = "EUR"\nintervals = ["half_year"]\n[plans.basic]\nprice = "100.00 per year"\n'
        f'[share]\nby = "days_of_365"\n{DAY}'
    )
    rows = [person("2026-01-01", "anna"), person("2026-06-01", "ben")]
    # The half-year whole: 100.00 × 181/365 = 49.589…; of June 30 × round(100.00/365 = 0.2739…) = 30 × 0.27
    assert amounts(rows, policy, "2026-07-01")[:2] == [("2026-01-01", "49.59"), ("2026-07-01", "8.10")]


def test_the_price_of_a_day_can_have_more_decimals_than_the_currency() -> None:
    # 49.00 / 30 = 1.63333…: with three decimals 1.633 × 20 = 32.66, with four 1.6333 × 20 = 32.666, rounded to 32.67
    rows = [ANNA, person("2026-04-11", "ben")]
    text = BASE.replace("10.00", "49.00") + DAY
    assert amounts(rows, policy_of(text + "digits = 3\n"), "2026-05-01")[1] == ("2026-05-01", "32.66")
    assert amounts(rows, policy_of(text + "digits = 4\n"), "2026-05-01")[1] == ("2026-05-01", "32.67")
    assert arithmetics(rows, policy_of(text + "digits = 4\n"), "2026-05-01")[1] == (
        "49.00 / 30 = 1.6333333…, rounded to 1.6333 a day × 20 days × 1 seat = 32.666, rounded to 32.67"
    )


def test_the_price_of_a_seat_can_have_fewer_decimals_and_a_mode() -> None:
    # 10.00 × 11/30 = 3.666…: to a whole number 4, cut to one 3
    rows = [ANNA, person("2026-04-20", "ben"), person("2026-04-20", "chris")]
    text = BASE + SEAT + "digits = 0\n"
    assert amounts(rows, policy_of(text), "2026-05-01")[1] == ("2026-05-01", "8.00")
    assert amounts(rows, policy_of(text + 'mode = "down"\n'), "2026-05-01")[1] == ("2026-05-01", "6.00")


def test_no_decimals_is_not_the_same_as_none_named() -> None:
    # 10.00 × 10/30 = 3.333…: 3.33, and 3 in whole euros
    rows = [ANNA, person("2026-04-21", "ben")]
    assert amounts(rows, policy_of(BASE), "2026-05-01")[1] == ("2026-05-01", "3.33")
    assert amounts(rows, policy_of(BASE + "[rounding]\ndigits = 0\n"), "2026-05-01")[1] == ("2026-05-01", "3.00")


def test_running_totals_in_whole_kronor_add_up_to_the_exact_amount_in_whole_kronor() -> None:
    # In arrears 10.00 × 10/31 = 3.2258…, then 9.6774… and 20.3225… so far: 3, 10 and 20, so 3, 7 and 10
    policy = policy_of(BASE + '[period]\ncharge = "arrears"\n[rounding]\ndigits = 0\n')
    rows = [person("2026-05-01", "anna"), person("2026-05-11", "ben"), person("2026-05-21", "chris")]
    assert [amount for _, amount in amounts(rows, policy, "2026-06-01")] == ["3.00", "7.00", "10.00"]
    assert arithmetics(rows, policy, "2026-06-01") == [
        "1 × 10.00 × 10/31 = 3.22580…, rounded to 3.00",
        "2 × 10.00 × 10/31 = 6.45161…, with the fractions of what the period was billed before 7.00",
        "3 × 10.00 × 11/31 = 10.64516…, with the fractions of what the period was billed before 10.00",
    ]


def test_a_line_can_be_rounded_to_tenths() -> None:
    # 20.00 × 20/30 = 13.333…
    policy = policy_of(BASE.replace("10.00", "20.00") + '[rounding]\nstage = "line"\ndigits = 1\n')
    assert amounts([ANNA, person("2026-04-11", "ben")], policy, "2026-05-01")[1] == ("2026-05-01", "13.30")


def test_an_add_on_that_is_paid_once_costs_its_price_however_days_are_rounded() -> None:
    sold = BASE + '[add_ons.setup]\nprice = "49.95 once"\ncharge = "once"\n'
    rows = [ANNA, {"at": "2026-04-10", "event": "add_on", "item": "setup", "quantity": 2}]
    by_day = policy_of(sold + DAY + "digits = 0\n")
    assert ("2026-05-01", "99.90") in amounts(rows, by_day, "2026-05-01")
    by_seat = policy_of(sold + SEAT + "digits = 0\n")  # its price is rounded too: 2 × 50
    assert ("2026-05-01", "100.00") in amounts(rows, by_seat, "2026-05-01")
    assert "49.95 = 49.95, rounded to 50 each × 2 = 100.00" in arithmetics(rows, by_seat, "2026-05-01")


def test_an_add_on_can_be_rounded_by_the_day_and_the_seats_not() -> None:
    policy = policy_of(
        BASE + '[add_ons.sms]\nprice = "10.00 per month"\n[[when]]\nitem = "sms"\nrounding.stage = "day"\n'
    )
    rows = [ANNA, person("2026-04-11", "ben"), {"at": "2026-04-11", "event": "add_on", "item": "sms", "quantity": 2}]
    # 10.00 × 20/30 = 6.67 of the seat; of the add-on 2 × 20 × 0.33
    assert [one for one in amounts(rows, policy, "2026-05-01") if one[1] in ("6.67", "13.20")] == [
        ("2026-05-01", "6.67"),
        ("2026-05-01", "13.20"),
    ]
    assert "10.00 / 30 = 0.33333…, rounded to 0.33 a day × 20 days × 2 = 13.20" in arithmetics(
        rows, policy, "2026-05-01"
    )


def test_the_price_of_a_seat_is_told_before_the_seats() -> None:
    rows = [ANNA, person("2026-04-11", "ben"), person("2026-04-11", "chris")]
    policy = policy_of(BASE + SEAT)
    history = read_history(rows, policy=policy)
    document = bill(history, through=date(2026, 5, 1)).documents[1]
    told = explain(document.lines[0], document, history)
    assert told.arithmetic == "10.00 × 20/30 = 6.66666…, rounded to 6.67 a seat × 2 seats = 13.34"
    assert told.rules[-1] == "the price of one is rounded before it is multiplied (rounding.stage)"


@pytest.mark.parametrize(
    ("tables", "said", "example"),
    [
        (
            SEAT,
            "The price of one seat for the days billed is rounded, and then multiplied by the seats.",
            "3 seats for a third of 10.00: 3 × 3.33 = 9.99",
        ),
        (
            DAY + "digits = 3\n",
            "The price of one seat for a day is rounded to 3 decimals, and then multiplied by days and seats; a whole "
            "month is not cut into days.",
            "One user more: 10.00 / 30 = 0.333333…, rounded to 0.333 a day × 21 days × 1 seat = 6.993, rounded to "
            "6.99, on 1 May 2026",
        ),
        (
            "[rounding]\ndigits = 0\n",
            "What is billed for a period adds up to its exact amount, rounded once to a whole number.",
            "A third of 10.00 billed first, the rest later: 3.00 + 7.00 = 10.00",
        ),
        (
            '[rounding]\nstage = "line"\ndigits = 1\n',
            "Each line is rounded on its own to 1 decimal.",
            "A third of 10.00 is 3.30",
        ),
    ],
)
def test_a_policy_tells_what_it_rounds(tables: str, said: str, example: str) -> None:
    sentences = [sentence for part in tell(policy_of(BASE + tables), "month") for sentence in part.sentences]
    assert Sentence(said, example) in sentences, sentences[-1]


def test_what_was_billed_by_the_day_is_remembered_as_it_was() -> None:
    policy = policy_of(BASE + DAY)
    rows = [*JOINERS, person("2026-04-25", "ben", "deactivate")]
    history = read_history(rows, policy=policy)
    first = bill(history, through=date(2026, 4, 20))
    again = bill(history, through=date(2026, 6, 1), issued=first)
    assert first.documents + again.documents == documents(rows, policy, date(2026, 6, 1))


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        (
            '[share]\nby = "months"\n' + DAY,
            'test.toml, line 8: rounding.stage = "day" needs a share of days: share.by = days_of_period, days_of_month '
            'or days_of_365, not "months"; or write "seat"',
        ),
        (
            '[rounding]\ndigits = 2\n',
            "test.toml, line 6: rounding.digits would have no effect; EUR has 2 decimals anyway; leave it out",
        ),
        (
            '[rounding]\ndigits = 3\n',
            "test.toml, line 6: rounding.digits = 3 is too many: amounts are what is rounded, and EUR has 2 decimals; "
            'leave it out, or round prices with stage = "seat" or "day"',
        ),
        (SEAT + "digits = 7\n", "test.toml, line 7: rounding.digits is at most 6, not 7"),
        (
            '[add_ons.setup]\nprice = "49.00 once"\ncharge = "once"\n'
            '[[when]]\nitem = "setup"\nrounding.stage = "day"\n',
            'test.toml, line 10: rounding.stage = "day" would have no effect on setup, which is charged once '
            '(charge = "once")',
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_rounded_so_is_refused_in_a_sentence(tables: str, sentence: str) -> None:
    assert refusals(BASE + tables) == (sentence,)


def test_a_day_is_not_cut_up_where_time_is_counted_in_hours() -> None:
    assert refusals('precision = "hour"\n' + BASE + DAY) == (
        'test.toml, line 7: rounding.stage = "day" needs whole days; with precision = "hour" write "seat"',
    )
    policy = policy_of('precision = "hour"\n' + BASE + SEAT)
    assert policy.rules("month", date(2026, 4, 1).toordinal()).rounding.stage == "seat"


def test_a_difference_can_take_the_decimals_of_the_currency_back() -> None:
    text = BASE + '[rounding]\ndigits = 0\n[[when]]\ninterval = "year"\nrounding.digits = 2\n'
    # A month in whole euros; of a year 10.00 × 12 × 200/365 = 65.753…
    rows = [person("2026-01-01", "anna"), person("2026-06-15", "ben")]
    found = records(rows, policy_of(text), date(2027, 1, 1), interval="year")
    assert found[1]["lines"][0]["amount"] == "65.75"
