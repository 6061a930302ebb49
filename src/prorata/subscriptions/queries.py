"""Reading what was agreed and what happened: rows become the engine's values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast
from zoneinfo import ZoneInfo

from prorata.engine import history as engine
from prorata.engine.calendar import Interval, moment_of, to_point
from prorata.engine.facts import Fact, history
from prorata.engine.policy.model import Policy
from prorata.subscriptions.models import Event, Subscription


def agreement_of(subscription: Subscription, policy: Policy) -> engine.Subscription:
    """What holds of a subscription before anything is told of it."""
    return engine.Subscription(
        account=subscription.account.key,
        policy=policy,
        events=(),
        plan=subscription.plan,
        interval=cast(Interval, subscription.interval),
        seats_follow=subscription.seats_follow,
        payment_method=subscription.payment_method,
    )


def facts_of(subscriptions: Iterable[Subscription], policies: Mapping[int, Policy]) -> dict[int, list[Fact]]:
    """What was told of each subscription, by its id, in the order in which it took effect."""
    found: dict[int, list[Fact]] = defaultdict(list)
    events = Event.objects.filter(subscription__in=[one.pk for one in subscriptions]).select_related("member")
    zones = {pk: ZoneInfo(policy.time_zone) for pk, policy in policies.items()}
    for event in events.order_by("subscription_id", "at", "id"):
        pk = event.subscription_id
        found[pk].append(_fact(event, zones[pk], policies[pk].ticks))
    return found


def histories(subscriptions: Iterable[Subscription], policies: Mapping[int, Policy]) -> dict[int, engine.Subscription]:
    """Each subscription with all that was told of it, by its id."""
    rows = tuple(subscriptions)
    facts = facts_of(rows, policies)
    return {one.pk: history(agreement_of(one, policies[one.pk]), facts[one.pk]) for one in rows}


def _fact(event: Event, zone: ZoneInfo, ticks: int) -> Fact:
    return Fact(
        kind=cast(engine.EventKind, event.kind),
        at=moment_of(event.at, zone),
        recorded=moment_of(event.recorded_at, zone),
        user="" if event.member is None else event.member.key,
        role=event.role,
        plan=event.plan,
        item=event.item,
        quantity=event.quantity,
        price_minor=event.price_minor,
        interval=cast(Interval, event.interval) if event.interval else None,
        until=None if event.until is None else to_point(event.until, ticks),
        reason=event.reason,
        payment_method=event.payment_method,
    )
