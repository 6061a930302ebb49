"""How an agreement stands is what its bills say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.bill import bill
from prorata.engine.calendar import midnight, to_date
from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.refusal import CannotBill
from prorata.engine.status import Billed, status
from prorata.policies import load_policy
from tests.engine.worlds import FIRST, subscriptions

NOON = 43_200_000_000


def on(day: str) -> int:
    return midnight(date.fromisoformat(day).toordinal()) + NOON


def known_by(history: Subscription, now: int) -> Subscription:
    """The same, with what had been recorded by a moment."""
    kept = {event.order for event in history.events if event.recorded <= now}
    events = tuple(event for event in history.events if event.order in kept)
    grants = tuple(event for event in history.grants if event.recorded <= now)
    return replace(history, events=events, grants=grants)


@given(subscriptions(), st.integers(0, 500))
def test_credits_and_the_end_are_those_of_its_bills(history: Subscription, later: int) -> None:
    today = FIRST.toordinal() + later
    now = midnight(today) + NOON
    known = known_by(history, now)
    try:
        billed = bill(known, through=to_date(today), known_until=now + 1)
        to_come = bill(known, through=to_date(today + 1100), known_until=now + 1)
    except CannotBill:
        return
    stands = status(known, now=now, issued=billed)
    assert stands.credit_left_minor == billed.credit_left_minor
    assert stands.ends is None or to_come.ended is None or stands.ends == to_come.ended
    if to_come.ended is not None:
        assert stands.ends == to_come.ended
    # A bill notices the end with the first look behind it.
    assert stands.state == "ended" or billed.ended is None
    assert stands.state != "ended" or to_come.ended is not None
    assert replace(status(known, now=now), credit_left_minor=stands.credit_left_minor) == stands


@pytest.mark.parametrize(
    ("until", "ends"),
    [("", "2026-04-01"), ("2026-08-15", "2026-08-15"), ("2027-12-01", "2027-12-01")],
)
def test_the_end_is_known_however_far_ahead(until: str, ends: str) -> None:
    rows = [
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
        {"at": "2026-03-01", "event": "cancel", "until": until},
    ]
    stands = status(read_history(rows, policy=load_policy("mainter")), now=on("2026-03-02"))
    assert (stands.state, str(stands.ends)) == ("active", ends)


def test_what_stands_is_what_has_taken_effect_by_then() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-01-01", "event": "start", "quantity": 12},
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
        {"at": "2026-03-10", "event": "seats", "quantity": 15, "recorded_at": "2026-01-01"},
        {"at": "2026-02-01", "event": "add_on", "item": "sms", "price": "2.00", "quantity": 3},
        {"at": "2026-02-01", "event": "credit", "amount": "5.00"},
    ]
    history = read_history(rows, policy=load_policy("sloneek"))
    january, march = status(history, now=on("2026-01-20")), status(history, now=on("2026-03-20"))
    assert (january.ordered, march.ordered) == ({"": 12}, {"": 15})
    assert january.billed == (Billed("seats", 12, 800, 1),)
    assert march.billed == (Billed("seats", 15, 800, 1), Billed("sms", 3, 200, 1))
    assert (january.credit_left_minor, march.credit_left_minor) == (0, 500)
    assert (str(march.period_start), str(march.period_end)) == ("2026-03-01", "2026-04-01")


def test_before_its_first_day_an_agreement_waits_or_is_tried() -> None:
    policy = load_policy("sloneek")
    later = read_history([{"at": "2026-02-01", "event": "start", "recorded_at": "2026-01-01"}], policy=policy)
    tried = read_history([{"at": "2026-01-01", "event": "trial", "payment_method": "card"}], policy=policy)
    assert status(later, now=on("2026-01-10")).state == "waiting"
    assert status(tried, now=on("2026-01-10")).state == "trial"
    assert [str(status(one, now=on("2026-01-10")).starts) for one in (later, tried)] == ["2026-02-01", "2026-01-15"]


def test_a_plan_that_is_tried_shows_beside_the_one_that_is_paid_for() -> None:
    rows = [
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
        {"at": "2026-01-10", "event": "trial_plan", "plan": "PRO"},
    ]
    history = read_history(rows, policy=load_policy("mainter"))
    stands = status(history, now=on("2026-01-20"))
    assert (stands.plan, stands.trial_plan, str(stands.trial_ends)) == ("BASIC", "PRO", "2026-02-09")
    assert status(history, now=on("2026-02-20")).trial_plan == ""


def test_what_cannot_be_billed_says_why() -> None:
    history = read_history([{"at": "2026-01-01", "event": "start"}], policy=load_policy("sloneek"))
    stands = status(history, now=on("2026-01-20"))
    assert stands.billed == ()
    assert stands.problem.startswith("the policy bills bought seats and the history buys none")
