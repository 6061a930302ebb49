"""A term longer than the invoice: what falls waits for it, and for some days it can be given back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from tests.engine.stories import BASE, documents, policy_of, refusals

TERM = '[period]\nterm_months = 12\n[seats]\ncount = "bought"\n[fall]\ntakes_effect = "next_term"\n'


def seats_by_month(text: str, *orders: tuple[str, int], through: date = date(2027, 3, 1)) -> dict[str, int]:
    """How many seats the bill of each month has for it, by what is on the bills up to then."""
    (start, first), *later = orders
    rows: list[Mapping[str, object]] = [{"at": start, "event": "start", "quantity": first}]
    rows += [{"at": at, "event": "seats", "quantity": count} for at, count in later]
    found: dict[str, int] = {}
    for document in documents(rows, policy_of(text), through):
        for line in document.lines:
            if line.kind == "period":
                found[f"{line.start:%b %y}"] = line.quantity
    return found


ENDS = '[cancel]\nends = "term"\n'


def test_a_term_is_a_number_of_the_intervals_its_rules_are_for() -> None:
    months = '[period]\nterm_months = 12\n[[when]]\ninterval = "month"\nperiod.term_months = 1\n'
    assert policy_of(BASE + ENDS + months).rules("month", 739_000).period.term_months == 1
    years = '[period]\nterm_months = 1\n[[when]]\ninterval = "year"\nperiod.term_months = 24\n'
    assert policy_of(BASE + ENDS + years).rules("year", 739_000).period.term_months == 24
    sentences = refusals(BASE + ENDS + '[period]\nterm_months = 1\n[[when]]\nplan = "basic"\nperiod.term_months = 2\n')
    assert "period.term_months = 2 is not a number of whole intervals; one is a year" in sentences[0]


def test_seats_given_back_within_a_term_are_billed_to_its_end() -> None:
    billed = seats_by_month(BASE + TERM, ("2026-01-15", 5), ("2026-04-20", 3), ("2026-07-20", 4))
    assert [billed[f"{month} 26"] for month in ("Apr", "May", "Jul", "Aug", "Dec")] == [5, 5, 5, 5, 5]
    assert (billed["Jan 27"], billed["Feb 27"]) == (4, 4)  # what was last asked for, from the second term on


def test_seats_added_within_a_term_are_bound_to_its_end_too() -> None:
    billed = seats_by_month(BASE + TERM, ("2026-01-15", 5), ("2026-04-20", 8), ("2026-05-20", 5))
    assert (billed["May 26"], billed["Dec 26"], billed["Jan 27"]) == (8, 8, 5)


def test_what_was_bought_can_be_given_back_for_some_days() -> None:
    window = BASE + TERM + "window_days = 7\n"
    # bought on 20 April, so until 27 April
    billed = seats_by_month(window, ("2026-01-15", 5), ("2026-04-20", 8), ("2026-04-27", 6))
    assert (billed["May 26"], billed["Dec 26"]) == (6, 6)
    billed = seats_by_month(window, ("2026-01-15", 5), ("2026-04-20", 8), ("2026-04-28", 6))
    assert (billed["May 26"], billed["Jan 27"]) == (8, 6)
    # no more than was bought in these days
    billed = seats_by_month(window, ("2026-01-15", 5), ("2026-04-20", 8), ("2026-04-25", 2))
    assert (billed["May 26"], billed["Jan 27"]) == (5, 2)


def given_back(count: int, settle: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """What May's document says of April's lines: ten seats, twelve on 10 April, and so many on the 12th."""
    text = BASE + '[seats]\ncount = "bought"\n[fall]\ntakes_effect = "next_period"\nwindow_days = 7\n' + settle
    rows: list[Mapping[str, object]] = [{"at": "2026-04-01", "event": "start", "quantity": 10}]
    rows += [{"at": f"2026-04-{at}", "event": "seats", "quantity": seats} for at, seats in ((10, 12), (12, count))]
    history = read_history(rows, policy=policy_of(text))
    document = bill(history, through=date(2026, 5, 1)).documents[-1]
    told = [explain(line, document, history) for line in document.lines]
    return {one.text: (one.causes, one.rules) for one in told}


TWELVE, EIGHT = "seats set to 12 on 10 April 2026", "seats set to 8 on 12 April 2026"
IN_TIME = "within 7 days after it was bought it can be given back (fall.window_days)"


def test_what_was_bought_and_given_back_in_time_names_both_orders() -> None:
    causes, rules = given_back(8, "")["2 seats basic added, 10–11 April 2026"]
    assert (causes, IN_TIME in rules) == ((TWELVE, EIGHT), True)


def test_a_seat_that_was_charged_and_is_given_back_says_by_when_it_could_be() -> None:
    causes, rules = given_back(8, '[rise]\nsettle = "now"\n')["2 seats basic removed, 12–30 April 2026"]
    assert (causes, IN_TIME in rules) == ((EIGHT,), True)
    assert not any("takes_effect" in rule for rule in rules)


def test_in_arrears_what_was_given_back_is_why_the_line_after_it_is_smaller() -> None:
    found = given_back(8, '[period]\ncharge = "arrears"\n')
    assert found["12 seats basic, 10–11 April 2026"][0] == (TWELVE, EIGHT)
    # no more than was bought in these days: ten stay until May
    assert found["10 seats basic, 12–30 April 2026"][0] == (EIGHT,)


def test_who_leaves_in_time_and_others_with_them_are_why_no_more_than_was_bought_falls() -> None:
    text = BASE + '[period]\ncharge = "arrears"\n[fall]\ntakes_effect = "next_period"\nwindow_days = 7\n'
    came, left = [("2026-04-01", "anna"), ("2026-04-10", "ben")], [("2026-04-12", "anna"), ("2026-04-12", "ben")]
    rows: list[Mapping[str, object]] = [{"at": at, "event": "activate", "user": user} for at, user in came]
    rows += [{"at": at, "event": "deactivate", "user": user} for at, user in left]
    history = read_history(rows, policy=policy_of(text))
    [document] = bill(history, through=date(2026, 5, 1)).documents
    *_, last = (explain(line, document, history) for line in document.lines)
    assert last.text == "1 seat basic, 12–30 April 2026"
    assert last.causes == ("anna was deactivated on 12 April 2026", "ben was deactivated on 12 April 2026")


def test_in_the_first_days_of_a_term_everything_can_be_given_back() -> None:
    billed = seats_by_month(BASE + TERM + "window_days = 7\n", ("2026-01-15", 5), ("2027-01-20", 1))
    assert (billed["Dec 26"], billed["Jan 27"], billed["Feb 27"]) == (5, 5, 1)


def test_seats_that_never_fall_are_billed_as_long_as_the_agreement_runs() -> None:
    text = BASE + '[seats]\ncount = "bought"\n[fall]\ntakes_effect = "never"\n'
    billed = seats_by_month(text, ("2026-01-15", 5), ("2026-04-20", 8), ("2026-05-20", 2), through=date(2028, 2, 20))
    assert set(list(billed.values())[4:]) == {8}


def test_a_cancelled_agreement_ends_with_its_term() -> None:
    policy = policy_of(BASE + TERM + '[cancel]\nends = "term"\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-01-15", "event": "start", "quantity": 5}, {"at": "2026-04-20", "event": "cancel"},
    ]  # fmt: skip
    dates = [document.date for document in documents(rows, policy, date(2027, 6, 1))]
    assert (len(dates), dates[-1]) == (12, date(2026, 12, 15))


@pytest.mark.parametrize(("in_force", "prices"), [
    ("period", [1000, 1200, 1200]), ("term", [1000, 1000, 1200]), ("agreement", [1000, 1000, 1000]),
])  # fmt: skip
def test_the_price_of_a_period_is_that_of_its_term_or_of_the_agreement(in_force: str, prices: list[int]) -> None:
    rows = '[[plans.basic.prices]]\nprice = "10.00 per month"\n[[plans.basic.prices]]\nprice = "12.00 per month"\n'
    text = BASE.replace('[plans.basic]\nprice = "10.00 per month"\n', "") + rows + "from = 2026-03-01\n" + TERM
    policy = policy_of(f'{text}[prices]\nin_force = "{in_force}"\n')
    told: list[Mapping[str, object]] = [{"at": "2026-01-15", "event": "start", "quantity": 1}]
    billed = {line.start: line.price.minor for one in documents(told, policy, date(2027, 3, 1)) for line in one.lines}
    assert [billed[day] for day in (date(2026, 2, 15), date(2026, 3, 15), date(2027, 1, 15))] == prices


BROKEN = {
    'fall.takes_effect = "next_term" needs period.term_months, such as 12': '[fall]\ntakes_effect = "next_term"\n',
    'cancel.ends = "term" needs period.term_months, such as 12': '[cancel]\nends = "term"\n',
    "period.term_months = 6 is not a number of whole intervals; one is a year": TERM.replace("12", "6"),
    'fall.takes_effect = "next_term" keeps what was counted day by day; it needs seats.measure = "level"':
        TERM.replace('"bought"', '"active"\nmeasure = "high_water"'),
    "period.term_months is 1, 2, 3, 4, 6 or 12 with calendar periods, not 36":
        TERM.replace("12", '36\nanchor = "calendar"'),
    "fall.window_days would have no effect; it needs a fall.takes_effect that lets falls wait, such as "
    '"next_period" or "next_term", and fall.give = "credit" or "refund"': "[fall]\nwindow_days = 3\n",
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_a_term_that_cannot_be_meant_is_refused(sentence: str) -> None:
    assert [each.partition(": ")[2] for each in refusals(BASE + BROKEN[sentence])] == [sentence]
