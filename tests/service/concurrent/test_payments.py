"""Payments that are recorded while bills run, on a real PostgreSQL: nothing is counted twice, and nothing missed."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from functools import partial

import pytest

from prorata.accounts.details import load_details
from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.engine.intake import Row
from prorata.invoicing.actions.payment_rows import load_payments
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


def test_files_of_payments_and_bill_runs_wait_for_one_another(vendor: Vendor) -> None:
    keys = list(Account.objects.filter(vendor=vendor).order_by("pk").values_list("key", flat=True))

    def file(number: int) -> None:
        ordered = keys if number % 2 else keys[::-1]
        told = [{"account": key, "date": "2026-09-01", "amount": "100.00"} for key in ordered]
        rows = [Row(f"row {at}", one) for at, one in enumerate(told)]
        load_payments(vendor=vendor, rows=rows, now=NOW, actor=f"file {number}")

    def details() -> None:
        rows = [Row(f"row {key}", {"account": key, "city": "Umeå"}) for key in keys[::-1]]
        load_details(vendor=vendor, rows=rows, now=NOW)

    processes = [in_a_process(partial(file, number)) for number in range(4)] + [in_a_process(details)]
    processes += [in_a_process(partial(run_bills, vendor=vendor, through=LAST, now=NOW)) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 7
    assert Payment.objects.count() == 4 * len(keys)
    assert_books_agree(vendor)


def test_two_that_tell_of_the_same_payment_record_it_once(vendor: Vendor) -> None:
    accounts = list(Account.objects.filter(vendor=vendor).order_by("pk")[:8])

    def client(number: int) -> None:
        by = Transfer(date(2026, 9, 1), reference="R1")
        with suppress(Refused):
            receive_payment(account=accounts[number], amount_minor=100, by=by, now=NOW, actor=f"client {number}")

    processes = [in_a_process(partial(client, number)) for number in range(8)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert Payment.objects.count() == 1


def test_a_payment_goes_back_once_however_many_say_so(vendor: Vendor) -> None:
    run_bills(vendor=vendor, through=LAST, now=NOW)
    item = OpenItem.objects.order_by("pk").select_related("document__account").first()
    assert item is not None
    assert item.document is not None
    account = item.document.account
    by = Transfer(date(2026, 10, 1))
    payment = receive_payment(account=account, amount_minor=100_000, by=by, now=NOW, actor="test")

    def client() -> None:
        with suppress(Refused):
            return_payment(payment=payment, by=by, now=NOW, actor="client")

    processes = [in_a_process(client) for _ in range(8)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert sorted(Payment.objects.values_list("amount_minor", flat=True)) == [-100_000, 100_000]
    assert_books_agree(vendor)
