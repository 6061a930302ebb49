"""Credits are what credit notes gave, used on the next invoices, the oldest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from prorata.engine.calendar import Day, Moment, add_months

LapseReason = Literal["age", "end"]  # a credit grew too old, or the agreement ended


@dataclass(frozen=True, slots=True)
class Lapse:
    """A credit that was lost, as the policy says, by a bill that knew what was recorded before `known_until`.

    What grew too old is lost before a document of the same day, what is left at the end of an agreement after it.
    """

    account: str
    date: date
    known_until: Moment
    amount_minor: int
    reason: LapseReason = "end"


@dataclass(slots=True)
class Credits:
    """What is left of an account's credits, by the day they were given, the oldest first, and all together."""

    open: list[tuple[Day, int]] = field(default_factory=list)
    left_minor: int = 0

    def take(self, total_minor: int, day: Day) -> int:
        """A document's total: a negative one gives a credit, a positive one uses what there is; the amount used."""
        if total_minor < 0:
            self.open.append((day, -total_minor))
            self.left_minor -= total_minor
        left = total_minor
        while self.open and left > 0:
            given, amount = self.open[0]
            part = min(amount, left)
            left -= part
            if part == amount:
                del self.open[0]
            else:
                self.open[0] = given, amount - part
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
