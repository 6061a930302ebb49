"""Reading what was agreed and what happened: rows become the engine's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet

from prorata.accounts.models import Account
from prorata.database.clock import clock_of
from prorata.database.one_of import one_of
from prorata.database.rows import Microseconds, Row, rows_of, time_of, unless_empty
from prorata.engine import history as engine
from prorata.engine.calendar import Interval, moment_of, to_point
from prorata.engine.facts import Fact, facts_from, history
from prorata.engine.policy.model import Policy
from prorata.subscriptions.models import Event, Subscription, Withdrawal
from prorata.subscriptions.people import State, standings_at
from prorata.vendors.models import Vendor
from prorata.vendors.queries import last_version, policy_names, policy_of, rules_now

_NAMES = (
    "id", "kind", "at", "recorded_at", "role", "plan", "item", "quantity", "price_minor",
    "interval", "until", "reason", "payment_method",
)  # fmt: skip
_OFTEN_EMPTY = {"role", "plan", "item", "interval", "reason", "payment_method"}
_COLUMNS = tuple(unless_empty(name) if name in _OFTEN_EMPTY else F(name) for name in _NAMES)


class SubscriptionRow(NamedTuple):
    """A Subscription's columns that a bill has to know."""

    id: int
    vendor_id: int
    account_id: int
    policy_name: str
    plan: str
    interval: Interval
    seats_follow: bool
    payment_method: str
    billed_through: date | None
    known_until: Microseconds | None
    next_look: date | None
    stopped: str
    time_zone: str


def subscription_rows(asked: QuerySet[Subscription]) -> list[SubscriptionRow]:
    """The subscriptions of a query as rows."""
    return [SubscriptionRow._make(row) for row in rows_of(asked.values_list(*SubscriptionRow._fields))]


def agreement_of(subscription: Subscription | SubscriptionRow, account: str, policy: Policy) -> engine.Subscription:
    """What holds of a subscription of an account before anything is told of it."""
    return engine.Subscription(
        account=account,
        policy=policy,
        events=(),
        plan=subscription.plan,
        interval=cast(Interval, subscription.interval),
        seats_follow=subscription.seats_follow,
        payment_method=subscription.payment_method,
    )


def facts_of(policies: Mapping[int, Policy], *, named: bool = True) -> dict[int, list[Fact]]:
    """What was told of subscriptions, in the order in which it took effect; by their ids, as are their rules.

    Unless they are to be `named`, people are called by the ids of their rows, which is all that a bill needs.
    """
    withdrawn: dict[int, Microseconds] = dict(
        rows_of(Withdrawal.objects.filter(one_of("subscription_id", policies)).values_list("event_id", "recorded_at"))
    )
    events = Event.objects.filter(one_of("subscription_id", policies)).order_by("subscription_id", "at", "id")
    rows: dict[int, list[Row]] = {pk: [] for pk in policies}
    for row in rows_of(events.values_list("subscription_id", "member__key" if named else "member_id", *_COLUMNS)):
        rows[row[0]].append(row[1:])
    return {pk: _facts(rows[pk], withdrawn, policy) for pk, policy in policies.items()}


def _facts(rows: Sequence[Row], withdrawn: Mapping[int, Microseconds], policy: Policy) -> list[Fact]:
    if not rows:
        return []
    ticks = policy.ticks
    return facts_from(rows, withdrawn, clock_of(policy.time_zone).moment, lambda until: to_point(time_of(until), ticks))


def histories(agreements: Mapping[int, engine.Subscription], *, named: bool = True) -> dict[int, engine.Subscription]:
    """Agreements, by the ids of their subscriptions, with all that was told of them; as facts_of."""
    facts = facts_of({pk: one.policy for pk, one in agreements.items()}, named=named)
    return {pk: history(one, facts[pk]) for pk, one in agreements.items()}


def scheduled(subscription: Subscription, now: datetime) -> QuerySet[Event]:
    """What was recorded and is still to come: it can be withdrawn as if it never was.

    A cancellation, or a pause, is to come until the agreement has ended.
    """
    to_come = Q(at__gt=now)
    if subscription.ended_on is None or subscription.ended_on > today_of(subscription, now):
        to_come |= Q(kind__in=engine.END_EVENTS)
    return subscription.events.filter(to_come, withdrawal=None)


def rules_for(subscription: Subscription, now: datetime) -> Policy:
    """The rules that an agreement is billed by, as recorded by now, by its own clock."""
    return rules_now(subscription.vendor, subscription.policy_name, now, subscription.time_zone)


def clocks_of(vendor: Vendor) -> list[str]:
    """The time zones that agreements of a vendor have of their own."""
    rows = Subscription.objects.filter(vendor=vendor).exclude(time_zone="")
    return list(rows.order_by("time_zone").values_list("time_zone", flat=True).distinct())


def earliest_today(vendor: Vendor, now: datetime) -> date:
    """The day it is where it is earliest, of all clocks by which a vendor bills."""
    versions = (last_version(vendor, name) for name in policy_names(vendor))
    zones = {*clocks_of(vendor), *(policy_of(version).time_zone for version in versions if version is not None)}
    return min((now.astimezone(ZoneInfo(zone)).date() for zone in zones), default=now.date())


def people_now(subscription: Subscription, now: datetime) -> dict[str, tuple[State, str]]:
    """How everybody of an account stands now, and with which role."""
    policy = rules_for(subscription, now)
    agreement = agreement_of(subscription, subscription.account.key, policy)
    told = histories({subscription.pk: agreement})[subscription.pk]
    return standings_at(told, moment_of(now, ZoneInfo(policy.time_zone)))


def today_of(subscription: Subscription, now: datetime) -> date:
    """The day it is for an account, by the clock of its agreement."""
    return now.astimezone(ZoneInfo(rules_for(subscription, now).time_zone)).date()


def at_work(account: Account) -> Subscription | None:
    """The account's agreement, of several the latest."""
    return account.subscriptions.select_related("account", "vendor").order_by("pk").last()
