"""People move only from where a verb leads on; and a list of users is compared with who is a member."""

from __future__ import annotations

from datetime import date

import pytest

from prorata.accounts.models import Member
from prorata.database.refused import Refused
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Document
from prorata.subscriptions.actions.people import move
from prorata.subscriptions.actions.reconcile import Difference, as_rows, reconcile
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.people import MOVES, Verb
from prorata.vendors.models import Vendor
from tests.service.world import at, customer, fact, seller, with_people

# How somebody comes into each state.
PATHS: dict[str, tuple[Verb, ...]] = {
    "absent": (),
    "invited": ("invite",),
    "active": ("activate",),
    "suspended": ("activate", "suspend"),
}


def moved(subscription: Subscription, verb: Verb, user: str = "zoe", day: str = "2026-01-05", role: str = "") -> Event:
    role = "free" if verb == "role" else role
    return move(subscription=subscription, verb=verb, user=user, role=role, now=at(day), actor="anna")


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("verb", MOVES)
def test_a_verb_leads_on_from_its_states_only(state: str, verb: Verb) -> None:
    subscription = with_people(seller(), "nord", "anna")
    for step in PATHS[state]:
        moved(subscription, step)
    if state in MOVES[verb]:
        assert moved(subscription, verb).kind == verb
    else:
        count = Event.objects.count()
        with pytest.raises(Refused, match=r"zoe is [a-z ]+( already|; \w+ is for who is )"):
            moved(subscription, verb)
        assert Event.objects.count() == count


def test_whoever_comes_and_goes_is_billed_for_it_and_has_a_name() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    move(
        subscription=subscription, verb="invite", user="zoe", now=at("2026-01-10"), actor="anna",
        role="paying", name="Zoë Berg", email="zoe@nord.example",
    )  # fmt: skip
    moved(subscription, "accept", day="2026-01-12")
    assert Member.objects.get(key="zoe").name == "Zoë Berg"
    for day in ("2026-01-12", "2026-02-01"):
        run_bills(vendor=vendor, through=date.fromisoformat(day), now=at(day, 20))
    totals = [row.total_minor for row in Document.objects.order_by("id")]
    assert totals == [29900, 2 * 29900 + 18326]  # 19 of 31 days: the day of change is not billed


def test_refusals_say_what_would_be_possible() -> None:
    subscription = with_people(seller(), "nord", "anna")
    for verb, user, said in (
        ("activate", "anna", "anna is active already"),
        ("deactivate", "zoe", "zoe is no member; deactivate is for who is invited, active or suspended"),
        ("resume", "anna", "anna is active already"),
        ("accept", "zoe", "zoe is no member; accept is for who is invited"),
    ):
        with pytest.raises(Refused, match=f"^{said}$"):
            moved(subscription, verb, user)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="'chief' is not a role of policy mainter; allowed: paying, free"):
        move(subscription=subscription, verb="invite", user="zoe", role="chief", now=at("2026-01-05"), actor="anna")


def test_a_member_more_than_there_are_seats_is_refused() -> None:
    vendor = seller("sloneek")
    subscription = customer(vendor, "nord", "sloneek")
    people = [fact("activate", "2026-01-01", f"user{at}") for at in range(10)]
    told = [fact("start", "2026-01-01", quantity=10), *people]
    tell(subscription=subscription, facts=told, now=at("2026-01-01"), actor="test")
    with pytest.raises(Refused, match="11 members hold seats; buy more than 10 first"):
        moved(subscription, "activate")


def compared(vendor: Vendor, listed: dict[str, dict[str, str]], **more: bool) -> list[tuple[str, str, str, str]]:
    """The differences: account, user, what differs, and the event that mends it."""
    found = reconcile(vendor=vendor, listed=listed, now=at("2026-03-01"), actor="vera", **{"everyone": False, **more})
    return [(one.account, one.user, one.kind, one.fact.kind) for one in found]


def test_a_list_of_users_is_compared_and_the_difference_is_mended() -> None:
    vendor = seller()
    nord = with_people(vendor, "nord", "anna", "ben", "chris")
    moved(nord, "suspend", "chris")
    moved(nord, "invite", "dora")
    with_people(vendor, "syd", "erik")
    listed = {"nord": {"anna": "free", "dora": "", "fred": "paying", "chris": ""}}
    differences = [
        ("nord", "anna", "role", "role"),
        ("nord", "dora", "missing", "accept"),
        ("nord", "fred", "missing", "activate"),
        ("nord", "ben", "surplus", "deactivate"),
    ]
    assert [one for one in compared(vendor, listed) if one[1] != "chris"] == differences
    assert ("syd", "erik", "surplus", "deactivate") in compared(vendor, listed, everyone=True)
    assert compared(vendor, listed, mend=True)
    assert compared(vendor, listed) == []
    assert compared(vendor, {"syd": {"erik": ""}}) == []


def test_a_list_that_names_what_is_not_there_mends_nothing() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna")
    count = Event.objects.count()
    listed = {"nord": {"ben": "chief", "dora": ""}, "sud": {"anna": ""}}
    with pytest.raises(Refused) as caught:
        reconcile(vendor=vendor, listed=listed, everyone=True, now=at("2026-03-01"), actor="vera", mend=True)
    assert caught.value.sentences == (
        "account sud is not one of vendor vendor",
        "account nord, user ben: 'chief' is not a role of policy mainter; allowed: paying, free",
    )
    assert Event.objects.count() == count


def test_more_users_than_seats_are_refused_with_their_account() -> None:
    vendor = seller("sloneek")
    subscription = customer(vendor, "nord", "sloneek")
    tell(subscription=subscription, facts=[fact("start", "2026-01-01", quantity=10)], now=at("2026-01-01"), actor="t")
    listed = {"nord": {f"user{at}": "" for at in range(11)}}
    with pytest.raises(Refused, match="account nord: user: 11 members hold seats; buy more than 10 first"):
        reconcile(vendor=vendor, listed=listed, everyone=False, now=at("2026-03-01"), actor="vera", mend=True)


def test_the_events_that_mend_are_rows_of_an_event_file() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna")
    found: list[Difference] = reconcile(
        vendor=vendor, listed={"nord": {"anna": "", "ben": "free"}}, everyone=False, now=at("2026-03-01"), actor="vera"
    )
    assert list(as_rows(found, at("2026-03-01"))) == [
        {"at": "2026-03-01T12:00:00+00:00", "account": "nord", "event": "activate", "user": "ben", "role": "free"}
    ]
