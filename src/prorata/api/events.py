"""Events: what was recorded of accounts, what more is told, and what is taken back."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from prorata.api.event_values import EventIn, EventOut, TimedEventIn, events_out, rows_from
from prorata.api.loading import AccountKey, Number, agreement_called, rules_of
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, actor_of, vendor_of
from prorata.api.values import In
from prorata.subscriptions.actions.rows import load_rows, tell_rows
from prorata.subscriptions.actions.withdraw import withdraw
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.queries import scheduled as still_to_come
from prorata.vendors.queries import now_of

router = Router(tags=["Events"])

_Scheduled = Annotated[bool, Query(description="Only what is still to come.")]


class EventsIn(In):
    events: list[EventIn] = Field(min_length=1, max_length=1000)


class BulkIn(In):
    events: list[TimedEventIn] = Field(min_length=1, max_length=10_000)
    dry_run: bool = Field(False, description="Whether to check all of it and keep nothing.")


class EventsOut(Schema):
    events: list[EventOut]


class LoadedOut(Schema):
    accounts: int = Field(description="Of how many accounts something was told.")
    events: int
    kept: bool


@router.get("/accounts/{account}/events", response=Page[EventOut], auth=Bearer("read"))
def list_events(
    request: HttpRequest, account: AccountKey, scheduled: _Scheduled = False, cursor: Cursor = "", limit: Limit = 50
) -> Page[EventOut]:
    """All that was recorded of an account, in the order in which it was, and what of it was withdrawn."""
    subscription = agreement_called(request, account)
    vendor = vendor_of(request)
    rows = still_to_come(subscription, now_of(vendor)) if scheduled else subscription.events.all()
    told = partial(events_out, policy=rules_of(subscription))
    return page(rows.select_related("member", "withdrawal"), cursor, limit, told)


@router.get("/accounts/{account}/events/{event}", response=EventOut, auth=Bearer("read"))
def show_event(request: HttpRequest, account: AccountKey, event: Number) -> EventOut:
    """One event."""
    subscription = agreement_called(request, account)
    return events_out([_called(subscription, event)], rules_of(subscription))[0]


@router.post("/accounts/{account}/events", response={201: EventsOut}, auth=Bearer("agreements"))
def tell_events(request: HttpRequest, account: AccountKey, body: EventsIn) -> Status[EventsOut]:
    """Record what happens to an account: people, seats, plans, add-ons, credits, cancellation; all of it or nothing.

    What took effect on days that were billed goes on the next document, as a difference.
    """
    subscription = agreement_called(request, account)
    events = tell_rows(
        subscription=subscription,
        rows=rows_from(body.events),
        now=now_of(vendor_of(request)),
        actor=actor_of(request),
    )
    return Status(201, EventsOut(events=events_out(events, rules_of(subscription))))


@router.post("/accounts/{account}/events/{event}/withdrawal", response={201: EventOut}, auth=Bearer("agreements"))
def withdraw_an_event(request: HttpRequest, account: AccountKey, event: Number) -> Status[EventOut]:
    """Take back an event that did not happen, or is not to be. What was billed of it goes on the next document."""
    subscription = agreement_called(request, account)
    found = _called(subscription, event)
    withdraw(event=found, now=now_of(vendor_of(request)), actor=actor_of(request))
    return Status(201, events_out([_called(subscription, event)], rules_of(subscription))[0])


@router.post("/events", response={201: LoadedOut}, auth=Bearer("agreements"))
def load_events(request: HttpRequest, body: BulkIn) -> Status[LoadedOut]:
    """Record what happened to many accounts at once, as known when it says; all of it or nothing."""
    loaded = load_rows(
        vendor=vendor_of(request),
        rows=rows_from(body.events),
        now=now_of(vendor_of(request)),
        actor=actor_of(request),
        dry_run=body.dry_run,
    )
    return Status(201, LoadedOut(accounts=loaded.accounts, events=loaded.events, kept=not body.dry_run))


def _called(subscription: Subscription, pk: int) -> Event:
    found = subscription.events.select_related("member", "withdrawal").filter(pk=pk).first()
    if found is None:
        raise Gone(f"account {subscription.account.key!r} has no event {pk}")
    return found
