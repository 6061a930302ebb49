"""What is open: of documents what is still to be paid, of payments what they do not count for yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db.models import Max, Q, Sum

from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.engine.money import format_amount, speak_amount
from prorata.invoicing.models import Allocation, Document, OpenItem, Payment
from prorata.subscriptions.models import Subscription
from prorata.webhooks.outbox import announce

_SOME = 500


def hold(accounts: Iterable[int]) -> None:
    """Holds accounts, by their ids, against whoever bills them or records payments of them, in the order of all."""
    ids = sorted(set(accounts))
    rows = Subscription.objects.order_by("pk")
    pks: list[int] = []
    for at in range(0, len(ids), _SOME):
        pks += rows.filter(account_id__in=ids[at : at + _SOME]).values_list("pk", flat=True)
    pks.sort()
    for at in range(0, len(pks), _SOME):
        list(rows.select_for_update().filter(pk__in=pks[at : at + _SOME]).values_list("pk"))


def held_items(account: Account) -> list[OpenItem]:
    """What is open of an account, which is held, the oldest first."""
    hold([account.pk])
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


def item_of(items: Iterable[OpenItem], one: Payment | Document) -> OpenItem:
    """What is open of a payment or a document, or a row that is not kept where that is nothing."""
    named = (one.pk, None) if isinstance(one, Payment) else (None, one.pk)
    found = next((item for item in items if (item.payment_id, item.document_id) == named), None)
    if found is not None:
        return found
    of = {"payment": one} if isinstance(one, Payment) else {"document": one}
    return OpenItem(
        vendor_id=one.vendor_id, account_id=one.account_id, date=one.date, currency=one.currency, open_minor=0, **of
    )


def counted(payment: Payment) -> dict[int, int]:
    """How much of a payment counts for documents now, by their ids; of one that went out below zero."""
    rows = payment.allocations.filter(document__isnull=False).order_by().values_list("document_id")
    sums = rows.annotate(Sum("amount_minor")).exclude(amount_minor__sum=0)
    return {pk: minor for pk, minor in sums if pk is not None}


def allocate_part(
    rest: OpenItem, item: OpenItem, part_minor: int, *, is_new: bool, day: date | None = None, now: datetime, actor: str
) -> None:
    """So much of what is left of a payment counts for an invoice, on the first day possible or on a later one.

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
    first = max(payment.date, document.date, *_taken_back(Q(document=document) | Q(payment=payment)))
    write(
        payment, part_minor, document=document, at_once=is_new and first == payment.date,
        day=max(first, day or first), now=now, actor=actor,
    )  # fmt: skip
    move(rest, part_minor)
    move(item, -part_minor)
    if not item.open_minor:
        announce_paid(document, now)


def release_parts(
    items: Sequence[OpenItem], payment: Payment, parts: Mapping[int, int], *, day: date, now: datetime, actor: str
) -> None:
    """So much of a payment no longer counts for documents, by their ids, which are open again.

    They are from a day on, but from no day before it counted for them.
    """
    rest = item_of(items, payment)
    since = payment.allocations.values("document").order_by().annotate(last=Max("date"))
    last = dict(since.values_list("document", "last"))
    for document in Document.objects.filter(pk__in=parts).select_related("account").order_by("pk"):
        part_minor, item = parts[document.pk], item_of(items, document)
        write(payment, -part_minor, document=document, day=max(day, last[document.pk]), now=now, actor=actor)
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


def _taken_back(which: Q) -> list[date]:
    """The last day, if any, on which something of a payment that came in no longer counted."""
    rows = Allocation.objects.filter(which, amount_minor__lt=0, payment__amount_minor__gt=0)
    return list(rows.order_by("-date").values_list("date", flat=True)[:1])


def _named(document: Document) -> dict[str, object]:
    return {"document": document.name, "account": document.account.key, "currency": document.currency}


def _said(minor: int, item: OpenItem) -> str:
    return f"{speak_amount(minor, item.currency)} {item.currency}"
