"""Accounts by the API: opened, looked at, changed, lived with and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from prorata.accounts.models import Account
from prorata.invoicing.verify import verify
from prorata.vendors.models import Answer, Vendor
from prorata.webhooks.actions import add_endpoint
from prorata.webhooks.models import Message
from prorata.webhooks.outbox import Kind
from tests.service.api.cast import Caller, program, refused, told
from tests.service.api.conftest import sandbox
from tests.service.world import at


def test_an_account_is_opened_with_its_first_events(vera: Caller) -> None:
    events = [{"event": "start", "at": "2026-02-10"}, {"event": "activate", "user": "anna"}]
    told = {
        "key": "syd",
        "name": "Syd AB",
        "country": "SE",
        "email": "syd@example.com",
        "plan": "pro",
        "events": events,
    }
    account = vera.post("/accounts", told)
    assert account["name"] == "Syd AB"
    assert account["agreement"] == {
        "policy": "mainter", "state": "active", "plan": "PRO", "interval": "month", "payment_method": "",
        "currency": "SEK", "time_zone": "Europe/Stockholm",
        "starts": "2026-02-10", "ends": None, "returns": None, "trial_plan": "", "trial_ends": None,
        "period_start": "2026-02-10", "period_end": "2026-03-01", "ordered": {},
        "billed": [{"item": "seats", "quantity": 1, "price": "699.00", "price_months": 1}],
        "credit_left": "0.00", "billed_through": None, "next_look": "2026-02-10", "problem": "", "message": "",
    }  # fmt: skip
    assert vera.get("/accounts/syd") == account


def test_an_account_can_have_days_of_its_own(vera: Caller) -> None:
    # noon of 10 February in UTC is one in the morning of the 11th in Auckland
    account = vera.post("/accounts", {"key": "syd", "time_zone": "Pacific/Auckland", "events": [{"event": "start"}]})
    agreement = account["agreement"]
    assert (agreement["time_zone"], agreement["starts"]) == ("Pacific/Auckland", "2026-02-11")
    told = {"events": [{"event": "activate", "user": "anna", "at": "2026-02-12"}]}
    [event] = vera.post("/accounts/syd/events", told)["events"]
    assert event["at"] == "2026-02-12T00:00:00+13:00"
    refused(vera.ask("PATCH", "/accounts/syd", {"time_zone": "Europe/Oslo"}), 422)


def test_without_events_an_account_waits(vera: Caller) -> None:
    agreement = vera.post("/accounts", {"key": "syd"})["agreement"]
    assert (agreement["state"], agreement["plan"], agreement["starts"]) == ("waiting", "BASIC", None)
    vera.post("/accounts/syd/events", {"events": [{"event": "start", "at": "2026-03-01"}]})
    agreement = vera.get("/accounts/syd")["agreement"]
    assert (agreement["state"], agreement["starts"]) == ("waiting", "2026-03-01")


def test_a_trial_a_cancellation_and_the_end_show(vera: Caller) -> None:
    vera.post("/accounts", {"key": "syd", "events": [{"event": "trial", "until": "2026-03-01"}]})
    states = [vera.get("/accounts/syd")["agreement"]["state"]]
    vera.post("/clock", {"to": "2026-03-10T12:00:00Z"})
    states.append(vera.get("/accounts/syd")["agreement"]["state"])
    vera.post("/accounts/syd/events", {"events": [{"event": "cancel", "reason": "too dear"}]})
    agreement = vera.get("/accounts/syd")["agreement"]
    assert (agreement["state"], agreement["ends"]) == ("active", "2026-04-01")
    vera.post("/clock", {"to": "2026-04-01T12:00:00Z"})
    states.append(vera.get("/accounts/syd")["agreement"]["state"])
    assert states == ["trial", "active", "ended"]


def test_without_a_card_an_account_is_suspended_after_its_trial_and_runs_from_the_day_on_which_there_is_one() -> None:
    caller = program(vendor := sandbox(policy="sloneek"))  # its clock begins at noon on 10 January 2026
    told = heard(vendor)
    caller.post("/accounts", {"key": "ost", "events": [{"event": "trial", "quantity": 10}]})
    assert standing(caller) == ("trial", None, "")
    caller.post("/clock", {"to": "2026-01-25T12:00:00Z"})
    ended = "The trial ended with 23 January 2026, and no payment method is on file; the account runs from the day on "
    assert standing(caller) == ("suspended", None, ended + "which one is given.")
    assert told() == [("account.stopped", {"account": "ost", "how": "suspended", "since": "2026-01-24"})]
    assert caller.get("/accounts/ost/preview")["next"] is None
    caller.post("/accounts/ost/events", {"events": [{"event": "payment_method", "payment_method": "card"}]})
    assert standing(caller) == ("active", "2026-01-25", "")
    caller.post("/clock", {"to": "2026-01-26T12:00:00Z"})
    [document] = caller.get("/documents?account=ost")["items"]
    assert (document["date"], document["total"]) == ("2026-01-25", "80.00")  # S14: 10 × 8.00
    assert told()[1:] == [("account.resumed", {"account": "ost", "was": "suspended"})]
    assert not list(verify(vendor))


def test_an_account_is_away_for_a_while_and_comes_back() -> None:
    caller = program(vendor := sandbox(policy="sloneek"))
    told = heard(vendor)
    caller.post("/accounts", {"key": "ost", "events": [{"event": "start", "quantity": 10}]})
    caller.post("/accounts/ost/events", {"events": [{"event": "pause", "reason": "the season is over"}]})
    assert standing(caller) == ("active", "2026-01-10", "")
    caller.post("/clock", {"to": "2026-03-01T12:00:00Z"})
    assert standing(caller) == ("paused", "2026-01-10", "Paused since 10 February 2026.")
    back = {"events": [{"event": "start", "at": "2026-03-20"}]}
    assert refused(caller.ask("POST", "/accounts/ost/events", {"events": [{"event": "trial"}]}), 409) == [
        "body events[0].at: the trial begins after the agreement started on 10 January 2026"
    ]
    caller.post("/accounts/ost/events", back)
    assert standing(caller)[2] == "Paused since 10 February 2026, to come back on 20 March 2026."
    assert caller.get("/accounts/ost/preview")["next"]["date"] == "2026-03-20"
    caller.post("/clock", {"to": "2026-04-21T12:00:00Z"})
    assert standing(caller) == ("active", "2026-01-10", "")
    dates = [one["date"] for one in caller.get("/documents?account=ost")["items"]]
    assert sorted(dates) == ["2026-01-10", "2026-03-20", "2026-04-20"]  # S15
    assert told() == [
        ("account.stopped", {"account": "ost", "how": "paused", "since": "2026-02-10"}),
        ("account.resumed", {"account": "ost", "was": "paused"}),
    ]
    assert not list(verify(vendor))


def test_a_card_that_is_told_late_and_another_plan_after_a_pause_leave_nothing_to_verify() -> None:
    caller = program(vendor := sandbox(policy="sloneek"))
    for key in ("late", "ahead"):
        caller.post("/accounts", {"key": key, "events": [{"event": "trial", "quantity": 10}]})
    caller.post("/accounts", {"key": "away", "events": [{"event": "start", "quantity": 10}, {"event": "pause"}]})
    caller.post("/clock", {"to": "2026-02-20T12:00:00Z"})
    card = {"event": "payment_method", "payment_method": "card"}
    caller.post("/accounts/late/events", {"events": [{**card, "at": "2026-01-15"}]})
    caller.post("/accounts/ahead/events", {"events": [{**card, "at": "2026-03-01"}]})
    caller.post("/accounts/away/events", {"events": [{"event": "start", "plan": "essential"}]})
    caller.post("/clock", {"to": "2026-04-21T12:00:00Z"})
    found = {
        key: [(one["date"], one["total"]) for one in caller.get(f"/documents?account={key}")["items"]]
        for key in ("late", "ahead", "away")
    }
    assert {key: sorted(told) for key, told in found.items()} == {
        "late": [("2026-02-20", "80.00"), ("2026-03-20", "80.00"), ("2026-04-20", "80.00")],
        "ahead": [("2026-03-01", "80.00"), ("2026-04-01", "80.00")],
        "away": [("2026-01-10", "80.00"), ("2026-02-20", "60.00"), ("2026-03-20", "60.00"), ("2026-04-20", "60.00")],
    }
    assert not list(verify(vendor))


def test_a_trial_that_nothing_followed_can_be_ended_and_the_account_deleted() -> None:
    caller = program(sandbox(policy="sloneek"))
    caller.post("/accounts", {"key": "ost", "events": [{"event": "trial", "quantity": 10}]})
    caller.post("/clock", {"to": "2026-02-10T12:00:00Z"})
    caller.post("/accounts/ost/events", {"events": [{"event": "cancel"}]})
    assert standing(caller) == ("ended", None, "Ended with 9 February 2026.")
    caller.post("/clock", {"to": "2026-02-11T12:00:00Z"})
    assert told(caller.ask("DELETE", "/accounts/ost")) is None


def standing(caller: Caller) -> tuple[str, str | None, str]:
    agreement = caller.get("/accounts/ost")["agreement"]
    return agreement["state"], agreement["starts"], agreement["message"]


def heard(vendor: Vendor) -> Callable[[], list[tuple[str, Any]]]:
    """What the vendor is told of accounts that stop and run again."""
    kinds: tuple[Kind, ...] = ("account.stopped", "account.resumed")
    add_endpoint(vendor=vendor, url="https://example.com/", kinds=kinds, now=at("2026-01-10"))

    def told() -> list[tuple[str, Any]]:
        return [(one.kind, json.loads(one.body)["data"]) for one in Message.objects.order_by("pk")]

    return told


def test_ordered_seats_and_the_minimum_show() -> None:
    caller = program(sandbox(policy="sloneek"))
    events = [{"event": "start", "quantity": 12}, {"event": "activate", "user": "anna"}]
    agreement = caller.post("/accounts", {"key": "ost", "events": events})["agreement"]
    assert agreement["ordered"] == {"": 12}
    assert agreement["billed"] == [{"item": "seats", "quantity": 12, "price": "8.00", "price_months": 1}]


def test_details_change_what_the_next_documents_say(vera: Caller) -> None:
    assert vera.get("/documents/invoice-1")["buyer"]["name"] == "Nord AB"
    of_place = {"address": "Storgatan 1", "postal_code": "411 01", "city": "Göteborg", "country": "SE"}
    of_mail = {"email": "post@nord.example", "copies_to": ["books@nord.example", "anna@nord.example"]}
    said = {"name": "Nord Verkstad AB", "reference": "PO 17", **of_place, **of_mail}
    changed = told(vera.ask("PATCH", "/accounts/nord", said))
    assert {name: changed[name] for name in said} == said
    assert told(vera.ask("PATCH", "/vendor", {"name": "Acme AB", "city": "Malmö"}))["city"] == "Malmö"
    vera.post("/clock", {"to": "2026-03-01T12:00:00Z"})
    newest = vera.get("/documents?limit=1")["items"][0]["document"]
    document = vera.get(f"/documents/{newest}")
    assert document["buyer"] == {
        "name": "Nord Verkstad AB", "organisation_number": "", "vat_number": "", "reference": "PO 17", **of_place,
    }  # fmt: skip
    assert (document["seller"]["name"], document["seller"]["city"]) == ("Acme AB", "Malmö")
    assert vera.get("/documents/invoice-1")["buyer"]["name"] == "Nord AB"


def test_an_account_is_deleted_once_its_agreement_has_ended(vera: Caller) -> None:
    [sentence] = refused(vera.ask("DELETE", "/accounts/nord"), 409)
    assert sentence == "the agreement of account nord has not ended; cancel it, and bill its last period"
    vera.post("/accounts/nord/events", {"events": [{"event": "cancel"}]})
    vera.post("/clock", {"to": "2026-03-02T12:00:00Z"})
    assert vera.ask("DELETE", "/accounts/nord").status_code == 204
    account = vera.get("/accounts/nord")
    assert (account["name"], account["deleted_at"]) == ("", "2026-03-02T12:00:00Z")
    [sentence] = refused(vera.ask("PATCH", "/accounts/nord", {"name": "Nord"}), 409)
    assert sentence == "account nord was deleted on 2026-03-02; it stays as it is"
    [sentence] = refused(vera.ask("POST", "/accounts", {"key": "nord"}), 409)
    assert sentence == "vendor vendor had an account nord already; a key is used once"
    assert vera.get("/documents/invoice-1")["buyer"]["name"] == "Nord AB"


def test_what_was_answered_about_a_deleted_account_is_forgotten(vera: Caller) -> None:
    told = {"key": "syd", "name": "Syd AB", "email": "anna@geheim.example"}
    vera.post("/accounts", told, Idempotency_Key="k1")
    vera.post("/accounts", {"key": "sydost"}, Idempotency_Key="k2")
    vera.post("/accounts/syd/members/anna@geheim.example/invite", Idempotency_Key="k4")
    vera.ask("DELETE", "/accounts/syd", Idempotency_Key="k3")
    assert "geheim" not in "".join(Answer.objects.values_list("body", flat=True))
    assert [one.key for one in Answer.objects.order_by("pk")] == ["k2", "k3"]
    refused(vera.ask("POST", "/accounts", told, Idempotency_Key="k1"), 409)


def test_accounts_are_found_by_words(vera: Caller) -> None:
    vera.post("/accounts", {"key": "syd", "name": "Syd Bil AB", "email": "kontor@syd.example"})
    for words, keys in (("ab", ["nord", "syd"]), ("bil syd", ["syd"]), ("KONTOR", ["syd"]), ("väst", [])):
        assert [one["key"] for one in vera.get(f"/accounts?words={words}")["items"]] == keys


def test_a_list_goes_on_behind_its_cursor_whatever_is_added(vera: Caller) -> None:
    for key in "abcde":
        vera.post("/accounts", {"key": key})
    first = vera.get("/accounts?limit=3")
    vera.post("/accounts", {"key": "f"})
    second = vera.get(f"/accounts?limit=3&cursor={first['next']}")
    third = vera.get(f"/accounts?limit=3&cursor={second['next']}")
    assert ["".join(one["key"] for one in page["items"]) for page in (first, second, third)] == ["nordab", "cde", "f"]
    assert third["next"] is None
    newest = vera.get("/documents?limit=1")
    older = vera.get(f"/documents?limit=1&cursor={newest['next']}")
    assert [newest["items"][0]["document"], older["items"][0]["document"]] == ["invoice-2", "invoice-1"]


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ("[7", ["the request cannot be read: Expecting ',' delimiter: line 1 column 3 (char 2)"]),
        ('{"key": "\\u0000"}', ["the request cannot be read: '\\x00' holds a sign that is none"]),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(vera: Caller, body: str, sentences: list[str]) -> None:
    assert refused(vera.ask("POST", "/accounts", body), 400) == sentences


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ({}, ["body key: field required"]),
        ({"key": "a/b"}, [
            "body key: 'a/b' has a sign that a key cannot have; allowed: all that can be printed, but no /",
        ]),
        ({"key": "a", "plam": "PRO"}, [
            "body plam: is not a field here; allowed: name, organisation_number, vat_number, address, postal_code, "
            "city, country, reference, email, copies_to, key, policy, plan, interval, payment_method, time_zone, "
            "seats_follow, events",
        ]),
        ({"key": "a", "country": "Sverige"}, [
            "body country: 'Sverige' is not a country; write two capital letters, such as SE",
        ]),
        ({"key": "a", "email": "nobody"}, ["body email: 'nobody' is not an e-mail address"]),
        ({"key": "a", "copies_to": ["a@b.se", "x"]}, ["body copies_to[1]: 'x' is not an e-mail address"]),
        ({"key": "a", "time_zone": "Norway/Oslo"}, [
            "time_zone: 'Norway/Oslo' is not a time zone; write one like Europe/Oslo",
        ]),
        ({"key": "a", "plan": "PRRO"}, [
            "plan: 'PRRO' is not a plan of policy mainter; did you mean 'PRO'? allowed: BASIC, PRO",
        ]),
        ({"key": "a", "policy": "manter"}, ["policy: 'manter' is not a policy; vendor vendor has: mainter"]),
        ({"key": "a", "events": [{"event": "activat", "user": "b"}, {"event": "seats"}]}, [
            "body events[0].event: 'activat' is not an event; did you mean 'activate'? allowed: start, trial, invite, "
            "accept, activate, deactivate, suspend, resume, activity, role, seats, plan, trial_plan, add_on, "
            "remove_add_on, interval, payment_method, cancel, pause, credit",
            "body events[1].quantity: is empty; seats needs it",
        ]),
        ({"key": "a", "events": [{"event": "activate", "user": "b", "at": "yesterday"}]}, [
            "body events[0].at: 'yesterday' is not a date; write a date like 2026-04-01, or a moment with its zone "
            "like 2026-04-01T09:30:00Z",
        ]),
    ],
)  # fmt: skip
def test_what_an_account_cannot_be_is_said(vera: Caller, body: object, sentences: list[str]) -> None:
    assert refused(vera.ask("POST", "/accounts", body), 422) == sentences
    assert not Account.objects.filter(key="a").exists()


def test_the_policy_is_named_where_there_are_several(vera: Caller) -> None:
    text = vera.get("/policies/mainter")["text"]
    answer = vera.ask("PUT", "/policies/other", {"text": text})
    assert answer.status_code == 200
    [sentence] = refused(vera.ask("POST", "/accounts", {"key": "a"}), 422)
    assert sentence == "policy: say by which policy the account is billed; vendor vendor has: mainter and other"
    assert vera.post("/accounts", {"key": "a", "policy": "other"})["agreement"]["policy"] == "other"


def test_what_is_nowhere_is_said_as_a_problem(vera: Caller) -> None:
    assert refused(vera.ask("GET", "/accounts/x"), 404) == ["there is no account 'x'"]
    assert refused(vera.ask("GET", "/x"), 404) == [
        "there is nothing at this address; /api/v1/docs tells which there are"
    ]
    answer = vera.ask("PUT", "/vendor")
    assert refused(answer, 405) == ["this address does not know that method"]
    assert sorted(answer["Allow"].split(", ")) == ["GET", "PATCH"]
    assert refused(vera.ask("GET", "/accounts?cursor=%21"), 422) == [
        "query cursor: '!' is no cursor; take `next` of the page before"
    ]
    assert refused(vera.ask("GET", "/accounts?limt=3"), 422) == [
        "query limt: is not a parameter here; did you mean 'limit'? allowed: words, cursor, limit"
    ]
    assert refused(vera.ask("GET", "/documents?from=1+May"), 422) == [
        "query from: '1 May' is not a date; write one like 2026-04-01"
    ]
