"""Credits are what credit notes gave, used on the next invoices, the oldest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from prorata.engine.calendar import Moment


@dataclass(frozen=True, slots=True)
class Lapse:
    """A credit that was lost, as the policy says, by a bill that knew what was recorded before `known_until`."""

    account: str
    date: date
    known_until: Moment
    amount_minor: int


@dataclass(slots=True)
class Credits:
    """What is left of an account's credits, the oldest first, and all together."""

    open: list[int] = field(default_factory=list)
    left_minor: int = 0

    def take(self, total_minor: int) -> int:
        """A document's total: a negative one gives a credit, a positive one uses what there is; the amount used."""
        if total_minor < 0:
            self.open.append(-total_minor)
            self.left_minor -= total_minor
        left = total_minor
        while self.open and left > 0:
            part = min(self.open[0], left)
            left -= part
            self.open[0] -= part
            if not self.open[0]:
                del self.open[0]
        self.left_minor -= total_minor - left
        return total_minor - left

    def lapse(self) -> int:
        """All that is left is lost; the amount."""
        lost = self.left_minor
        self.open, self.left_minor = [], 0
        return lost
