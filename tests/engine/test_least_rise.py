"""What has risen is settled before the next period's bill only where it is enough: seats, or money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.document import Document
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import documents, policy_of, refusals, remembered

YEAR = 'currency = "EUR"\nintervals = ["year"]\n[plans.basic]\nprice = "365.00 per year"\n[seats]\ncount = "bought"\n'
NOW = YEAR + '[rise]\nsettle = "now"\n'
START: Mapping[str, object] = {"at": "2026-01-01", "event": "start", "quantity": 10}


def seats(at: str, quantity: int, **more: object) -> Mapping[str, object]:
    return {"at": at, "event": "seats", "quantity": quantity, **more}


def billed(text: str, *rows: Mapping[str, object], through: date = date(2026, 12, 31)) -> list[tuple[str, int]]:
    """The day and the amount of every document after the first."""
    _, *later = documents([START, *rows], policy_of(text), through)
    return [(f"{one.date:%d %b}", one.total_minor) for one in later]


def test_fewer_seats_than_enough_wait_until_there_are_enough() -> None:
    rows = seats("2026-03-01", 12), seats("2026-05-01", 14), seats("2026-07-01", 15)
    # 2 seats from 1 March (306 days at 1.00), 2 from 1 May (245 days), 1 from 1 July (184 days)
    assert billed(NOW + "least_seats = 5\n", *rows) == [("01 Jul", 2 * 30600 + 2 * 24500 + 18400)]
    assert [day for day, _ in billed(NOW, *rows)] == ["01 Mar", "01 May", "01 Jul"]


def test_less_money_than_enough_waits_until_there_is_enough() -> None:
    rows = seats("2026-03-01", 11), seats("2026-05-01", 12)
    # 306.00 on 1 March is too little; with 245.00 it is 551.00
    assert billed(NOW + 'least_amount = "551.00"\n', *rows) == [("01 May", 55100)]
    assert billed(NOW + 'least_amount = "551.01"\n', *rows) == []


def test_where_both_are_set_either_is_enough() -> None:
    text = NOW + 'least_seats = 3\nleast_amount = "600.00"\n'
    assert billed(text, seats("2026-12-29", 13)) == [("29 Dec", 900)]  # 3 seats, 3 days at 1.00
    assert billed(text, seats("2026-01-11", 12)) == [("11 Jan", 71000)]  # 2 seats, 355 days


def test_what_was_not_enough_is_on_the_next_period_s_bill() -> None:
    text = NOW + "least_seats = 5\n"
    # 306.00 for 2026, and 11 seats for 2027
    assert billed(text, seats("2026-03-01", 11), through=date(2027, 1, 1)) == [("01 Jan", 30600 + 11 * 36500)]


def test_seats_are_counted_on_the_day_with_the_most_of_them() -> None:
    text = NOW + "least_seats = 5\n"
    # +3 from March and 3 fewer again from May: never 5 at once, however many lines there are
    rows = seats("2026-03-01", 13), seats("2026-05-01", 10), seats("2026-07-01", 13)
    assert billed(text, *rows) == []


def test_on_the_first_of_a_month_only_what_is_enough_is_settled() -> None:
    text = YEAR + '[rise]\nsettle = "month"\nleast_seats = 2\n'
    # 275 days from 1 April; the second seat comes on 1 May (245 days), and with it a bill
    assert billed(text, seats("2026-04-01", 11), seats("2026-05-01", 12)) == [("01 May", 27500 + 24500)]


def test_the_amount_is_the_one_before_tax() -> None:
    text = NOW + 'least_amount = "300.00"\n[tax]\nrate = "25"\n'
    # 260.00 and 65.00 of tax are not 300.00
    assert billed(text, seats("2026-04-16", 11)) == []


def test_a_run_taken_up_again_still_knows_what_waits() -> None:
    rows = [START, seats("2026-03-01", 12), seats("2026-05-01", 15)]
    history = read_history(rows, policy=policy_of(NOW + "least_seats = 5\n"))
    first = bill(history, through=date(2026, 4, 1))
    assert len(first.documents) == 1
    again = bill(history, through=date(2026, 6, 1), issued=remembered(first))
    assert again.documents == bill(history, through=date(2026, 6, 1)).documents[1:]


def test_a_line_says_that_it_was_enough() -> None:
    history = read_history([START, seats("2026-03-01", 15)], policy=policy_of(NOW + "least_seats = 5\n"))
    document: Document = bill(history, through=date(2026, 3, 1)).documents[-1]
    assert explain(document.lines[0], document, history).rules[-1] == (
        "what is added is charged at once where 5 seats more are open by then, and else with the next invoice "
        "(rise.settle)"
    )


def test_what_is_enough_is_told() -> None:
    text = NOW + 'least_seats = 5\nleast_amount = "100.00"\n'
    assert (
        "A seat added in between is charged for the days left of the year, at once where 5 seats more or 100.00 are "
        "open by then, and else with the next invoice."
    ) in [one.text for one in tell(policy_of(text))[1].sentences]


BROKEN = {
    'rise.least_amount is an amount in quotes like "100.00", not 100': NOW + "least_amount = 100\n",
    "rise.least_amount: '1.234' has 3 decimals; EUR has 2": NOW + 'least_amount = "1.234"\n',
    'rise.least_seats would have no effect; it needs rise.settle = "month", "quarter" or "now": at the next invoice '
    "all is settled": YEAR + "[rise]\nleast_seats = 5\n",
    'rise.least_amount would have no effect; it needs rise.settle = "month", "quarter" or "now": at the next invoice '
    "all is settled": YEAR + '[rise]\nleast_amount = "5.00"\n',
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_a_least_rise_that_cannot_be_meant_is_refused(sentence: str) -> None:
    assert [each.partition(": ")[2] for each in refusals(BROKEN[sentence])] == [sentence]
