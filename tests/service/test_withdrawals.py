"""What was recorded is taken back: scheduled changes one by one, cancellations, mistakes."""

from __future__ import annotations

from datetime import date

import pytest

from prorata.database.refused import Refused
from prorata.engine.facts import Fact
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Document
from prorata.invoicing.verify import verify
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.actions.withdraw import withdraw
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.queries import scheduled
from prorata.vendors.models import Vendor
from tests.service.world import at, customer, fact, seller, with_people


def told(subscription: Subscription, day: str, *facts: Fact) -> list[Event]:
    return tell(subscription=subscription, facts=facts, now=at(day), actor="test")


def billed(vendor: Vendor, *days: str) -> dict[str, int]:
    """The total of each document, by its day, after runs on these days."""
    for day in days:
        run_bills(vendor=vendor, through=date.fromisoformat(day), now=at(day, 20))
    assert list(verify(vendor)) == []
    return {f"{row.date}": row.total_minor for row in Document.objects.filter(vendor=vendor).order_by("id")}


def test_a_mistake_is_taken_back_after_it_was_billed_and_documents_are_verified_as_they_were_known() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna", "ben")
    [gone] = told(subscription, "2026-01-12", fact("deactivate", "2026-01-12", "ben"))
    assert billed(vendor, "2026-01-01", "2026-02-01")["2026-02-01"] == 29900 - 18326  # 19 of 31 days
    subscription.refresh_from_db()
    assert subscription.next_look == date(2026, 3, 1)
    withdraw(event=gone, now=at("2026-02-10"), actor="test")
    subscription.refresh_from_db()
    assert subscription.next_look == date(2026, 2, 10)
    assert billed(vendor, "2026-02-10", "2026-03-01")["2026-03-01"] == 2 * 29900 + 29900 + 18326


def test_scheduled_changes_are_listed_and_undone_one_by_one() -> None:
    vendor = seller("sloneek")
    subscription = customer(vendor, "nord", "sloneek")
    told(subscription, "2026-04-01", fact("start", "2026-04-01", quantity=12))
    [up] = told(subscription, "2026-04-02", fact("seats", "2026-04-30", quantity=20))
    [down] = told(subscription, "2026-04-03", fact("seats", "2026-05-31", quantity=15))
    [end] = told(subscription, "2026-04-04", fact("cancel", "2026-04-04", reason="closing"))
    assert set(scheduled(subscription, at("2026-04-05"))) == {end, up, down}
    withdraw(event=end, now=at("2026-04-05"), actor="test")
    withdraw(event=up, now=at("2026-04-06"), actor="test")
    assert set(scheduled(subscription, at("2026-04-07"))) == {down}
    totals = billed(vendor, "2026-04-10", "2026-05-01", "2026-06-01")
    assert totals == {"2026-04-01": 12 * 800, "2026-05-01": 12 * 800, "2026-06-01": 15 * 800}
    assert not scheduled(subscription, at("2026-06-02"))


def test_what_cannot_be_taken_back_says_why() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    [joined] = told(subscription, "2026-01-05", fact("activate", "2026-01-05", "ben"))
    [left] = told(subscription, "2026-01-09", fact("deactivate", "2026-01-09", "ben"))
    start = subscription.events.get(kind="start")
    with pytest.raises(Refused, match="a start is what an agreement begins with, and stays; cancel the agreement"):
        withdraw(event=start, now=at("2026-01-10"), actor="test")
    why = "this activate cannot be withdrawn: user: 'ben' was never active before 9 January 2026"
    with pytest.raises(Refused, match=why):
        withdraw(event=joined, now=at("2026-01-10"), actor="test")
    withdraw(event=left, now=at("2026-01-10"), actor="test")
    with pytest.raises(Refused, match="this deactivate was withdrawn already, at 2026-01-10T12:00:00"):
        withdraw(event=left, now=at("2026-01-11"), actor="test")
    withdraw(event=joined, now=at("2026-01-11"), actor="test")
    assert billed(vendor, "2026-01-11", "2026-02-01") == {"2026-01-01": 29900, "2026-02-01": 29900}


def test_a_seat_that_members_need_cannot_be_taken_back() -> None:
    vendor = seller("sloneek")
    subscription = customer(vendor, "nord", "sloneek")
    told(subscription, "2026-04-01", fact("start", "2026-04-01", quantity=10))
    [more] = told(subscription, "2026-04-02", fact("seats", "2026-04-02", quantity=11))
    told(subscription, "2026-04-03", *(fact("activate", "2026-04-03", f"user{n}") for n in range(11)))
    with pytest.raises(Refused, match="11 members hold seats; buy more than 10 first"):
        withdraw(event=more, now=at("2026-04-10"), actor="test")
