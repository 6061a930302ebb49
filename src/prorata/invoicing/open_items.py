"""What is open: of documents what is still to be paid, of payments what they do not count for yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db.models import Q, Sum

from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.engine.money import format_amount, speak_amount
from prorata.invoicing.models import Allocation, Document, OpenItem, Payment
from prorata.subscriptions.models import Subscription
from prorata.webhooks.outbox import announce


def held_items(account: Account) -> list[OpenItem]:
    """What is open of an account, the oldest first, held against whoever bills it or records payments of it."""
    list(Subscription.objects.select_for_update().filter(account=account).order_by("pk"))
    items = OpenItem.objects.filter(account=account).select_related("document__account", "payment__account")
    return sorted(items, key=lambda item: (item.date, item.document_id or 0))


def open_invoices(items: Iterable[OpenItem]) -> list[OpenItem]:
    """Of open items those of which something is to be paid."""
    return [item for item in items if item.open_minor > 0]


def of_document(items: Iterable[OpenItem], document: Document) -> OpenItem:
    """What is open of an invoice; raises Refused where that is nothing."""
    found = next((item for item in open_invoices(items) if item.document_id == document.pk), None)
    if found is None:
        raise Refused([f"nothing is open of {document.name}"])
    return found


def of_payment(items: Iterable[OpenItem], payment: Payment) -> OpenItem:
    """What is left of a payment; raises Refused where that is nothing."""
    found = next((item for item in items if item.payment_id == payment.pk), None)
    if found is None:
        raise Refused([f"nothing is left of payment {payment.pk}"])
    return found


def left_of_new(payment: Payment) -> OpenItem:
    """All of a payment that was just recorded is left."""
    item = OpenItem(
        vendor_id=payment.vendor_id, account_id=payment.account_id, payment=payment,
        date=payment.date, currency=payment.currency, open_minor=0,
    )  # fmt: skip
    move(item, -payment.amount_minor)
    return item


def counted(payment: Payment) -> dict[int, int]:
    """How much of a payment that came in counts for documents now, by their ids."""
    rows = payment.allocations.filter(document__isnull=False).order_by().values_list("document_id")
    sums = rows.annotate(Sum("amount_minor")).filter(amount_minor__sum__gt=0)
    return {pk: minor for pk, minor in sums if pk is not None}


def allocate_part(
    rest: OpenItem, item: OpenItem, part_minor: int, *, is_new: bool, day: date | None = None, now: datetime, actor: str
) -> None:
    """So much of what is left of a payment counts for an invoice: from a day on, or from the later of their own days.

    `is_new` says that the payment is just being recorded. Raises Refused where it is more than is open, or is left.
    """
    payment, document = rest.payment, item.document
    assert payment is not None
    assert document is not None
    assert part_minor > 0
    if part_minor > item.open_minor:
        raise Refused([f"{_said(item.open_minor, item)} are open of {document.name}, not {_said(part_minor, item)}"])
    if part_minor > -rest.open_minor:
        raise Refused([f"{_said(-rest.open_minor, item)} are left of the payment, not {_said(part_minor, item)}"])
    write(
        payment, part_minor, document=document, at_once=is_new and document.date <= payment.date,
        day=day or max(payment.date, document.date), now=now, actor=actor,
    )  # fmt: skip
    move(rest, part_minor)
    move(item, -part_minor)
    if not item.open_minor:
        announce_paid(document, now)


def release_parts(
    items: Sequence[OpenItem], payment: Payment, parts: Mapping[int, int], *, day: date, now: datetime, actor: str
) -> None:
    """So much of a payment no longer counts for documents, by their ids, which are open again from a day on."""
    rest = next((item for item in items if item.payment_id == payment.pk), None) or _none_of(payment)
    known = {item.document_id: item for item in items}
    for document in Document.objects.filter(pk__in=parts).select_related("account").order_by("pk"):
        part_minor, item = parts[document.pk], known.get(document.pk) or _none_of(document)
        write(
            payment, -part_minor, document=document, at_once=False,
            day=max(day, payment.date, document.date), now=now, actor=actor,
        )  # fmt: skip
        move(rest, -part_minor)
        move(item, part_minor)
        told = {**_named(document), "open": format_amount(item.open_minor, document.currency)}
        announce(vendor_id=document.vendor_id, kind="document.reopened", told=[told], at=now)


def write(
    payment: Payment,
    amount_minor: int,
    *,
    document: Document | None = None,
    paid_back_by: Payment | None = None,
    at_once: bool = False,
    day: date,
    now: datetime,
    actor: str,
) -> None:
    """An allocation's row (see there); what is open is to be moved with it."""
    Allocation.objects.create(
        vendor_id=payment.vendor_id, payment=payment, document=document, paid_back_by=paid_back_by,
        amount_minor=amount_minor, at_once=at_once, date=day, recorded_at=now, actor=actor,
    )  # fmt: skip


def move(item: OpenItem, more_minor: int) -> None:
    """More, or less, is open; of what nothing is open any more there is no row."""
    item.open_minor += more_minor
    if item.open_minor:
        item.save()
    elif item.pk is not None:
        item.delete()


def announce_paid(document: Document, now: datetime) -> None:
    """Tells that nothing is open of a document any more."""
    announce(vendor_id=document.vendor_id, kind="document.paid", told=[_named(document)], at=now)


def balance_of(account: Account) -> dict[str, int]:
    """What is open of an account, in minor units."""
    items = OpenItem.objects.filter(account=account)
    found = items.aggregate(
        to_pay=Sum("open_minor", filter=Q(open_minor__gt=0)),
        to_pay_back=Sum("open_minor", filter=Q(open_minor__lt=0, document__isnull=False)),
        left=Sum("open_minor", filter=Q(payment__isnull=False)),
    )
    return {name: abs(minor or 0) for name, minor in found.items()}


def open_of(documents: Iterable[Document]) -> dict[int, int]:
    """How much is open of each document, by their ids: what is to be paid, or of a credit note to be paid back."""
    still = {document.pk: 0 for document in documents}
    for pk, minor in OpenItem.objects.filter(document_id__in=still).values_list("document_id", "open_minor"):
        assert pk is not None
        still[pk] = abs(minor)
    return still


def _none_of(one: Payment | Document) -> OpenItem:
    """The item of what nothing is open of, not kept."""
    item = OpenItem(
        vendor_id=one.vendor_id, account_id=one.account_id, date=one.date, currency=one.currency, open_minor=0
    )
    if isinstance(one, Payment):
        item.payment = one
    else:
        item.document = one
    return item


def _named(document: Document) -> dict[str, object]:
    return {"document": document.name, "account": document.account.key, "currency": document.currency}


def _said(minor: int, item: OpenItem) -> str:
    return f"{speak_amount(minor, item.currency)} {item.currency}"
