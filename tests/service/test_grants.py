"""Credits that are granted: kept as events, used by the next bills, withdrawn, and all of it in the books."""

from __future__ import annotations

from datetime import date

from prorata.books.journal import journal
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Document, Lapse
from prorata.invoicing.verify import verify
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.actions.withdraw import withdraw
from prorata.subscriptions.models import Event
from prorata.vendors.models import Vendor
from tests.service.world import at, customer, fact, seller, with_people


def granted(vendor: Vendor, amount_minor: int) -> Event:
    """A grant of 12 January to an account with one member from 1 January on, at 299.00 a month."""
    subscription = with_people(vendor, "nord", "anna")
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    told = fact("credit", "2026-01-12", price_minor=amount_minor, reason="the outage")
    [event] = tell(subscription=subscription, facts=[told], now=at("2026-01-12"), actor="vera")
    return event


def run(vendor: Vendor, *days: str) -> None:
    for day in days:
        run_bills(vendor=vendor, through=date.fromisoformat(day), now=at(day, 20))
    assert list(verify(vendor)) == []


def used() -> list[tuple[str, int, int]]:
    return [(f"{one.date}", one.credit_used_minor, one.credit_left_minor) for one in Document.objects.order_by("id")]


def booked(vendor: Vendor, ledger: str) -> list[tuple[str, int]]:
    """What moved into a ledger, and out of it below zero, by date."""
    moved = []
    for entry in journal(vendor, date(2026, 12, 31)):
        if ledger in (entry.debit, entry.credit):
            moved.append((f"{entry.date}", entry.amount_minor if entry.debit == ledger else -entry.amount_minor))
    return moved


def test_a_grant_pays_the_next_invoices_and_is_in_the_books_from_its_day_on() -> None:
    vendor = seller()
    granted(vendor, 40000)
    run(vendor, "2026-01-13", "2026-02-01", "2026-03-01")
    assert used() == [("2026-01-01", 0, 0), ("2026-02-01", 29900, 10100), ("2026-03-01", 10100, 0)]
    assert booked(vendor, "granted_credits") == [("2026-01-12", 40000)]
    moves = [("2026-01-12", -40000), ("2026-02-01", 29900), ("2026-03-01", 10100)]
    assert booked(vendor, "customer_credit") == moves


def test_what_is_left_of_a_grant_that_is_withdrawn_is_taken_back_with_the_next_run() -> None:
    vendor = seller()
    event = granted(vendor, 40000)
    run(vendor, "2026-02-01")
    withdraw(event=event, now=at("2026-02-10"), actor="vera")
    run(vendor, "2026-02-10", "2026-03-01")
    assert used() == [("2026-01-01", 0, 0), ("2026-02-01", 29900, 10100), ("2026-03-01", 0, 0)]
    [lapse] = Lapse.objects.all()
    assert (lapse.date, lapse.amount_minor, lapse.reason) == (date(2026, 2, 10), 10100, "withdrawn")
    assert booked(vendor, "granted_credits") == [("2026-01-12", 40000), ("2026-02-10", -10100)]
    assert sum(amount for _, amount in booked(vendor, "customer_credit")) == 0


def test_withdrawn_within_a_day_after_a_bill_used_some_of_it() -> None:
    vendor = seller()
    event = granted(vendor, 40000)
    run_bills(vendor=vendor, through=date(2026, 2, 1), now=at("2026-02-01", 9))
    withdraw(event=event, now=at("2026-02-01", 12), actor="vera")
    run(vendor, "2026-02-01", "2026-03-01")
    assert used() == [("2026-01-01", 0, 0), ("2026-02-01", 29900, 10100), ("2026-03-01", 0, 0)]
    assert Lapse.objects.get().amount_minor == 10100


def test_only_what_is_left_of_the_grant_itself_is_taken_back() -> None:
    vendor = seller()
    event = granted(vendor, 40000)
    told = fact("credit", "2026-01-13", price_minor=40000)
    tell(subscription=event.subscription, facts=[told], now=at("2026-01-13"), actor="vera")
    run_bills(vendor=vendor, through=date(2026, 2, 1), now=at("2026-02-01", 9))
    withdraw(event=event, now=at("2026-02-01", 12), actor="vera")
    run(vendor, "2026-02-01", "2026-02-02")
    assert Lapse.objects.get().amount_minor == 40000 - 29900
    run(vendor, "2026-03-01")
    assert used() == [("2026-01-01", 0, 0), ("2026-02-01", 29900, 50100), ("2026-03-01", 29900, 10100)]
    assert sum(amount for _, amount in booked(vendor, "customer_credit")) == -10100


def test_a_grant_is_in_the_books_once_a_bill_knows_it() -> None:
    vendor = seller()
    subscription = customer(vendor, "nord")
    [event] = tell(
        subscription=subscription,
        facts=[fact("credit", "2026-01-12", price_minor=500)],
        now=at("2026-01-12"),
        actor="vera",
    )
    withdraw(event=event, now=at("2026-01-13"), actor="vera")
    assert booked(vendor, "customer_credit") == []
    tell(subscription=subscription, facts=[fact("start", "2026-01-14")], now=at("2026-01-14"), actor="vera")
    run(vendor, "2026-01-14")
    assert booked(vendor, "customer_credit") == [("2026-01-12", -500), ("2026-01-13", 500)]


def test_a_grant_ahead_that_is_withdrawn_before_its_day_never_was() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    told = fact("credit", "2026-03-12", price_minor=500)
    [event] = tell(subscription=subscription, facts=[told], now=at("2026-01-12"), actor="vera")
    withdraw(event=event, now=at("2026-01-13"), actor="vera")
    run(vendor, "2026-01-13", "2026-02-01", "2026-03-01", "2026-04-01")
    assert not any(amount for _, *amounts in used() for amount in amounts)
    assert (booked(vendor, "granted_credits"), Lapse.objects.count()) == ([], 0)
