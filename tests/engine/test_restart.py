"""Changes that begin a new period, and plans that wait for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.calendar import midnight
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from tests.engine.stories import BASE, documents, policy_of, records, refusals, remembered

Row = Mapping[str, object]
PRO = BASE + '[plans.pro]\nprice = "20.00 per month"\n'
ANNA: Row = {"at": "2026-04-01", "event": "activate", "user": "anna"}
BEN: Row = {"at": "2026-04-11", "event": "activate", "user": "ben"}
TO_PRO: Row = {"at": "2026-04-11", "event": "plan", "plan": "pro"}
TO_BASIC: Row = {"at": "2026-04-11", "event": "plan", "plan": "basic"}
YEARLY: Row = {"at": "2026-04-11", "event": "interval", "interval": "year"}


def lines(text: str, *rows: Row, through: date = date(2026, 5, 15), **settings: str) -> list[tuple[str, str, int]]:
    """The day, the first day billed and the amount of each line after those of 1 April."""
    found = documents([ANNA, *rows], policy_of(text), through, **settings)
    return [
        (f"{one.date:%d %b}", f"{line.start:%d %b}", line.amount_minor)
        for one in found
        if one.date > date(2026, 4, 1)
        for line in one.lines
    ]


def test_a_dearer_plan_begins_a_new_period_less_the_unused_rest_of_the_old_one() -> None:
    # 20 of 30 days of 10.00 are unused; 20.00 buys a month from 11 April on, and the next one begins on 11 May
    assert lines(PRO + '[change]\ndearer_plan = "restart"\n', TO_PRO) == [
        ("11 Apr", "11 Apr", -667), ("11 Apr", "11 Apr", 2000), ("11 May", "11 May", 2000),
    ]  # fmt: skip


def test_a_cheaper_plan_is_a_difference_still_where_only_a_dearer_one_begins_a_new_period() -> None:
    # 20 of 30 days of 20.00 − 10.00
    found = lines(PRO + '[change]\ndearer_plan = "restart"\n', TO_BASIC, plan="pro")
    assert found == [("01 May", "11 Apr", -667), ("01 May", "01 May", 1000)]


def test_a_cheaper_plan_that_begins_a_new_period_can_come_to_a_credit_note() -> None:
    # 20 of 30 days of 20.00 back, 10.00 for a month
    found = lines(PRO + '[change]\ncheaper_plan = "restart"\n', TO_BASIC, plan="pro")
    assert found == [("11 Apr", "11 Apr", -1333), ("11 Apr", "11 Apr", 1000), ("11 May", "11 May", 1000)]


def test_a_plan_can_wait_for_the_next_period_while_seats_count_by_the_day() -> None:
    text = PRO + '[change]\ndearer_plan = "next_period"\n'
    # ben by 20 of 30 days at the old price, both at the new one from May on
    assert lines(text, BEN, TO_PRO) == [("01 May", "11 Apr", 667), ("01 May", "01 May", 4000)]
    text = PRO + '[change]\ncheaper_plan = "next_period"\n'
    assert lines(text, BEN, TO_BASIC, plan="pro") == [("01 May", "11 Apr", 1333), ("01 May", "01 May", 2000)]


def test_another_interval_begins_on_the_day_it_is_chosen() -> None:
    # 20 of 30 days of 10.00 back, and twelve months from 11 April on
    assert lines(BASE + '[change]\ninterval = "restart"\n', YEARLY) == [
        ("11 Apr", "11 Apr", -667), ("11 Apr", "11 Apr", 12000),
    ]  # fmt: skip


def test_another_interval_chosen_on_a_periods_first_day_is_of_that_day() -> None:
    on_may_day = {**YEARLY, "at": "2026-05-01"}
    assert lines(BASE + '[change]\ninterval = "restart"\n', on_may_day) == [("01 May", "01 May", 12000)]


def test_a_larger_package_begins_a_new_period_and_a_seat_within_the_package_does_not() -> None:
    text = BASE + '[seats]\ncount = "bought"\npackages = [5]\n[change]\nmore_seats = "restart"\n'
    rows: list[Row] = [{"at": "2026-04-01", "event": "start", "quantity": 3}]
    rows += [{"at": at, "event": "seats", "quantity": count} for at, count in (("2026-04-05", 5), ("2026-04-11", 6))]
    found = documents(rows, policy_of(text), date(2026, 4, 30))
    # 5 seats by 20 of 30 days back, 10 seats for a month
    assert [(one.date.day, [line.amount_minor for line in one.lines]) for one in found] == [
        (1, [5000]), (11, [-3333, 10000]),
    ]  # fmt: skip


def test_seats_that_stay_paid_can_be_taken_again_without_a_new_period() -> None:
    text = BASE + '[fall]\ntakes_effect = "next_period"\n[change]\nmore_seats = "restart"\n'
    gone, back = {**BEN, "at": "2026-04-20", "event": "deactivate"}, {**BEN, "at": "2026-04-25"}
    days = [day for day, _, _ in lines(text, BEN, gone, back, through=date(2026, 5, 1))]
    assert days == ["11 Apr", "11 Apr"]  # that ben came, and no more


def test_a_change_told_late_is_a_difference_until_it_is_told_and_begins_a_period_then() -> None:
    told = {**TO_PRO, "recorded_at": "2026-04-21"}
    # 10 of 30 days of the difference, then 10 of 30 days of 10.00 back, and a month from 21 April on
    assert lines(PRO + '[change]\ndearer_plan = "restart"\n', told) == [
        ("21 Apr", "11 Apr", 333), ("21 Apr", "21 Apr", -333), ("21 Apr", "21 Apr", 2000),
    ]  # fmt: skip


def test_a_change_told_ahead_ends_the_period_that_is_billed_before_it() -> None:
    told = {**TO_PRO, "recorded_at": "2026-03-20"}
    found = documents([ANNA, told], policy_of(PRO + '[change]\ndearer_plan = "restart"\n'), date(2026, 4, 30))
    # 10 of 30 days of 10.00, and then a month at 20.00
    assert [(one.date.day, one.total_minor) for one in found] == [(1, 333), (11, 2000)]


def test_a_change_taken_back_before_its_day_begins_nothing() -> None:
    told = {**TO_PRO, "recorded_at": "2026-03-20"}
    back = {"at": "2026-04-11", "event": "plan", "plan": "basic", "recorded_at": "2026-04-05"}
    # the days from 11 April on, which the first bill left out
    found = lines(PRO + '[change]\ndearer_plan = "restart"\n', told, back, through=date(2026, 5, 1))
    assert found == [("01 May", "11 Apr", 667), ("01 May", "01 May", 1000)]


def test_billed_in_arrears_the_period_is_billed_to_the_day_before_the_change() -> None:
    text = PRO + '[period]\ncharge = "arrears"\n[change]\ndearer_plan = "restart"\n'
    # 10 of 30 days at 10.00; a month at 20.00 from 11 April on
    assert lines(text, TO_PRO) == [("11 Apr", "01 Apr", 333), ("11 May", "11 Apr", 2000)]


def test_once_an_agreement_is_cancelled_a_change_begins_no_new_period() -> None:
    cancel: Row = {"at": "2026-04-05", "event": "cancel"}
    # the rest of April at the dearer plan: 20 of 30 days of 10.00
    assert lines(PRO + '[change]\ndearer_plan = "restart"\n', cancel, TO_PRO) == [("01 May", "11 Apr", 667)]


def test_what_a_morning_billed_stands_when_the_change_is_taken_back_in_the_afternoon() -> None:
    rows: Sequence[Row] = [
        ANNA,
        {**TO_PRO, "recorded_at": "2026-04-11T09:00:00Z"},
        {**TO_BASIC, "recorded_at": "2026-04-11T15:00:00Z"},
    ]
    history = read_history(rows, policy=policy_of(PRO + '[change]\ndearer_plan = "restart"\n'))
    noon = midnight(date(2026, 4, 11).toordinal()) + 12 * 3_600_000_000
    first = bill(history, through=date(2026, 4, 11), known_until=noon)
    whole = bill(history, through=date(2026, 5, 11), issued=remembered(first)).documents
    # 13.33 in the morning; on 11 May the difference of that month is credited, and the next one costs 10.00
    assert [document.total_minor for document in first.documents] == [1000, 1333]
    assert [document.total_minor for document in whole] == [0]
    at_once = bill(history, through=date(2026, 5, 11)).documents
    assert sum(one.total_minor for one in at_once) == 1000 + 1333 + 0


def test_the_rest_of_the_old_period_says_what_began_the_new_one() -> None:
    history = read_history([ANNA, TO_PRO, YEARLY], policy=policy_of(PRO + '[change]\ndearer_plan = "restart"\n'))
    document = bill(history, through=date(2026, 4, 11)).documents[-1]
    assert str(explain(document.lines[0], document, history)).splitlines() == [
        "1 seat basic, rest of the period that ended early, 11–30 April 2026: plan changed to pro on 11 April 2026",
        "−1 × 10.00 × 20/30 = −6.66666…, rounded to −6.67",
        "a new period begins on that day, and the rest of this one is credited (change.dearer_plan)",
        "a day is worth one part of the billing period's days (share.by)",
    ]


def rests(text: str, *rows: Row, on: str = "2026-04-11") -> list[str]:
    """Of each rest that a day's document gives back: what it is, and why."""
    day = date.fromisoformat(on)
    history = read_history([ANNA, *rows], policy=policy_of(text))
    document = bill(history, through=day).documents[-1]
    assert document.date == day
    return [str(explain(line, document, history)).splitlines()[0] for line in document.lines if line.after is None]


REST = "1 seat basic, rest of the period that ended early,"
MORE = BASE + '[change]\nmore_seats = "restart"\n'


def test_who_joined_is_named_where_more_seats_begin_a_new_period() -> None:
    chris, dora = ({**BEN, "user": user} for user in ("chris", "dora"))
    gone: Row = {**BEN, "event": "deactivate", "user": "anna"}
    assert rests(MORE, BEN, chris, dora, gone) == [
        f"{REST} 11–30 April 2026: ben joined on 11 April 2026, chris joined on 11 April 2026, "
        "dora joined on 11 April 2026"
    ]
    assert rests(MORE + '[seats]\nchange_day = "not_billed"\n', BEN, on="2026-04-12") == [
        f"{REST} 12–30 April 2026: ben joined on 11 April 2026"
    ]


def test_who_was_there_within_a_package_did_not_begin_the_new_period() -> None:
    early, last = {**BEN, "at": "2026-04-05"}, {**BEN, "user": "chris"}
    assert rests(MORE + "[seats]\npackages = [2]\n", early, last) == [
        f"{REST.replace('1 seat', '2 seats')} 11–30 April 2026: chris joined on 11 April 2026"
    ]


def test_who_was_told_late_begins_the_new_period_on_that_day() -> None:
    assert rests(MORE, {**BEN, "recorded_at": "2026-04-20"}, on="2026-04-20") == [
        f"{REST} 20–30 April 2026: ben joined on 11 April 2026 (recorded on 20 April 2026)"
    ]


def test_the_rest_of_an_add_on_ends_with_the_plan_that_begins_a_new_period() -> None:
    text = PRO + '[add_ons.sms]\nprice = "5.00 per month"\n[change]\ndearer_plan = "restart"\n'
    sms: Row = {"at": "2026-04-01", "event": "add_on", "item": "sms"}
    assert rests(text, sms, BEN, TO_PRO) == [
        f"{REST} 11–30 April 2026: plan changed to pro on 11 April 2026",
        "1 × sms, rest of the period that ended early, 11–30 April 2026: plan changed to pro on 11 April 2026",
    ]


def test_a_document_s_text_says_that_the_period_ended_early() -> None:
    policy = policy_of(PRO + '[change]\ndearer_plan = "restart"\n')
    *_, document = records([ANNA, TO_PRO], policy, date(2026, 4, 11))
    assert [line["text"] for line in document["lines"]] == [
        f"{REST} 11–30 April 2026",
        "1 seat pro, 11 April – 10 May 2026",
    ]


BROKEN = {
    'change.interval = "restart" begins a period on any day; it needs period.anchor = "start", not "calendar"':
        BASE + '[period]\nanchor = "calendar"\n[change]\ninterval = "restart"\n',
    'change.dearer_plan = "restart" ends an invoice on any day, and period.measured divides it up; leave one out':
        PRO + '[period]\nmeasured = "month"\n[change]\ndearer_plan = "restart"\n',
    'change.cheaper_plan = "restart" credits the unused rest; it needs fall.give = "credit" or '
    '"refund", not "nothing" (fall.takes_effect = "next_period" keeps seats paid, too)':
        PRO + '[fall]\ngive = "nothing"\n[change]\ncheaper_plan = "restart"\n',
    'change.more_seats = "restart" begins a period on the day of the rise; it needs seats.measure = "level" and '
    'rise.takes_effect = "day"': BASE + '[seats]\nmeasure = "peak"\n[change]\nmore_seats = "restart"\n',
    'change.interval = "restart" begins a period with a day; it needs precision = "day"':
        'precision = "second"\n' + BASE + '[change]\ninterval = "restart"\n',
    "change.dearer_plan would have no effect; there is but one plan": BASE + '[change]\ndearer_plan = "restart"\n',
    "change.interval would have no effect; there is but one interval":
        BASE.replace(', "year"', "") + '[change]\ninterval = "restart"\n',
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_changes_that_cannot_be_meant_are_refused(sentence: str) -> None:
    assert [each.partition(": ")[2] for each in refusals(BROKEN[sentence])] == [sentence]
