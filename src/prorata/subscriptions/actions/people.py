"""People: who is invited, comes, goes and is let in again, each move only from where it leads on."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.accounts.models import Member
from prorata.database.refused import Refused
from prorata.engine.calendar import moment_of
from prorata.engine.facts import Fact, history
from prorata.subscriptions.actions.record import locked, tell
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.people import Verb, refusal, standings_at, unknown_role
from prorata.subscriptions.queries import agreement_of, facts_of, rules_for


@transaction.atomic
def move(
    *,
    subscription: Subscription,
    verb: Verb,
    user: str,
    now: datetime,
    actor: str,
    role: str = "",
    reason: str = "",
    name: str = "",
    email: str = "",
) -> Event:
    """What somebody does with a member of an account from now on; a name and an e-mail address are kept with them.

    Raises Refused where it leads nowhere, such as deactivating who is no member, and where the policy forbids it, such
    as one more active member than there are seats.
    """
    row = locked(subscription)
    policy = rules_for(row, now)
    if sentence := unknown_role(policy, role):
        raise Refused([sentence])
    if verb == "role" and not role:
        raise Refused(["a change of role names the role"])
    told = history(agreement_of(row, row.account.key, policy), facts_of({row.pk: policy})[row.pk])
    at = moment_of(now, ZoneInfo(policy.time_zone))
    state, _ = standings_at(told, at).get(user, ("absent", ""))
    if sentence := refusal(verb, user, state):
        raise Refused([sentence])
    [event] = tell(subscription=row, facts=[Fact(verb, at, at, user, role, reason=reason)], now=now, actor=actor)
    if known := {key: value for key, value in (("name", name), ("email", email)) if value}:
        Member.objects.filter(account=row.account, key=user).update(**known)
    return event
