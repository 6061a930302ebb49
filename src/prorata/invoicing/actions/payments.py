"""Payments are recorded, and count for documents: for those that are named, or else for the oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.engine.money import format_amount, speak_amount
from prorata.invoicing.models import Document, OpenItem, Payment
from prorata.invoicing.open_items import (
    allocate_part,
    announce_paid,
    counted,
    held_items,
    item_of,
    move,
    of_document,
    of_payment,
    open_invoices,
    release_parts,
    write,
)
from prorata.subscriptions.queries import at_work, rules_for, today_of
from prorata.vendors.queries import rules_now
from prorata.webhooks.outbox import Kind, announce

_MOST = 10**15  # minor units of a payment, so that sums of thousands of them have room


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
    payment = _recorded(account, amount_minor, by, now=now, actor=actor)
    rest = item_of((), payment)
    move(rest, -amount_minor)
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
    part_minor = counted(payment).get(document.pk, 0)
    if part_minor <= 0:
        raise Refused([f"payment {payment.pk} does not count for {document.name}"])
    today = today_for(payment.account, now)
    release_parts(items, payment, {document.pk: part_minor}, day=today, now=now, actor=actor)


@transaction.atomic
def return_payment(*, payment: Payment, by: Transfer, now: datetime, actor: str) -> Payment:
    """A payment went back where it came from: bounced, charged back, or recorded by mistake.

    What it counted for is open again; of one that came in that is all that was not paid back before. Gives the payment
    that takes it the other way; raises Refused where nothing is left to.
    """
    items = held_items(payment.account)
    if payment.amount_minor < 0:
        return _came_back(items, payment, by, now, actor)
    release_parts(items, payment, counted(payment), day=by.day, now=now, actor=actor)
    return pay_back(payment=payment, by=by, now=now, actor=actor)


@transaction.atomic
def pay_back(*, payment: Payment, amount_minor: int | None = None, by: Transfer, now: datetime, actor: str) -> Payment:
    """What is left of a payment went back, or as much of it as is said. Gives what went back; raises Refused."""
    if payment.amount_minor < 0:
        raise Refused([f"payment {payment.pk} went to the account; only what came from it can be paid back"])
    _check_day(by, payment)
    rest = of_payment(held_items(payment.account), payment)
    back_minor = -rest.open_minor if amount_minor is None else amount_minor
    if back_minor > -rest.open_minor:
        left, wanted = (f"{speak_amount(one, rest.currency)} {rest.currency}" for one in (-rest.open_minor, back_minor))
        raise Refused([f"{left} are left of payment {payment.pk}, not {wanted}; release what it counts for before"])
    back = _recorded(payment.account, -back_minor, by, returns=payment, now=now, actor=actor)
    write(payment, back_minor, paid_back_by=back, day=by.day, now=now, actor=actor)
    move(rest, back_minor)
    _announce(back, "payment.paid_back", now)
    return back


@transaction.atomic
def pay_refund(*, document: Document, by: Transfer, now: datetime, actor: str) -> Payment:
    """What a credit note gives back in money was paid. Gives what went back; raises Refused where nothing was to be."""
    item = item_of(held_items(document.account), document)
    if item.open_minor >= 0:
        raise Refused([f"nothing is to be paid back of {document.name}"])
    if by.day < document.date:
        raise Refused([f"{document.name} is of {document.date}, and cannot have been paid back on {by.day}"])
    back = _recorded(document.account, item.open_minor, by, now=now, actor=actor)
    first = max([by.day, *document.allocations.filter(amount_minor__gt=0).values_list("date", flat=True)])
    write(back, back.amount_minor, document=document, at_once=first == by.day, day=first, now=now, actor=actor)
    move(item, -item.open_minor)
    _announce(back, "payment.paid_back", now)
    announce_paid(document, now)
    return back


def currency_of(account: Account, now: datetime) -> str:
    """The currency that an account is billed in; raises Refused where it has no agreement."""
    subscription = at_work(account)
    if subscription is None:
        raise Refused([f"account {account.key} has no agreement"])
    return rules_for(subscription, now).currency


def today_for(account: Account, now: datetime) -> date:
    """The day it is for an account, by the clock that it is billed by."""
    subscription = at_work(account)
    return now.date() if subscription is None else today_of(subscription, now)


def _came_back(items: Sequence[OpenItem], payment: Payment, by: Transfer, now: datetime, actor: str) -> Payment:
    """A payment that had gone to an account came back: what it paid back is to be paid back again, or is left again."""
    _check_day(by, payment)
    again = payment.returned_by.first()
    if again is not None:
        raise Refused([f"payment {payment.pk} came back already, as payment {again.pk}"])
    back = _recorded(payment.account, -payment.amount_minor, by, returns=payment, now=now, actor=actor)
    if payment.returns is not None:
        write(payment.returns, payment.amount_minor, paid_back_by=back, day=by.day, now=now, actor=actor)
        move(item_of(items, payment.returns), payment.amount_minor)
    for one in payment.allocations.select_related("document__account"):
        assert one.document is not None
        first = max(by.day, one.date)
        write(back, -one.amount_minor, document=one.document, at_once=first == by.day, day=first, now=now, actor=actor)
        move(item_of(items, one.document), one.amount_minor)
    _announce(back, "payment.received", now)
    return back


def _check_day(by: Transfer, payment: Payment) -> None:
    if by.day < payment.date:
        raise Refused([f"payment {payment.pk} is of {payment.date}, and cannot have gone back on {by.day}"])


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


def _recorded(
    account: Account, amount_minor: int, by: Transfer, *, returns: Payment | None = None, now: datetime, actor: str
) -> Payment:
    """The payment's row; raises Refused, and ValidationError where a text is too long."""
    today, currency = today_for(account, now), currency_of(account, now)
    if by.day > max(today, _today_of_the_vendor(account, now)):  # it is the bank that says which day it was
        raise Refused([f"{by.day} has not come yet; it is {today} for account {account.key}"])
    if abs(amount_minor) > _MOST:
        raise Refused([f"a payment of more than {speak_amount(_MOST, currency)} {currency} cannot be kept"])
    reference = by.reference.strip()
    _check_reference(account, reference)
    payment = Payment(
        vendor_id=account.vendor_id, account=account, date=by.day, currency=currency, amount_minor=amount_minor,
        method=by.method.strip(), reference=reference, returns=returns, recorded_at=now, actor=actor,
    )  # fmt: skip
    payment.full_clean(exclude=("vendor", "account", "returns"), validate_constraints=False)
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError:
        _check_reference(account, reference)  # somebody else recorded it meanwhile
        raise
    return payment


def _today_of_the_vendor(account: Account, now: datetime) -> date:
    """The day it is by the clock of the policy that an account is billed by."""
    subscription = at_work(account)
    if subscription is None:
        return now.date()
    policy = rules_now(subscription.vendor, subscription.policy_name, now)
    return now.astimezone(ZoneInfo(policy.time_zone)).date()


def _check_reference(account: Account, reference: str) -> None:
    if not reference:
        return
    known = Payment.objects.filter(vendor_id=account.vendor_id, reference=reference).first()
    if known is not None:
        raise Refused([f"the reference {reference!r} is that of payment {known.pk} already"])


def _announce(payment: Payment, kind: Kind, now: datetime) -> None:
    told = {
        "payment": payment.pk,
        "account": payment.account.key,
        "date": payment.date.isoformat(),
        "currency": payment.currency,
        "amount": format_amount(abs(payment.amount_minor), payment.currency),
        "method": payment.method,
        "reference": payment.reference,
        "returns": payment.returns_id,
    }
    announce(vendor_id=payment.vendor_id, kind=kind, told=[told], at=now)
