"""Rows: events as people and programs write them, read by the rules of the agreements they are told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from prorata.accounts.actions import open_account
from prorata.accounts.queries import account_of
from prorata.database.refused import Refused
from prorata.engine.calendar import is_time_zone
from prorata.engine.facts import Fact
from prorata.engine.intake import Intake, IntakeError, Row, new_agreement, read_facts
from prorata.engine.policy.model import Policy
from prorata.engine.words import listed
from prorata.subscriptions.actions.load import Loaded, Told, load
from prorata.subscriptions.actions.record import subscribe, tell
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.queries import rules_for
from prorata.vendors.models import Vendor
from prorata.vendors.queries import policy_names, rules_now
from prorata.webhooks.outbox import announce


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new account is to begin with; what is not said is as the policy says."""

    policy: str | None = None
    plan: str | None = None
    interval: str | None = None
    payment_method: str | None = None
    seats_follow: bool = False
    time_zone: str = ""


def read_rows(subscription: Subscription, rows: Sequence[Row], now: datetime) -> list[Fact]:
    """What rows tell of an agreement; what does not say when it is takes effect now. Raises IntakeError."""
    key, policy = subscription.account.key, rules_for(subscription, now)
    told = read_facts(_with_times(rows, now), Intake(policy=policy, account=key, as_keys=True), {key})
    return [fact for _, facts in told for fact in facts]


def tell_rows(*, subscription: Subscription, rows: Sequence[Row], now: datetime, actor: str) -> list[Event]:
    """Records what rows tell of an agreement, as known from now on; raises IntakeError and Refused as tell does."""
    return tell(subscription=subscription, facts=read_rows(subscription, rows, now), now=now, actor=actor)


@transaction.atomic
def open_agreement(
    *,
    vendor: Vendor,
    key: str,
    details: Mapping[str, Any],
    wish: Wish,
    rows: Sequence[Row],
    now: datetime,
    actor: str,
) -> Subscription:
    """A new account with an agreement, and the first that is told of it.

    Where rows tell of people or seats and of no start, the agreement starts with the first of them. Raises IntakeError
    where the policy has no such plan, and Refused where the vendor has an account of that key.
    """
    Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)  # who opens one at the same time waits
    if (known := account_of(vendor, key)) is not None:
        was = "had" if known.deleted_at else "has"
        raise Refused([f"vendor {vendor.key} {was} an account {key} already; a key is used once"])
    policy = _policy(vendor, wish, now)
    intake = Intake(
        policy=policy,
        plan=wish.plan,
        interval=wish.interval and wish.interval.lower(),  # type: ignore[arg-type]  # an interval in words, which intake reads
        payment_method=wish.payment_method,
        seats_follow=wish.seats_follow,
        account=key,
        as_keys=True,
    )
    agreement = new_agreement(key, intake)
    facts = [fact for _, some in read_facts(_with_times(rows, now), intake) for fact in some]
    account = open_account(vendor=vendor, key=key, name=details.get("name") or key, details=_rest(details))
    row = subscribe(account=account, agreement=agreement, time_zone=wish.time_zone)
    told = [{"account": key, "policy": row.policy_name}]
    announce(vendor_id=vendor.pk, kind="account.opened", told=told, at=now)
    tell(subscription=row, facts=facts, now=now, actor=actor)
    return row


@transaction.atomic
def load_rows(*, vendor: Vendor, rows: Sequence[Row], now: datetime, actor: str, dry_run: bool = False) -> Loaded:
    """Records what rows tell of accounts that the vendor has, each by its own policy; all of it or nothing, as load."""
    keys = {row.cells.get("account", "") for row in rows}
    rows_of = Subscription.objects.filter(vendor=vendor, account__key__in=keys)
    rules_of_account = {
        key: (name, zone) for key, name, zone in rows_of.values_list("account__key", "policy_name", "time_zone")
    }
    unknown = [
        f"{row.place}, column account: {row.cells['account']!r} is not an account of vendor {vendor.key}"
        for row in rows
        if row.cells.get("account") and row.cells["account"] not in rules_of_account
    ]
    if unknown:
        raise IntakeError(unknown)
    told: list[Told] = []
    problems: list[str] = []
    for rules in sorted({*rules_of_account.values()}):
        name, zone = rules
        intake = Intake(policy=rules_now(vendor, name, now, zone), as_keys=True)
        its = [row for row in rows if rules_of_account.get(row.cells.get("account", ""), rules) == rules]
        try:
            told += read_facts(_with_times(its, now), intake, rules_of_account)
        except IntakeError as error:
            problems += error.sentences
    if problems:
        raise IntakeError(list(dict.fromkeys(problems)))
    return load(vendor=vendor, told=told, now=now, actor=actor, dry_run=dry_run)


def _with_times(rows: Sequence[Row], now: datetime) -> list[Row]:
    return [row if "at" in row.cells else Row(row.place, {**row.cells, "at": now.isoformat()}) for row in rows]


def _policy(vendor: Vendor, wish: Wish, now: datetime) -> Policy:
    name, names = wish.policy, policy_names(vendor)
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names:
        said = "say by which policy the account is billed" if name is None else f"{name!r} is not a policy"
        raise IntakeError([f"policy: {said}; vendor {vendor.key} has: {listed(names)}"])
    if wish.time_zone and not is_time_zone(wish.time_zone):
        raise IntakeError([f"time_zone: {wish.time_zone!r} is not a time zone; write one like Europe/Oslo"])
    return rules_now(vendor, name, now, wish.time_zone)


def _rest(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name != "name"}
