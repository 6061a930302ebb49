"""Issue: computed documents get their numbers and are written, all of a batch together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from prorata.database.clock import Clock
from prorata.database.rows import add_rows, next_ids, set_rows
from prorata.engine import credits, document
from prorata.engine.bill import Billing
from prorata.engine.calendar import to_date
from prorata.engine.money import format_amount
from prorata.engine.record import document_record
from prorata.invoicing.actions.use_payments import use_payments
from prorata.invoicing.models import BillRun, Document, Lapse, Line, OpenItem, Posting
from prorata.invoicing.rows import (
    DocumentRow,
    LapseRow,
    LineRow,
    OpenItemRow,
    PostingRow,
    document_row,
    lapse_row,
    line_row,
    open_item_rows,
    posting_of,
    posting_rows,
)
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import SubscriptionRow
from prorata.vendors.models import PARTY, PolicyVersion, Series, Vendor
from prorata.webhooks.outbox import announce

_BILLED = ("id", "billed_through", "known_until", "next_look", "ended_on", "stopped")
_NUMBER = "number"
BUYER = (*PARTY, "reference")  # what a document says of who buys; of who sells, all but the last
_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Computed:
    """What a look at a subscription came to, under a version of its policy."""

    subscription: SubscriptionRow
    account: str
    buyer: Mapping[str, str]
    policy: PolicyVersion
    clock: Clock
    currency: str
    billing: Billing


def issue(*, vendor: Vendor, computed: Sequence[Computed], run: BillRun) -> None:
    """Writes the documents and lapses of one vendor's subscriptions, their postings, and how far they are billed.

    To be called within a transaction that holds the subscriptions' rows. The numbers are taken last, so that others
    who issue wait for as short as can be.
    """
    set_rows(Subscription, _BILLED, [_billed(one) for one in computed])
    lapsed = [(one, lapse) for one in computed for lapse in one.billing.lapses]
    lapses = [
        lapse_row(one.subscription, one.clock, one.currency, lapse)._replace(id=pk)
        for (one, lapse), pk in zip(lapsed, next_ids(Lapse, len(lapsed)), strict=True)
    ]
    if lapses:
        add_rows(Lapse, LapseRow._fields, lapses)
    made = [(one, found) for one in computed for found in one.billing.documents]
    ids = next_ids(Document, len(made))
    issued = [(pk, found) for pk, (_, found) in zip(ids, made, strict=True)]
    lines = (line_row(vendor.pk, pk, at, line) for pk, found in issued for at, line in enumerate(found.lines, 1))
    add_rows(Line, LineRow._fields, lines)
    postings = [row for pk, found in issued for row in posting_rows(vendor.pk, pk, found)]
    add_rows(Posting, PostingRow._fields, [*postings, *map(posting_of, lapses)])
    seller = party(vendor)
    documents = [
        (
            document_row(one.subscription, one.policy, one.clock, found)._replace(id=pk),
            shown(found, seller, one.buyer),
        )
        for pk, (one, found) in zip(ids, made, strict=True)
    ]
    add_rows(OpenItem, OpenItemRow._fields, open_item_rows(row for row, _ in documents))
    accounts = {one.subscription.account_id for one, _ in made}
    paid = use_payments(vendor_id=vendor.pk, accounts=accounts, documents=ids, now=run.known_until)
    numbers = _numbers(vendor, [found.kind for _, found in made])
    rows = (_numbered(row, text, number, run) for (row, text), number in zip(documents, numbers, strict=True))
    add_rows(Document, DocumentRow._fields, rows)
    told = (_issued(found, number) for (_, found), number in zip(made, numbers, strict=True))
    announce(vendor_id=vendor.pk, kind="document.issued", told=told, at=run.known_until)
    moved = [one for one in computed if _how(one.billing) != one.subscription.stopped]
    if stopped := [_stopped(one) for one in moved if one.billing.stopped]:
        announce(vendor_id=vendor.pk, kind="account.stopped", told=stopped, at=run.known_until)
    if resumed := [_resumed(one) for one in moved if not one.billing.stopped]:
        announce(vendor_id=vendor.pk, kind="account.resumed", told=resumed, at=run.known_until)
    if lapsed:
        lost = (_lost(lapse, one.currency) for one, lapse in lapsed)
        announce(vendor_id=vendor.pk, kind="credit.lapsed", told=lost, at=run.known_until)
    if paid:
        named = zip(ids, made, numbers, strict=True)
        told = (_paid(found, number) for pk, (_, found), number in named if pk in paid)
        announce(vendor_id=vendor.pk, kind="document.paid", told=told, at=run.known_until)


def shown(found: document.Document, seller: Mapping[str, str], buyer: Mapping[str, str]) -> tuple[str, str]:
    """A document as it is shown, as canonical JSON, in two parts between which its number belongs."""
    record = {"seller": seller, "buyer": buyer, **document_record(found)}
    before = canonical({key: value for key, value in record.items() if key < _NUMBER})
    after = canonical({key: value for key, value in record.items() if key > _NUMBER})
    return f'{before[:-1]},"{_NUMBER}":', f",{after[1:]}"


def canonical(value: Any) -> str:
    """JSON in which the same value is always the same text."""
    return _JSON.encode(value)


def party(one: Vendor) -> dict[str, str]:
    """Who sells, as a document names them."""
    return {name: getattr(one, name) for name in PARTY}


def _issued(found: document.Document, number: int) -> dict[str, object]:
    """What of a document is told to others."""
    return {
        "document": f"{found.kind}-{number}",
        "account": found.account,
        "date": found.date.isoformat(),
        "currency": found.currency,
        "total": format_amount(abs(found.total_minor), found.currency),
        "due": format_amount(found.due_minor, found.currency),
    }


def _paid(found: document.Document, number: int) -> dict[str, object]:
    told = _issued(found, number)
    return {name: told[name] for name in ("document", "account", "currency")}


def _stopped(one: Computed) -> dict[str, object]:
    assert one.billing.stopped is not None
    how, since = one.billing.stopped
    return {"account": one.account, "how": how, "since": to_date(since).isoformat()}


def _resumed(one: Computed) -> dict[str, object]:
    return {"account": one.account, "was": one.subscription.stopped}


def _lost(lapse: credits.Lapse, currency: str) -> dict[str, object]:
    return {
        "account": lapse.account,
        "date": lapse.date.isoformat(),
        "currency": currency,
        "amount": format_amount(lapse.amount_minor, currency),
        "reason": lapse.reason,
    }


def _billed(one: Computed) -> tuple[Any, ...]:
    billing = one.billing
    known_until = one.clock.kept(billing.known_until)
    return one.subscription.id, billing.through, known_until, billing.next_look, billing.ended, _how(billing)


def _how(billing: Billing) -> str:
    return billing.stopped.how if billing.stopped else ""


def _numbers(vendor: Vendor, kinds: Sequence[str]) -> list[int]:
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


def _numbered(row: DocumentRow, text: tuple[str, str], number: int, run: BillRun) -> DocumentRow:
    record = f"{text[0]}{number}{text[1]}"
    digest = sha256(record.encode()).hexdigest()
    return row._replace(number=number, run_id=run.pk, record=record, sha256=digest)
