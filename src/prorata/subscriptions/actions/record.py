"""Record: agreements are made, and what happens is written down, once and for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from prorata.accounts.actions import members_called, refuse_deleted
from prorata.accounts.models import Account, Member
from prorata.database.refused import Refused
from prorata.engine import history as engine
from prorata.engine.calendar import Moment, day_of, instant_of, moment_of, to_date, to_time
from prorata.engine.facts import Contradiction, Fact, contradictions
from prorata.engine.history import BEGIN_EVENTS
from prorata.engine.policy.model import Policy
from prorata.subscriptions.models import Event, Subscription, Withdrawal
from prorata.subscriptions.queries import agreement_of, clocks_of, facts_of, rules_for
from prorata.vendors.actions import ROOM, set_policy
from prorata.vendors.models import PolicyVersion, Vendor
from prorata.vendors.queries import policy_of
from prorata.webhooks.outbox import announce


def subscribe(*, account: Account, agreement: engine.Subscription, time_zone: str = "") -> Subscription:
    """An agreement with an account, under a policy its vendor has; nothing is billed before a start is recorded.

    Where a time zone is named, its days begin and end by that clock.
    """
    row = subscription_row(account, agreement, time_zone)
    row.save()
    return row


def subscription_row(account: Account, agreement: engine.Subscription, time_zone: str = "") -> Subscription:
    """The row of an agreement, not written yet."""
    return Subscription(
        vendor_id=account.vendor_id,
        account=account,
        policy_name=agreement.policy.name,
        plan=agreement.plan,
        interval=agreement.interval,
        seats_follow=agreement.seats_follow,
        payment_method=agreement.payment_method,
        time_zone=time_zone,
    )


@transaction.atomic
def change_policy(*, vendor: Vendor, name: str, text: str, now: datetime, actor: str) -> PolicyVersion:
    """The rules of a policy from now on, and everyone billed by it is looked at anew; as vendors' set_policy."""
    version = set_policy(vendor=vendor, name=name, text=text, now=now, actor=actor)
    if version.recorded_at == now:
        told = [{"policy": name, "version": version.number}]
        announce(vendor_id=vendor.pk, kind="policy.changed", told=told, at=now)
        for zone in ("", *clocks_of(vendor)):
            day = now.astimezone(ZoneInfo(policy_of(version, zone).time_zone)).date()
            rows = Subscription.objects.filter(
                vendor=vendor, policy_name=name, time_zone=zone, account__deleted_at=None
            )
            rows.filter(billed_through__lt=day).update(next_look=day)
            rows.filter(billed_through__gte=day).update(next_look=F("billed_through"))
    return version


@transaction.atomic
def tell(*, subscription: Subscription, facts: Sequence[Fact], now: datetime, actor: str) -> list[Event]:
    """Records what happened, as known from now on, whatever moment each fact names as its recording.

    Raises Refused where the facts contradict one another or what was recorded before.
    """
    row = locked(subscription)
    known = now if row.known_until is None else max(now, row.known_until)
    policy = rules_for(row, known)
    recorded = moment_of(known, ZoneInfo(policy.time_zone))
    return _write(row, policy, [fact._replace(recorded=recorded) for fact in facts], actor)


@transaction.atomic
def record(*, subscription: Subscription, facts: Sequence[Fact], now: datetime, actor: str) -> list[Event]:
    """Records a history with the moments at which other books recorded it, none of them later than now.

    Raises Refused where the facts contradict one another or what was recorded before, or where one claims to have
    been known when something was billed without it.
    """
    row = locked(subscription)
    policy = rules_for(row, now)
    zone = ZoneInfo(policy.time_zone)
    latest = moment_of(now if row.known_until is None else max(now, row.known_until), zone)
    earliest = 0 if row.known_until is None else moment_of(row.known_until, zone)
    untimely = [
        _untimely(fact, column, moment, earliest, latest, zone)
        for fact in facts
        for column, moment in (("recorded_at", fact.recorded), ("withdrawn_at", fact.withdrawn))
        if moment is not None and not earliest <= moment <= latest
    ]
    if untimely:
        raise Refused(untimely)
    return _write(row, policy, facts, actor)


def locked(subscription: Subscription) -> Subscription:
    """The row as it is, with nobody else billing or changing it until this transaction ends.

    Raises Refused where the account was deleted: nothing happens to it any more.
    """
    rows = Subscription.objects.select_related("account", "vendor").select_for_update(of=("self",))
    row = rows.get(pk=subscription.pk)
    refuse_deleted(row.account)
    return row


def _write(row: Subscription, policy: Policy, facts: Sequence[Fact], actor: str) -> list[Event]:
    if not facts:
        return []
    agreement, zone = agreement_of(row, row.account.key, policy), ZoneInfo(policy.time_zone)
    known = facts_of({row.pk: policy})[row.pk]
    if problems := [*too_long(facts), *_too_much([*known, *facts]), *new_contradictions(agreement, known, facts)]:
        raise Refused(problems)
    members = members_called(account=row.account, keys=[fact.user for fact in facts if fact.user])
    events = [
        event_row(row, fact, members[fact.user] if fact.user else None, zone, policy.ticks, actor) for fact in facts
    ]
    Event.objects.bulk_create(events, batch_size=1000)
    told = [{"account": row.account.key, "events": [{"id": event.pk, "event": event.kind} for event in events]}]
    announce(vendor_id=row.vendor_id, kind="events.recorded", told=told, at=instant_of(facts[0].recorded, zone))
    Withdrawal.objects.bulk_create(withdrawal_rows(zip(events, facts, strict=True), zone))
    if any(fact.kind in BEGIN_EVENTS for fact in [*known, *facts]):
        ask_again(row, min(fact.recorded for fact in facts))
    return events


def event_row(row: Subscription, fact: Fact, member: Member | None, zone: ZoneInfo, ticks: int, actor: str) -> Event:
    """The row of a fact, not written yet."""
    return Event(
        vendor_id=row.vendor_id,
        subscription=row,
        member=member,
        kind=fact.kind,
        at=instant_of(fact.at, zone),
        recorded_at=instant_of(fact.recorded, zone),
        actor=actor,
        role=fact.role,
        plan=fact.plan,
        item=fact.item,
        quantity=fact.quantity,
        price_minor=fact.price_minor,
        interval=fact.interval or "",
        until=None if fact.until is None else to_time(fact.until, ticks),
        reason=fact.reason,
        payment_method=fact.payment_method,
    )


def withdrawal_rows(written: Iterable[tuple[Event, Fact]], zone: ZoneInfo) -> list[Withdrawal]:
    """The rows of the withdrawals of facts that were written as events, not written yet."""
    return [
        Withdrawal(
            vendor_id=event.vendor_id,
            subscription_id=event.subscription_id,
            event=event,
            recorded_at=instant_of(fact.withdrawn, zone),
            actor=event.actor,
        )
        for event, fact in written
        if fact.withdrawn is not None
    ]


def new_contradictions(agreement: engine.Subscription, known: Sequence[Fact], facts: Sequence[Fact]) -> list[str]:
    """What facts contradict of what is known, or of one another; what was wrong before is not said again."""
    before = set(contradictions(agreement, known))
    return [sentence_of(one) for one in contradictions(agreement, [*known, *facts]) if one not in before]


def too_long(facts: Sequence[Fact]) -> list[str]:
    """Names that have no room in the database."""
    lengths = {"user": 200} | dict.fromkeys(("role", "plan", "item", "payment_method"), ROOM)
    return [
        sentence_of(Contradiction(fact, name, f"{len(getattr(fact, name))} signs are too many; allowed: {most}"))
        for fact in facts
        for name, most in lengths.items()
        if len(getattr(fact, name)) > most
    ]


_MOST_CREDIT = 10**15  # minor units; more than that nobody is given, and it has room in every sum


def _too_much(facts: Sequence[Fact]) -> list[str]:
    """Credits that come to more than there is room for."""
    granted = sum(fact.price_minor or 0 for fact in facts if fact.kind == "credit")
    return ["amount: the credits of the account come to more than can be kept"] if granted > _MOST_CREDIT else []


def ask_again(row: Subscription, recorded: Moment) -> None:
    """There may be something to bill from the day on which news were recorded."""
    day = to_date(day_of(recorded))
    if row.next_look is not None:
        day = min(day, row.next_look)
    row.next_look = day if row.billed_through is None else max(day, row.billed_through)
    row.save(update_fields=["next_look"])


def sentence_of(problem: Contradiction) -> str:
    """What is wrong with a fact, and where it was written if that is known."""
    place = f"{problem.fact.place}, column {problem.column}: " if problem.fact.place else f"{problem.column}: "
    return place + problem.sentence


def _untimely(fact: Fact, column: str, moment: Moment, earliest: Moment, latest: Moment, zone: ZoneInfo) -> str:
    place = f"{fact.place}, column {column}: " if fact.place else ""
    told = f"{place}{instant_of(moment, zone).isoformat()}"
    if moment > latest:
        return f"{told} has not come yet; it is {instant_of(latest, zone).isoformat()}"
    way_out = f"leave {column} out, and" if column == "recorded_at" else "with a later moment"
    return (
        f"{told} is too early: the account was billed with all that was recorded before "
        f"{instant_of(earliest, zone).isoformat()}; {way_out} the difference goes on the next document"
    )
