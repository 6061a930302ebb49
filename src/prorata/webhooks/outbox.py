"""The outbox: what is to be told is written with what happened, in the same transaction, and sent afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from prorata.webhooks.models import Delivery, Endpoint, Message

Kind: TypeAlias = Literal[
    "account.opened", "account.changed", "account.deleted", "account.stopped", "account.resumed", "events.recorded",
    "event.withdrawn", "document.issued", "document.paid", "document.reopened", "payment.received", "payment.paid_back",
    "credit.lapsed", "policy.changed", "bill_run.ended", "webhook.test",
]  # fmt: skip

KINDS: Mapping[Kind, str] = {
    "account.opened": "an account was opened, other than by a file",
    "account.changed": "what documents say of an account was changed",
    "account.deleted": "an account was forgotten",
    "account.stopped": "an agreement is suspended, paused or over, as the run of its bills found",
    "account.resumed": "an agreement that was one of these runs again",
    "events.recorded": "events of an account were recorded",
    "event.withdrawn": "an event was taken back",
    "document.issued": "an invoice or a credit note was issued",
    "document.paid": "nothing is open of a document any more",
    "document.reopened": "a payment no longer counts for a document, of which something is open again",
    "payment.received": "a payment of an account was recorded",
    "payment.paid_back": "money went back to an account",
    "credit.lapsed": "a credit was lost",
    "policy.changed": "a policy has a new version",
    "bill_run.ended": "a bill run that had something to do has ended",
    "webhook.test": "somebody asked for a message to try the address",
}


def announce(*, vendor_id: int, kind: Kind, told: Iterable[Mapping[str, Any]], at: datetime) -> None:
    """Writes a message for each thing that happened at a moment, to be sent to whoever wants to be told of its kind.

    For who is disabled it waits. Where nobody wants it, what is told is not gone through.
    """
    wanted = [
        one
        for one in Endpoint.objects.filter(vendor_id=vendor_id, deleted_at=None)
        if not one.kinds or kind in one.kinds
    ]
    if wanted:
        send(vendor_id=vendor_id, kind=kind, told=told, at=at, to=wanted)


def send(
    *, vendor_id: int, kind: Kind, told: Iterable[Mapping[str, Any]], at: datetime, to: Sequence[Endpoint]
) -> list[Delivery]:
    """Writes messages to these endpoints, whatever they want to be told."""
    now = datetime.now(UTC)
    messages = [
        Message(vendor_id=vendor_id, kind=kind, happened_at=at, written_at=now, body=_body(kind, at, one))
        for one in told
    ]
    Message.objects.bulk_create(messages, batch_size=1000)
    deliveries = [
        Delivery(vendor_id=vendor_id, endpoint=endpoint, message=message, next_at=now)
        for message in messages
        for endpoint in to
    ]
    return Delivery.objects.bulk_create(deliveries, batch_size=1000)


def _body(kind: Kind, at: datetime, data: Mapping[str, Any]) -> str:
    told = {"type": kind, "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
