"""A request that is sent twice happens once, and one that is refused leaves nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from prorata.accounts.models import Account
from prorata.subscriptions.models import Event
from prorata.vendors.answers import KEPT, forget_old_answers
from prorata.vendors.models import Answer
from tests.service.api.cast import Caller, program, refused
from tests.service.api.conftest import sandbox

_JOINS = {"events": [{"event": "activate", "user": "chris"}]}


def test_a_request_with_a_key_happens_once_and_gets_the_same_answer(vera: Caller) -> None:
    first = vera.ask("POST", "/accounts/nord/events", _JOINS, Idempotency_Key="k1")
    before = Event.objects.count()
    again = vera.ask("POST", "/accounts/nord/events", _JOINS, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == before


def test_without_a_key_it_happens_as_often_as_it_is_sent(vera: Caller) -> None:
    for user in ("chris", "dora"):
        vera.post("/accounts/nord/events", {"events": [{"event": "activate", "user": user}]})
    assert Event.objects.filter(member__key__in=("chris", "dora")).count() == 2


def test_a_key_is_for_one_request_of_one_vendor(vera: Caller) -> None:
    vera.post("/accounts/nord/events", _JOINS, Idempotency_Key="k1")
    other = {"events": [{"event": "activate", "user": "dora"}]}
    [sentence] = refused(vera.ask("POST", "/accounts/nord/events", other, Idempotency_Key="k1"), 422)
    assert sentence == "header Idempotency-Key: 'k1' was used for another request; take a new one for this"
    [sentence] = refused(vera.ask("POST", "/accounts", {"key": "syd"}, Idempotency_Key="k" * 256), 400)
    assert sentence == "header Idempotency-Key: 256 signs are too many; allowed: 255"
    dora = program(sandbox("other"))
    assert dora.post("/accounts", {"key": "syd"}, Idempotency_Key="k1")["key"] == "syd"


def test_what_was_refused_can_be_tried_again_under_its_key(vera: Caller) -> None:
    leaves = {"events": [{"event": "deactivate", "user": "dora"}]}
    refused(vera.ask("POST", "/accounts/nord/events", leaves, Idempotency_Key="k1"), 409)
    vera.post("/accounts/nord/members/dora/activate")
    assert vera.post("/accounts/nord/events", leaves, Idempotency_Key="k1")["events"][0]["user"] == "dora"


def test_an_answer_is_kept_for_a_week(vera: Caller) -> None:
    vera.post("/accounts", {"key": "syd"}, Idempotency_Key="k1")
    kept = Answer.objects.get(key="k1")
    Answer.objects.update(made_at=kept.made_at - KEPT - timedelta(minutes=1))
    vera.post("/accounts", {"key": "ost"}, Idempotency_Key="k2")
    forget_old_answers(now=datetime.now(UTC))
    assert [answer.key for answer in Answer.objects.all()] == ["k2"]
    refused(vera.ask("POST", "/accounts", {"key": "syd"}, Idempotency_Key="k1"), 409)


@pytest.mark.parametrize("key", ["", "k1"])
def test_what_is_refused_half_way_leaves_nothing(vera: Caller, key: str) -> None:
    events = [{"event": "activate", "user": "anna"}, {"event": "role", "user": "nobody", "role": "free"}]
    [sentence] = refused(vera.ask("POST", "/accounts", {"key": "syd", "events": events}, Idempotency_Key=key), 422)
    assert sentence == "body events[1].user: 'nobody' was never a member before 10 February 2026"
    assert not Account.objects.filter(key="syd").exists()
    assert not Answer.objects.exists()


def test_a_quote_that_no_longer_holds_is_refused_with_a_new_one(vera: Caller) -> None:
    quote = vera.post("/accounts/nord/quotes", {"events": [{"event": "plan", "plan": "BASIC"}]})
    vera.post("/accounts/nord/events", _JOINS)
    answer = vera.ask("POST", f"/quotes/{quote['id']}/acceptance", Idempotency_Key="k1")
    [sentence] = refused(answer, 409)
    assert sentence.startswith("the account has changed since the quote was made; the change now costs ")
    new = json.loads(answer.content)["quote"]
    assert new["per_period"] == "-1200.00"  # three from 699.00 to 299.00
    accepted = vera.post(f"/quotes/{new['id']}/acceptance")
    assert accepted["quote"]["accepted_at"] is not None
    assert [event["plan"] for event in accepted["events"]] == ["BASIC"]
    refused(vera.ask("POST", f"/quotes/{new['id']}/acceptance"), 409)
