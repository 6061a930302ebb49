"""Load: the histories of a file become accounts with agreements and events, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.accounts.models import Account, Member
from prorata.database.refused import Refused
from prorata.engine.calendar import Moment, day_of, moment_of, to_date
from prorata.engine.facts import Fact
from prorata.engine.history import Subscription as Agreement
from prorata.engine.intake import Intake, IntakeError, Row, read_facts
from prorata.subscriptions.actions.record import event_row, record, subscription_row, too_long, withdrawal_rows
from prorata.subscriptions.models import Event, Subscription, Withdrawal
from prorata.subscriptions.queries import facts_of, rules_for
from prorata.vendors.models import Vendor

BATCH = 500

_NOT_PLACES = ("", "start")  # of a fact that stands in no row

Told = tuple[Agreement, Sequence[Fact]]
Step = Callable[[int], None]  # told how many accounts more have been written


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many accounts and events a file brought, and how many of its accounts were there before."""

    accounts: int
    known: int
    events: int


def read_by_clocks(rows: Sequence[Row], intake: Intake, clocks: Mapping[str, str], time_zone: str = "") -> list[Told]:
    """What a file tells, of each account by its own clock; as read_facts of the engine, and raises as it does.

    `clocks` are the time zones of the accounts that are known, empty for the policy's; new ones have the one named.
    """
    by_clock: dict[str, list[Row]] = {}
    for row in rows:
        by_clock.setdefault(clocks.get(row.cells.get("account", ""), time_zone), []).append(row)
    told: list[Told] = []
    problems: list[str] = []
    for zone, some in by_clock.items():
        policy = replace(intake.policy, time_zone=zone) if zone else intake.policy
        try:
            told += read_facts(some, replace(intake, policy=policy), clocks)
        except IntakeError as error:
            problems += error.sentences
    if problems:
        raise IntakeError(problems)
    return told


@transaction.atomic
def load(
    *,
    vendor: Vendor,
    told: Sequence[Told],
    now: datetime,
    actor: str,
    time_zone: str = "",
    dry_run: bool = False,
    step: Step | None = None,
) -> Loaded:
    """Writes what a file tells, each fact as recorded when it says, and what lies in the future as recorded now.

    Each agreement's policy goes by the clock of its account; new ones have the `time_zone` that is named, if one is.
    Accounts that the vendor has go on with what is told. Of an account that has been billed, what the file does not say
    the recording of is recorded now. With a `dry_run` nothing stays written. Raises Refused where what is told of a
    known account was recorded already or contradicts that, or claims to have been known when something was billed
    without it.
    """
    Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)  # who loads at the same time waits
    known = _known(vendor, [agreement.account for agreement, _ in told])
    refused = [sentence for agreement, facts in told for sentence in (*_has_no_room(agreement), *too_long(facts))]
    if refused:
        raise Refused(refused)
    events = 0
    clocks: dict[tuple[str, str], str] = {}
    new = [one for one in told if one[0].account not in known]
    for agreement, facts in told:
        if (row := known.get(agreement.account)) is None:
            continue
        if row.policy_name != agreement.policy.name:
            named = f"is billed by policy {row.policy_name}, and not by {agreement.policy.name}"
            refused.append(f"account {agreement.account} {named}")
            continue
        if (row.policy_name, row.time_zone) not in clocks:
            clocks[row.policy_name, row.time_zone] = rules_for(row, now).time_zone
        if agreement.policy.time_zone != clocks[row.policy_name, row.time_zone]:
            refused.append(f"account {agreement.account} has another clock than it was read by; load the file again")
            continue
        try:
            if again := _recorded_already(row, agreement, facts):
                refused += again
                continue
            news = _as_news(row, now, _by(now, agreement, facts), agreement)
            events += len(record(subscription=row, facts=news, now=now, actor=actor))
        except Refused as error:
            places = tuple(fact.place for fact in facts if fact.place not in _NOT_PLACES)
            named = f"account {agreement.account}: "
            refused += [one if one.startswith(places) else named + one for one in error.sentences]
        if step is not None:
            step(1)
    if refused:
        raise Refused(refused)
    for some in _batches(new):
        events += _write(vendor, some, now, actor, time_zone)
        if step is not None:
            step(len(some))
    if dry_run:
        transaction.set_rollback(True)
    return Loaded(len(told), len(known), events)


def _known(vendor: Vendor, keys: Sequence[str]) -> dict[str, Subscription]:
    """The vendor's subscriptions of accounts of these keys, locked in the order in which bill runs lock them."""
    pks: list[int] = []
    rows = Subscription.objects.filter(vendor=vendor)
    for at in range(0, len(keys), BATCH):
        pks += rows.filter(account__key__in=keys[at : at + BATCH]).values_list("pk", flat=True)
    found = {}
    for at in range(0, len(pks), BATCH):
        some = rows.filter(pk__in=sorted(pks)[at : at + BATCH]).select_related("account", "vendor")
        for row in some.select_for_update(of=("self",)).order_by("pk"):
            found[row.account.key] = row
    return found


def _recorded_already(row: Subscription, agreement: Agreement, facts: Sequence[Fact]) -> list[str]:
    """What a file tells again that was recorded before, whenever that was."""
    told = facts_of({row.pk: agreement.policy})[row.pk]
    known = {fact._replace(recorded=0, withdrawn=None) for fact in told}
    again = [fact for fact in facts if fact._replace(recorded=0, withdrawn=None, place="") in known]
    return [
        (f"{fact.place}: " if fact.place not in _NOT_PLACES else "")
        + f"this {fact.kind} of account {agreement.account} is recorded already"
        + ("" if fact.withdrawn is None else "; prorata account withdraw takes it back")
        for fact in again
    ]


def _has_no_room(agreement: Agreement) -> list[str]:
    """An account whose name has no room in the database."""
    key, most = agreement.account, 200
    return (
        [f"account {key[:40]}…: {len(key)} signs are too many for a name; allowed: {most}"] if len(key) > most else []
    )


def _batches(told: Sequence[Told]) -> Iterator[list[Told]]:
    rest = iter(told)
    while some := list(islice(rest, BATCH)):
        yield some


def _write(vendor: Vendor, told: Sequence[Told], now: datetime, actor: str, time_zone: str) -> int:
    """Writes accounts that the vendor does not have yet, with all that is told of them."""
    assert all(time_zone in ("", agreement.policy.time_zone) for agreement, _ in told)
    accounts = Account.objects.bulk_create(
        Account(vendor=vendor, key=agreement.account, name=agreement.account) for agreement, _ in told
    )
    subscriptions, members, told_of = [], [], []
    for account, (agreement, told_facts) in zip(accounts, told, strict=True):
        facts = _by(now, agreement, told_facts)
        row = subscription_row(account, agreement, time_zone)
        row.next_look = to_date(day_of(min(fact.recorded for fact in facts)))
        subscriptions.append(row)
        told_of.append(facts)
        users = dict.fromkeys(fact.user for fact in facts if fact.user)
        members += [Member(vendor=vendor, account=account, key=user) for user in users]
    Subscription.objects.bulk_create(subscriptions)
    called = {(one.account_id, one.key): one for one in Member.objects.bulk_create(members, batch_size=2000)}
    events: list[Event] = []
    withdrawals: list[Withdrawal] = []
    for row, (agreement, _), facts in zip(subscriptions, told, told_of, strict=True):
        zone = ZoneInfo(agreement.policy.time_zone)
        its = [
            event_row(
                row, fact, called[row.account_id, fact.user] if fact.user else None, zone, agreement.policy.ticks, actor
            )
            for fact in facts
        ]
        events += its
        withdrawals += withdrawal_rows(zip(its, facts, strict=True), zone)
    Event.objects.bulk_create(events, batch_size=1000)
    Withdrawal.objects.bulk_create(withdrawals)
    return len(events)


def _as_news(row: Subscription, now: datetime, facts: Sequence[Fact], agreement: Agreement) -> list[Fact]:
    """The facts, with those recorded now of which nobody says when, and that what was billed did not know."""
    if row.known_until is None:
        return list(facts)
    zone = ZoneInfo(agreement.policy.time_zone)
    known, latest = moment_of(row.known_until, zone), moment_of(max(now, row.known_until), zone)
    return [fact._replace(recorded=latest) if fact.recorded == fact.at < known else fact for fact in facts]


def _by(now: datetime, agreement: Agreement, facts: Sequence[Fact]) -> list[Fact]:
    """The facts, with those that lie in the future recorded, or withdrawn, now."""
    latest: Moment = moment_of(now, ZoneInfo(agreement.policy.time_zone))
    return [
        fact._replace(recorded=min(fact.recorded, latest), withdrawn=fact.withdrawn and min(fact.withdrawn, latest))
        for fact in facts
    ]
