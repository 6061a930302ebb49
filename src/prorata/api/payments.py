"""Payments: money that came in or went back, what it counts for, and what is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from prorata.api.documents import DocumentName, document_called
from prorata.api.loading import AccountKey, Number, account_called
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, actor_of, vendor_of
from prorata.api.values import Amount, Day, In
from prorata.engine.money import format_amount, parse_amount
from prorata.invoicing.actions.payments import (
    Share,
    Transfer,
    allocate,
    currency_of,
    pay_back,
    pay_refund,
    receive_payment,
    release,
    return_payment,
)
from prorata.invoicing.models import Allocation, OpenItem, Payment
from prorata.invoicing.open_items import balance_of
from prorata.vendors.queries import now_of

router = Router(tags=["Payments"])

_Account = Annotated[str, Query(max_length=200, description="Only those of this account.")]
_Left = Annotated[bool, Query(description="Only those of which something does not count for a document yet.")]
_DOCUMENT = Field(pattern=r"^(invoice|credit_note)-[1-9][0-9]{0,17}$", examples=["invoice-12"])


class ShareIn(In):
    document: Annotated[str, _DOCUMENT]
    amount: Amount | None = Field(None, description="Left out: as much as is open of it and left of the payment.")


class TransferIn(In):
    date: Day = Field(description="On which the money moved.")
    method: str = Field("", max_length=40, examples=["bank transfer"])
    reference: str = Field("", max_length=200, description="What the bank or the payment provider calls it; once.")


class PaymentIn(TransferIn):
    amount: Amount = Field(description="In the currency that the account is billed in.")
    documents: list[ShareIn] = Field(
        [], max_length=100, description="What it is for. Left out: whatever is open, the oldest first."
    )


class PayBackIn(TransferIn):
    amount: Amount | None = Field(None, description="Left out: all that is left of the payment.")


class CountsFor(Schema):
    document: str
    amount: Amount


class PaymentOut(Schema):
    """Money that came from an account, or, with an amount below zero, went back to it."""

    id: int
    account: str
    date: date
    currency: str
    amount: Amount
    method: str
    reference: str
    counts_for: list[CountsFor] = Field(description="The documents that it pays now.")
    left: Amount = Field(description="What does not count for a document yet; it will for what is issued next.")
    paid_back: Amount = Field(description="How much of it went back.")
    returns: int | None = Field(description="The payment whose money it is, where it takes that the other way.")
    recorded_at: datetime
    actor: str


class BalanceOut(Schema):
    """What is open of an account."""

    currency: str
    to_pay: Amount = Field(description="What is open of its invoices.")
    to_pay_back: Amount = Field(description="What credit notes give back in money, and was not paid yet.")
    left: Amount = Field(description="What is left of its payments.")


@router.get("/payments", response=Page[PaymentOut], auth=Bearer("read"))
def list_payments(
    request: HttpRequest, account: _Account = "", left: _Left = False, cursor: Cursor = "", limit: Limit = 50
) -> Page[PaymentOut]:
    """What came in and what went back, the newest first."""
    rows = _payments(request)
    if account:
        rows = rows.filter(account=account_called(request, account))
    if left:
        rows = rows.filter(pk__in=OpenItem.objects.filter(vendor=vendor_of(request)).values("payment_id"))
    return page(rows, cursor, limit, _payments_out, newest_first=True)


@router.get("/payments/{payment}", response=PaymentOut, auth=Bearer("read"))
def show_payment(request: HttpRequest, payment: Number) -> PaymentOut:
    """One payment, and what it counts for."""
    return _payment_out(request, payment)


@router.get("/accounts/{account}/balance", response=BalanceOut, auth=Bearer("read"))
def show_balance(request: HttpRequest, account: AccountKey) -> BalanceOut:
    """What an account has still to pay, or is still to be paid."""
    found = account_called(request, account)
    currency = currency_of(found, now_of(found.vendor))
    amounts = {name: format_amount(minor, currency) for name, minor in balance_of(found).items()}
    return BalanceOut(currency=currency, **amounts)


@router.post("/accounts/{account}/payments", response={201: PaymentOut}, auth=Bearer("payments"))
def record_a_payment(request: HttpRequest, account: AccountKey, body: PaymentIn) -> Status[PaymentOut]:
    """Record money that came in. What is left of it counts for what is issued next, or can be paid back."""
    found, now = account_called(request, account), now_of(vendor_of(request))
    currency = currency_of(found, now)
    shares = [
        Share(document_called(request, one.document), _minor(f"documents[{at}].amount", one.amount, currency))
        for at, one in enumerate(body.documents)
    ]
    amount_minor = _minor("amount", body.amount, currency)
    assert amount_minor is not None
    made = receive_payment(
        account=found, amount_minor=amount_minor, by=_by(body), shares=shares, now=now, actor=actor_of(request)
    )
    return Status(201, _payment_out(request, made.pk))


@router.post("/payments/{payment}/allocations", response={201: PaymentOut}, auth=Bearer("payments"))
def allocate_a_payment(request: HttpRequest, payment: Number, body: ShareIn) -> Status[PaymentOut]:
    """Let what is left of a payment count for a document."""
    found, now = _called(request, payment), now_of(vendor_of(request))
    share = Share(document_called(request, body.document), _minor("amount", body.amount, found.currency))
    allocate(payment=found, share=share, now=now, actor=actor_of(request))
    return Status(201, _payment_out(request, payment))


@router.delete("/payments/{payment}/allocations/{document}", response=PaymentOut, auth=Bearer("payments"))
def release_a_payment(request: HttpRequest, payment: Number, document: DocumentName) -> PaymentOut:
    """Let a payment no longer count for a document, which is open again; it stays so when more is issued."""
    found, now = _called(request, payment), now_of(vendor_of(request))
    release(payment=found, document=document_called(request, document), now=now, actor=actor_of(request))
    return _payment_out(request, payment)


@router.post("/payments/{payment}/return", response={201: PaymentOut}, auth=Bearer("payments"))
def return_a_payment(request: HttpRequest, payment: Number, body: TransferIn) -> Status[PaymentOut]:
    """Record that a payment went back where it came from: it bounced, was charged back or never was.

    What it counted for is open again. The answer is the payment that takes it the other way.
    """
    found, now = _called(request, payment), now_of(vendor_of(request))
    back = return_payment(payment=found, by=_by(body), now=now, actor=actor_of(request))
    return Status(201, _payment_out(request, back.pk))


@router.post("/payments/{payment}/refund", response={201: PaymentOut}, auth=Bearer("payments"))
def pay_back_a_payment(request: HttpRequest, payment: Number, body: PayBackIn) -> Status[PaymentOut]:
    """Record that what is left of a payment was paid back, or a part of it. The answer is what went back."""
    found, now = _called(request, payment), now_of(vendor_of(request))
    amount_minor = _minor("amount", body.amount, found.currency)
    back = pay_back(payment=found, amount_minor=amount_minor, by=_by(body), now=now, actor=actor_of(request))
    return Status(201, _payment_out(request, back.pk))


@router.post("/documents/{document}/refund", response={201: PaymentOut}, auth=Bearer("payments"))
def pay_a_refund(request: HttpRequest, document: DocumentName, body: TransferIn) -> Status[PaymentOut]:
    """Record that what a credit note gives back in money was paid. The answer is what went back."""
    found, now = document_called(request, document), now_of(vendor_of(request))
    back = pay_refund(document=found, by=_by(body), now=now, actor=actor_of(request))
    return Status(201, _payment_out(request, back.pk))


def _by(body: TransferIn) -> Transfer:
    return Transfer(body.date, body.method, body.reference)


def _minor(place: str, amount: str | None, currency: str) -> int | None:
    """The minor units of an amount of a request."""
    if amount is None:
        return None
    try:
        minor = parse_amount(amount, currency)
    except ValueError as error:
        raise HttpError(422, f"body {place}: {error}") from None
    if not minor:
        raise HttpError(422, f"body {place}: {amount!r} is nothing; write an amount above zero")
    return minor


def _payments(request: HttpRequest) -> QuerySet[Payment]:
    return Payment.objects.filter(vendor=vendor_of(request)).select_related("account__vendor")


def _called(request: HttpRequest, pk: int) -> Payment:
    found = _payments(request).filter(pk=pk).first()
    if found is None:
        raise Gone(f"there is no payment {pk}")
    return found


def _payment_out(request: HttpRequest, pk: int) -> PaymentOut:
    return _payments_out([_called(request, pk)])[0]


def _payments_out(payments: Sequence[Payment]) -> list[PaymentOut]:
    counts: dict[int, list[tuple[str, int]]] = defaultdict(list)
    back: dict[int, int] = defaultdict(int)
    rows = Allocation.objects.filter(payment__in=payments)
    for pk, kind, number, minor in (
        rows.filter(document__isnull=False)
        .values_list("payment_id", "document__kind", "document__number")
        .annotate(of_all=Sum("amount_minor"))
        .order_by("document_id")
    ):
        if minor:
            counts[pk].append((f"{kind}-{number}", minor))
    for pk, by, minor in Allocation.objects.filter(
        Q(payment__in=payments) | Q(paid_back_by__in=payments), document__isnull=True
    ).values_list("payment_id", "paid_back_by_id", "amount_minor"):
        assert by is not None
        back[pk] += minor
        back[by] -= minor
    return [_told(one, counts[one.pk], back[one.pk]) for one in payments]


def _told(one: Payment, counts: Sequence[tuple[str, int]], back_minor: int) -> PaymentOut:
    left_minor = max(one.amount_minor - back_minor - sum(minor for _, minor in counts), 0)

    def amount(minor: int) -> str:
        return format_amount(minor, one.currency)

    return PaymentOut(
        id=one.pk,
        account=one.account.key,
        date=one.date,
        currency=one.currency,
        amount=amount(one.amount_minor),
        method=one.method,
        reference=one.reference,
        counts_for=[CountsFor(document=name, amount=amount(abs(minor))) for name, minor in counts],
        left=amount(left_minor),
        paid_back=amount(back_minor if one.returns_id is None else 0),
        returns=one.returns_id,
        recorded_at=one.recorded_at,
        actor=one.actor,
    )
