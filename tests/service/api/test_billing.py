"""People, events, quotes and documents by the API: what is said before is what is billed."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote as quote_

import pytest

from prorata.invoicing.actions import advance_clock
from prorata.invoicing.actions.run_bills import Outcome, run_bills
from prorata.invoicing.models import Quote
from prorata.invoicing.verify import verify
from prorata.subscriptions.models import Event
from prorata.vendors.models import Series, Vendor
from tests.service.api.cast import Caller, program, refused
from tests.service.api.conftest import sandbox


def test_people_move_only_from_where_it_leads_on(vera: Caller) -> None:
    invited = vera.post("/accounts/nord/members/dora/invite", {"name": "Dora Lind", "email": "dora@example.com"})
    assert (invited["event"], invited["user"], invited["actor"]) == ("invite", "dora", "token crm")
    assert refused(vera.ask("POST", "/accounts/nord/members/dora/invite"), 409) == ["dora is invited already"]
    vera.post("/accounts/nord/members/dora/accept", {"role": "free"})
    members = {one["user"]: one for one in vera.get("/accounts/nord/members")["items"]}
    assert members["dora"] == {
        "user": "dora", "name": "Dora Lind", "email": "dora@example.com", "state": "active", "role": "free",
    }  # fmt: skip
    assert refused(vera.ask("POST", "/accounts/nord/members/eva/deactivate"), 409) == [
        "eva is no member; deactivate is for who is invited, active or suspended"
    ]
    [sentence] = refused(vera.ask("POST", "/accounts/nord/members/eva/fire"), 422)
    assert sentence.startswith("path verb: input should be 'invite', 'accept', 'activate'")


def test_who_acts_is_kept(vera: Caller) -> None:
    event = vera.post("/accounts/nord/members/dora/invite", Prorata_Actor="anna@nord.example")
    assert event["actor"] == "anna@nord.example (token crm)"


def test_an_event_of_a_day_to_come_can_be_seen_and_taken_back(vera: Caller) -> None:
    [told] = vera.post("/accounts/nord/events", {"events": [{"event": "plan", "plan": "BASIC", "at": "2026-03-01"}]})[
        "events"
    ]
    assert told["at"] == "2026-03-01T00:00:00+01:00"
    assert vera.get("/accounts/nord/events?scheduled=true")["items"] == [told]
    taken_back = vera.post(f"/accounts/nord/events/{told['id']}/withdrawal")
    assert taken_back["withdrawn_at"] == "2026-02-10T13:00:00+01:00"
    assert vera.get("/accounts/nord/events?scheduled=true")["items"] == []
    assert taken_back in vera.get("/accounts/nord/events")["items"]
    refused(vera.ask("POST", f"/accounts/nord/events/{told['id']}/withdrawal"), 409)


def test_a_quote_costs_what_it_said(vera: Caller, vendor: Vendor) -> None:
    # 10 February: 18 of 28 days at 699.00 with the next document, and a seat more from then on
    quote = vera.post("/accounts/nord/quotes", {"events": [{"event": "activate", "user": "chris"}]})
    assert (quote["now"], quote["next"], quote["per_period"]) == ("0.00", "1148.36", "699.00")
    before = vera.get("/accounts/nord/preview")["next"]
    vera.post(f"/quotes/{quote['id']}/acceptance")
    after = vera.get("/accounts/nord/preview")["next"]
    assert (before["total"], after["total"]) == ("1398.00", "2546.36")
    vera.post("/clock", {"to": "2026-03-01T08:00:00Z"})
    [newest] = vera.get("/documents?limit=1")["items"]
    assert (newest["date"], newest["total"]) == ("2026-03-01", "2546.36")
    issued = vera.get(f"/documents/{newest['document']}")
    assert {name: issued[name] for name in after} == after
    assert list(verify(vendor)) == []


def test_a_document_is_explained(vera: Caller) -> None:
    vera.post("/accounts/nord/members/chris/activate")
    vera.post("/clock", {"to": "2026-03-01T08:00:00Z"})
    explained = vera.get("/documents/invoice-3/explanation")
    assert explained["account"] == "nord"
    assert explained["lines"][0] == {
        "position": 1,
        "text": "1 seat PRO added, 11–28 February 2026",
        "causes": ["chris joined on 10 February 2026"],
        "people": [],
        "arithmetic": "1 × 699.00 × 18/28 = 449.35714…, rounded to 449.36",
        "rules": [
            "the day of change is not billed (seats.change_day)",
            "a day is worth one part of its calendar month's days (share.by)",
            "what is added is charged with the next invoice (rise.settle)",
        ],
    }


def test_events_of_many_accounts_are_recorded_at_once_or_not_at_all(vera: Caller, vendor: Vendor) -> None:
    vera.post("/accounts", {"key": "syd", "events": [{"event": "start", "at": "2026-01-01"}]})
    events = [
        {"account": "nord", "event": "deactivate", "user": "ben", "at": "2026-01-20"},
        {"account": "syd", "event": "activate", "user": "cilla", "at": "2026-01-15"},
    ]
    wrong = [*events, {"account": "väst", "event": "activate", "user": "x"}]
    before = Event.objects.count()
    assert refused(vera.ask("POST", "/events", {"events": wrong}), 422) == [
        "body events[2].account: 'väst' is not an account of vendor vendor"
    ]
    wrong[2] = {"account": "nord", "event": "deactivate", "user": "nobody"}
    assert refused(vera.ask("POST", "/events", {"events": wrong}), 409) == [
        "body events[2].user: 'nobody' was never active before 10 February 2026"
    ]
    assert vera.post("/events", {"events": events, "dry_run": True}) == {"accounts": 2, "events": 2, "kept": False}
    assert Event.objects.count() == before
    assert vera.post("/events", {"events": events}) == {"accounts": 2, "events": 2, "kept": True}
    again = refused(vera.ask("POST", "/events", {"events": events}), 409)
    assert again[0] == "events[0]: this deactivate of account nord is recorded already"
    vera.post("/clock", {"to": "2026-03-01T08:00:00Z"})
    assert list(verify(vendor)) == []
    # Ben left on 20 January: 11 of 31 days back of January, and all of February
    [newest] = vera.get("/documents?account=nord&limit=1")["items"]
    credited = vera.get(f"/documents/{newest['document']}")
    assert (credited["kind"], credited["total"]) == ("credit_note", "248.03")
    assert [line["amount"] for line in credited["lines"]] == ["248.03", "699.00", "-699.00"]


def test_a_list_of_users_is_reconciled(vera: Caller) -> None:
    users = [{"account": "nord", "user": "anna"}, {"account": "nord", "user": "dora", "role": "free"}]
    found = vera.post("/reconciliations", {"users": users})
    assert found == {
        "differences": [
            {"account": "nord", "user": "dora", "difference": "missing", "event": "activate", "role": "free"},
            {"account": "nord", "user": "ben", "difference": "surplus", "event": "deactivate", "role": ""},
        ],
        "applied": False,
    }
    assert vera.post("/reconciliations", {"users": users, "apply": True})["applied"]
    assert vera.post("/reconciliations", {"users": users})["differences"] == []


def test_bills_are_run_for_one_account_or_all(vera: Caller) -> None:
    vera.post("/accounts", {"key": "syd", "events": [{"event": "activate", "user": "cilla"}]})
    vera.post("/accounts", {"key": "ost", "events": [{"event": "activate", "user": "disa"}]})
    dry = vera.post("/bill-runs", {"through": "2026-03-01", "dry_run": True})
    assert (dry["run"], dry["invoices"]) == (None, 5)
    one = vera.post("/bill-runs", {"through": "2026-02-10", "account": "syd"})
    rest = vera.post("/bill-runs", {"through": "2026-02-10"})
    assert (one["looked_at"], one["invoices"], rest["looked_at"], rest["invoices"]) == (1, 1, 1, 1)
    assert one["totals"] == [{"kind": "invoice", "currency": "SEK", "total": "202.89"}]  # 19 of 28 days at 299.00
    run = vera.get(f"/bill-runs/{rest['run']}")
    assert (run["through"], run["looked_at"], run["documents"]) == ("2026-02-10", 1, 1)
    assert run["ended_at"] is not None
    [sentence] = refused(vera.ask("POST", "/bill-runs", {"through": "2026-06-01"}), 422)
    assert sentence == "2026-06-01 has not come yet; a dry run says what would be billed by then"


def test_who_cannot_be_billed_is_a_problem_of_the_run() -> None:
    caller = program(sandbox(policy="sloneek"))
    caller.post("/accounts", {"key": "brno", "events": [{"event": "start", "quantity": 10}]})
    caller.post("/accounts", {"key": "praha", "events": [{"event": "start"}]})
    outcome = caller.post("/bill-runs", {"through": "2026-01-10"})
    assert (outcome["looked_at"], outcome["invoices"]) == (2, 1)
    [told] = outcome["problems"]
    assert told.startswith("account praha: the policy bills bought seats and the history buys none")
    [problem] = caller.get(f"/bill-runs/{outcome['run']}/problems")["items"]
    assert f"account {problem['account']}: {problem['sentence']}" == told
    agreement = caller.get("/accounts/praha")["agreement"]
    assert (agreement["billed"], agreement["problem"]) == ([], problem["sentence"])
    assert refused(caller.ask("GET", "/accounts/praha/preview"), 409) == [problem["sentence"]]


def test_what_was_issued_is_verified(vera: Caller) -> None:
    for body in ({}, {"account": "nord"}):
        assert vera.post("/verifications", body) == {"is_right": True, "wrong": []}
    Series.objects.filter(kind="invoice").update(last=7)
    verified = vera.post("/verifications", {})
    assert not verified["is_right"]
    assert len(verified["wrong"]) == 1
    assert "invoice" in verified["wrong"][0]
    assert vera.post("/verifications", {"account": "nord"})["is_right"]


def test_a_policy_is_seen_and_changed(vera: Caller) -> None:
    policy = vera.get("/policies/mainter")
    assert policy["version"] == 1
    assert policy["plain"][0]["sentences"][0]["text"] == "BASIC costs SEK 299.00 a month per seat."
    again = vera.ask("PUT", "/policies/mainter", {"text": policy["text"]})
    assert b'"version":1,' in again.content
    dearer = policy["text"].replace("299", "319")
    assert b'"version":2,' in vera.ask("PUT", "/policies/mainter", {"text": dearer}).content
    assert [one["version"] for one in vera.get("/policies")["items"]] == [2, 1]
    refused(vera.ask("PUT", "/policies/mainter", {"text": "currency = 7"}), 422)
    [sentence] = refused(vera.ask("PUT", "/policies/mainter", {"text": dearer.replace("BASIC", "BASE")}), 422)
    assert "plan BASIC may be in use" in sentence


def test_the_clock_moves_forward_and_bills_on_the_way(vera: Caller, vendor: Vendor) -> None:
    moved = vera.post("/clock", {"to": "2026-12-31T23:30:00+01:00"})
    assert moved["now"] == "2026-12-31T22:30:00Z"
    assert moved["outcome"]["invoices"] == 10  # March to December
    dates = [one["date"] for one in vera.get("/documents")["items"]]
    assert dates == [*(str(date(2026, month, 1)) for month in range(12, 1, -1)), "2026-01-10"]
    assert vera.post("/clock", {"to": "2027-01-01T00:00:00+01:00"})["outcome"]["invoices"] == 1
    assert list(verify(vendor)) == []
    assert vera.get("/vendor")["is_sandbox"]


def test_a_clock_that_was_interrupted_goes_on_where_it_was(
    vera: Caller, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException): ...

    def kill(**named: Any) -> Outcome:
        if named["through"] == date(2026, 4, 1):
            raise Killed
        return run_bills(**named)

    monkeypatch.setattr(advance_clock, "run_bills", kill)
    with pytest.raises(Killed):
        vera.post("/clock", {"to": "2026-04-20T12:00:00Z"})
    monkeypatch.undo()
    assert vera.get("/vendor")["now"] == "2026-02-28T23:00:00Z"
    assert vera.post("/clock", {"to": "2026-04-20T12:00:00Z"})["outcome"]["invoices"] == 1
    again = vera.post("/clock", {"to": "2026-04-20T12:00:00Z"})
    assert (again["now"], again["outcome"]["looked_at"]) == ("2026-04-20T12:00:00Z", 0)
    assert [one["date"] for one in vera.get("/documents")["items"]] == [
        "2026-04-01", "2026-03-01", "2026-02-01", "2026-01-10",
    ]  # fmt: skip
    assert list(verify(vendor)) == []


def test_who_cannot_be_billed_is_told_once_while_the_clock_moves() -> None:
    caller = program(sandbox(policy="sloneek"))
    caller.post("/accounts", {"key": "brno", "events": [{"event": "start"}]})
    caller.post("/accounts", {"key": "praha", "events": [{"event": "start", "quantity": 10}]})
    outcome = caller.post("/clock", {"to": "2027-01-11T12:00:00Z"})["outcome"]
    assert (len(outcome["problems"]), outcome["invoices"]) == (1, 13)
    caller.post("/accounts/brno/events", {"events": [{"event": "seats", "quantity": 10}]})
    outcome = caller.post("/clock", {"to": "2027-01-12T12:00:00Z"})["outcome"]
    assert (len(outcome["problems"]), outcome["invoices"]) == (0, 13)


def test_a_dry_run_leaves_the_clock_alone(vera: Caller) -> None:
    vera.post("/bill-runs", {"through": "2026-03-01", "dry_run": True})
    assert vera.get("/vendor")["now"] == "2026-02-10T12:00:00Z"
    [sentence] = refused(vera.ask("POST", "/bill-runs", {"through": "2036-03-01", "dry_run": True}), 422)
    assert sentence == "2036-03-01 is too far ahead; a dry run looks 5 years ahead at most"


def test_amounts_that_have_no_room_are_refused_and_stop_nobody(vera: Caller) -> None:
    credits = [{"event": "credit", "amount": "999999999999.99"}] * 11
    assert refused(vera.ask("POST", "/accounts/nord/events", {"events": credits}), 409) == [
        "amount: the credits of the account come to more than can be kept"
    ]
    huge = {"events": [{"event": "add_on", "item": "x", "quantity": 99_999_999, "price": "9999999999.99"}]}
    assert refused(vera.ask("POST", "/accounts/nord/quotes", huge), 409) == [
        "an amount is too large to be kept; look at the quantities and prices of the change"
    ]


def test_a_price_can_be_shown_while_choosing_and_kept_only_once_chosen(vera: Caller) -> None:
    for quantity, per_period in ((1, "49.00"), (2, "98.00")):
        change = {"events": [{"event": "add_on", "item": "sms", "quantity": quantity, "price": "49.00"}], "keep": False}
        shown = vera.post("/accounts/nord/quotes", change)
        assert (shown["id"], shown["per_period"]) == (None, per_period)
    assert not Quote.objects.exists()


def test_the_first_purchase_can_be_quoted(vera: Caller) -> None:
    vera.post("/accounts", {"key": "syd", "plan": "PRO"})
    assert vera.get("/accounts/syd/preview") == {"currency": "SEK", "due": [], "next": None, "recurring": None}
    begins = {"events": [{"event": "start"}, {"event": "activate", "user": "cilla"}]}
    quote = vera.post("/accounts/syd/quotes", begins)
    assert (quote["now"], quote["per_period"]) == ("474.32", "699.00")  # 19 of 28 days at 699.00
    vera.post(f"/quotes/{quote['id']}/acceptance")
    assert vera.post("/bill-runs", {"through": "2026-02-10"})["totals"][0]["total"] == "474.32"


def test_what_is_to_come_does_not_count_yet(vera: Caller) -> None:
    leaves = [{"event": "deactivate", "user": "ben", "at": "2026-06-01"}]
    comes = [{"event": "activate", "user": "new", "at": "2026-06-01"}]
    vera.post("/accounts/nord/events", {"events": [*leaves, *comes]})
    listed = {"users": [{"account": "nord", "user": "anna"}, {"account": "nord", "user": "ben"}], "apply": True}
    assert vera.post("/reconciliations", listed)["differences"] == []
    assert vera.get("/accounts/nord/members/ben")["state"] == "active"
    assert refused(vera.ask("POST", "/accounts/nord/members/ben/activate"), 409) == ["ben is active already"]
    vera.post("/accounts/nord/members/ben/deactivate")
    vera.post("/accounts/nord/members/new/activate")
    assert vera.get("/accounts/nord/members/new")["state"] == "active"


def test_a_deleted_account_is_no_part_of_a_reconciliation(vera: Caller) -> None:
    vera.post("/accounts", {"key": "syd"})
    vera.post("/accounts/syd/members/cilla/activate")
    assert vera.ask("DELETE", "/accounts/syd").status_code == 204
    users = [{"account": "nord", "user": user} for user in ("anna", "ben")]
    assert vera.post("/reconciliations", {"users": users, "everyone": True, "apply": True})["differences"] == []


def test_the_end_of_what_was_cancelled_shows_however_far_ahead(vera: Caller) -> None:
    vera.post("/accounts/nord/events", {"events": [{"event": "cancel", "until": "2026-08-15"}]})
    assert vera.get("/accounts/nord")["agreement"]["ends"] == "2026-08-15"


@pytest.mark.parametrize("user", ["carl%20", "%20", "a%0Ab"])
def test_people_are_called_the_same_in_addresses_and_bodies(vera: Caller, user: str) -> None:
    [sentence] = refused(vera.ask("POST", f"/accounts/nord/members/{user}/activate"), 422)
    assert "cannot be what a person is called" in sentence


def test_who_acts_may_have_any_name_but_not_a_long_one(vera: Caller, vendor: Vendor) -> None:
    long = program(vendor, "people", name="n" * 100)
    event = long.post("/accounts/nord/members/dora/invite", Prorata_Actor=quote_("Åsa Öberg " * 20))
    assert len(event["actor"]) == 189
    event = vera.post("/accounts/nord/members/dora/accept", Prorata_Actor="%C3%85sa%20%C3%96berg")
    assert event["actor"] == "Åsa Öberg (token crm)"


@pytest.mark.parametrize(
    ("to", "status", "said"),
    [
        ("2026-02-10T11:00:00Z", 409, "the clock stands at 2026-02-10T12:00:00+00:00 and only moves forward"),
        ("2031-01-01T00:00:00Z", 409, "the clock moves by 3 years at most; go there in steps"),
        (
            "2026-03-01",
            422,
            "body to: '2026-03-01' is not a moment; write one with its zone, like 2026-04-01T09:30:00Z",
        ),
    ],
)
def test_a_clock_that_cannot_be_moved_so_stays(vera: Caller, to: str, status: int, said: str) -> None:
    assert refused(vera.ask("POST", "/clock", {"to": to}), status) == [said]
    assert vera.get("/vendor")["now"] == "2026-02-10T12:00:00Z"


def test_a_vendor_in_real_time_has_no_clock_to_move(vera: Caller, vendor: Vendor) -> None:
    Vendor.objects.filter(pk=vendor.pk).update(test_clock=None)
    [sentence] = refused(vera.ask("POST", "/clock", {"to": "2027-01-01T00:00:00Z"}), 409)
    assert sentence.startswith("vendor vendor lives in real time")
