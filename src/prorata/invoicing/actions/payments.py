"""Payments are recorded, and count for documents: for those that are named, or else for the oldest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from prorata.accounts.models import Account
from prorata.database.one_of import one_of
from prorata.database.refused import Refused
from prorata.engine.money import format_amount, speak_amount
from prorata.invoicing.models import Document, OpenItem, Payment
from prorata.invoicing.open_items import (
    allocate_part,
    announce_paid,
    counted,
    held_items,
    left_of_new,
    move,
    of_document,
    of_payment,
    open_invoices,
    release_parts,
    write,
)
from prorata.subscriptions.queries import at_work, today_of
from prorata.vendors.queries import rules_now
from prorata.webhooks.outbox import Kind, announce


@dataclass(frozen=True, slots=True)
class Share:
    """A document that a payment is for, and how much of the payment: None for as much as is open and there is."""

    document: Document
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that moved on a day: how, and under which reference of the bank or the payment provider."""

    day: date
    method: str = ""
    reference: str = ""


@transaction.atomic
def receive_payment(
    *, account: Account, amount_minor: int, by: Transfer, shares: Sequence[Share] = (), now: datetime, actor: str
) -> Payment:
    """Money came in from an account, in the currency that it is billed in.

    Without shares it counts for whatever is open, the oldest first. What is left of it stays the customer's, and counts
    for what is issued next. Raises Refused where it cannot be what it is said to be.
    """
    items = held_items(account)
    payment = _recorded(account, amount_minor, by, now, actor)
    rest = left_of_new(payment)
    for share in shares:
        _count(share, items, rest, is_new=True, now=now, actor=actor)
    for item in () if shares else open_invoices(items):
        if part_minor := min(item.open_minor, -rest.open_minor):
            allocate_part(rest, item, part_minor, is_new=True, now=now, actor=actor)
    _announce(payment, "payment.received", now)
    return payment


@transaction.atomic
def allocate(*, payment: Payment, share: Share, now: datetime, actor: str) -> None:
    """What is left of a payment counts for an invoice from today on, or as much of it as is said; raises Refused."""
    items = held_items(payment.account)
    today = today_for(payment.account, now)
    _count(share, items, of_payment(items, payment), is_new=False, day=today, now=now, actor=actor)


@transaction.atomic
def release(*, payment: Payment, document: Document, now: datetime, actor: str) -> None:
    """A payment no longer counts for a document, which is open again; raises Refused where it did not."""
    items = held_items(payment.account)
    part_minor = counted(payment).get(document.pk)
    if part_minor is None:
        raise Refused([f"payment {payment.pk} does not count for {document.name}"])
    today = today_for(payment.account, now)
    release_parts(items, payment, {document.pk: part_minor}, day=today, now=now, actor=actor)


@transaction.atomic
def return_payment(*, payment: Payment, by: Transfer, now: datetime, actor: str) -> Payment:
    """A payment went back, all that was not paid back before: bounced, charged back, or recorded by mistake.

    What it counted for is open again. Gives what went back; raises Refused where nothing is left to.
    """
    items = held_items(payment.account)
    release_parts(items, payment, counted(payment), day=by.day, now=now, actor=actor)
    return pay_back(payment=payment, by=by, now=now, actor=actor)


@transaction.atomic
def pay_back(*, payment: Payment, amount_minor: int | None = None, by: Transfer, now: datetime, actor: str) -> Payment:
    """What is left of a payment went back, or as much of it as is said. Gives what went back; raises Refused."""
    if payment.amount_minor < 0:
        raise Refused([f"payment {payment.pk} went to the account; only what came from it can go back"])
    if by.day < payment.date:
        raise Refused([f"payment {payment.pk} came in on {payment.date}, and cannot have gone back on {by.day}"])
    rest = of_payment(held_items(payment.account), payment)
    back_minor = -rest.open_minor if amount_minor is None else amount_minor
    if back_minor > -rest.open_minor:
        left, wanted = (f"{speak_amount(one, rest.currency)} {rest.currency}" for one in (-rest.open_minor, back_minor))
        raise Refused([f"{left} are left of payment {payment.pk}, not {wanted}; release what it counts for before"])
    back = _recorded(payment.account, -back_minor, by, now, actor)
    write(payment, back_minor, paid_back_by=back, day=by.day, now=now, actor=actor)
    move(rest, back_minor)
    _announce(back, "payment.paid_back", now)
    return back


@transaction.atomic
def pay_refund(*, document: Document, by: Transfer, now: datetime, actor: str) -> Payment:
    """What a credit note gives back in money was paid. Gives what went back; raises Refused where nothing was to be."""
    item = next((one for one in held_items(document.account) if one.document_id == document.pk), None)
    if item is None or item.open_minor > 0:
        raise Refused([f"nothing is to be paid back of {document.name}"])
    if by.day < document.date:
        raise Refused([f"{document.name} is of {document.date}, and cannot have been paid back on {by.day}"])
    back = _recorded(document.account, item.open_minor, by, now, actor)
    write(back, back.amount_minor, document=document, at_once=True, day=by.day, now=now, actor=actor)
    move(item, -item.open_minor)
    _announce(back, "payment.paid_back", now)
    announce_paid(document, now)
    return back


def count_for_new(*, vendor_id: int, accounts: Iterable[int], documents: Collection[int], now: datetime) -> None:
    """What accounts have left of payments counts for documents that were just issued to them; all by their ids.

    To be called within a transaction that holds the accounts' subscriptions.
    """
    rests: dict[int, list[OpenItem]] = defaultdict(list)
    left = OpenItem.objects.filter(one_of("account_id", set(accounts)), vendor_id=vendor_id, payment__isnull=False)
    for rest in left.select_related("payment__account").order_by("date", "id"):
        rests[rest.account_id].append(rest)
    if not rests:
        return
    new = OpenItem.objects.filter(one_of("document_id", documents), account_id__in=rests, open_minor__gt=0)
    for item in new.select_related("document__account").order_by("date", "document_id"):
        for rest in rests[item.account_id]:
            if part_minor := min(item.open_minor, -rest.open_minor):
                allocate_part(rest, item, part_minor, is_new=False, now=now, actor="bill run")


def currency_of(account: Account, now: datetime) -> str:
    """The currency that an account is billed in; raises Refused where it has no agreement."""
    subscription = at_work(account)
    if subscription is None:
        raise Refused([f"account {account.key} has no agreement"])
    return rules_now(subscription.vendor, subscription.policy_name, now).currency


def today_for(account: Account, now: datetime) -> date:
    """The day it is for an account, by the clock of the policy that it is billed by."""
    subscription = at_work(account)
    return now.date() if subscription is None else today_of(subscription, now)


def _count(
    share: Share,
    items: Sequence[OpenItem],
    rest: OpenItem,
    *,
    is_new: bool,
    day: date | None = None,
    now: datetime,
    actor: str,
) -> None:
    assert rest.payment is not None
    if share.document.account_id != rest.account_id:
        raise Refused([f"{share.document.name} is not of account {rest.payment.account.key}"])
    item = of_document(items, share.document)
    part_minor = share.amount_minor
    if part_minor is None:
        part_minor = min(item.open_minor, -rest.open_minor)
    if not part_minor:
        raise Refused([f"nothing of the payment is left for {share.document.name}"])
    allocate_part(rest, item, part_minor, is_new=is_new, day=day, now=now, actor=actor)


def _recorded(account: Account, amount_minor: int, by: Transfer, now: datetime, actor: str) -> Payment:
    """The payment's row; raises Refused, and ValidationError where a text is too long."""
    today = today_for(account, now)
    if by.day > today:
        raise Refused([f"{by.day} has not come yet; it is {today} for account {account.key}"])
    if by.reference:
        known = Payment.objects.filter(vendor_id=account.vendor_id, reference=by.reference).first()
        if known is not None:
            raise Refused([f"the reference {by.reference!r} is that of payment {known.pk} already"])
    payment = Payment(
        vendor_id=account.vendor_id, account=account, date=by.day, currency=currency_of(account, now),
        amount_minor=amount_minor, method=by.method, reference=by.reference, recorded_at=now, actor=actor,
    )  # fmt: skip
    payment.full_clean(exclude=("vendor", "account"))
    payment.save()
    return payment


def _announce(payment: Payment, kind: Kind, now: datetime) -> None:
    told = {
        "payment": payment.pk,
        "account": payment.account.key,
        "date": payment.date.isoformat(),
        "currency": payment.currency,
        "amount": format_amount(abs(payment.amount_minor), payment.currency),
        "method": payment.method,
        "reference": payment.reference,
    }
    announce(vendor_id=payment.vendor_id, kind=kind, told=[told], at=now)
