"""Who counts: a person's standing after each event, and whether that standing takes a seat."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TypeAlias

from prorata.engine.calendar import Day
from prorata.engine.history import Event
from prorata.engine.policy.model import Counting, Policy
from prorata.engine.steps import Level, Span

# Absent, invited, active or suspended, behind _NEW while free days are not over; the role, kept while away; and the day
# of the last activity while it counts.
Standing: TypeAlias = tuple[str, str, Day]
_NEW = "new "
Move: TypeAlias = tuple[Day, Standing, Standing]  # the day, and the standing before and after

_AFTER = {
    "invite": "invited", "accept": "active", "activate": "active", "deactivate": "absent", "suspend": "suspended",
    "resume": "active", "activity": "active",
}  # fmt: skip
# Inviting somebody who is there, suspending somebody who is not.
_CHANGES_NOTHING = frozenset({
    ("invite", "active"), ("invite", "suspended"), ("suspend", "absent"), ("suspend", "invited"),
    ("resume", "absent"), ("resume", "invited"), ("resume", "active"), ("activity", "suspended"), ("idle", "absent"),
})  # fmt: skip
by_order = attrgetter("order")


class _Tally(dict[Standing, bool]):
    """How many people take a seat, counted in one way; as a mapping, whether somebody of a standing does."""

    def __init__(self, policy: Policy, counting: Counting) -> None:
        self.level = Level()
        self._policy = policy
        self._counts_from, suspended, self._free = counting
        self._states = {"active"} | ({"invited"} if self._counts_from == "invitation" else set())
        self._states |= {"suspended"} if suspended else set()

    def __missing__(self, standing: Standing) -> bool:
        state, role, seen = standing
        counts = state in self._states and self._policy.is_billed(role) and role not in self._free
        counts = self[standing] = counts and (seen > 0 or self._counts_from != "activity")
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

    __slots__ = ("_absent", "_members", "_moved", "_policy", "_tallies")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._absent: Standing = (f"{_NEW if policy.free_days else ''}absent", next(iter(policy.roles), ""), 0)
        self._tallies: dict[Counting, _Tally] = {}
        self._members: dict[str, _Member] = {}
        self._moved: list[Move] = []  # every move that was told, and the undoing of those that were told again

    def learn(self, news: Iterable[Event]) -> None:
        """Takes in what was recorded next."""
        members, by_use = self._members, self._policy.idle_days
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
            after = _changed(before, event.kind, event.role)
            if by_use:
                after = _used(before, after, event)
            member.standing = after
            moves.append((event.day, before, after))
        self._moved += moves
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
            before, standing = standing, _changed(standing, event.kind, event.role)
            if self._policy.idle_days:
                standing = _used(before, standing, event)
            moves.append((event.day, before, standing))
        return moves

    def _tally(self, counting: Counting) -> _Tally:
        tally = self._tallies.get(counting)
        if tally is None:
            tally = self._tallies[counting] = _Tally(self._policy, counting)
            tally.count(self._moved)
        return tally

    @property
    def users(self) -> Iterable[str]:
        """Everyone, in the order in which they first appeared."""
        return self._members

    def level(self, counting: Counting) -> Level:
        """How many people take a seat at the end of each day."""
        return self._tally(counting).level

    def seat_of(self, user: str) -> str | None:
        """The role counted apart whose seat the person takes after all that is known, or ""; None who takes none."""
        member = self._members.get(user)
        if member is None or not self._tally(("acceptance", False, ()))[member.standing]:
            return None
        return self._policy.role_apart(member.standing[1])

    def standing_of(self, user: str) -> tuple[str, str]:
        """Whether the person is absent, invited, active or suspended after all that is known, and the role."""
        state, role, _ = self._members[user].standing if user in self._members else self._absent
        return state.removeprefix(_NEW), role

    def counted(self, user: str, counting: Counting) -> Iterator[tuple[Day, bool]]:
        """Whether the person takes a seat at the end of the day, at each day on which this may change."""
        tally = self._tally(counting)
        moves = self._moves(self._members[user]) if user in self._members else []
        for at, (day, _, after) in enumerate(moves):
            if at + 1 == len(moves) or moves[at + 1][0] != day:
                yield day, tally[after]

    def turns(self, user: str, counting: Counting) -> Iterator[tuple[Event, bool]]:
        """The events after which the person takes a seat and did not before, or the other way round."""
        tally = self._tally(counting)
        member = self._members.get(user)
        if member is not None:
            for event, (_, before, after) in zip(member.events, self._moves(member), strict=True):
                if tally[after] != tally[before]:
                    yield event, tally[after]

    def seated(self, day: Day, counting: Counting) -> Iterator[str]:
        """The people who take a seat at the end of `day`, in the order in which they first appeared."""
        for user in self._members:
            seated = False
            for changed, counts in self.counted(user, counting):
                if changed > day:
                    break
                seated = counts
            if seated:
                yield user

    def stays(self, user: str, span: Span, counting: Counting) -> list[tuple[Day, Day]]:
        """The stretches of a span's days on which the person takes a seat."""
        start, end, opened, delay = span
        found: list[tuple[Day, Day]] = []
        since: Day | None = None
        for changed, counts in self.counted(user, counting):
            day = start if changed <= opened else changed + delay
            if day >= end:
                break
            if counts and since is None:
                since = day
            elif not counts and since is not None:
                if since < day:
                    found.append((since, day))
                since = None
        if since is not None:
            found.append((since, end))
        return found


@lru_cache(maxsize=4096)
def _changed(standing: Standing, kind: str, role: str) -> Standing:
    """Where an event of a kind, which may name a role, leads."""
    told, old_role, seen = standing
    state = told.removeprefix(_NEW)
    if (kind, state) in _CHANGES_NOTHING:
        return standing
    new = _NEW if state != told and kind != "free_end" else ""
    return f"{new}{_AFTER.get(kind, state)}", role or old_role, 0 if kind == "deactivate" else seen


def _used(before: Standing, after: Standing, event: Event) -> Standing:
    """An activity counts until the idle days after it are over, unless another followed meanwhile."""
    if event.kind == "activity":
        return after[0], after[1], event.day
    if event.kind == "idle":
        return (before[0], before[1], 0) if before[2] == event.until else before
    return after
