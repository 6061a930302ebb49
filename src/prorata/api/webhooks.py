"""Webhooks: addresses that are told what happens, and how the telling goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from prorata.api.loading import Number
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, vendor_of
from prorata.api.values import In
from prorata.vendors.queries import now_of
from prorata.webhooks.actions import (
    add_endpoint,
    change_endpoint,
    change_secret,
    delete_endpoint,
    send_again,
    send_test,
)
from prorata.webhooks.models import Delivery, Endpoint
from prorata.webhooks.outbox import Kind

router = Router(tags=["Webhooks"])

State = Literal["waiting", "delivered", "given_up"]
_Url = Annotated[str, Field(max_length=500, examples=["https://crm.example.com/hooks/prorata"])]
_Kinds = Annotated[list[Kind], Field(description="What it is told; with none, everything.")]
_State = Annotated[State | None, Query(description="Only those of this state.")]


class EndpointIn(In):
    url: _Url
    kinds: _Kinds = Field([])


class EndpointChange(In):
    url: _Url | None = None
    kinds: _Kinds | None = None
    enabled: bool | None = Field(None, description="What waited meanwhile is sent as it is enabled.")


class EndpointOut(Schema):
    id: int
    url: str
    kinds: list[Kind]
    made_at: datetime
    disabled_at: datetime | None
    disabled_because: str


class EndpointWithSecret(EndpointOut):
    secret: str = Field(description="What messages are signed with, by the Standard Webhooks scheme. Told this once.")


class AttemptOut(Schema):
    at: datetime
    status: int | None = Field(description="Null where there was no answer.")
    said: str = Field(description="The beginning of the answer, or what went wrong.")
    milliseconds: int


class DeliveryOut(Schema):
    id: int
    message: str = Field(description="The webhook-id, by which a receiver knows what it has already.")
    kind: Kind
    state: State
    attempts: int
    next_at: datetime | None
    delivered_at: datetime | None
    body: dict[str, Any]
    log: list[AttemptOut]


@router.get("/webhooks", response=Page[EndpointOut], auth=Bearer("read"))
def list_webhooks(request: HttpRequest, cursor: Cursor = "", limit: Limit = 50) -> Page[EndpointOut]:
    """The addresses that are told what happens."""
    return page(_there(request), cursor, limit, _endpoints_out)


@router.post("/webhooks", response={201: EndpointWithSecret}, auth=Bearer("settings"))
def add_a_webhook(request: HttpRequest, body: EndpointIn) -> Status[EndpointWithSecret]:
    """Tell an address what happens from now on."""
    vendor = vendor_of(request)
    return Status(201, _with_secret(add_endpoint(vendor=vendor, url=body.url, kinds=body.kinds, now=datetime.now(UTC))))


@router.get("/webhooks/{webhook}", response=EndpointOut, auth=Bearer("read"))
def show_webhook(request: HttpRequest, webhook: Number) -> EndpointOut:
    """One address."""
    return _endpoints_out([_called(request, webhook)])[0]


@router.patch("/webhooks/{webhook}", response=EndpointOut, auth=Bearer("settings"))
def change_a_webhook(request: HttpRequest, webhook: Number, body: EndpointChange) -> EndpointOut:
    """Another address, other kinds, or whether it is told anything."""
    changed = change_endpoint(
        endpoint=_called(request, webhook), url=body.url, kinds=body.kinds, enabled=body.enabled, now=datetime.now(UTC)
    )
    return _endpoints_out([changed])[0]


@router.delete("/webhooks/{webhook}", response={204: None}, auth=Bearer("settings"))
def delete_a_webhook(request: HttpRequest, webhook: Number) -> Status[None]:
    """Tell an address nothing any more, and forget what it was told."""
    delete_endpoint(endpoint=_called(request, webhook))
    return Status(204, None)


@router.post("/webhooks/{webhook}/secret", response={201: EndpointWithSecret}, auth=Bearer("settings"))
def change_its_secret(request: HttpRequest, webhook: Number) -> Status[EndpointWithSecret]:
    """Sign with a new secret. For a day, messages are signed with the one before as well."""
    changed = change_secret(endpoint=_called(request, webhook), now=datetime.now(UTC))
    return Status(201, _with_secret(changed))


@router.post("/webhooks/{webhook}/test", response={201: DeliveryOut}, auth=Bearer("settings"))
def send_a_test(request: HttpRequest, webhook: Number) -> Status[DeliveryOut]:
    """Send a message that says nothing, to try the address."""
    delivery = send_test(endpoint=_called(request, webhook), now=now_of(vendor_of(request)))
    return Status(201, _deliveries_out([delivery])[0])


@router.get("/webhooks/{webhook}/deliveries", response=Page[DeliveryOut], auth=Bearer("read"))
def list_deliveries(
    request: HttpRequest, webhook: Number, state: _State = None, cursor: Cursor = "", limit: Limit = 50
) -> Page[DeliveryOut]:
    """What an address was told or is to be, the newest first, with how each attempt went."""
    rows = Delivery.objects.filter(endpoint=_called(request, webhook))
    if state is not None:
        rows = rows.filter(next_at__isnull=state != "waiting", delivered_at__isnull=state != "delivered")
    rows = rows.select_related("message").prefetch_related("log")
    return page(rows, cursor, limit, _deliveries_out, newest_first=True)


@router.post("/webhooks/{webhook}/deliveries/{delivery}/replay", response={201: DeliveryOut}, auth=Bearer("settings"))
def replay_a_delivery(request: HttpRequest, webhook: Number, delivery: Number) -> Status[DeliveryOut]:
    """Send a message once more, whatever became of it."""
    found = Delivery.objects.filter(endpoint=_called(request, webhook), pk=delivery).first()
    if found is None:
        raise Gone(f"webhook {webhook} has no delivery {delivery}")
    return Status(201, _deliveries_out([send_again(delivery=found)])[0])


def _there(request: HttpRequest) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(vendor=vendor_of(request), deleted_at=None)


def _called(request: HttpRequest, pk: int) -> Endpoint:
    found = _there(request).filter(pk=pk).first()
    if found is None:
        raise Gone(f"there is no webhook {pk}")
    return found


def _endpoints_out(endpoints: Sequence[Endpoint]) -> list[EndpointOut]:
    return [EndpointOut.model_validate(one) for one in endpoints]


def _with_secret(endpoint: Endpoint) -> EndpointWithSecret:
    return EndpointWithSecret.model_validate(endpoint)


def _deliveries_out(deliveries: Sequence[Delivery]) -> list[DeliveryOut]:
    return [
        DeliveryOut(
            id=one.pk,
            message=f"msg_{one.message_id}",
            kind=one.message.kind,  # type: ignore[arg-type]  # only such are written
            state=_state(one),
            attempts=one.attempts,
            next_at=one.next_at,
            delivered_at=one.delivered_at,
            body=json.loads(one.message.body),
            log=[AttemptOut.model_validate(each) for each in sorted(one.log.all(), key=lambda each: each.at)],
        )
        for one in deliveries
    ]


def _state(delivery: Delivery) -> State:
    if delivery.next_at is not None:
        return "waiting"
    return "given_up" if delivery.delivered_at is None else "delivered"
