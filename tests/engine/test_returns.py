"""An agreement that ended, or was paused, comes back: as a new one for the people, seats and plan there are by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prorata.engine.bill import bill
from prorata.engine.calendar import midnight, moment_at
from prorata.engine.explain import explain
from prorata.engine.facts import Fact, contradictions
from prorata.engine.history import END_EVENTS, Event, Subscription
from prorata.engine.intake import Intake, new_agreement, read_history
from prorata.engine.policy.model import Policy
from prorata.engine.refusal import CannotBill
from prorata.engine.settlement import Settlement
from prorata.engine.status import Status, status
from tests.engine.stories import BASE, documents, policy_of, records, refused_rows, remembered
from tests.engine.test_laws import as_of, billed_by_period, settled
from tests.engine.worlds import restarting, subscriptions

MONTHLY = policy_of(BASE + '[period]\nanchor = "start"\n[cancel]\nends = "period"\n')
BY_DAY = policy_of(BASE + '[period]\nanchor = "start"\n[cancel]\nends = "day"\n')
LAPSING = policy_of(BASE + '[cancel]\nends = "day"\n[credits]\nlapse = "agreement_end"\n')
BEGUN: list[dict[str, object]] = [
    {"at": "2026-01-01", "event": "start"},
    {"at": "2026-01-01", "event": "activate", "user": "anna"},
    {"at": "2026-01-01", "event": "activate", "user": "ben"},
]
THROUGH = date(2026, 7, 1)


def told(kind: str, at: str, **more: object) -> dict[str, object]:
    return {"at": at, "event": kind, **more}


def billed(policy: Policy, *rows: dict[str, object]) -> list[tuple[str, str, str]]:
    """The date, the first line and the total of each document."""
    found = records([*BEGUN, *rows], policy, THROUGH, interval="month")
    return [(one["date"], one["lines"][0]["text"], one["total"]) for one in found]


def stands(policy: Policy, day: str, *rows: dict[str, object]) -> Status:
    history = read_history([*BEGUN, *rows], policy=policy, interval="month")
    return status(history, now=midnight(date.fromisoformat(day).toordinal()) + 1)


def test_after_a_pause_periods_begin_on_the_day_it_comes_back_with_the_people_there_are() -> None:
    pause, left, back = told("pause", "2026-03-10"), told("deactivate", "2026-04-20", user="ben"), "2026-05-11"
    assert billed(MONTHLY, pause, left, told("start", back)) == [
        ("2026-01-01", "2 seats basic, 1–31 January 2026", "20.00"),
        ("2026-02-01", "2 seats basic, 1–28 February 2026", "20.00"),
        ("2026-03-01", "2 seats basic, 1–31 March 2026", "20.00"),  # S15: the last payment, at the period's end
        ("2026-05-11", "1 seat basic, 11 May – 10 June 2026", "10.00"),
        ("2026-06-11", "1 seat basic, 11 June – 10 July 2026", "10.00"),
    ]


def test_it_may_come_back_within_the_very_period_in_which_it_ended() -> None:
    assert billed(BY_DAY, told("cancel", "2026-03-11"), told("start", "2026-03-25"))[2:] == [
        ("2026-03-01", "2 seats basic, 1–31 March 2026", "20.00"),
        # 20 of 31 days of March are given back on the next invoice: 2 × 10.00 × 20/31 = 12.90
        ("2026-03-25", "2 seats basic removed, 12–31 March 2026", "7.10"),
        ("2026-04-25", "2 seats basic, 25 April – 24 May 2026", "20.00"),
        ("2026-05-25", "2 seats basic, 25 May – 24 June 2026", "20.00"),
        ("2026-06-25", "2 seats basic, 25 June – 24 July 2026", "20.00"),
    ]


def test_what_it_comes_back_with_may_be_another_plan_interval_and_number() -> None:
    policy = policy_of(
        BASE + '[plans.pro]\nprices = [{ price = "200.00 per year", interval = "year" }]\n[seats]\ncount = "bought"\n'
    )
    rows = [
        told("start", "2026-01-01", quantity=3, interval="month"),
        told("cancel", "2026-02-10"),
        told("start", "2026-04-01", plan="pro", interval="year", quantity=2),
    ]
    found = documents(rows, policy, THROUGH)
    assert [(str(one.date), one.total_minor) for one in found] == [
        ("2026-01-01", 3000),
        ("2026-02-01", 3000),
        ("2026-04-01", 40000),  # a whole year from the day on which it came back
    ]


def test_what_was_told_late_of_the_time_before_is_settled_with_the_time_after() -> None:
    late = told("deactivate", "2026-03-22", user="ben", recorded_at="2026-05-20")
    found = billed(MONTHLY, told("pause", "2026-03-10"), late, told("start", "2026-05-11"))
    assert found[3:] == [
        ("2026-05-11", "2 seats basic, 11 May – 10 June 2026", "20.00"),
        # a credit note: 10 of 31 days of March for one seat, 3.23, and from 11 May 10.00; less 10.00 of the next month
        ("2026-06-11", "1 seat basic removed, 22–31 March 2026", "3.23"),
    ]


def test_it_can_end_and_come_back_more_than_once() -> None:
    rows = [told("pause", "2026-01-10"), told("start", "2026-03-01"), told("cancel", "2026-03-05")]
    found = billed(MONTHLY, *rows, told("start", "2026-06-01"))
    assert [one[0] for one in found] == ["2026-01-01", "2026-03-01", "2026-06-01", "2026-07-01"]


def test_a_pause_keeps_credits_and_a_cancellation_loses_them_where_the_policy_says_so() -> None:
    history = read_history(
        [*BEGUN, told("pause", "2026-03-11"), told("start", "2026-05-01")], policy=LAPSING, interval="month"
    )
    kept = bill(history, through=THROUGH)
    assert not kept.lapses
    assert [one.credit_used_minor for one in kept.documents][-3:] == [1290, 0, 0]  # 2 × 10.00 × 20/31, on 1 May
    ended = read_history(
        [*BEGUN, told("cancel", "2026-03-11"), told("start", "2026-05-01")], policy=LAPSING, interval="month"
    )
    [lost] = bill(ended, through=THROUGH).lapses
    assert (str(lost.date), lost.amount_minor) == ("2026-04-01", 1290)


def test_credits_stay_where_it_was_known_by_the_end_that_it_comes_back() -> None:
    back = told("start", "2026-05-01", recorded_at="2026-03-20")
    history = read_history([*BEGUN, told("cancel", "2026-03-11"), back], policy=LAPSING, interval="month")
    assert not bill(history, through=THROUGH).lapses


def test_what_is_to_come_back_can_be_cancelled_before_it_does() -> None:
    back = told("start", "2026-06-01", recorded_at="2026-03-15")
    rows = [told("pause", "2026-03-10"), back, told("cancel", "2026-05-01")]
    assert [one[0] for one in billed(MONTHLY, *rows)] == ["2026-01-01", "2026-02-01", "2026-03-01"]


def test_how_it_stands_meanwhile() -> None:
    pause = told("pause", "2026-03-10")
    states = [stands(MONTHLY, day, pause) for day in ("2026-03-20", "2026-04-02")]
    assert [(one.state, str(one.ends)) for one in states] == [("active", "2026-04-01"), ("paused", "2026-04-01")]
    back = told("start", "2026-05-11", recorded_at="2026-04-10")
    away, again = (stands(MONTHLY, day, pause, back) for day in ("2026-04-20", "2026-05-12"))
    assert (away.state, away.ends, away.returns, away.billed) == ("paused", date(2026, 4, 1), date(2026, 5, 11), ())
    assert (again.state, again.ends, again.returns, again.period_end) == ("active", None, None, date(2026, 6, 11))
    assert stands(MONTHLY, "2026-04-02", told("cancel", "2026-03-10")).state == "ended"


def test_whoever_has_ended_before_the_first_start_began_with_the_first_event() -> None:
    rows = [told("activate", "2026-01-01", user="anna"), told("pause", "2026-01-10"), told("start", "2026-06-01")]
    assert [str(one.date) for one in documents(rows, MONTHLY, THROUGH)] == ["2026-01-01", "2026-06-01", "2026-07-01"]


def test_what_has_not_begun_cannot_be_ended() -> None:
    agreement = new_agreement("A", Intake(policy=MONTHLY))
    moment = midnight(date(2026, 2, 1).toordinal())
    cancel = Fact("cancel", moment, moment)
    assert [one.sentence for one in contradictions(agreement, [cancel])] == [
        "the agreement has not begun by then; there is nothing to cancel"
    ]


@pytest.mark.parametrize("with_what", [{"plan": "pro"}, {"price": "7.00"}])
def test_what_it_comes_back_with_is_not_what_it_had_before(with_what: dict[str, object]) -> None:
    policy = policy_of(BASE + '[plans.pro]\nprice = "20.00 per month"\n[period]\nanchor = "start"\n')
    rows = [*BEGUN, told("pause", "2026-02-10"), told("start", "2026-05-01", **with_what)]
    history = read_history(rows, policy=policy, interval="month")
    once, first = bill(history, through=THROUGH), bill(history, through=date(2026, 4, 1))
    assert first.followed_by(bill(history, through=THROUGH, issued=remembered(first))) == once
    assert [one.total_minor for one in once.documents][:3] == [2000, 2000, 4000 if "plan" in with_what else 1400]


def test_it_runs_again_on_the_very_day_after_it_stopped() -> None:
    rows = [*BEGUN, told("pause", "2026-01-10"), told("start", "2026-01-11")]
    history = read_history(rows, policy=BY_DAY, interval="month")
    assert [bill(history, through=date(2026, month, 11)).stopped for month in (1, 2, 8)] == [None, None, None]


def test_a_return_told_ahead_stops_nothing_before_it_does() -> None:
    back = told("start", "2026-05-01", recorded_at="2026-03-25")
    rows = [told("pause", "2026-01-10"), told("start", "2026-02-05"), told("pause", "2026-03-20"), back]
    history = read_history([*BEGUN, *rows], policy=MONTHLY, interval="month")
    found = []
    for month, day in ((3, 25), (4, 4), (4, 5), (4, 30), (5, 1)):
        stopped = bill(history, through=date(2026, month, day)).stopped
        found.append("" if stopped is None else f"{stopped.how} {date.fromordinal(stopped.since)}")
    assert found == ["", "", "paused 2026-04-05", "paused 2026-04-05", ""]


def test_a_return_that_was_cancelled_before_its_day_is_none() -> None:
    back = told("start", "2026-03-20", recorded_at="2026-02-10")
    rows = [told("cancel", "2026-01-13"), back, told("pause", "2026-03-03")]
    history = read_history([*BEGUN, *rows], policy=MONTHLY, interval="month")
    for day in (date(2026, 3, 19), date(2026, 3, 20), date(2026, 6, 1)):
        stopped = bill(history, through=day).stopped
        assert stopped is not None
        assert stopped.how == "paused"


def test_an_end_that_another_one_moved_is_none() -> None:
    rows = [told("cancel", "2026-01-20", until="2026-03-24"), told("pause", "2026-03-10")]
    history = read_history([*BEGUN, *rows], policy=MONTHLY, interval="month")
    billing = bill(history, through=date(2026, 3, 24))
    assert (billing.ended, billing.stopped) == (None, None)


@pytest.mark.parametrize("interval", ["month", "year"])
def test_that_it_runs_again_is_worth_a_look_also_in_arrears(interval: str) -> None:
    policy = policy_of(BASE + '[period]\nanchor = "start"\ncharge = "arrears"\n[cancel]\nends = "day"\n')
    back = told("start", "2026-03-05", recorded_at="2026-02-20")
    history = read_history([*BEGUN, told("pause", "2026-01-10"), back], policy=policy, interval=interval)
    looks, through = [], date(2026, 1, 9)
    while through < date(2026, 3, 5):
        known = midnight(through.toordinal() + 1)
        billing = bill(history, through=through, known_until=known)
        coming = [day for day in (date(2026, 1, 10), date(2026, 2, 20), billing.next_look) if day and day > through]
        through = min(coming)
        looks.append(str(through))
    assert "2026-01-11" in looks
    assert looks[-1] == "2026-03-05"
    assert bill(history, through=through).stopped is None


def test_that_it_came_back_is_why_a_period_begins() -> None:
    policy = policy_of(BASE + '[seats]\ncount = "bought"\n')
    for quantity, count in ((None, 3), (5, 5)):
        back = told("start", "2026-05-01", **({} if quantity is None else {"quantity": quantity}))
        rows = [told("start", "2026-01-01", quantity=3), told("pause", "2026-01-10"), back]
        history = read_history(rows, policy=policy, interval="month")
        [document] = [one for one in bill(history, through=THROUGH).documents if one.date == date(2026, 5, 1)]
        said = explain(document.lines[0], document, history)
        assert said.text == f"{count} seats basic, 1–31 May 2026"
        assert said.causes == ("the agreement came back on 1 May 2026",)


def test_that_it_stops_is_known_before_anything_of_it_is_billed() -> None:
    pause, back = told("pause", "2026-03-10"), told("start", "2026-03-25", recorded_at="2026-03-20")
    history = read_history([*BEGUN, pause, back], policy=BY_DAY, interval="month")
    found = []
    for day in (9, 10, 11, 20, 24, 25):
        today = date(2026, 3, day)
        billing = bill(history, through=today, known_until=midnight(today.toordinal() + 1))
        how = billing.stopped.how if billing.stopped else ""
        assert billing.next_look is not None
        found.append((day, how, billing.next_look.isoformat()))
    assert found == [
        (9, "", "2026-04-01"),
        (10, "", "2026-03-11"),  # worth telling
        (11, "paused", "2026-04-01"),
        (20, "paused", "2026-03-25"),
        (24, "paused", "2026-03-25"),
        (25, "", "2026-04-25"),
    ]


REFUSED: dict[str, tuple[list[dict[str, object]], str]] = {
    "while it runs": (
        [told("start", "2026-03-01")],
        "line 5, column event: the account has a start on 1 January 2026 already",
    ),
    "before it has ended": (
        [told("pause", "2026-03-10"), told("start", "2026-03-20")],
        "line 6, column event: the agreement runs to 31 March 2026; withdraw what ends it, or let it come back later",
    ),
    "before it was known to have ended": (
        [told("pause", "2026-03-10", recorded_at="2026-06-10"), told("start", "2026-05-01", recorded_at="2026-06-11")],
        "line 6, column event: that the agreement ended was recorded on 10 June 2026 only; it can come back on a later "
        "day",
    ),
    "once it is back": (
        [told("pause", "2026-03-10"), told("start", "2026-04-01"), told("start", "2026-05-01")],
        "line 7, column event: the agreement runs on that day; it comes back only after it has ended",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_comes_back_only_after_it_has_ended(name: str) -> None:
    rows, sentence = REFUSED[name]
    told = [{name: str(value) for name, value in row.items()} for row in (*BEGUN, *rows)]
    assert refused_rows(told, MONTHLY, interval="month") == (sentence,)


# Laws: what ended and came back is billed as two agreements are of which each knows nothing of the other.


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events in the order in which they took effect, those that were told stay before what was added."""
    told = [event for event in events if event.withdraws is None]
    places = {event.order: 2 * place for place, event in enumerate(sorted(told, key=lambda event: event.day))}
    found = [event._replace(order=places[event.order]) for event in told]
    undone = [event for event in events if event.withdraws in places]
    for event in undone:
        place = places[event.withdraws or 0]
        found.append(event._replace(order=place + 1, withdraws=place))
    return tuple(sorted(found, key=lambda event: event.order))


def an_event(kind: Any, day: int, ticks: int, order: int) -> Event:
    return Event(kind, day, moment_at(day, ticks), order)


@st.composite
def ending(draw: st.DrawFn) -> tuple[Subscription, Event]:
    """An agreement that ends, and the start with which it can come back."""
    subscription = draw(subscriptions(moments=True) | restarting(moments=True))
    ticks = subscription.policy.ticks
    events = [event for event in subscription.events if event.kind not in END_EVENTS]
    opened = max(event.until or event.day for event in events if event.kind in ("start", "trial"))
    day = opened + draw(st.integers(1, 200)) * ticks
    last = an_event(draw(st.sampled_from(END_EVENTS)), day, ticks, 10_000)
    ended = replace(subscription, events=in_order([*events, last]))
    settlement = Settlement(ended)
    try:
        settlement.catch_up(day // ticks + 1)
        ends = settlement.ends()
    except CannotBill:
        assume(False)
        raise
    assume(ends is not None)
    assert ends is not None
    back = max(ends, day // ticks + 1) + draw(st.sampled_from([0, 0, 1, 9, 30, 45]))
    return ended, an_event("start", back * ticks, ticks, 20_000)


def come_back(ended: Subscription, start: Event) -> Subscription:
    return replace(ended, events=in_order([*ended.events, start]))


def anew(ended: Subscription, start: Event) -> Subscription:
    """The agreement with which an account would begin that had been there all the time, and paid nothing."""
    fees = {name for name, add_on in ended.policy.add_ons.items() if add_on.charge == "once"}
    events = [start._replace(order=4 * start.order)]
    for event in ended.events:
        if event.kind in END_EVENTS or (event.kind == "add_on" and event.item in fees and event.day < start.day):
            continue
        undone = None if event.withdraws is None else 4 * event.withdraws
        spaced = event._replace(order=4 * event.order, withdraws=undone)
        events += _as_changes(spaced) if event.kind in ("start", "trial") else [spaced]
    return replace(ended, events=in_order(events))


def _as_changes(begin: Event) -> Iterator[Event]:
    """What an agreement began with, told as changes."""
    bare = begin._replace(quantity=None, plan="", payment_method="", until=None)
    if begin.quantity is not None:
        yield bare._replace(kind="seats", quantity=begin.quantity)
    if begin.plan:
        yield bare._replace(kind="plan", plan=begin.plan, order=begin.order + 1)
    if begin.payment_method:
        yield bare._replace(kind="payment_method", payment_method=begin.payment_method, order=begin.order + 2)


@given(ending())
@settings(max_examples=60)
def test_each_time_is_billed_as_if_there_were_no_other(world: tuple[Subscription, Event]) -> None:
    ended, start = world
    whole = come_back(ended, start)
    through = settled(whole)
    billed = billed_by_period(bill(whole, through=through))
    back = date.fromordinal(start.day // whole.policy.ticks)
    before, after = (billed_by_period(bill(one, through=through)) for one in (ended, anew(ended, start)))
    for key in billed.keys() | before.keys() | after.keys():
        assert billed.get(key, 0) == (before if key[0] < back else after).get(key, 0), key


@given(ending(), st.integers(0, 500))
@settings(max_examples=40)
def test_runs_in_between_change_nothing(world: tuple[Subscription, Event], days: int) -> None:
    whole = come_back(*world)
    through = settled(whole)
    cut = min(date.fromordinal(whole.events[0].day // whole.policy.ticks + days), through)
    once, first = bill(whole, through=through), bill(whole, through=cut)
    for issued in (first, remembered(first)):
        assert first.followed_by(bill(whole, through=through, issued=issued)) == once


@given(ending())
@settings(max_examples=30)
def test_the_documents_with_which_it_comes_back_are_there_on_their_very_day(world: tuple[Subscription, Event]) -> None:
    whole = come_back(*world)
    back = date.fromordinal(world[1].day // whole.policy.ticks)
    billing = bill(whole, through=back + timedelta(days=70))
    later = [number for number, document in enumerate(billing.documents) if document.date >= back]
    for number in later[:3]:
        document = billing.documents[number]
        again = bill(whole, through=document.date, known_until=document.known_until, issued=as_of(billing, number))
        assert document in again.documents


@given(ending())
@settings(max_examples=25)
def test_every_line_can_be_explained(world: tuple[Subscription, Event]) -> None:
    whole = come_back(*world)
    for document in bill(whole, through=settled(whole)).documents:
        for line in document.lines:
            said = explain(line, document, whole)
            assert said.causes or said.people or line.kind == "period" or line.item != "seats", said
