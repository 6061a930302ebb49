"""An account is deleted: nothing of its people is left, and every document stays and can be computed again."""

from __future__ import annotations

import json
from datetime import date

import pytest

from prorata.accounts.models import Account, Member
from prorata.database.refused import Refused
from prorata.invoicing.actions.delete_account import delete_account
from prorata.invoicing.actions.quotes import make_quote
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Document, Quote
from prorata.invoicing.verify import verify
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.actions.withdraw import withdraw
from prorata.subscriptions.models import Subscription
from prorata.vendors.models import Vendor
from tests.service.world import at, fact, seller, with_people


@pytest.fixture
def ended() -> Subscription:
    """An agreement of January and February, which has ended."""
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna", "ben")
    Account.objects.update(name="Nord AB", email="anna@nord.example", address="Storgatan 1")
    Member.objects.filter(key="anna").update(name="Anna Ek", email="anna@nord.example")
    make_quote(subscription=subscription, change=[fact("activate", "2026-01-02", "zoe")], now=at("2026-01-02"))
    make_quote(subscription=subscription, change=[fact("deactivate", "2026-01-02", "ben")], now=at("2026-01-02"))
    run(vendor, "2026-01-01", "2026-02-01")
    tell(subscription=subscription, facts=[fact("cancel", "2026-02-10")], now=at("2026-02-10"), actor="vera")
    run(vendor, "2026-03-01")
    subscription.refresh_from_db()
    return subscription


def run(vendor: Vendor, *days: str) -> None:
    for day in days:
        run_bills(vendor=vendor, through=date.fromisoformat(day), now=at(day, 20))


def test_nothing_of_the_people_is_left_and_the_documents_are(ended: Subscription) -> None:
    Account.objects.update(copies_to=["zoe@nord.example"], reference="zoe", city="Umeå")
    delete_account(account=Account.objects.get(), now=at("2026-03-10"))
    account = Account.objects.get()
    assert (account.key, account.name, account.email, account.address) == ("nord", "", "", "")
    assert (account.copies_to, account.reference, account.city) == ([], "", "")
    for member in Member.objects.all():
        assert (member.key, member.name, member.email) == (f"deleted-{member.pk}", "", "")
    assert not any(name in json.dumps(quote.change) for quote in Quote.objects.all() for name in ("zoe", "ben", "anna"))
    records = [json.loads(row.record) for row in Document.objects.order_by("id")]
    assert [(one["buyer"]["name"], one["total"]) for one in records] == [("Nord AB", "598.00"), ("Nord AB", "598.00")]
    assert list(verify(ended.vendor)) == []


def test_nothing_more_is_told_of_it(ended: Subscription) -> None:
    delete_account(account=ended.account, now=at("2026-03-10"))
    with pytest.raises(Refused, match="account nord was deleted on 2026-03-10"):
        tell(subscription=ended, facts=[fact("activate", "2026-03-11", "zoe")], now=at("2026-03-11"), actor="test")
    with pytest.raises(Refused, match="account nord was deleted on 2026-03-10"):
        withdraw(event=ended.events.get(kind="cancel"), now=at("2026-03-11"), actor="test")
    with pytest.raises(Refused, match="account nord was deleted already, on 2026-03-10"):
        delete_account(account=Account.objects.get(), now=at("2026-03-11"))


def test_an_account_that_is_still_billed_cannot_be_deleted() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    why = "the agreement of account nord has not ended; cancel it, and bill its last period"
    with pytest.raises(Refused, match=why):
        delete_account(account=subscription.account, now=at("2026-01-10"))
    run(vendor, "2026-01-01")
    tell(subscription=subscription, facts=[fact("cancel", "2026-01-10")], now=at("2026-01-10"), actor="vera")
    with pytest.raises(Refused, match=why):
        delete_account(account=subscription.account, now=at("2026-01-20"))
