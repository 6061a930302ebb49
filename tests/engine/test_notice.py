"""What waits for some days: a fall or a cancellation for the notice it needs, a rise until it has lasted."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from tests.engine.stories import BASE, documents, policy_of, refusals, remembered

BOUGHT = BASE + '[seats]\ncount = "bought"\n'
START = {"at": "2026-01-01", "event": "start", "quantity": 5}


def seats(at: str, count: int) -> dict[str, object]:
    return {"at": at, "event": "seats", "quantity": count}


def totals(text: str, *rows: dict[str, object], through: date = date(2026, 4, 1)) -> dict[str, int]:
    """The total of each document, by its day."""
    return {f"{one.date}": one.total_minor for one in documents([START, *rows], policy_of(text), through)}


def test_a_fall_counts_so_many_days_after_it_was_told() -> None:
    found = totals(BOUGHT + "[fall]\nnotice_days = 30\n", seats("2026-02-10", 3))
    # 10 February and 30 days are 12 March: 5 seats for 11 of 31 days and 3 for 20
    assert found["2026-03-01"] == 1774 + 1936
    assert found["2026-04-01"] == 3000


def test_a_fall_waits_a_period_longer_where_its_notice_is_too_short() -> None:
    rules = BOUGHT + '[fall]\ntakes_effect = "next_period"\nnotice_days = 10\n'
    assert totals(rules, seats("2026-01-22", 3))["2026-02-01"] == 3000  # 22 January and 10 days: 1 February
    late = totals(rules, seats("2026-01-23", 3))
    assert (late["2026-02-01"], late["2026-03-01"]) == (5000, 3000)


def test_notice_for_the_end_of_a_term_reaches_back_into_the_term_before() -> None:
    rules = '[period]\nterm_months = 12\n[fall]\ntakes_effect = "next_term"\nnotice_days = 60\n'
    policy = policy_of(BOUGHT + rules)

    def january(at: str) -> int:
        rows = [START, seats(at, 3)]
        return documents(rows, policy, date(2027, 1, 1))[-1].total_minor

    assert january("2026-11-02") == 3000  # 60 days before 1 January 2027
    assert january("2026-11-03") == 5000
    after = documents([START, seats("2026-11-03", 3)], policy, date(2028, 1, 1))
    assert [one.total_minor for one in after[-2:]] == [5000, 3000]


def test_what_rises_again_within_the_notice_never_fell() -> None:
    found = totals(BOUGHT + "[fall]\nnotice_days = 30\n", seats("2026-02-10", 3), seats("2026-02-20", 5))
    assert set(found.values()) == {5000}


def test_a_cancellation_told_too_late_ends_with_the_period_after() -> None:
    rules = BOUGHT + "[cancel]\nnotice_days = 30\n"
    in_time = totals(rules, {"at": "2026-01-02", "event": "cancel"})  # 2 January and 30 days: 1 February
    assert list(in_time) == ["2026-01-01"]
    assert list(totals(rules, {"at": "2026-01-03", "event": "cancel"})) == ["2026-01-01", "2026-02-01"]


def test_a_cancellation_of_a_day_ends_the_agreement_with_the_day_its_notice_is_over() -> None:
    rules = BOUGHT + '[cancel]\nends = "day"\nnotice_days = 30\n'
    found = totals(rules, {"at": "2026-01-15", "event": "cancel"})
    # 15 January and 30 days: 14 February is the last day
    assert found == {"2026-01-01": 5000, "2026-02-01": 2500}
    ended = bill(
        read_history([START, {"at": "2026-01-15", "event": "cancel"}], policy=policy_of(rules)),
        through=date(2026, 4, 1),
    )
    assert ended.ended == date(2026, 2, 15)


@pytest.mark.parametrize("ends", ["day", "period"])
def test_what_was_cancelled_is_not_cancelled_again(ends: str) -> None:
    rows: list[dict[str, object]] = [START]
    rows += [{"at": at, "event": "cancel"} for at in ("2026-01-13", "2026-03-05")]
    history = read_history(rows, policy=policy_of(BOUGHT + f'[cancel]\nends = "{ends}"\n'))
    whole = bill(history, through=date(2026, 5, 1))
    so_far = bill(history, through=date(2026, 2, 15))
    for day in (date(2026, 3, 31), date(2026, 5, 1)):
        so_far = so_far.followed_by(bill(history, through=day, issued=remembered(so_far)))
    assert so_far == whole
    assert whole.ended == (date(2026, 1, 14) if ends == "day" else date(2026, 2, 1))


def test_a_cancellation_may_name_another_day_and_one_without_a_day_ends_sooner() -> None:
    def ended(*told: tuple[str, str]) -> date | None:
        rows: list[dict[str, object]] = [START]
        rows += [{"at": at, "event": "cancel", "until": until} for at, until in told]
        return bill(read_history(rows, policy=policy_of(BOUGHT)), through=date(2027, 1, 1)).ended

    assert ended(("2026-01-13", ""), ("2026-01-20", "2026-06-01")) == date(2026, 6, 1)
    assert ended(("2026-01-13", "2026-06-01"), ("2026-03-05", "")) == date(2026, 4, 1)
    assert ended(("2026-01-13", "2026-03-01"), ("2026-03-05", "")) == date(2026, 3, 1)


def test_a_seat_that_is_gone_within_the_days_it_must_last_is_not_charged() -> None:
    rules = BOUGHT + '[rise]\nsettle = "now"\nwaiting_days = 5\n[fall]\ntakes_effect = "next_period"\n'
    assert totals(rules, seats("2026-01-10", 7), seats("2026-01-14", 5)) == dict.fromkeys(
        ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"], 5000
    )
    lasted = totals(rules, seats("2026-01-10", 7), seats("2026-01-15", 5))
    # two seats from 10 January to the end of the month, 22 of 31 days, five days after they were bought
    assert lasted["2026-01-15"] == 1419
    assert lasted["2026-02-01"] == 5000


def test_what_has_risen_is_settled_step_by_step_once_it_has_lasted() -> None:
    rules = BOUGHT + '[rise]\nsettle = "now"\nwaiting_days = 5\n'
    found = totals(rules, seats("2026-01-10", 9), seats("2026-01-12", 6), seats("2026-01-14", 8))
    # one seat more since the 10th, two more since the 14th; three of two days are not charged
    assert (found["2026-01-15"], found["2026-01-19"]) == (round(1000 * 22 / 31), round(2000 * 18 / 31))
    assert found["2026-02-01"] == 8000


def people(*rows: tuple[str, str, str]) -> list[dict[str, object]]:
    return [{"at": at, "event": event, "user": user} for at, event, user in rows]


AFTER_FIVE = '[rise]\nsettle = "now"\nwaiting_days = 5\n'
ANNA = ("2026-04-01", "activate", "anna")


def test_nothing_but_a_rise_begins_the_days_it_must_last() -> None:
    anna = [ANNA, ("2026-04-10", "suspend", "anna"), ("2026-04-10", "resume", "anna")]
    gone = people(*anna, ("2026-04-14", "activate", "chris"), ("2026-04-18", "deactivate", "chris"))
    found = documents(gone, policy_of(BASE + AFTER_FIVE), date(2026, 5, 1))
    assert [(f"{one.date}", one.total_minor) for one in found] == [("2026-04-01", 1000), ("2026-05-01", 1000)]
    stays = documents(gone[:-1], policy_of(BASE + AFTER_FIVE), date(2026, 4, 30))
    assert [(f"{one.date}", one.total_minor) for one in stays] == [("2026-04-01", 1000), ("2026-04-19", 567)]  # 17/30


@pytest.mark.parametrize("fall", ["", '[fall]\ngive = "nothing"\n'])
def test_a_rise_that_does_not_last_costs_nothing_on_either_side_of_a_periods_border(fall: str) -> None:
    rows = people(ANNA, ("2026-04-28", "activate", "chris"), ("2026-05-02", "deactivate", "chris"))
    found = documents(rows, policy_of(BASE + AFTER_FIVE + fall), date(2026, 6, 1))
    assert [one.total_minor for one in found] == [1000, 1000, 1000]
    lasts = documents(rows[:-1], policy_of(BASE + AFTER_FIVE + fall), date(2026, 5, 3))
    # on 3 May chris has lasted: 3 of 30 days of April, and May
    assert [one.total_minor for one in lasts] == [1000, 1000, 100 + 1000]


def test_without_a_settlement_of_its_own_a_rise_that_lasts_is_on_the_next_bill() -> None:
    rows = people(ANNA, ("2026-04-28", "activate", "chris"))
    found = documents(rows, policy_of(BASE + "[rise]\nwaiting_days = 5\n"), date(2026, 6, 1))
    assert [one.total_minor for one in found] == [1000, 1000, 100 + 1000 + 2000]


def test_the_end_of_an_agreement_does_not_end_what_rose_shortly_before() -> None:
    rows = people(ANNA, ("2026-04-28", "activate", "chris"))
    rows.append({"at": "2026-04-29", "event": "cancel"})
    found = documents(rows, policy_of(BASE + AFTER_FIVE), date(2026, 6, 1))
    assert [(f"{one.date}", one.total_minor) for one in found] == [("2026-04-01", 1000), ("2026-05-01", 100)]


def test_until_the_agreement_is_over_a_rise_still_has_to_last() -> None:
    rows = people(ANNA, ("2026-04-28", "activate", "chris"))
    rows.append({"at": "2026-04-20", "event": "cancel", "until": "2026-05-02"})
    found = documents(rows, policy_of(BASE + AFTER_FIVE), date(2026, 6, 1))
    # on 1 May anna's last day alone, 1/31; on 3 May chris: 3 of 30 days and 1 of 31
    assert [(f"{one.date}", one.total_minor) for one in found[1:]] == [("2026-05-01", 32), ("2026-05-03", 133)]


def test_a_cancellation_of_the_next_period_does_not_make_a_rise_last() -> None:
    rows = people(ANNA, ("2026-04-28", "activate", "chris"), ("2026-05-02", "deactivate", "chris"))
    rows.append({"at": "2026-05-10", "event": "cancel"})
    found = documents(rows, policy_of(BASE + AFTER_FIVE), date(2026, 7, 1))
    assert [one.total_minor for one in found] == [1000, 1000]


def test_what_rose_before_an_end_of_the_next_period_is_on_the_next_bill() -> None:
    rows = people(ANNA, ("2026-04-28", "activate", "chris"))
    rows.append({"at": "2026-05-01", "event": "cancel"})
    text = BASE + '[rise]\nwaiting_days = 60\n[cancel]\nends = "day"\n'
    found = documents(rows, policy_of(text), date(2026, 6, 1))
    # chris: 3 of 30 days of April and 1 of 31 of May; anna: a day of May, of which nothing else is billed
    assert [(f"{one.date}", one.total_minor) for one in found] == [
        ("2026-04-01", 1000), ("2026-05-01", 32), ("2026-06-01", 100 + 33),
    ]  # fmt: skip


def test_who_is_not_charged_leaves_no_trace_in_what_the_others_pay() -> None:
    text = BASE + AFTER_FIVE + '[rounding]\nstage = "seat"\n'
    stays = people(ANNA, ("2026-04-01", "activate", "ben"), ("2026-04-12", "deactivate", "ben"))
    passes = people(("2026-04-13", "activate", "chris"), ("2026-04-17", "deactivate", "chris"))
    with_chris, without = (documents(rows, policy_of(text), date(2026, 5, 1)) for rows in ([*stays, *passes], stays))
    # 19 of 30 days of 10.00, on one line
    assert [line.amount_minor for line in with_chris[-1].lines] == [-633, 1000]
    assert [line.amount_minor for line in without[-1].lines] == [-633, 1000]


def test_of_two_that_leave_within_the_days_each_is_billed_until_the_day_of_leaving() -> None:
    ben = ("2026-04-01", "activate", "ben")
    rows = people(ANNA, ben, ("2026-04-10", "deactivate", "ben"), ("2026-05-05", "deactivate", "anna"))
    found = documents(rows, policy_of(BASE + "[rise]\nwaiting_days = 30\n"), date(2026, 7, 1))
    # ben's day of leaving is not billed, 21 of 30 days back; nor anna's, 27 of 31 days back
    assert [one.total_minor for one in found] == [2000, 1000 - 700, -871]


@given(st.integers(2, 8), st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=10))
def test_what_does_not_last_is_billed_as_if_it_had_never_been(waiting: int, steps: list[tuple[int, int]]) -> None:
    at = list(accumulate((days for days, _ in steps), initial=5))[1:]
    by_day = [5] * (at[-1] + 2 * waiting)
    for day, (_, count) in zip(at, steps, strict=True):
        by_day[day:] = [count] * (len(by_day) - day)
    before = [5] * waiting + by_day
    lasts = [  # the most of which there was no less for so many days around a day
        max(min(before[first : first + waiting]) for first in range(day + 1, day + waiting + 1))
        for day in range(len(by_day) - waiting)
    ]
    first = date(2026, 1, 1)
    told = [seats(f"{first + timedelta(day)}", count) for day, (_, count) in zip(at, steps, strict=True)]
    kept = [
        seats(f"{first + timedelta(day)}", count) for day, count in enumerate(lasts) if day and count != lasts[day - 1]
    ]
    arrears = BOUGHT + '[period]\ncharge = "arrears"\n'
    waits = f"{arrears}[rise]\nwaiting_days = {waiting}\n"
    assert sum(totals(waits, *told).values()) == sum(totals(arrears, *kept).values())


def test_news_after_the_waiting_days_waits_for_its_own() -> None:
    rules = BOUGHT + '[rise]\nsettle = "now"\nwaiting_days = 5\n'
    found = totals(rules, seats("2026-01-10", 6), seats("2026-01-16", 7))
    assert list(found)[:4] == ["2026-01-01", "2026-01-15", "2026-01-21", "2026-02-01"]


def test_of_stairs_the_step_that_has_lasted_counts() -> None:
    rules = BOUGHT + '[rise]\nsettle = "now"\nwaiting_days = 5\n'
    found = totals(rules, seats("2026-01-10", 7), seats("2026-01-13", 9), seats("2026-01-16", 6))
    # two more than five for six days, four for three: two are charged to the 16th, one from then on
    assert found["2026-01-15"] == round(2000 * 22 / 31)
    assert found["2026-02-01"] == 6000 - round(1000 * 16 / 31)


def test_a_credit_is_given_at_once_while_a_rise_waits() -> None:
    rules = BOUGHT + '[rise]\nsettle = "now"\nwaiting_days = 5\n[fall]\nsettle = "now"\n'
    found = totals(rules, seats("2026-01-10", 6), seats("2026-01-11", 2))
    assert found["2026-01-11"] == -round(3000 * 21 / 31)


@pytest.mark.parametrize("day", range(1, 32))
def test_runs_on_any_days_come_to_the_same_documents(day: int) -> None:
    rules = '[rise]\nsettle = "now"\nwaiting_days = 5\n[fall]\nsettle = "now"\nnotice_days = 3\n'
    rows = [START, seats("2026-01-10", 6), seats("2026-01-12", 4), seats("2026-01-13", 8), seats("2026-01-19", 9)]
    history = read_history(rows, policy=policy_of(BOUGHT + rules))
    whole = bill(history, through=date(2026, 2, 1))
    first = bill(history, through=date(2026, 1, day))
    rest = bill(history, through=date(2026, 2, 1), issued=remembered(first))
    assert first.documents + rest.documents == whole.documents


def test_the_notice_is_told_beside_the_event_behind_it() -> None:
    history = read_history([START, seats("2026-02-10", 3)], policy=policy_of(BOUGHT + "[fall]\nnotice_days = 30\n"))
    march = bill(history, through=date(2026, 3, 1)).documents[-1]
    told = explain(march.lines[1], march, history)
    assert told.causes == ("seats set to 3 on 10 February 2026",)
    assert "what falls away counts 30 days after it was told (fall.notice_days)" in told.rules


def test_a_seat_that_was_never_taken_has_no_notice() -> None:
    rows = [
        {"at": "2026-01-05", "event": "start"},
        {"at": "2026-01-07", "event": "activate", "user": "anna", "recorded_at": "2026-01-02"},
        {"at": "2026-01-07", "event": "deactivate", "user": "anna"},
    ]
    history = read_history(rows, policy=policy_of(BASE + '[period]\nanchor = "start"\n[fall]\nnotice_days = 30\n'))
    first, then = bill(history, through=date(2026, 2, 5)).documents
    assert [one.total_minor for one in (first, then)] == [round(1000 * 29 / 31), -round(1000 * 29 / 31)]
    assert explain(then.lines[0], then, history).causes == ("anna was deactivated on 7 January 2026",)


def test_what_contradicts_waiting_is_refused() -> None:
    (sentence,) = refusals(BASE + '[seats]\nmeasure = "high_water"\n[rise]\nwaiting_days = 5\n')
    assert sentence.endswith(
        'rise.waiting_days is about the seats of each day; it needs seats.measure = "level" '
        '(fall.takes_effect = "next_period" keeps a freed seat paid, too)'
    )
    (sentence,) = refusals(BASE + '[fall]\ntakes_effect = "never"\nnotice_days = 5\n')
    assert sentence.endswith(
        'fall.notice_days would have no effect; it needs falls that take effect, and fall.takes_effect = "never" '
        "lets none"
    )
    (sentence,) = refusals(BOUGHT + '[fall]\nnotice_days = 5\n[change]\nmore_seats = "restart"\n')
    assert sentence.endswith(
        'fall.notice_days lets changes wait, and change.more_seats = "restart" begins a period at once; leave one of '
        "them out"
    )
    (sentence,) = refusals(BASE + "[cancel]\nnotice_days = 400\n")
    assert sentence.endswith("cancel.notice_days is at most 366, not 400")


def test_late_news_that_a_rise_did_not_last_reaches_back_over_a_period_s_border() -> None:
    text = (
        'currency = "EUR"\nintervals = ["month"]\n[roles.viewer]\n[roles.editor]\n[plans.team]\n'
        '[[plans.team.prices]]\nprice = "10.00 per month"\n[[plans.team.prices]]\nrole = "viewer"\n'
        'price = "7.00 per month"\n[rise]\nwaiting_days = 5\n'
    )
    rows: list[dict[str, object]] = [
        {"at": "2026-01-05", "event": "start"},
        {"at": "2026-02-04", "event": "activate", "user": "vera", "role": "viewer"},
        {"at": "2026-02-06", "event": "role", "user": "vera", "role": "editor", "recorded_at": "2026-03-16"},
        {"at": "2026-02-12", "event": "cancel"},
    ]
    history = read_history(rows, policy=policy_of(text))
    whole = bill(history, through=date(2026, 7, 1))
    # vera was a viewer for two days: 7.00 × 1/31 of January's period is given back as well
    assert [(line.item, line.amount_minor) for line in whole.documents[1].lines] == [
        ("seats:viewer", -23), ("seats", 964), ("seats:viewer", -700),
    ]  # fmt: skip
    for day in (date(2026, 3, 10), date(2026, 3, 20), date(2026, 4, 10)):
        first = bill(history, through=day)
        second = bill(history, through=date(2026, 7, 1), issued=remembered(first))
        assert first.documents + second.documents == whole.documents
