"""Time counted in hours, minutes and seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import assume, given

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import moment_at, point_of, to_point, to_time
from prorata.engine.explain import explain
from prorata.engine.history import Event, Subscription
from prorata.engine.intake import read_history
from prorata.engine.policy.model import ChangeRules, Rules
from prorata.engine.policy.plain import tell
from tests.engine.stories import BASE, documents, policy_of, records, refusals, remembered
from tests.engine.worlds import subscriptions

START: Mapping[str, object] = {"at": "2026-04-01", "event": "start", "quantity": 2}
SECONDS = policy_of('precision = "second"\n' + BASE + '[seats]\ncount = "bought"\n')
ADDED: Mapping[str, object] = {"at": "2026-04-16T06:00:00Z", "event": "seats", "quantity": 3}


def test_a_seat_is_charged_from_the_second_it_was_added() -> None:
    _, may = records([START, ADDED], SECONDS, date(2026, 5, 1))
    rise = may["lines"][0]
    # 10.00 × 14.75 days of 30 = 4.9166…
    assert (rise["amount"], rise["share"], rise["start"]) == ("4.92", "1274400/2592000", "2026-04-16T06:00:00")
    assert (rise["text"], rise["days"]) == ("1 seat basic added, 16 April 2026, 06:00 – 1 May 2026", 14.75)


def test_a_line_of_five_hours_is_a_part_of_a_day() -> None:
    policy = policy_of('precision = "hour"\n' + BASE + '[seats]\ncount = "bought"\n')
    back: Mapping[str, object] = {"at": "2026-04-16T11:00:00Z", "event": "seats", "quantity": 2}
    rise, may = records([START, ADDED, back], policy, date(2026, 5, 1))[1]["lines"]
    # 5/24 of a day; 10.00 × 5 hours of 720
    assert (rise["days"], rise["share"], rise["amount"]) == (0.208333, "5/720", "0.07")
    assert (may["days"], type(may["days"])) == (31, int)


def told(rules: str, **starting: str) -> dict[str, str]:
    """What is said of a month with hours, by how a sentence begins."""
    policy = policy_of('precision = "hour"\n' + BASE.replace(', "year"', "") + rules)
    texts = [one.text for part in tell(policy) for one in part.sentences]
    return {name: next(text for text in texts if text.startswith(begin)) for name, begin in starting.items()}


def test_where_hours_count_the_time_left_is_told_and_not_the_days() -> None:
    said = told(
        '[cancel]\nends = "day"\n', period="A month", joins="A user added", leaves="A user who", ends="A cancellation"
    )
    assert said["period"].startswith("A month is counted from the moment the agreement starts. Time is counted to the")
    assert said["joins"].startswith("A user added in between is charged for the time left of the month, with")
    assert said["leaves"].startswith("A user who leaves is credited for the time left of the month, with")
    assert said["ends"].startswith("A cancellation ends the agreement at the moment at which it is made;")
    arrears = told('[period]\ncharge = "arrears"\n', leaves="A user who leaves")
    assert arrears["leaves"] == "A user who leaves is billed until that moment."


def test_whole_days_are_told_as_days_where_seconds_count() -> None:
    history = read_history([START, {**ADDED, "at": "2026-04-16"}], policy=SECONDS)
    *_, may = bill(history, through=date(2026, 5, 1)).documents
    said = str(explain(may.lines[0], may, history)).splitlines()
    assert said[1] == "1 × 10.00 × 15/30 = 5.00"
    assert "time is worth its part of the billing period (share.by)" in said


def test_a_minute_is_counted_whole_where_minutes_are() -> None:
    policy = policy_of('precision = "minute"\n' + BASE + '[seats]\ncount = "bought"\n')
    _, may = records([START, {**ADDED, "at": "2026-04-16T06:00:59Z"}], policy, date(2026, 5, 1))
    assert may["lines"][0]["share"] == "21240/43200"


def test_periods_begin_at_the_time_of_day_at_which_the_agreement_did() -> None:
    rows = [{**START, "at": "2026-01-31T18:30:00Z"}, {"at": "2026-02-28T18:30:00Z", "event": "seats", "quantity": 3}]
    january, february, march = documents(rows, SECONDS, date(2026, 3, 31))
    assert [line.start for one in (january, february, march) for line in one.lines] == [
        datetime(2026, 1, 31, 18, 30), datetime(2026, 2, 28, 18, 30), datetime(2026, 3, 31, 18, 30),
    ]  # fmt: skip
    assert february.lines[0].amount_minor == 3_000  # the seat was added with the period


def test_the_most_of_a_day_are_those_that_were_there_at_one_moment() -> None:
    policy = policy_of('precision = "second"\n' + BASE + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "peak"\n')
    rows: list[Mapping[str, object]] = [{"at": "2026-04-01", "event": "start"}]
    for user, came, left in (("a", "08:00", "09:00"), ("b", "08:30", "10:00"), ("c", "09:00", "11:00")):
        rows.append({"at": f"2026-04-07T{came}:00Z", "event": "activate", "user": user})
        rows.append({"at": f"2026-04-07T{left}:00Z", "event": "deactivate", "user": user})
    assert [line.quantity for line in documents(rows, policy, date(2026, 5, 1))[0].lines] == [2]


def test_a_cause_is_told_with_its_time() -> None:
    history = read_history([START, ADDED], policy=SECONDS)
    _, may = bill(history, through=date(2026, 5, 1)).documents
    assert str(explain(may.lines[0], may, history)).splitlines()[:2] == [
        "1 seat basic added, 16 April 2026, 06:00 – 1 May 2026: seats set to 3 on 16 April 2026, 06:00",
        "1 × 10.00 × 1274400/2592000 = 4.91666…, rounded to 4.92",
    ]


def test_a_day_of_25_hours_ends_with_its_last_second() -> None:
    policy = policy_of('time_zone = "Europe/Oslo"\nprecision = "second"\n' + BASE)
    history = read_history([{"at": "2026-10-25T22:30:00Z", "event": "start"}], policy=policy)
    assert to_time(history.events[0].day, policy.ticks) == datetime(2026, 10, 25, 23, 59, 59)


@pytest.mark.parametrize("ticks", [1, 24, 86_400])
def test_points_and_times_are_translated_there_and_back(ticks: int) -> None:
    point = date(2026, 4, 16).toordinal() * ticks + ticks // 3
    assert to_point(to_time(point, ticks), ticks) == point
    assert point_of(moment_at(point, ticks), ticks) == point


def by_day(rules: Rules) -> Rules:
    """The rules with nothing in them that needs whole days."""
    share = replace(rules.share, by="days_of_period") if rules.share.by == "days_of_month" else rules.share
    started = "by_days" if share.started == "by_30" else share.started
    change = ChangeRules() if rules.change.restarting else rules.change
    seats = replace(rules.seats, change_day="billed")
    return replace(rules, seats=seats, share=replace(share, started=started), change=change)


def shown(billing: Billing) -> list[object]:
    """What documents say, whatever their precision."""
    return [
        (document.date, document.credit_used_minor, line.item, line.kind, line.start.isoformat()[:10],
         None if line.period.once else line.days,
         line.quantity, line.price, line.amount_minor)
        for document in billing.documents
        for line in document.lines
    ]  # fmt: skip


def counted_finely(subscription: Subscription) -> Subscription:
    """The same history, by the same policy with seconds: every date is its first second.

    A cancellation ends with its day, which in seconds is the first second of the next; by days of notice counts the
    moment it is told.
    """
    policy = replace(subscription.policy, precision="second")
    cancel = next(iter(policy.variants.values())).cancel
    ends_with_its_day = cancel.ends == "day" or not cancel.notice_days

    def finer(event: Event) -> Event:
        until = None if event.until is None else event.until * policy.ticks
        day = event.day + (event.kind == "cancel" and ends_with_its_day)
        return event._replace(day=day * policy.ticks, until=until)

    return replace(subscription, policy=policy, events=tuple(finer(event) for event in subscription.events))


@given(subscriptions())
def test_histories_of_whole_days_are_billed_alike_whether_days_or_seconds_are_counted(told: Subscription) -> None:
    variants = {matching: by_day(rules) for matching, rules in told.policy.variants.items()}
    told = replace(told, policy=replace(told.policy, variants=variants))
    through = date.fromordinal(told.events[0].day + 500)
    cancels = [event for event in told.events if event.kind == "cancel"]
    assume(len(cancels) <= 1)  # on the day of its end another one comes too late, and a moment later it does, too
    # Whether a day is added to a cancellation depends on its rules, and they may be others when it is told.
    assume(not cancels or len({rules.cancel for rules in variants.values()}) == 1)
    ends = {event.day + 1 for event in cancels}
    assume(not any(event.item == "setup" and event.day in ends for event in told.events))  # a fee of the last moment
    finer = counted_finely(told)
    fine = bill(finer, through=through)
    assert shown(fine) == shown(bill(told, through=through))
    assert fine.followed_by(bill(finer, through=through, issued=remembered(fine))) == fine


BROKEN = {
    '[seats]\nchange_day = "not_billed"\n':
        'seats.change_day would have no effect with precision = "second"; leave it out',
    '[share]\nby = "days_of_month"\n':
        'share.by = "days_of_month" needs whole days; with precision = "second" write "days_of_period"',
    '[share]\nby = "months"\nstarted = "by_30"\n':
        'share.started = "by_30" needs whole days; with precision = "second" write "by_days"',
}  # fmt: skip


@pytest.mark.parametrize("rules", BROKEN)
def test_what_needs_whole_days_is_refused(rules: str) -> None:
    (sentence,) = refusals('precision = "second"\n' + BASE + rules)
    assert sentence.partition(": ")[2] == BROKEN[rules]


def test_days_to_give_something_back_are_days_whatever_is_counted() -> None:
    rules = '[seats]\ncount = "bought"\n[fall]\ntakes_effect = "next_period"\nwindow_days = 7\n'
    rows = [START, {**ADDED, "at": "2026-04-10"}, {"at": "2026-04-17", "event": "seats", "quantity": 2}]
    for precision in ("day", "hour", "second"):
        _, may = documents(rows, policy_of(f'precision = "{precision}"\n{BASE}{rules}'), date(2026, 5, 1))
        # 7 of 30 days of one seat, and two for May
        assert may.total_minor == 233 + 2_000
