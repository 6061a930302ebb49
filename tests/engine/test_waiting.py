"""After a trial paid periods wait for a payment method, where the policy says so (S14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.bill import bill, upcoming
from prorata.engine.calendar import midnight, to_day
from prorata.engine.explain import explain
from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.quote import outlook
from prorata.engine.status import status
from tests.engine.stories import BASE, policy_of, refusals, remembered

WAITING = BASE + '[period]\nanchor = "start"\n[trial]\ndays = 14\nwithout_payment_method = "suspended"\n'
POLICY = policy_of(WAITING)
ANNA: dict[str, object] = {"at": "2026-01-01", "event": "activate", "user": "anna"}
TRIAL: dict[str, object] = {"at": "2026-01-01", "event": "trial"}  # its last day is 14 January
THROUGH = date(2026, 4, 1)
ENDS = date(2026, 1, 15)


def tried(*rows: Mapping[str, object], **settings: object) -> Subscription:
    return read_history([TRIAL, ANNA, *rows], policy=POLICY, interval="month", **settings)


def card(at: str, **more: object) -> dict[str, object]:
    return {"at": at, "event": "payment_method", "payment_method": "card", **more}


def dates(history: Subscription) -> list[str]:
    return [str(one.date) for one in bill(history, through=THROUGH).documents]


def test_without_a_payment_method_nothing_is_billed_after_the_trial() -> None:
    history = tried()
    assert dates(history) == []
    assert not list(upcoming(history, known_until=midnight(to_day(THROUGH))))
    assert outlook(history, now=midnight(to_day(ENDS))).next_document is None
    assert bill(history, through=date(2026, 1, 10)).next_look == ENDS  # which is worth telling
    stopped = bill(history, through=ENDS).stopped
    assert stopped is not None
    assert (stopped.how, stopped.since) == ("suspended", to_day(ENDS))


def test_paid_periods_begin_on_the_day_on_which_one_is_told() -> None:
    assert dates(tried(card("2026-02-20"))) == ["2026-02-20", "2026-03-20"]


def test_that_it_was_told_is_why_the_first_period_begins() -> None:
    policy = policy_of(WAITING + '[seats]\ncount = "bought"\n')
    rows = [{**TRIAL, "quantity": 3}, card("2026-02-20")]
    history = read_history(rows, policy=policy, interval="month")
    [document, *_] = bill(history, through=THROUGH).documents
    said = explain(document.lines[0], document, history)
    assert said.text == "3 seats basic, 20 February – 19 March 2026"
    assert said.causes == ("the payment method was changed to card on 20 February 2026",)


def test_one_that_is_told_late_counts_from_when_it_is_told() -> None:
    history = tried(card("2026-01-20", recorded_at="2026-02-20"))
    assert dates(history) == ["2026-02-20", "2026-03-20"]
    late = tried({"at": "2026-01-20", "event": "start", "recorded_at": "2026-02-20"})
    assert dates(late) == ["2026-02-20", "2026-03-20"]  # which bills from 20 January on
    for one in (history, late):
        run = bill(one, through=date(2026, 2, 19), known_until=midnight(date(2026, 2, 20).toordinal()))
        assert run.followed_by(bill(one, through=THROUGH, issued=remembered(run))) == bill(one, through=THROUGH)


def test_one_that_is_told_ahead_lifts_the_suspension_on_its_day() -> None:
    history = tried(card("2026-03-15", recorded_at="2026-02-20"))
    found = []
    for day in (date(2026, 2, 19), date(2026, 2, 20), date(2026, 3, 14), date(2026, 3, 15)):
        stopped = bill(history, through=day, known_until=midnight(day.toordinal() + 1)).stopped
        found.append(stopped.how if stopped else "")
    assert found == ["suspended", "suspended", "suspended", ""]
    said = status(history, now=midnight(date(2026, 2, 21).toordinal()))
    assert (said.state, said.message) == (
        "suspended", "The trial ended with 14 January 2026; the account runs from 15 March 2026."
    )  # fmt: skip


def test_one_that_is_told_during_the_trial_is_in_time() -> None:
    assert dates(tried(card("2026-01-14"))) == ["2026-01-15", "2026-02-15", "2026-03-15"]


def test_one_that_the_account_was_opened_with_is_on_file() -> None:
    assert dates(tried(payment_method="invoice")) == ["2026-01-15", "2026-02-15", "2026-03-15"]


def test_one_that_was_taken_back_by_the_end_of_the_trial_is_none() -> None:
    again = card("2026-02-20")
    assert dates(tried(card("2026-01-03", withdrawn_at="2026-01-08"), again)) == ["2026-02-20", "2026-03-20"]


def test_one_that_is_taken_back_later_does_not_stop_what_has_begun() -> None:
    for moment in ("2026-01-15", "2026-02-01"):
        assert dates(tried(card("2026-01-03", withdrawn_at=moment))) == ["2026-01-15", "2026-02-15", "2026-03-15"]


def test_a_start_begins_them_anyway() -> None:
    assert dates(tried({"at": "2026-02-01", "event": "start"})) == ["2026-02-01", "2026-03-01", "2026-04-01"]


def test_who_has_cancelled_during_the_trial_or_afterwards_has_ended() -> None:
    for day, ended in (("2026-01-05", "2026-01-15"), ("2026-02-05", "2026-02-05")):
        history = tried({"at": day, "event": "cancel"})
        found = status(history, now=midnight(to_day(THROUGH)))
        assert (found.state, str(found.ends)) == ("ended", ended)
        billing = bill(history, through=THROUGH)
        assert (str(billing.ended), billing.next_look) == (ended, None)


@pytest.mark.parametrize(("kind", "how"), [("cancel", "ended"), ("pause", "paused")])
def test_who_has_left_during_the_trial_is_not_suspended_and_a_card_does_not_bring_them_back(
    kind: str, how: str
) -> None:
    left = {"at": "2026-01-05", "event": kind}
    for history in (tried(left), tried(left, card("2026-02-10"))):
        for day in (ENDS, date(2026, 2, 10), THROUGH):
            stopped = bill(history, through=day, known_until=midnight(to_day(day) + 1)).stopped
            assert stopped is not None
            assert stopped.how == how


def test_what_it_begins_with_counts_though_it_is_told_late() -> None:
    policy = policy_of(
        WAITING.replace('price = "10.00 per month"', 'prices = [{ price = "10.00 per month" }, '
                        '{ price = "100.00 per year", interval = "year" }]')
        + '[change]\ninterval = "restart"\n'
    )  # fmt: skip
    start = {"at": "2026-02-01", "event": "start", "interval": "month", "recorded_at": "2026-02-11"}
    rows: list[Mapping[str, object]] = [TRIAL, ANNA, start, {"at": "2026-02-26", "event": "activate", "user": "zed"}]
    history = read_history(rows, policy=policy, interval="year")
    once, first = bill(history, through=THROUGH), bill(history, through=date(2026, 2, 11))
    assert [(one.date, one.total_minor) for one in first.documents] == [(date(2026, 2, 11), 1000)]
    assert first.followed_by(bill(history, through=THROUGH, issued=remembered(first))) == once


def test_who_has_cancelled_can_come_back() -> None:
    cancelled, back = {"at": "2026-01-05", "event": "cancel"}, {"at": "2026-03-01", "event": "start"}
    assert dates(tried(cancelled, back)) == ["2026-03-01", "2026-04-01"]


def test_a_policy_says_it_for_some_intervals_only() -> None:
    policy = policy_of(
        BASE
        + '[period]\nanchor = "start"\n[trial]\ndays = 14\n[[when]]\ninterval = "month"\n'
        + 'trial.without_payment_method = "suspended"\n'
    )
    for interval, count in (("month", 0), ("year", 1)):
        history = read_history([TRIAL, ANNA], policy=policy, interval=interval)
        assert len(bill(history, through=THROUGH).documents) == count


def test_what_is_no_way_to_go_on_is_refused() -> None:
    assert refusals(BASE + '[trial]\nwithout_payment_method = "ended"\n') == (
        'test.toml, line 6: trial.without_payment_method cannot be "ended"; did you mean suspended? allowed: starts, '
        "suspended",
    )


def told() -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """How many days after the trial began a payment method was given, told of and taken back, each after the other."""
    held = st.sampled_from([1, 3, 12, 1000])
    return st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 5, 20]), held), max_size=4)


@given(told(), st.integers(0, 60))
def test_they_begin_on_the_first_day_after_the_trial_on_which_one_is_known_to_be_on_file(
    methods: list[tuple[int, int, int]], cut: int
) -> None:
    begins = date(2026, 1, 1)
    rows = []
    for day, late, held in methods:
        withdrawn = {} if held == 1000 else {"withdrawn_at": str(begins + timedelta(day + late + held))}
        rows.append(card(str(begins + timedelta(day)), recorded_at=str(begins + timedelta(day + late)), **withdrawn))
    history = tried(*rows)
    known = [(day + late, day + late + held) for day, late, held in methods]
    in_time = any(since <= 14 <= until for since, until in known)
    first = 14 if in_time else min((since for since, _ in known if since > 14), default=None)
    whole = bill(history, through=THROUGH)
    assert [one.date for one in whole.documents[:1]] == ([] if first is None else [begins + timedelta(first)])
    for document in whole.documents:
        assert document in bill(history, through=document.date).documents
    run = bill(history, through=begins + timedelta(cut))
    for issued in (run, remembered(run)):
        assert run.followed_by(bill(history, through=THROUGH, issued=issued)) == whole
