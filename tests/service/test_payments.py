"""Payments: what they count for, what is open of documents, and what of it stands in the books."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from django.db.models import Sum

from prorata.accounts.models import Account
from prorata.books.journal import Entry, journal
from prorata.database.refused import Refused
from prorata.engine.history import Subscription as Agreement
from prorata.invoicing.actions.payments import (
    Share,
    Transfer,
    allocate,
    pay_back,
    pay_refund,
    receive_payment,
    release,
    return_payment,
)
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import Allocation, Document, OpenItem, Payment
from prorata.invoicing.open_items import balance_of
from prorata.invoicing.verify import verify
from prorata.subscriptions.actions.record import tell
from prorata.vendors.models import Vendor
from tests.engine.stories import BASE, policy_of
from tests.service.test_books import sums
from tests.service.world import a_year, at, fact, opened, seller, vendor_with, with_people

pytestmark = pytest.mark.django_db

END = date(2199, 12, 31)
NOW = at("2026-04-20")


@pytest.fixture
def vendor() -> Vendor:
    return seller()


@pytest.fixture
def nord(vendor: Vendor) -> Account:
    """Billed 598.00 for two seats BASIC on the first of each month from January to April."""
    account = with_people(vendor, "nord", "anna", "ben").account
    for month in range(1, 5):
        run_bills(vendor=vendor, through=date(2026, month, 1), now=at(f"2026-{month:02}-01"))
    return account


def invoice(number: int) -> Document:
    return Document.objects.select_related("account").get(kind="invoice", number=number)


def paid(account: Account, minor: int, day: str = "2026-04-20", *shares: Share, reference: str = "") -> Payment:
    return receive_payment(
        account=account,
        amount_minor=minor,
        by=Transfer(date.fromisoformat(day), "bank transfer", reference),
        shares=shares,
        now=NOW,
        actor="test",
    )


def open_of(account: Account) -> dict[str, int]:
    items = OpenItem.objects.filter(account=account).select_related("document").order_by("date", "pk")
    return {item.document.name if item.document else f"payment-{item.payment_id}": item.open_minor for item in items}


def entries(vendor: Vendor, what: str) -> list[tuple[str, str, str, int, str]]:
    """The entries of the journal whose reason has a word."""
    found = [one for one in journal(vendor, END) if what in one.reason]
    return [(str(one.date), one.debit, one.credit, one.amount_minor, one.reason) for one in found]


def assert_books_agree(vendor: Vendor) -> None:
    """The ledgers are what is open, at the end and on every day before, and verify finds nothing."""
    entries = journal(vendor, END)
    ledgers, items = sums(entries), OpenItem.objects.filter(vendor=vendor)
    of_documents = items.filter(document__isnull=False)
    assert ledgers["receivable"] == total(of_documents.filter(open_minor__gt=0))
    assert ledgers["refunds"] == total(of_documents.filter(open_minor__lt=0))
    assert ledgers["unapplied_payments"] == total(items.filter(payment__isnull=False))
    assert ledgers["bank"] == Payment.objects.filter(vendor=vendor).aggregate(of=Sum("amount_minor"))["of"]
    assert_each_day(vendor, entries)
    assert list(verify(vendor)) == []


def assert_each_day(vendor: Vendor, entries: list[Entry]) -> None:
    """On every day the books are what was open of documents by then, and of none less than nothing or all of it."""
    moved: dict[date, Counter[tuple[str, int]]] = {}
    due: dict[int, int] = {}
    for one in Document.objects.filter(vendor=vendor):
        due[one.pk] = max(one.total_minor, 0) - one.credit_used_minor - one.refund_minor
        moved.setdefault(one.date, Counter())["document", one.pk] += due[one.pk]
    for part in Allocation.objects.filter(vendor=vendor, document__isnull=False):
        moved.setdefault(part.date, Counter())["document", part.document_id or 0] -= part.amount_minor
    for payment in Payment.objects.filter(vendor=vendor):
        moved.setdefault(payment.date, Counter())["bank", 0] += payment.amount_minor
    booked: dict[date, list[Entry]] = {}
    for entry in entries:
        booked.setdefault(entry.date, []).append(entry)
    still: Counter[tuple[str, int]] = Counter()
    ledgers: Counter[str] = Counter()
    for day in sorted({*moved, *booked}):
        still.update(moved.get(day, {}))
        ledgers.update(sums(booked.get(day, [])))
        opens = {pk: minor for (kind, pk), minor in still.items() if kind == "document"}
        assert all(min(0, due[pk]) <= minor <= max(0, due[pk]) for pk, minor in opens.items()), day
        assert ledgers["receivable"] == sum(max(minor, 0) for minor in opens.values()), day
        assert ledgers["refunds"] == sum(min(minor, 0) for minor in opens.values()), day
        assert ledgers["bank"] == still["bank", 0], day


def total(items: Any) -> int:
    return items.aggregate(of=Sum("open_minor"))["of"] or 0


def test_a_payment_counts_for_what_is_open_the_oldest_first(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 100000)
    # 598.00 for January, the other 402.00 for February
    assert open_of(nord) == {"invoice-2": 19600, "invoice-3": 59800, "invoice-4": 59800}
    assert entries(vendor, "payment") == [
        ("2026-04-20", "bank", "receivable", 59800, f"payment-{payment.pk} for invoice-1"),
        ("2026-04-20", "bank", "receivable", 40200, f"payment-{payment.pk} for invoice-2"),
    ]
    assert_books_agree(vendor)


def test_what_is_paid_too_much_counts_for_what_is_issued_next(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 4 * 59800 + 60000)
    assert open_of(nord) == {f"payment-{payment.pk}": -60000}
    assert balance_of(nord) == {"to_pay": 0, "to_pay_back": 0, "left": 60000}
    run_bills(vendor=vendor, through=date(2026, 5, 1), now=at("2026-05-01"))
    assert open_of(nord) == {f"payment-{payment.pk}": -200}
    run_bills(vendor=vendor, through=date(2026, 6, 1), now=at("2026-06-01"))
    assert open_of(nord) == {"invoice-6": 59600}
    last = [one for one in entries(vendor, "payment") if one[1:3] != ("bank", "receivable")]
    assert last == [
        ("2026-04-20", "bank", "unapplied_payments", 60000, f"payment-{payment.pk}"),
        ("2026-05-01", "unapplied_payments", "receivable", 59800, f"payment-{payment.pk} for invoice-5"),
        ("2026-06-01", "unapplied_payments", "receivable", 200, f"payment-{payment.pk} for invoice-6"),
    ]
    assert_books_agree(vendor)


def test_a_payment_can_name_what_it_is_for_and_keeps_the_rest(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 100000, "2026-04-20", Share(invoice(3)), Share(invoice(4), 10000))
    assert open_of(nord) == {
        "invoice-1": 59800, "invoice-2": 59800, "invoice-4": 49800, f"payment-{payment.pk}": -30200,
    }  # fmt: skip
    allocate(payment=payment, share=Share(invoice(1)), now=at("2026-04-25"), actor="test")
    assert open_of(nord) == {"invoice-1": 29600, "invoice-2": 59800, "invoice-4": 49800}
    assert entries(vendor, "for invoice-1") == [
        ("2026-04-25", "unapplied_payments", "receivable", 30200, f"payment-{payment.pk} for invoice-1")
    ]
    assert_books_agree(vendor)


def test_a_payment_before_the_invoice_it_counts_for_is_in_the_books_on_both_days(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 59800, "2026-03-30", Share(invoice(4)))
    assert entries(vendor, "payment") == [
        ("2026-03-30", "bank", "unapplied_payments", 59800, f"payment-{payment.pk}"),
        ("2026-04-01", "unapplied_payments", "receivable", 59800, f"payment-{payment.pk} for invoice-4"),
    ]
    assert_books_agree(vendor)


def test_what_counted_for_the_wrong_invoice_is_released_and_can_count_for_another(
    vendor: Vendor, nord: Account
) -> None:
    payment = paid(nord, 59800)
    release(payment=payment, document=invoice(1), now=NOW, actor="test")
    assert open_of(nord)["invoice-1"] == 59800
    run_bills(vendor=vendor, through=date(2026, 5, 1), now=at("2026-05-01"))
    assert open_of(nord) == {"invoice-1": 59800, "invoice-2": 59800, "invoice-3": 59800, "invoice-4": 59800}
    assert_books_agree(vendor)
    with pytest.raises(Refused, match=f"^payment {payment.pk} does not count for invoice-1$"):
        release(payment=payment, document=invoice(1), now=NOW, actor="test")


def test_of_a_payment_that_bounced_everything_is_open_again(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 4 * 59800 + 5000)
    back = return_payment(payment=payment, by=Transfer(date(2026, 4, 20), "bank transfer"), now=NOW, actor="test")
    assert back.amount_minor == -payment.amount_minor
    assert open_of(nord) == {f"invoice-{number}": 59800 for number in range(1, 5)}
    assert sums(journal(vendor, END))["bank"] == 0
    assert_books_agree(vendor)
    with pytest.raises(Refused, match=f"^nothing is left of payment {payment.pk}$"):
        return_payment(payment=payment, by=Transfer(date(2026, 4, 20)), now=NOW, actor="test")


def test_what_is_left_of_a_payment_can_be_paid_back_in_parts(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 4 * 59800 + 5000)
    by = Transfer(date(2026, 4, 20))
    pay_back(payment=payment, amount_minor=2000, by=by, now=NOW, actor="test")
    assert open_of(nord) == {f"payment-{payment.pk}": -3000}
    too_much = f"^30.00 SEK are left of payment {payment.pk}, not 30.01 SEK; release what it counts for before$"
    with pytest.raises(Refused, match=too_much):
        pay_back(payment=payment, amount_minor=3001, by=by, now=NOW, actor="test")
    back = pay_back(payment=payment, by=by, now=NOW, actor="test")
    assert (back.amount_minor, open_of(nord)) == (-3000, {})
    with pytest.raises(
        Refused, match=f"^payment {back.pk} went to the account; only what came from it can be paid back$"
    ):
        pay_back(payment=back, by=by, now=NOW, actor="test")
    assert_books_agree(vendor)


def test_what_was_paid_back_and_came_back_is_left_again(vendor: Vendor, nord: Account) -> None:
    payment, by = paid(nord, 4 * 59800 + 5000), Transfer(date(2026, 4, 20))
    back = pay_back(payment=payment, by=by, now=NOW, actor="test")
    came = return_payment(payment=back, by=by, now=NOW, actor="test")
    assert (came.amount_minor, open_of(nord)) == (5000, {f"payment-{payment.pk}": -5000})
    assert entries(vendor, f"of payment-{payment.pk}") == [
        ("2026-04-20", "unapplied_payments", "bank", 5000, f"payment-{back.pk} of payment-{payment.pk}"),
        ("2026-04-20", "bank", "unapplied_payments", 5000, f"payment-{came.pk} of payment-{payment.pk}"),
    ]
    assert_books_agree(vendor)


def test_no_day_has_more_open_than_was_issued(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 100000, "2026-04-02", Share(invoice(1)))
    allocate(payment=payment, share=Share(invoice(2)), now=at("2026-04-20"), actor="test")
    return_payment(payment=payment, by=Transfer(date(2026, 4, 18)), now=at("2026-04-21"), actor="test")
    assert ("2026-04-20", "receivable", "unapplied_payments", 40200) in [
        one[:4] for one in entries(vendor, "no longer for invoice-2")
    ]
    receive_payment(account=nord, amount_minor=59800, by=Transfer(date(2026, 4, 3)), now=at("2026-04-22"), actor="test")
    assert entries(vendor, "for invoice-1")[-1][:4] == ("2026-04-18", "unapplied_payments", "receivable", 59800)
    assert_books_agree(vendor)


def test_what_a_credit_note_gives_back_in_money_is_open_until_it_is_paid() -> None:
    text = BASE + '[fall]\ngive = "refund"\nsettle = "now"\n'
    vendor = vendor_with("test", tomllib.loads(text))
    subscription = opened(vendor, Agreement("nord", policy_of(text), (), "basic", "month"))
    told = [fact("start", "2026-04-01"), *(fact("activate", "2026-04-01", user) for user in ("anna", "ben", "chris"))]
    tell(subscription=subscription, facts=told, now=at("2026-04-01"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 4, 1), now=at("2026-04-01"))
    account = subscription.account
    paid(account, 3000)
    leave = [fact("deactivate", "2026-04-10", user) for user in ("ben", "chris")]
    tell(subscription=subscription, facts=leave, now=at("2026-04-10"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 4, 10), now=at("2026-04-10", 20))
    # 2 × 10.00 × 21/30 = 14.00 back
    assert open_of(account) == {"credit_note-1": -1400}
    assert balance_of(account) == {"to_pay": 0, "to_pay_back": 1400, "left": 0}
    note = Document.objects.get(kind="credit_note")
    with pytest.raises(Refused, match=r"^nothing is open of credit_note-1$"):
        paid(account, 1400, "2026-04-20", Share(note))
    with pytest.raises(
        Refused, match=r"^credit_note-1 is of 2026-04-10, and cannot have been paid back on 2026-04-09$"
    ):
        pay_refund(document=note, by=Transfer(date(2026, 4, 9)), now=NOW, actor="test")
    back = pay_refund(document=note, by=Transfer(date(2026, 4, 12)), now=NOW, actor="test")
    assert open_of(account) == {}
    assert entries(vendor, "credit_note-1")[-1] == (
        "2026-04-12", "refunds", "bank", 1400, f"payment-{back.pk} for credit_note-1",
    )  # fmt: skip
    assert_books_agree(vendor)
    with pytest.raises(Refused, match=r"^nothing is to be paid back of credit_note-1$"):
        pay_refund(document=note, by=Transfer(date(2026, 4, 12)), now=NOW, actor="test")
    with pytest.raises(Refused, match=f"^payment {back.pk} is of 2026-04-12, and cannot have gone back on 2026-04-11$"):
        return_payment(payment=back, by=Transfer(date(2026, 4, 11)), now=NOW, actor="test")
    came = return_payment(payment=back, by=Transfer(date(2026, 4, 14)), now=NOW, actor="test")
    assert (came.amount_minor, came.returns, open_of(account)) == (1400, back, {"credit_note-1": -1400})
    with pytest.raises(Refused, match=f"^payment {back.pk} came back already, as payment {came.pk}$"):
        return_payment(payment=back, by=Transfer(date(2026, 4, 14)), now=NOW, actor="test")
    again = pay_refund(document=note, by=Transfer(date(2026, 4, 13)), now=NOW, actor="test")
    assert entries(vendor, f"payment-{again.pk}") == [
        ("2026-04-13", "unapplied_payments", "bank", 1400, f"payment-{again.pk}"),
        ("2026-04-14", "refunds", "unapplied_payments", 1400, f"payment-{again.pk} for credit_note-1"),
    ]
    assert_books_agree(vendor)
    with pytest.raises(Refused, match=r"^nothing is to be paid back of invoice-1$"):
        pay_refund(document=invoice(1), by=Transfer(date(2026, 4, 12)), now=NOW, actor="test")


@pytest.mark.parametrize(
    ("pay", "why"),
    [
        (lambda nord: paid(nord, 100, "2026-04-21"), "2026-04-21 has not come yet; it is 2026-04-20 for account nord"),
        (lambda nord: [paid(nord, 1, reference="R1"), paid(nord, 1, reference="R1")], "the reference 'R1' is that of"),
        (
            lambda nord: paid(nord, 60000, "2026-04-20", Share(invoice(1), 59801)),
            "598.00 SEK are open of invoice-1, not 598.01 SEK",
        ),
        (
            lambda nord: paid(nord, 500, "2026-04-20", Share(invoice(1), 501)),
            "5.00 SEK are left of the payment, not 5.01 SEK",
        ),
        (
            lambda nord: paid(nord, 59800, "2026-04-20", Share(invoice(1)), Share(invoice(2))),
            "nothing of the payment is left for invoice-2",
        ),
        (
            lambda nord: paid(nord, 99999, "2026-04-20", Share(invoice(1)), Share(invoice(1))),
            "nothing is open of invoice-1",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    nord: Account, pay: Callable[[Account], object], why: str
) -> None:
    before = Payment.objects.count()
    with pytest.raises(Refused, match=f"^{why}"):
        pay(nord)
    assert Payment.objects.count() - before == ("reference" in why)


def test_a_payment_cannot_count_for_another_s_document(vendor: Vendor, nord: Account) -> None:
    syd = with_people(vendor, "syd", "dora").account
    with pytest.raises(Refused, match=r"^invoice-1 is not of account syd$"):
        paid(syd, 100, "2026-04-20", Share(invoice(1)))
    assert open_of(nord)["invoice-1"] == 59800


@pytest.mark.parametrize("policy", ["konfidens", "mainter", "sloneek"])
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_paid_and_sent_back_the_books_are_what_is_open(policy: str, seed: int) -> None:
    vendor, draw = a_year(policy, accounts=6), Random(seed)
    accounts = list(Account.objects.filter(vendor=vendor).order_by("pk"))
    moments = (at("2026-07-01") + timedelta(hours=7 * round_) for round_ in count())
    references, now = count(), at("2026-07-01")
    done: Counter[str] = Counter()

    def step() -> str:
        account = draw.choice(accounts)
        by = Transfer(date(2026, 6, draw.randrange(1, 30)), "card", f"R{next(references)}")
        payments = list(Payment.objects.filter(account=account))
        verb = draw.choice(["receive"] * 3 + ["release", "allocate", "pay_back", "return"])
        if verb == "receive" or not payments:
            most = balance_of(account)["to_pay"] or 5_000
            receive_payment(account=account, amount_minor=draw.randrange(1, 2 * most), by=by, now=now, actor="test")
            return "receive"
        payment = draw.choice(payments)
        document = draw.choice(list(Document.objects.filter(account=account).select_related("account")))
        if verb == "release":
            release(payment=payment, document=document, now=now, actor="test")
        elif verb == "allocate":
            still = OpenItem.objects.filter(vendor=vendor, open_minor__gt=0).select_related("document__account")
            left = OpenItem.objects.filter(vendor=vendor, payment__isnull=False).select_related("payment__account")
            rest = left.filter(account__in=still.values("account")).first()
            item = still.filter(account=rest.account).first() if rest else None
            if rest and item and rest.payment and item.document:
                payment, document = rest.payment, item.document
            allocate(payment=payment, share=Share(document, draw.choice([None, 100])), now=now, actor="test")
        elif verb == "pay_back":
            pay_back(payment=payment, amount_minor=draw.choice([None, 100]), by=by, now=now, actor="test")
        else:
            return_payment(payment=payment, by=by, now=now, actor="test")
        return verb

    for _ in range(150):
        now = next(moments)
        try:
            done[step()] += 1
        except Refused:
            done["refused"] += 1
    assert set(done) == {"receive", "release", "allocate", "pay_back", "return", "refused"}
    assert_books_agree(vendor)
    run_bills(vendor=vendor, through=date(2026, 9, 1), now=at("2026-09-01"))
    assert_books_agree(vendor)


def harm_an_account(payment: Payment) -> None:
    syd = Account.objects.create(vendor_id=payment.vendor_id, key="syd", name="Syd")
    OpenItem.objects.filter(document=invoice(3)).update(account=syd)


def harm_a_day(payment: Payment) -> None:
    OpenItem.objects.filter(account=payment.account, document=invoice(3)).update(date=date(2026, 1, 1))


def harm_an_allocation(payment: Payment) -> None:
    again = Allocation.objects.get(payment=payment, document=invoice(1))
    for minor, day in ((-59800, date(2026, 4, 20)), (59800, date(2026, 1, 1))):
        again.pk, again.amount_minor, again.date, again.at_once = None, minor, day, False
        again.save()


def harm_who_was_paid_back(payment: Payment) -> None:
    back = return_payment(payment=payment, by=Transfer(date(2026, 4, 20)), now=NOW, actor="test")
    syd = Account.objects.create(vendor_id=payment.vendor_id, key="syd", name="Syd")
    other = Payment.objects.create(
        vendor_id=payment.vendor_id, account=syd, date=date(2026, 4, 20), currency="SEK", amount_minor=-1,
        recorded_at=NOW, actor="test", returns=back,
    )  # fmt: skip
    for minor, by in ((1, other), (-1, back)):
        Allocation.objects.create(
            vendor_id=payment.vendor_id, payment=payment, paid_back_by=by, amount_minor=minor, at_once=False,
            date=date(2026, 4, 20), recorded_at=NOW, actor="test",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (harm_an_account, "invoice-3: its open item is of another account, currency or day"),
        (harm_a_day, "invoice-3: its open item is of another account, currency or day"),
        (harm_an_allocation, "payment 1: it cannot count from 2026-01-01 on, or not so"),
        (harm_who_was_paid_back, "payment 1: paid back by is another account's, or in another currency"),
    ],
)
def test_verify_finds_what_cannot_be(
    vendor: Vendor, nord: Account, harm: Callable[[Payment], None], sentence: str
) -> None:
    payment = paid(nord, 60000)
    assert list(verify(vendor)) == []
    harm(payment)
    expected = sentence.replace("payment 1", f"payment {payment.pk}")
    assert expected in list(verify(vendor))
    assert expected in list(verify(vendor, account=nord))
    assert list(verify(vendor, account=with_people(vendor, "vest", "eva").account)) == []


def test_verify_finds_what_was_done_to_open_items(vendor: Vendor, nord: Account) -> None:
    payment = paid(nord, 60000)
    OpenItem.objects.filter(document=invoice(3)).update(open_minor=1)
    OpenItem.objects.filter(document=invoice(4)).delete()
    Allocation.objects.create(
        vendor=vendor, payment=payment, document=invoice(1), amount_minor=100, at_once=False,
        date=date(2026, 4, 20), recorded_at=NOW, actor="somebody",
    )  # fmt: skip
    assert list(verify(vendor)) == [
        "invoice-1: −1.00 SEK of it are open by what was paid, and the open items say 0.00 SEK",
        "invoice-3: 598.00 SEK of it are open by what was paid, and the open items say 0.01 SEK",
        "invoice-4: 598.00 SEK of it are open by what was paid, and the open items say 0.00 SEK",
        f"payment {payment.pk}: −1.00 SEK of it are open by what was paid, and the open items say 0.00 SEK",
    ]
