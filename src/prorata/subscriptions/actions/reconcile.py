"""Reconcile: the vendor's own list of users beside the members that are billed, and the events that mend it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.database.refused import Refused
from prorata.engine.calendar import Moment, day_of, moment_of
from prorata.engine.facts import Fact
from prorata.engine.policy.model import Policy, SeatRules
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.people import State, Verb, standings_at, unknown_role
from prorata.subscriptions.queries import agreement_of, histories
from prorata.vendors.models import Vendor
from prorata.vendors.queries import rules_now

BATCH = 500

Users = Mapping[str, str]  # the role of each user of an account, or "" where the list names none


@dataclass(frozen=True, slots=True)
class Difference:
    """A user who is not billed as the list says, and the event that mends it.

    Who is `missing` is on the list and no member, who is `surplus` is a member and not on it.
    """

    account: str
    user: str
    kind: Literal["missing", "surplus", "role"]
    fact: Fact


@transaction.atomic
def reconcile(
    *, vendor: Vendor, listed: Mapping[str, Users], everyone: bool, now: datetime, actor: str, mend: bool = False
) -> list[Difference]:
    """How the members of accounts differ from a list of users; with `mend` the events are recorded, as of now.

    The list names who shall be a member; who is suspended or invited is one where the policy bills that. Of `everyone`
    the accounts that the list does not name have no members, otherwise they are left alone. Raises Refused where the
    list names an account that the vendor has not or a role that its policy has not, or where an event that mends is
    refused; then none is recorded.
    """
    found: list[Difference] = []
    refused: list[str] = []
    rows = _current(vendor)
    refused += [f"account {key} is not one of vendor {vendor.key}" for key in listed if key not in rows]
    chosen = [rows[key] for key in rows if everyone or key in listed]
    ruled = {(row.policy_name, row.time_zone) for row in chosen}
    policies = {(name, zone): rules_now(vendor, name, now, zone) for name, zone in ruled}
    for at in range(0, len(chosen), BATCH):
        some = chosen[at : at + BATCH]
        told = histories(
            {row.pk: agreement_of(row, row.account.key, policies[row.policy_name, row.time_zone]) for row in some}
        )
        for row in some:
            users, policy = listed.get(row.account.key, {}), told[row.pk].policy
            refused += _unknown_roles(row.account.key, users, policy)
            moment = moment_of(now, ZoneInfo(policy.time_zone))
            rules = policy.rules(told[row.pk].interval, day_of(moment)).seats
            differences = list(
                _differences(
                    row.account.key, users, standings_at(told[row.pk], moment), _members(rules), policy, moment
                )
            )
            found += differences
            if mend and differences and not refused:
                try:
                    tell(subscription=row, facts=[one.fact for one in differences], now=now, actor=actor)
                except Refused as error:
                    refused += [f"account {row.account.key}: {sentence}" for sentence in error.sentences]
    if refused:
        raise Refused(refused)
    return found


def _current(vendor: Vendor) -> dict[str, Subscription]:
    """The vendor's agreements that have not ended, by their accounts; of several the latest."""
    rows = Subscription.objects.filter(vendor=vendor, ended_on=None, account__deleted_at=None)
    rows = rows.select_related("account").order_by("pk")
    return {row.account.key: row for row in rows}


def _unknown_roles(account: str, users: Users, policy: Policy) -> Iterator[str]:
    for user, role in users.items():
        if sentence := unknown_role(policy, role):
            yield f"account {account}, user {user}: {sentence}"


def _members(rules: SeatRules) -> set[State]:
    """Who is a member to the policy."""
    states: set[State] = {"active"}
    states |= {"suspended"} if rules.suspended == "billed" else set()
    return states | ({"invited"} if rules.counts_from == "invitation" else set())


def _differences(
    account: str,
    users: Users,
    known: Mapping[str, tuple[State, str]],
    members: Container[State],
    policy: Policy,
    now: Moment,
) -> Iterator[Difference]:
    first = next(iter(policy.roles), "")
    for user, role in users.items():
        state, has = known.get(user, ("absent", ""))
        if state not in members:
            yield Difference(account, user, "missing", Fact(_LETS_IN[state], now, now, user, role))
        elif role and role != (has or first):
            yield Difference(account, user, "role", Fact("role", now, now, user, role))
    for user, (state, _) in known.items():
        if state in members and user not in users:
            yield Difference(account, user, "surplus", Fact("deactivate", now, now, user))


_LETS_IN: Mapping[State, Verb] = {"absent": "activate", "invited": "accept", "suspended": "resume"}


def as_rows(differences: Sequence[Difference], at: datetime) -> Iterator[dict[str, str]]:
    """The events that mend, as the rows of an event file."""
    for one in differences:
        yield {
            "at": at.isoformat(),
            "account": one.account,
            "event": one.fact.kind,
            "user": one.user,
            "role": one.fact.role,
        }
