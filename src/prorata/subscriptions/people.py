"""The people of an agreement as they stand by what was told, and which moves their standing allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypeAlias, cast

from prorata.engine.calendar import Moment, point_of
from prorata.engine.history import PERSON_EVENTS, in_force
from prorata.engine.history import Subscription as History
from prorata.engine.policy.model import Policy
from prorata.engine.population import People
from prorata.engine.words import listed

State: TypeAlias = Literal["absent", "invited", "active", "suspended"]
Verb: TypeAlias = Literal["invite", "accept", "activate", "deactivate", "suspend", "resume", "role"]

# From which states a verb leads on. What leads nowhere is refused of who asks for it, and changes nothing in a file.
MOVES: Mapping[Verb, tuple[State, ...]] = {
    "invite": ("absent",),
    "accept": ("invited",),
    "activate": ("absent", "invited"),
    "deactivate": ("invited", "active", "suspended"),
    "suspend": ("active",),
    "resume": ("suspended",),
    "role": ("invited", "active", "suspended"),
}


def standings(told: History) -> dict[str, tuple[State, str]]:
    """How everybody stands who was ever told of, and with which role."""
    people = People(told.policy)
    people.learn(event for event in in_force(told.events) if event.kind in PERSON_EVENTS)
    return {user: cast(tuple[State, str], people.standing_of(user)) for user in people.users}


def standings_at(told: History, now: Moment) -> dict[str, tuple[State, str]]:
    """How everybody stands at a moment, by what was recorded and has taken effect by then."""
    point = point_of(now, told.policy.ticks)
    return standings(replace(told, events=tuple(event for event in told.events if event.day <= point)))


def refusal(verb: Verb, user: str, state: State) -> str | None:
    """Why a verb leads a person of a state nowhere; None where it does."""
    if state in MOVES[verb]:
        return None
    if state == _LEADS_TO.get(verb) != "absent":
        return f"{user} is {_called(state)} already"
    return f"{user} is {_called(state)}; {verb} is for who is {listed(map(_called, MOVES[verb]), 'or')}"


def unknown_role(policy: Policy, role: str) -> str | None:
    """Why nobody can have a role under a policy; None where somebody can, or where none is named."""
    if not role or not policy.roles or role in policy.roles:
        return None
    return f"{role!r} is not a role of policy {policy.name}; allowed: {', '.join(policy.roles)}"


def _called(state: State) -> str:
    return "no member" if state == "absent" else state


_LEADS_TO: Mapping[Verb, State] = {
    "invite": "invited",
    "accept": "active",
    "activate": "active",
    "deactivate": "absent",
    "suspend": "suspended",
    "resume": "active",
}
