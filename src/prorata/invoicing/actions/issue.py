"""Issue: computed documents get their numbers and are written, all of a batch together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from prorata.accounts.models import Account
from prorata.engine import credits, document
from prorata.engine.bill import Billing
from prorata.engine.calendar import instant_of
from prorata.engine.record import document_record
from prorata.invoicing.models import BillRun, Document, Lapse, Line
from prorata.subscriptions.models import Subscription
from prorata.vendors.models import PolicyVersion, Series, Vendor


@dataclass(frozen=True, slots=True)
class Computed:
    """What a look at a subscription came to, under a version of its policy."""

    subscription: Subscription
    policy: PolicyVersion
    zone: ZoneInfo
    billing: Billing


def issue(*, vendor: Vendor, computed: Sequence[Computed], run: BillRun) -> None:
    """Writes the documents and lapses of one vendor's subscriptions and how far they are billed.

    To be called within a transaction that holds the subscriptions' rows. The numbers are taken last, so that others
    who issue wait for as short as can be.
    """
    lapses = [_lapse_row(one, lapse) for one in computed for lapse in one.billing.lapses]
    Lapse.objects.bulk_create(lapses, batch_size=1000)
    for one in computed:
        row, billing = one.subscription, one.billing
        row.billed_through, row.known_until = billing.through, instant_of(billing.known_until, one.zone)
        row.next_look, row.ended_on = billing.next_look, billing.ended
    fields = ["billed_through", "known_until", "next_look", "ended_on"]
    Subscription.objects.bulk_update([one.subscription for one in computed], fields, batch_size=500)
    made = [(one, found) for one in computed for found in one.billing.documents]
    numbers = _numbers(vendor, [found.kind for _, found in made])
    documents = [
        _issued_row(vendor, one, found, number, run) for (one, found), number in zip(made, numbers, strict=True)
    ]
    Document.objects.bulk_create(documents, batch_size=500)
    pairs = zip(documents, made, strict=True)
    lines = [line_row(row, at, line) for row, (_, found) in pairs for at, line in enumerate(found.lines, 1)]
    Line.objects.bulk_create(lines, batch_size=500)


def shown(found: document.Document, number: int, seller: Mapping[str, str], buyer: Mapping[str, str]) -> str:
    """A document as it is shown, as canonical JSON."""
    return canonical({"number": number, "seller": seller, "buyer": buyer, **document_record(found)})


def canonical(value: Any) -> str:
    """JSON in which the same value is always the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def party(one: Vendor | Account) -> dict[str, str]:
    """Who sells, or buys, as a document names them."""
    return {
        "name": one.name,
        "organisation_number": one.organisation_number,
        "vat_number": one.vat_number,
        "address": one.address,
        "country": one.country,
    }


def _numbers(vendor: Vendor, kinds: Sequence[str]) -> Iterable[int]:
    """The next numbers of the vendor's series, one for each kind named, with the series locked until the commit."""
    last = {}
    for series in Series.objects.select_for_update().filter(vendor=vendor, kind__in=set(kinds)).order_by("kind"):
        last[series.kind] = series.last
        series.last += kinds.count(series.kind)
        series.save(update_fields=["last"])
    numbers = []
    for kind in kinds:
        last[kind] += 1
        numbers.append(last[kind])
    return numbers


def document_row(
    subscription: Subscription, policy: PolicyVersion, zone: ZoneInfo, found: document.Document, number: int
) -> Document:
    """The row of a document but for its record, not written yet."""
    return Document(
        vendor_id=subscription.vendor_id,
        account_id=subscription.account_id,
        subscription=subscription,
        policy=policy,
        kind=found.kind,
        number=number,
        date=found.date,
        known_until=instant_of(found.known_until, zone),
        currency=found.currency,
        subtotal_minor=found.subtotal_minor,
        total_minor=found.total_minor,
        credit_used_minor=found.credit_used_minor,
        credit_left_minor=found.credit_left_minor,
        refund_minor=found.refund_minor,
    )


def _issued_row(vendor: Vendor, one: Computed, found: document.Document, number: int, run: BillRun) -> Document:
    row = document_row(one.subscription, one.policy, one.zone, found, number)
    row.run = run
    row.record = shown(found, number, party(vendor), party(one.subscription.account))
    row.sha256 = sha256(row.record.encode()).hexdigest()
    return row


def line_row(row: Document, position: int, line: document.Line) -> Line:
    """The row of a line of a document, not written yet."""
    exact, after = line.exact_minor, line.after
    quantity, price = (None, None) if after is None else after
    return Line(
        vendor_id=row.vendor_id,
        document=row,
        position=position,
        item=line.item,
        kind=line.kind,
        quantity=line.quantity,
        amount_minor=line.amount_minor,
        period_start=line.period_start,
        period_end=line.period_end,
        start=line.start,
        end=line.end,
        exact_numerator=exact.numerator,
        exact_denominator=exact.denominator,
        after_quantity=quantity,
        price_minor=None if price is None else price.minor,
        price_months=None if price is None else price.months,
        price_plan="" if price is None else price.plan,
        price_role="" if price is None else price.role,
        price_above=0 if price is None else price.above,
    )


def _lapse_row(one: Computed, lapse: credits.Lapse) -> Lapse:
    return Lapse(
        vendor_id=one.subscription.vendor_id,
        subscription=one.subscription,
        date=lapse.date,
        known_until=instant_of(lapse.known_until, one.zone),
        amount_minor=lapse.amount_minor,
        reason=lapse.reason,
    )
