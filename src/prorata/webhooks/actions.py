"""What is done with webhooks: addresses are added and changed, messages are sent until they are taken, or again."""

from __future__ import annotations

import http.client
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Min, OuterRef

from prorata.database.refused import Refused
from prorata.vendors.models import Vendor
from prorata.webhooks.models import Attempt, Delivery, Endpoint, Message
from prorata.webhooks.outbox import Kind, send
from prorata.webhooks.sending import Answer, connection_to, post
from prorata.webhooks.signature import headers_of, new_secret

# How long after each attempt the next one follows; after the last nothing does. By the Standard Webhooks scheme.
WAITS = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24),
)  # fmt: skip
AT_ONCE = 8
KEPT = timedelta(days=30)
_LEASE = timedelta(minutes=3)  # so long a worker has for what it took; when it died another takes it again
_UNDER_WAY = timedelta(hours=1)  # by then whatever was begun is written down, or was undone
_BOTH_SECRETS = timedelta(hours=24)
_GONE = 410


def add_endpoint(*, vendor: Vendor, url: str, kinds: Sequence[Kind], now: datetime) -> Endpoint:
    """An address that is told what happens from now on; raises Refused, and ValidationError where it is none."""
    _check(url)
    endpoint = Endpoint(vendor=vendor, url=url, kinds=list(kinds), secret=new_secret(), made_at=now)
    endpoint.full_clean(exclude=("vendor",))
    endpoint.save()
    return endpoint


@transaction.atomic
def change_endpoint(
    *, endpoint: Endpoint, url: str | None, kinds: Sequence[Kind] | None, enabled: bool | None, now: datetime
) -> Endpoint:
    """Another address, other kinds, or whether anything is sent; what waited meanwhile is sent as it is enabled."""
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if url is not None:
        _check(url)
        endpoint.url = url
    if kinds is not None:
        endpoint.kinds = list(kinds)
    if enabled is not None:
        endpoint.disabled_at = None if enabled else endpoint.disabled_at or now
        endpoint.disabled_because = "" if enabled else endpoint.disabled_because or "as asked for"
    endpoint.full_clean(exclude=("vendor",))
    endpoint.save(update_fields=["url", "kinds", "disabled_at", "disabled_because"])
    return endpoint


def change_secret(*, endpoint: Endpoint, now: datetime) -> Endpoint:
    """A new secret. For a day messages are signed with both, so that the receiver has time to change it."""
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + _BOTH_SECRETS
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    return endpoint


def send_test(*, endpoint: Endpoint, now: datetime) -> Delivery:
    """A message that says nothing, to try the address."""
    told = [{"endpoint": endpoint.pk}]
    [delivery] = send(vendor_id=endpoint.vendor_id, kind="webhook.test", told=told, at=now, to=[endpoint])
    return delivery


def send_again(*, delivery: Delivery) -> Delivery:
    """A message is sent once more, with all its attempts, whatever became of it."""
    delivery.attempts, delivery.next_at, delivery.delivered_at = 0, datetime.now(UTC), None
    delivery.save(update_fields=["attempts", "next_at", "delivered_at"])
    return delivery


def deliver(*, now: datetime, most: int = 3 * AT_ONCE) -> int:
    """Sends what is due at a moment, to several at a time; how many were sent. Several workers share what there is.

    A message is sent at least once: again where a worker died before it had written down how it went.
    """
    taken = _take(now, most)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for delivery, answer in zip(taken, threads.map(_send, taken), strict=True):
            _write_down(delivery, answer)
    return len(taken)


def forget_old(*, now: datetime) -> None:
    """Forgets what was written a month ago, told or not, and addresses that were deleted; nothing that is under way."""
    Endpoint.objects.filter(deleted_at__lt=now - _UNDER_WAY).delete()
    under_way = Delivery.objects.filter(message=OuterRef("pk"), next_at__gt=now - _UNDER_WAY)
    old = Message.objects.filter(~Exists(under_way), written_at__lt=now - KEPT)
    while some := list(old.values_list("pk", flat=True)[:1000]):
        Delivery.objects.filter(message__in=some).delete()
        Message.objects.filter(pk__in=some).delete()


def delete_endpoint(*, endpoint: Endpoint) -> None:
    """Nothing is told to an address any more."""
    Endpoint.objects.filter(pk=endpoint.pk).update(deleted_at=datetime.now(UTC))


def _check(url: str) -> None:
    allowed = ("http", "https") if settings.WEBHOOKS_ANYWHERE else ("https",)
    try:
        connection_to(url)
        is_good = urlsplit(url).scheme in allowed
    except (ValueError, http.client.HTTPException):
        is_good = False
    if not is_good:
        raise Refused([f"url: {url!r} is not an address that can be told; write one that begins with https://"])


@transaction.atomic
def _take(now: datetime, most: int) -> list[Delivery]:
    """What is due and nobody else has taken, marked as being sent."""
    due = Delivery.objects.filter(next_at__lte=now, endpoint__disabled_at=None, endpoint__deleted_at=None)
    waiting = due.values("endpoint").annotate(first=Min("next_at")).order_by("first").values_list("endpoint", flat=True)
    endpoints = list(waiting[:most])
    rows = due.order_by("next_at", "pk").select_related("endpoint", "message")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(of=("self",), skip_locked=True)
    # Each its share, and in turn, so that one that hangs does not hold up the others.
    shares = [list(rows.filter(endpoint=endpoint)[: most // len(endpoints)]) for endpoint in endpoints]
    taken = [one for turn in zip_longest(*shares) for one in turn if one is not None]
    for delivery in taken:
        delivery.attempts += 1
        delivery.next_at = now + _LEASE
    Delivery.objects.bulk_update(taken, ["attempts", "next_at"])
    return taken


def _send(delivery: Delivery) -> Answer:
    endpoint, message, now = delivery.endpoint, delivery.message, datetime.now(UTC)
    keys = [endpoint.secret]
    if endpoint.previous_until is not None and now < endpoint.previous_until:
        keys.append(endpoint.previous_secret)
    signed = headers_of(message=f"msg_{message.pk}", sent=int(now.timestamp()), body=message.body, keys=keys)
    return post(endpoint.url, message.body, signed, anywhere=settings.WEBHOOKS_ANYWHERE)


@transaction.atomic
def _write_down(delivery: Delivery, answer: Answer) -> None:
    """How it went, and when it is tried again; where somebody asked for it anew meanwhile, that holds."""
    now = datetime.now(UTC)
    Attempt.objects.create(
        delivery=delivery, at=now, status=answer.status, said=answer.said, milliseconds=answer.milliseconds
    )
    mine = Delivery.objects.filter(pk=delivery.pk, next_at=delivery.next_at)
    if answer.is_taken:
        mine.update(next_at=None, delivered_at=now)
    elif delivery.attempts <= len(WAITS):
        mine.update(next_at=now + WAITS[delivery.attempts - 1] * random.uniform(1, 1.1))
    else:
        mine.update(next_at=None)
    if answer.status == _GONE:
        _disable(delivery.endpoint, "it answered 410 Gone", now)
    elif not answer.is_taken and delivery.attempts > len(WAITS) and not _took_any(delivery):
        _disable(delivery.endpoint, f"it took nothing for as long as {delivery.attempts} attempts last", now)


def _took_any(delivery: Delivery) -> bool:
    """Whether the address took anything since this message was first sent to it."""
    first = delivery.log.order_by("at").values_list("at", flat=True)[0]
    return Delivery.objects.filter(endpoint_id=delivery.endpoint_id, delivered_at__gte=first).exists()


def _disable(endpoint: Endpoint, because: str, now: datetime) -> None:
    still = Endpoint.objects.filter(pk=endpoint.pk, url=endpoint.url, disabled_at=None)
    still.update(disabled_at=now, disabled_because=because)
