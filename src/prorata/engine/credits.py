"""Credits are what credit notes gave and what was granted, used on the next invoices, the oldest first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from prorata.engine.calendar import Day, Moment, add_months, day_of, moment_at, to_date, to_day
from prorata.engine.history import Event

LapseReason = Literal["age", "end", "withdrawn"]  # it grew too old, the agreement ended, or it was granted by mistake


@dataclass(frozen=True, slots=True)
class Lapse:
    """A credit that was lost, as the policy says, by a bill that knew what was recorded before `known_until`.

    What grew too old is lost before a document of the same day, what is left at the end of an agreement after it. Of a
    grant that was withdrawn what is left of it is lost.
    """

    account: str
    date: date
    known_until: Moment
    amount_minor: int
    reason: LapseReason = "end"


@dataclass(frozen=True, slots=True)
class Grant:
    """A credit that a vendor gave without a document, for a reason in words, to be used from a moment on."""

    account: str
    date: date
    since: Moment
    amount_minor: int
    reason: str = ""
    withdrawn: Moment | None = None
    order: int = 0  # of its event


def grants_of(account: str, told: Sequence[Event], ticks: int) -> list[Grant]:
    """The credits that events grant, in the order in which they can be used; none that were withdrawn before that."""
    withdrawn = {event.withdraws: event.recorded for event in told if event.withdraws is not None}
    found = []
    for event in told:
        if event.withdraws is not None:
            continue
        assert event.price_minor is not None
        since, ended = max(moment_at(event.day, ticks), event.recorded), withdrawn.get(event.order)
        if ended is None or ended > since:
            day = to_date(day_of(since))
            found.append(Grant(account, day, since, event.price_minor, event.reason, ended, event.order))
    return sorted(found, key=lambda grant: grant.since)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was lost on a day of a grant that was withdrawn."""

    day: Day
    amount_minor: int


@dataclass(slots=True)
class Credits:
    """What is left of an account's credits, by the day they were given, the oldest first, and all together.

    `grants` are those that are still to come, and `ending` those that came and are withdrawn later, by the moment.
    """

    open: list[tuple[Day, int, int]] = field(default_factory=list)  # with the order of a grant's event, or -1
    left_minor: int = 0
    grants: list[Grant] = field(default_factory=list)
    ending: list[tuple[Moment, int]] = field(default_factory=list)  # the order of the grant's event

    def come(self, until: Moment) -> Iterator[Grant | Withdrawn]:
        """What was granted before a moment, and what was lost of grants that were withdrawn, in their order."""
        while True:
            ended = self.ending[0][0] if self.ending else until
            if self.grants and self.grants[0].since < min(ended, until):
                yield self._granted(self.grants.pop(0))
            elif ended < until:
                _, order = self.ending.pop(0)
                if lost := self._withdrawn(order):
                    yield Withdrawn(day_of(ended), lost)
            else:
                return

    def _granted(self, grant: Grant) -> Grant:
        self.open.append((to_day(grant.date), grant.amount_minor, grant.order))
        self.left_minor += grant.amount_minor
        if grant.withdrawn is not None:
            insort(self.ending, (grant.withdrawn, grant.order))
        return grant

    def _withdrawn(self, order: int) -> int:
        """What was left of a grant is lost; the amount."""
        lost = sum(amount for _, amount, one in self.open if one == order)
        self.open = [credit for credit in self.open if credit[2] != order]
        self.left_minor -= lost
        return lost

    def take(self, total_minor: int, day: Day) -> int:
        """A document's total: a negative one gives a credit, a positive one uses what there is; the amount used."""
        if total_minor < 0:
            self.open.append((day, -total_minor, -1))
            self.left_minor -= total_minor
        left = total_minor
        while self.open and left > 0:
            given, amount, order = self.open[0]
            part = min(amount, left)
            left -= part
            if part == amount:
                del self.open[0]
            else:
                self.open[0] = given, amount - part, order
        self.left_minor -= total_minor - left
        return total_minor - left

    def expire(self, day: Day, months: int) -> int:
        """What was given so many months before the day, or earlier, is lost; the amount."""
        lost = 0
        while self.open and add_months(self.open[0][0], months) <= day:
            lost += self.open.pop(0)[1]
        self.left_minor -= lost
        return lost

    def lapse(self) -> int:
        """All that is left is lost; the amount."""
        lost = self.left_minor
        self.open, self.left_minor = [], 0
        return lost
