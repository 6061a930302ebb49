"""Events as requests tell them and answers show them: the columns of an event file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from ninja import Schema
from pydantic import Field

from prorata.api.values import In, Name, User
from prorata.engine.calendar import instant_of, to_time
from prorata.engine.facts import Fact
from prorata.engine.history import EventKind
from prorata.engine.intake import KINDS, Row
from prorata.engine.money import format_amount
from prorata.engine.policy.model import Policy
from prorata.subscriptions.models import Event

_When = Annotated[str, Field(max_length=40, examples=["2026-04-01", "2026-04-01T09:30:00Z"])]


class EventIn(In):
    """Something that happens, with the columns of an event file; which of them an event takes is told there."""

    event: str = Field(max_length=20, examples=["activate"], json_schema_extra={"enum": list(KINDS)})
    at: _When | None = Field(
        None, description="When it takes effect: a day, or a moment with its zone. Without it: now."
    )
    user: User | None = None
    role: Name | None = None
    plan: Name | None = None
    quantity: Annotated[int, Field(ge=0, le=999_999_999)] | None = None
    price: Annotated[str, Field(max_length=40, examples=["249.00"])] | None = None
    amount: Annotated[str, Field(max_length=40, examples=["120.00"])] | None = None
    interval: Name | None = None
    payment_method: Name | None = None
    item: Name | None = None
    until: _When | None = None
    reason: Annotated[str, Field(max_length=2000)] | None = None


class TimedEventIn(EventIn):
    """An event with the moments at which it became known, and was taken back, where another system knew it first."""

    account: str = Field(min_length=1, max_length=200)
    recorded_at: _When | None = None
    withdrawn_at: _When | None = None


class EventTold(Schema):
    """What an event says. Amounts are in the policy's currency; `until` is the first day no longer included."""

    event: EventKind
    at: datetime = Field(description="When it takes effect, by the clock of the account.")
    user: str = ""
    role: str = ""
    plan: str = ""
    quantity: int | None = None
    price: str | None = None
    amount: str | None = None
    interval: str = ""
    payment_method: str = ""
    item: str = ""
    until: date | datetime | None = None
    reason: str = ""


class EventOut(EventTold):
    id: int = Field(description="By which it can be withdrawn.")
    recorded_at: datetime
    actor: str
    withdrawn_at: datetime | None = None


def rows_from(events: Iterable[EventIn]) -> list[Row]:
    """The events as rows, called by their places in the request."""
    found = []
    for at, event in enumerate(events):
        told = event.model_dump(exclude_none=True)
        cells = {name: str(value).strip() for name, value in told.items()}
        found.append(Row(f"events[{at}]", {name: cell for name, cell in cells.items() if cell}))
    return found


def events_out(events: Sequence[Event], policy: Policy) -> list[EventOut]:
    """Events of one agreement, as they are shown."""
    zone = ZoneInfo(policy.time_zone)
    return [
        EventOut(
            id=event.pk,
            event=event.kind,  # type: ignore[arg-type]  # the database holds no other
            at=event.at.astimezone(zone),
            user=event.member.key if event.member else "",
            role=event.role,
            plan=event.plan,
            quantity=event.quantity,
            **_price(event.kind, event.price_minor, policy),
            interval=event.interval,
            payment_method=event.payment_method,
            item=event.item,
            until=_until(event.until, policy, zone),
            reason=event.reason,
            recorded_at=event.recorded_at.astimezone(zone),
            actor=event.actor,
            withdrawn_at=_withdrawn_at(event, zone),
        )
        for event in events
    ]


def change_out(change: Iterable[dict[str, Any]], policy: Policy) -> Iterator[EventTold]:
    """The facts of a quote, as they are shown."""
    zone = ZoneInfo(policy.time_zone)
    for one in change:
        fact = Fact(recorded=0, **one)
        yield EventTold(
            event=fact.kind,
            at=instant_of(fact.at, zone).astimezone(zone),
            user=fact.user,
            role=fact.role,
            plan=fact.plan,
            quantity=fact.quantity,
            **_price(fact.kind, fact.price_minor, policy),
            interval=fact.interval or "",
            payment_method=fact.payment_method,
            item=fact.item,
            until=None if fact.until is None else _until(to_time(fact.until, policy.ticks), policy, zone),
            reason=fact.reason,
        )


def _price(kind: str, minor: int | None, policy: Policy) -> dict[str, Any]:
    if minor is None:
        return {}
    return {"amount" if kind == "credit" else "price": format_amount(minor, policy.currency)}


def _until(until: date | None, policy: Policy, zone: ZoneInfo) -> date | datetime | None:
    """The first day that is no longer included; its moment, where the policy counts more exactly."""
    if until is None:
        return None
    at = until if isinstance(until, datetime) else datetime.combine(until, time.min)
    return at.date() if policy.ticks == 1 else at.replace(tzinfo=zone)


def _withdrawn_at(event: Event, zone: ZoneInfo) -> datetime | None:
    withdrawal = getattr(event, "withdrawal", None)
    return None if withdrawal is None else withdrawal.recorded_at.astimezone(zone)
