"""Payments that are recorded while bills run, on a real PostgreSQL: nothing is counted twice, and nothing missed."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.invoicing.actions.payments import Transfer, receive_payment, return_payment
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Allocation, OpenItem, Payment
from prorata.vendors.models import Vendor
from tests.service.concurrent.test_crashes import LAST, NOW, assert_whole, in_a_process, loaded
from tests.service.test_payments import assert_books_agree

pytestmark = pytest.mark.django_db(transaction=True)  # commits are real here


@pytest.fixture
def vendor() -> Vendor:
    return loaded("vendor")


def test_payments_of_an_account_that_come_while_it_is_billed_count_for_what_is_issued(vendor: Vendor) -> None:
    accounts = list(Account.objects.filter(vendor=vendor).order_by("pk")[:6])

    def client(number: int) -> None:
        for round_ in range(12):
            by = Transfer(date(2026, 9, 1), reference=f"{number}-{round_}")
            account = accounts[(number + round_) % len(accounts)]
            receive_payment(account=account, amount_minor=250_000, by=by, now=NOW, actor=f"client {number}")

    processes = [in_a_process(partial(client, number)) for number in range(6)]
    processes += [in_a_process(partial(run_bills, vendor=vendor, through=LAST, now=NOW)) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert Payment.objects.count() == 6 * 12
    for account in accounts:
        items = OpenItem.objects.filter(account=account)
        assert not (items.filter(open_minor__gt=0).exists() and items.filter(payment__isnull=False).exists())
    assert Allocation.objects.exists()
    assert_whole(vendor)
    assert_books_agree(vendor)


def test_a_payment_goes_back_once_however_many_say_so(vendor: Vendor) -> None:
    run_bills(vendor=vendor, through=LAST, now=NOW)
    item = OpenItem.objects.order_by("pk").select_related("document__account").first()
    assert item is not None
    assert item.document is not None
    account = item.document.account
    by = Transfer(date(2026, 10, 1))
    payment = receive_payment(account=account, amount_minor=100_000, by=by, now=NOW, actor="test")

    def client() -> None:
        try:
            return_payment(payment=payment, by=by, now=NOW, actor="client")
        except Refused:
            return

    processes = [in_a_process(client) for _ in range(8)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert sorted(Payment.objects.values_list("amount_minor", flat=True)) == [-100_000, 100_000]
    assert_books_agree(vendor)
