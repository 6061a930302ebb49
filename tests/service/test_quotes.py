"""Quotes: what a change was said to cost is what it costs, or it is not made."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from prorata.database.refused import Refused
from prorata.engine.calendar import midnight
from prorata.engine.facts import Fact
from prorata.invoicing.actions.quotes import Outdated, accept, make_quote
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Document, Quote
from prorata.invoicing.present import preview
from prorata.invoicing.verify import verify
from prorata.policies import load_policy
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.models import Vendor
from tests.service.world import a_year, at, fact, seller, with_people


@pytest.fixture
def vendor() -> Vendor:
    return seller()


@pytest.fixture
def nord(vendor: Vendor) -> Subscription:
    """Two members from 1 January 2026, billed up to 1 April."""
    subscription = with_people(vendor, "nord", "anna", "ben")
    run_bills(vendor=vendor, through=date(2026, 4, 1), now=at("2026-04-01", 20))
    return subscription


def figures(quote: Quote) -> tuple[int, int, str, int]:
    return quote.now_minor, quote.next_minor, f"{quote.next_date}", quote.per_period_minor


def test_what_is_quoted_is_what_is_billed(vendor: Vendor, nord: Subscription) -> None:
    outlook = preview(subscription=nord, now=at("2026-04-10"))
    assert outlook.next_document is not None
    assert (outlook.now, outlook.next_document.total_minor) == ((), 2 * 29900)
    quote = make_quote(subscription=nord, change=[fact("activate", "2026-04-10", "chris")], now=at("2026-04-10"))
    # 20 of 30 days of April, and May
    assert figures(quote) == (0, 19933 + 29900, "2026-05-01", 29900)
    assert (quote.period_start, quote.period_end) == (date(2026, 5, 1), date(2026, 6, 1))
    [event] = accept(quote=quote, now=at("2026-04-10", 15), actor="anna")
    assert (event.kind, event.actor, event.recorded_at) == ("activate", "anna", at("2026-04-10", 15))
    run_bills(vendor=vendor, through=date(2026, 6, 1), now=at("2026-06-01", 20))
    totals = Document.objects.order_by("-id").values_list("total_minor", flat=True)[:2]
    assert list(totals) == [3 * 29900, 2 * 29900 + 19933 + 29900]
    assert list(verify(vendor)) == []


def test_a_quote_is_refused_with_the_new_amounts_once_the_account_has_changed(nord: Subscription) -> None:
    quote = make_quote(subscription=nord, change=[fact("plan", "2026-04-10", plan="PRO")], now=at("2026-04-10"))
    assert figures(quote) == (0, 53333 + 80000, "2026-05-01", 80000)  # 2 × 400.00 × 20/30 = 533.33
    tell(subscription=nord, facts=[fact("activate", "2026-04-05", "chris")], now=at("2026-04-10"), actor="test")
    count = Event.objects.count()
    with pytest.raises(
        Outdated, match=r"the account has changed since the quote was made; the change now costs"
    ) as told:
        accept(quote=quote, now=at("2026-04-10", 15), actor="anna")
    assert Event.objects.count() == count
    again = told.value.again
    assert again.per_period_minor == 3 * 40000
    assert "800.00" in str(told.value)
    assert "1,200.00" in str(told.value)
    accept(quote=again, now=at("2026-04-10", 16), actor="anna")


def test_what_does_not_alter_the_amounts_does_not_alter_the_quote(nord: Subscription) -> None:
    quote = make_quote(subscription=nord, change=[fact("activate", "2026-04-10", "chris")], now=at("2026-04-10"))
    tell(subscription=nord, facts=[fact("invite", "2026-04-10", "dora")], now=at("2026-04-10"), actor="test")
    accept(quote=quote, now=at("2026-04-10", 15), actor="anna")


def test_a_quote_holds_until_the_account_s_day_is_over_and_once(nord: Subscription) -> None:
    change = [fact("activate", "2026-04-10", "chris")]
    quote = make_quote(subscription=nord, change=change, now=at("2026-04-10"))
    assert quote.valid_until == at("2026-04-10", 22)  # midnight in Stockholm
    with pytest.raises(Outdated, match=r"the quote was valid until 2026-04-10T22:00:00\+00:00"):
        accept(quote=quote, now=at("2026-04-10", 22), actor="anna")
    accept(quote=quote, now=at("2026-04-10", 21), actor="anna")
    with pytest.raises(Refused, match="the quote was accepted already"):
        accept(quote=quote, now=at("2026-04-10", 21), actor="anna")


def test_a_change_that_is_not_possible_is_not_quoted(nord: Subscription) -> None:
    with pytest.raises(Refused, match="'zoe' was never active before 10 April 2026"):
        make_quote(subscription=nord, change=[fact("deactivate", "2026-04-10", "zoe")], now=at("2026-04-10"))
    assert not Quote.objects.exists()


@pytest.mark.parametrize("policy", ["konfidens", "mainter", "sloneek"])
def test_whatever_is_changed_costs_what_was_quoted(policy: str) -> None:
    vendor = a_year(policy, accounts=6, through=date(2026, 3, 15))
    draw, day, quoted = Random(3), date(2026, 3, 16), 0
    plans = list(load_policy(policy).plans)
    for subscription in Subscription.objects.filter(vendor=vendor, ended_on=None):
        now = at(f"{day}")
        moment = midnight(day.toordinal())
        changes = [Fact("activate", moment, 0, user="newcomer"), Fact("plan", moment, 0, plan=draw.choice(plans))]
        if policy == "sloneek":
            changes[0] = Fact("seats", moment, 0, quantity=60)
        quote = make_quote(subscription=subscription, change=[draw.choice(changes)], now=now)
        before = preview(subscription=subscription, now=now)
        accept(quote=quote, now=now + timedelta(hours=1), actor="test")
        after = preview(subscription=subscription, now=now + timedelta(hours=1))
        issued = Document.objects.filter(subscription=subscription).count()
        run_bills(vendor=vendor, through=day, now=at(f"{day}", 20))
        today = list(Document.objects.filter(subscription=subscription).order_by("id")[issued:])
        assert sum(one.total_minor for one in today) == before.now_minor + quote.now_minor == after.now_minor
        if quote.next_date is None:
            continue
        run_bills(vendor=vendor, through=quote.next_date, now=at(f"{quote.next_date}", 20))
        document = Document.objects.filter(subscription=subscription).order_by("id")[issued + len(today)]
        unchanged = 0 if before.next_document is None else before.next_document.total_minor
        assert (document.date, document.total_minor) == (quote.next_date, unchanged + quote.next_minor)
        day, quoted = quote.next_date + timedelta(1), quoted + 1
    assert quoted >= 3
    assert list(verify(vendor)) == []
