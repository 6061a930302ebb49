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


class People:
    """The members of an account, and how many of them take a seat, as more becomes known.

    An event that is news but not the person's latest (backdated) has the person's part counted again; nobody else's.
    """

    __slots__ = ("_default_role", "_levels", "_policy", "events", "standings")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._default_role = next(iter(policy.roles), "")
        self._levels: dict[CountsFrom, Level] = {}
        self.events: dict[str, list[Event]] = {}
        self.standings: dict[str, Standing] = {}

    def learn(self, event: Event) -> None:
        past = self.events.get(event.user)
        if past is None:
            past = self.events[event.user] = []
        elif past[-1].order > event.order:
            self._learn_late(past, event)
            return
        past.append(event)
        before = self.standings.get(event.user, ("absent", self._default_role))
        after = self.standings[event.user] = self._move(before, event)
        for counts_from, level in self._levels.items():
            change = self._counts(after, counts_from) - self._counts(before, counts_from)
            if change:
                level.add(event.day, change)

    def _learn_late(self, past: list[Event], event: Event) -> None:
        for counts_from, level in self._levels.items():
            for day, change in self._changes(past, counts_from):
                level.add(day, -change)
        insort(past, event, key=by_order)
        standing = ("absent", self._default_role)
        for told in past:
            standing = self._move(standing, told)
        self.standings[event.user] = standing
        for counts_from, level in self._levels.items():
            for day, change in self._changes(past, counts_from):
                level.add(day, change)

    def is_seated(self, user: str) -> bool:
        """Whether the person takes a seat after all that is known, counted from the acceptance."""
        return user in self.standings and self._counts(self.standings[user], "acceptance")

    def level(self, counts_from: CountsFrom) -> Level:
        """How many people take a seat at the end of each day."""
        level = self._levels.get(counts_from)
        if level is None:
            level = self._levels[counts_from] = Level()
            for events in self.events.values():
                for day, change in self._changes(events, counts_from):
                    level.add(day, change)
        return level

    def counted(self, user: str, counts_from: CountsFrom) -> Iterator[tuple[Day, bool]]:
        """Whether the person takes a seat at the end of the day, at each day on which this may change."""
        standing: Standing = ("absent", self._default_role)
        events = self.events.get(user, ())
        for at, event in enumerate(events):
            standing = self._move(standing, event)
            if at + 1 == len(events) or events[at + 1].day != event.day:
                yield event.day, self._counts(standing, counts_from)

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

    def _changes(self, events: Iterable[Event], counts_from: CountsFrom) -> Iterator[tuple[Day, int]]:
        standing, counted = ("absent", self._default_role), False
        for event in events:
            standing = self._move(standing, event)
            counts = self._counts(standing, counts_from)
            if counts != counted:
                yield event.day, counts - counted
                counted = counts

    def _move(self, standing: Standing, event: Event) -> Standing:
        state, role = standing
        if event.kind == "invite" and state == "active":
            return state, event.role or role
        return _AFTER.get(event.kind, state), event.role or role

    def _counts(self, standing: Standing, counts_from: CountsFrom) -> bool:
        state, role = standing
        if state == "absent" or (state == "invited" and counts_from == "acceptance"):
            return False
        return self._policy.is_billed(role)
