"""Who counts: a person's standing after each event, and whether that standing takes a seat."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Literal, TypeAlias

from prorata.engine.calendar import Day
from prorata.engine.history import Event
from prorata.engine.policy.model import Policy
from prorata.engine.steps import Level

CountsFrom = Literal["acceptance", "invitation"]
Standing: TypeAlias = tuple[str, str]  # absent, invited or active; and the role, kept while away

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


class People:
    """The members of an account, and how many of them take a seat, as more becomes known.

    An event that is news but not the person's latest (backdated) has the person's part counted again; nobody else's.
    """

    __slots__ = ("_absent", "_policy", "_tallies", "events", "standings")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._absent: Standing = ("absent", next(iter(policy.roles), ""))
        self._tallies: dict[CountsFrom, _Tally] = {}
        self.events: dict[str, list[Event]] = {}
        self.standings: dict[str, Standing] = {}

    def learn(self, event: Event) -> None:
        user = event.user
        past = self.events.get(user)
        if past is None:
            self.events[user] = [event]
            before = self._absent
        elif past[-1].order < event.order:
            past.append(event)
            before = self.standings[user]
        else:
            self._learn_late(past, event)
            return
        after = self.standings[user] = _move(before, event)
        for tally in self._tallies.values():
            change = tally[after] - tally[before]
            if change:
                tally.level.add(event.day, change)

    def _learn_late(self, past: list[Event], event: Event) -> None:
        for tally in self._tallies.values():
            for day, change in self._changes(past, tally):
                tally.level.add(day, -change)
        insort(past, event, key=by_order)
        standing = self._absent
        for told in past:
            standing = _move(standing, told)
        self.standings[event.user] = standing
        for tally in self._tallies.values():
            for day, change in self._changes(past, tally):
                tally.level.add(day, change)

    def _tally(self, counts_from: CountsFrom) -> _Tally:
        tally = self._tallies.get(counts_from)
        if tally is None:
            tally = self._tallies[counts_from] = _Tally(self._policy, counts_from)
            for events in self.events.values():
                for day, change in self._changes(events, tally):
                    tally.level.add(day, change)
        return tally

    def level(self, counts_from: CountsFrom) -> Level:
        """How many people take a seat at the end of each day."""
        return self._tally(counts_from).level

    def is_seated(self, user: str) -> bool:
        """Whether the person takes a seat after all that is known, counted from the acceptance."""
        return self._tally("acceptance")[self.standings.get(user, self._absent)]

    def counted(self, user: str, counts_from: CountsFrom) -> Iterator[tuple[Day, bool]]:
        """Whether the person takes a seat at the end of the day, at each day on which this may change."""
        tally = self._tally(counts_from)
        standing = self._absent
        events = self.events.get(user, ())
        for at, event in enumerate(events):
            standing = _move(standing, event)
            if at + 1 == len(events) or events[at + 1].day != event.day:
                yield event.day, tally[standing]

    def seated(self, day: Day, counts_from: CountsFrom) -> Iterator[str]:
        """The people who take a seat at the end of `day`, in the order in which they first appeared."""
        for user in self.events:
            seated = False
            for changed, counts in self.counted(user, counts_from):
                if changed > day:
                    break
                seated = counts
            if seated:
                yield user

    def seated_within(self, first: Day, past: Day, counts_from: CountsFrom) -> Iterator[str]:
        """The people who take a seat at the end of some day from `first` up to `past`."""
        for user in self.events:
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

    def _changes(self, events: Iterable[Event], tally: _Tally) -> Iterator[tuple[Day, int]]:
        standing = self._absent
        for event in events:
            before, standing = standing, _move(standing, event)
            if tally[standing] != tally[before]:
                yield event.day, tally[standing] - tally[before]


def _move(standing: Standing, event: Event) -> Standing:
    state, role = standing
    if event.kind != "invite" or state != "active":  # inviting somebody who is there already changes nothing
        state = _AFTER.get(event.kind, state)
    return state, event.role or role
