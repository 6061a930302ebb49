"""The people of an agreement as they stand by what was told, and which moves their standing allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

from prorata.engine.history import PERSON_EVENTS
from prorata.engine.history import Subscription as History
from prorata.engine.population import People
from prorata.engine.words import listed

State: TypeAlias = Literal["absent", "invited", "active", "suspended"]
Verb: TypeAlias = Literal["invite", "accept", "activate", "deactivate", "suspend", "resume", "role"]

# From which states each verb leads on. What leads nowhere is refused of a person who asks, and heeded of a file.
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
    people.learn(event for event in told.events if event.kind in PERSON_EVENTS)
    return {user: cast(tuple[State, str], people.standing_of(user)) for user in people.users}


def refusal(verb: Verb, user: str, state: State) -> str | None:
    """Why a verb leads a person of a state nowhere; None where it does."""
    if state in MOVES[verb]:
        return None
    said = {"absent": "no member", "invited": "invited", "active": "active", "suspended": "suspended"}
    return (
        f"{user} is {said[state]} already"
        if state == _LEADS_TO.get(verb)
        else (f"{user} is {said[state]}; {verb} is for who is {listed([said[one] for one in MOVES[verb]], 'or')}")
    )


_LEADS_TO: Mapping[Verb, State] = {
    "invite": "invited",
    "accept": "active",
    "activate": "active",
    "deactivate": "absent",
    "suspend": "suspended",
    "resume": "active",
}
