"""Credits are what credit notes gave, used on the next invoices, the oldest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Credit:
    """What is left of the amount that one credit note gave."""

    granted_on: date
    left_minor: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """A credit that was lost, as the policy says."""

    account: str
    date: date
    amount_minor: int


@dataclass(slots=True)
class Credits:
    """An account's credits."""

    open: list[Credit] = field(default_factory=list)

    @property
    def left_minor(self) -> int:
        return sum(credit.left_minor for credit in self.open)

    def grant(self, day: date, amount_minor: int) -> None:
        assert amount_minor > 0
        self.open.append(Credit(day, amount_minor))

    def use(self, up_to_minor: int) -> int:
        """Uses the oldest credits first, at most `up_to_minor`; the amount used."""
        used = 0
        for credit in self.open:
            part = min(credit.left_minor, up_to_minor - used)
            credit.left_minor -= part
            used += part
        self.open = [credit for credit in self.open if credit.left_minor]
        return used

    def lapse(self) -> int:
        """All that is left is lost; the amount."""
        lost, self.open = self.left_minor, []
        return lost
