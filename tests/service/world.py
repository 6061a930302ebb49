"""The service as its users meet it: histories recorded as they become known, and bill runs on the days that are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import tomli_w
from django.db.models import Min

from prorata.accounts.actions import open_account
from prorata.engine.calendar import day_of, instant_of, midnight, to_date
from prorata.engine.facts import Fact
from prorata.engine.history import Subscription as Agreement
from prorata.engine.intake import Intake, Row, read_facts
from prorata.engine.policy.reading import read_document
from prorata.invoicing.actions.run_bills import run_bills
from prorata.policies import load_policy, policy_text
from prorata.samples.lively import lively_rows
from prorata.subscriptions.actions.record import record, subscribe, tell
from prorata.subscriptions.actions.withdraw import withdraw
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.actions import add_vendor, set_policy
from prorata.vendors.models import Vendor
from tests.engine.test_scenarios import scenario_of

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Told = tuple[Agreement, Sequence[Fact]]


def vendor_with(name: str, policy: Mapping[str, Any], *, key: str = "vendor") -> Vendor:
    """A vendor that has always had a policy."""
    vendor = add_vendor(key=key, name=key.title())
    set_policy(vendor=vendor, name=name, text=tomli_w.dumps(dict(policy)), now=LONG_AGO, actor="test")
    return vendor


def opened(vendor: Vendor, agreement: Agreement, time_zone: str = "") -> Subscription:
    """A new account of the vendor with an agreement."""
    account = open_account(vendor=vendor, key=agreement.account, name=agreement.account)
    return subscribe(account=account, agreement=agreement, time_zone=time_zone)


def live_through(vendor: Vendor, told: Sequence[Told], through: date, time_zone: str = "") -> list[Subscription]:
    """Records what was told when it became known, with a bill run on each day on which something is due."""
    zone = ZoneInfo(told[0][0].policy.time_zone)
    subscriptions = [opened(vendor, agreement, time_zone) for agreement, _ in told]
    news: dict[date, list[tuple[Subscription, list[Fact]]]] = {}
    withdrawals: dict[date, list[tuple[Subscription, Fact]]] = {}
    for subscription, (_, facts) in zip(subscriptions, told, strict=True):
        by_day: dict[date, list[Fact]] = {}
        for fact in facts:
            by_day.setdefault(to_date(day_of(fact.recorded)), []).append(fact._replace(withdrawn=None))
            if fact.withdrawn is not None:
                withdrawals.setdefault(to_date(day_of(fact.withdrawn)), []).append((subscription, fact))
        for day, some in by_day.items():
            news.setdefault(day, []).append((subscription, some))
    days = sorted(day for day in {*news, *withdrawals} if day <= through)
    while (day := min([*days[:1], *_due(vendor)], default=date.max)) <= through:
        tonight = instant_of(midnight(day.toordinal() + 1), zone)
        if day in days:
            days.remove(day)
            for subscription, facts in news.get(day, ()):
                record(subscription=subscription, facts=facts, now=tonight, actor="test")
            for subscription, fact in withdrawals.get(day, ()):
                assert fact.withdrawn is not None
                event = event_of(subscription, fact, zone)
                withdraw(event=event, now=instant_of(fact.withdrawn, zone), actor="test")
        outcome = run_bills(vendor=vendor, through=day, now=tonight)
        assert not outcome.problems, outcome.problems
    return subscriptions


def event_of(subscription: Subscription, fact: Fact, zone: ZoneInfo) -> Event:
    """The last event written of a fact."""
    told = {"at": instant_of(fact.at, zone), "recorded_at": instant_of(fact.recorded, zone), "kind": fact.kind}
    of_user = {"member__key": fact.user} if fact.user else {"member": None}
    event = subscription.events.filter(**told, **of_user, item=fact.item, withdrawal=None).last()
    assert event is not None
    return event


def _due(vendor: Vendor) -> list[date]:
    next_look = Subscription.objects.filter(vendor=vendor).aggregate(day=Min("next_look"))["day"]
    return [] if next_look is None else [next_look]


def told(name: str) -> Vendor:
    """A vendor that has lived through a story of the engine's: the path of a scenario."""
    scenario = scenario_of(name)
    policy = read_document(scenario.policy, name=Path(scenario.policy_name).stem, source=name)
    facts = read_facts(scenario.history, Intake(policy=policy, account="account", as_keys=True, **scenario.settings))
    vendor = vendor_with(policy.name, scenario.policy)
    live_through(vendor, facts, scenario.through)
    return vendor


def a_year(name: str, *, accounts: int = 8, through: date = date(2026, 6, 30), key: str = "vendor") -> Vendor:
    """A vendor with a lively year under a policy that ships, billed day by day."""
    policy = load_policy(name)
    vendor = add_vendor(key=key, name=key.title())
    set_policy(vendor=vendor, name=name, text=policy_text(name), now=LONG_AGO, actor="test")
    cells = lively_rows(policy, accounts=accounts, first=date(2025, 9, 1), days=400, seed=1)
    told = read_facts([Row(f"row {at}", one) for at, one in enumerate(cells, 1)], Intake(policy=policy))
    live_through(vendor, told, through)
    return vendor


def seller(policy: str = "mainter", key: str = "vendor") -> Vendor:
    """A vendor that has always billed by a policy that ships."""
    vendor = add_vendor(key=key, name=key.title())
    set_policy(vendor=vendor, name=policy, text=policy_text(policy), now=LONG_AGO, actor="test")
    return vendor


def customer(vendor: Vendor, key: str, policy: str = "mainter") -> Subscription:
    """An account with an agreement of which nothing has been told."""
    rules = load_policy(policy)
    plan = next(iter(rules.plans))
    account = open_account(vendor=vendor, key=key, name=key.title())
    return subscribe(account=account, agreement=Agreement(key, rules, (), plan, rules.intervals[0]))


def at(day: str, hour: int = 12) -> datetime:
    """An hour of a day, in UTC."""
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00")


def fact(kind: str, day: str, user: str = "", **more: object) -> Fact:
    """What happened as a day began."""
    moment = midnight(date.fromisoformat(day).toordinal())
    return Fact(kind, moment, moment, user, **more)  # type: ignore[arg-type]


def with_people(vendor: Vendor, key: str, *users: str, day: str = "2026-01-01") -> Subscription:
    """An account that begins on a day with so many members."""
    subscription = customer(vendor, key)
    facts = [fact("start", day), *(fact("activate", day, user) for user in users)]
    tell(subscription=subscription, facts=facts, now=at(day), actor="test")
    return subscription
