"""Who counts: a person's standing after each event, and whether that standing takes a seat."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Literal, TypeAlias

from prorata.engine.calendar import Day
from prorata.engine.history import Event
from prorata.engine.policy.model import Policy
from prorata.engine.steps import Level

CountsFrom = Literal["acceptance", "invitation"]
Standing: TypeAlias = tuple[str, str]  # absent, invited or active; and the role, kept while away
Move: TypeAlias = tuple[Day, Standing, Standing]  # the day, and the standing before and after

_AFTER = {"invite": "invited", "accept": "active", "activate": "active", "deactivate": "absent"}
by_order = attrgetter("order")


class _Tally(dict[Standing, bool]):
    """How many people take a seat, counted in one way; as a mapping, whether somebody of a standing does."""

    def __init__(self, policy: Policy, counts_from: CountsFrom) -> None:
        self.level = Level()
        self._policy = policy
        self._states = ("active",) if counts_from == "acceptance" else ("active", "invited")

    def __missing__(self, standing: Standing) -> bool:
        state, role = standing
        counts = self[standing] = state in self._states and self._policy.is_billed(role)
        return counts

    def count(self, moves: Iterable[Move]) -> None:
        """Adds what the moves change."""
        add = self.level.add
        for day, before, after in moves:
            change = self[after] - self[before]
            if change:
                add(day, change)


@dataclass(slots=True)
class _Member:
    """What happened to a person, in the order in which it took effect, and where that left them."""

    events: list[Event]
    standing: Standing


class People:
    """The members of an account, and how many of them take a seat, as more becomes known.

    An event that is news but not the person's latest (backdated) has the person's part counted again; nobody else's.
    """

    __slots__ = ("_absent", "_members", "_policy", "_tallies")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._absent: Standing = ("absent", next(iter(policy.roles), ""))
        self._tallies: dict[CountsFrom, _Tally] = {}
        self._members: dict[str, _Member] = {}

    def learn(self, news: Iterable[Event]) -> None:
        """Takes in what was recorded next."""
        members = self._members
        moves: list[Move] = []
        for event in news:
            member = members.get(event.user)
            if member is None:
                member = members[event.user] = _Member([event], self._absent)
            elif member.events[-1].order < event.order:
                member.events.append(event)
            else:
                moves += self._learn_late(member, event)
                continue
            before = member.standing
            after = member.standing = _move(before, event.kind, event.role)
            moves.append((event.day, before, after))
        for tally in self._tallies.values():
            tally.count(moves)

    def _learn_late(self, member: _Member, event: Event) -> list[Move]:
        """What it takes to go back on all that was told of the person, and to tell it again with the event."""
        undone = [(day, after, before) for day, before, after in self._moves(member)]
        insort(member.events, event, key=by_order)
        moves = self._moves(member)
        member.standing = moves[-1][2]
        return undone + moves

    def _moves(self, member: _Member) -> list[Move]:
        standing = self._absent
        moves = []
        for event in member.events:
            before, standing = standing, _move(standing, event.kind, event.role)
            moves.append((event.day, before, standing))
        return moves

    def _tally(self, counts_from: CountsFrom) -> _Tally:
        tally = self._tallies.get(counts_from)
        if tally is None:
            tally = self._tallies[counts_from] = _Tally(self._policy, counts_from)
            for member in self._members.values():
                tally.count(self._moves(member))
        return tally

    def level(self, counts_from: CountsFrom) -> Level:
        """How many people take a seat at the end of each day."""
        return self._tally(counts_from).level

    def is_seated(self, user: str) -> bool:
        """Whether the person takes a seat after all that is known, counted from the acceptance."""
        member = self._members.get(user)
        return member is not None and self._tally("acceptance")[member.standing]

    def counted(self, user: str, counts_from: CountsFrom) -> Iterator[tuple[Day, bool]]:
        """Whether the person takes a seat at the end of the day, at each day on which this may change."""
        tally = self._tally(counts_from)
        moves = self._moves(self._members[user]) if user in self._members else []
        for at, (day, _, after) in enumerate(moves):
            if at + 1 == len(moves) or moves[at + 1][0] != day:
                yield day, tally[after]

    def turns(self, user: str, counts_from: CountsFrom) -> Iterator[tuple[Event, bool]]:
        """The events after which the person takes a seat and did not before, or the other way round."""
        tally = self._tally(counts_from)
        member = self._members.get(user)
        if member is not None:
            for event, (_, before, after) in zip(member.events, self._moves(member), strict=True):
                if tally[after] != tally[before]:
                    yield event, tally[after]

    def seated(self, day: Day, counts_from: CountsFrom) -> Iterator[str]:
        """The people who take a seat at the end of `day`, in the order in which they first appeared."""
        for user in self._members:
            seated = False
            for changed, counts in self.counted(user, counts_from):
                if changed > day:
                    break
                seated = counts
            if seated:
                yield user

    def seated_within(self, first: Day, past: Day, counts_from: CountsFrom) -> Iterator[str]:
        """The people who take a seat at the end of some day from `first` up to `past`."""
        for user in self._members:
            if any(self.presence(user, first, past, counts_from)):
                yield user

    def presence(self, user: str, first: Day, past: Day, counts_from: CountsFrom) -> tuple[bool, bool]:
        """Whether the person takes a seat at the end of `first`, and whether at that of a later day before `past`."""
        there = came = False
        for changed, counts in self.counted(user, counts_from):
            if changed <= first:
                there = counts
            elif changed < past:
                came = came or counts
        return there, came


@lru_cache(maxsize=4096)
def _move(standing: Standing, kind: str, role: str) -> Standing:
    """Where an event of a kind, which may name a role, leads."""
    state, old_role = standing
    if kind == "invite" and state == "active":
        return standing  # inviting somebody who is there already changes nothing
    return _AFTER.get(kind, state), role or old_role
