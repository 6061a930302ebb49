"""Withdraw: what was recorded is taken back, since it did not happen or is not to be."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.database.refused import Refused
from prorata.engine.calendar import moment_of
from prorata.engine.facts import contradictions
from prorata.engine.history import BEGIN_EVENTS
from prorata.subscriptions.actions.record import ask_again, locked, sentence_of
from prorata.subscriptions.models import Event, Withdrawal
from prorata.subscriptions.queries import agreement_of, facts_of, rules_for
from prorata.webhooks.outbox import announce


@transaction.atomic
def withdraw(*, event: Event, now: datetime, actor: str) -> Withdrawal:
    """Records that an event did not happen, or is not to be: what was billed of it is settled as any other difference.

    Raises Refused where an agreement began with it, where it was withdrawn already, and where something that was told
    since cannot be without it.
    """
    row = locked(event.subscription)
    if event.kind in BEGIN_EVENTS:
        raise Refused([f"a {event.kind} is what an agreement begins with, and stays; cancel the agreement instead"])
    if (before := Withdrawal.objects.filter(event=event).first()) is not None:
        raise Refused([f"this {event.kind} was withdrawn already, at {before.recorded_at.isoformat()}"])
    known = now if row.known_until is None else max(now, row.known_until)
    policy = rules_for(row, known)
    agreement = agreement_of(row, row.account.key, policy)
    problems = set(contradictions(agreement, facts_of({row.pk: policy})[row.pk]))
    made = Withdrawal.objects.create(
        vendor_id=row.vendor_id, subscription=row, event=event, recorded_at=known, actor=actor
    )
    facts = facts_of({row.pk: policy})[row.pk]
    if news := [sentence_of(one) for one in contradictions(agreement, facts) if one not in problems]:
        raise Refused([f"this {event.kind} cannot be withdrawn: {sentence}" for sentence in news])
    if any(fact.kind in BEGIN_EVENTS for fact in facts):
        ask_again(row, moment_of(known, ZoneInfo(policy.time_zone)))
    told = [{"account": row.account.key, "id": event.pk, "event": event.kind}]
    announce(vendor_id=row.vendor_id, kind="event.withdrawn", told=told, at=known)
    return made
