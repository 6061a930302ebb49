"""A document is an invoice or a credit note: lines that each bill one change of one stretch of days.

Both are named tuples and not frozen dataclasses: a bill run makes lines by the million, and these are made in a
fraction of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple

from prorata.engine.calendar import Day, Moment, to_time
from prorata.engine.due import Holding
from prorata.engine.history import Event
from prorata.engine.period import Period
from prorata.engine.policy.tariff import Price

LineKind = Literal["period", "rise", "fall", "plan", "price"]
DocumentKind = Literal["invoice", "credit_note"]


class Line(NamedTuple):
    """`quantity` × `price` × the share of the price's interval that the days from `start` up to `end` are.

    `start_day` and `end_day` are the same as whole numbers. Where the policy counts more exactly than days, they are of
    its ticks, and `start` and `end` are dates with a time.

    `exact_parts` is its worth before rounding, in parts of a minor unit as small as the period needs (Period.parts).
    What falls has a negative quantity; prices are never negative. `before` is what had been billed for these days
    (None: nothing), `after` what is billed now. `news` is what became known since, the line's causes among it.
    """

    period: Period
    item: str
    kind: LineKind
    start_day: Day
    end_day: Day
    quantity: int
    price: Price
    amount_minor: int
    exact_parts: int
    before: Holding | None
    after: Holding | None
    news: tuple[Event, ...]

    @property
    def period_start(self) -> date:
        return to_time(self.period.start, self.period.policy.ticks)

    @property
    def period_end(self) -> date:
        return to_time(self.period.end, self.period.policy.ticks)

    @property
    def period_start_day(self) -> Day:
        return self.period.start

    @property
    def period_end_day(self) -> Day:
        return self.period.end

    @property
    def start(self) -> date:
        return to_time(self.start_day, self.period.policy.ticks)

    @property
    def end(self) -> date:
        return to_time(self.end_day, self.period.policy.ticks)

    @property
    def days(self) -> int:
        """How many whole days there are from its start to its end."""
        return (self.end_day - self.start_day) // self.period.policy.ticks

    @property
    def exact_days(self) -> Fraction:
        """The same with parts of days, where the policy counts more exactly."""
        return Fraction(self.end_day - self.start_day, self.period.policy.ticks)

    @property
    def share(self) -> tuple[int, int]:
        """Which part of the price's interval the days are, as a person would write the fraction: 20 of 30."""
        numerator, denominator = self.period.scale.worth(self.start_day, self.end_day)
        months = self.price.months or 1
        whole, rest = divmod(numerator, months)
        if rest or denominator == 1:
            return numerator, denominator * months
        return whole, denominator

    @property
    def tax_rate(self) -> Fraction:
        """The tax rate in percent: the plan's or add-on's own, or else the policy's."""
        return self.period.tax_rate(self.item, self.price.plan)

    @property
    def exact_minor(self) -> Fraction:
        """The line's worth before rounding, in minor units."""
        return Fraction(self.exact_parts, self.period.parts)

    @property
    def exact_worth(self) -> tuple[int, int]:
        """The same as a numerator and a denominator."""
        return self.exact_parts, self.period.parts


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax at one rate (percent) on the sum of the lines of that rate."""

    rate: Fraction
    base_minor: int
    tax_minor: int


class Document(NamedTuple):
    """What is sent to the account on `date`. Amounts are signed: those of a credit note are negative here.

    It was computed from what had been recorded before `known_until`. `credit_left_minor` is the account's balance of
    credits after the document. `refund_minor` is how much of a credit note is paid back, and so is no credit.
    """

    account: str
    date: date
    known_until: Moment
    currency: str
    lines: tuple[Line, ...]
    taxes: tuple[Tax, ...]
    subtotal_minor: int
    total_minor: int
    credit_used_minor: int
    credit_left_minor: int
    refund_minor: int = 0

    @property
    def kind(self) -> DocumentKind:
        return "credit_note" if self.total_minor < 0 else "invoice"

    @property
    def tax_minor(self) -> int:
        return self.total_minor - self.subtotal_minor

    @property
    def due_minor(self) -> int:
        """What is to be paid; nothing for a credit note, whose amount is a credit or a refund."""
        return max(self.total_minor, 0) - self.credit_used_minor
