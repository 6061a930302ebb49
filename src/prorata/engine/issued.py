"""What was issued before, as much of it as the next bill has to know: plain enough to be kept in a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from prorata.engine.calendar import Day, Moment
from prorata.engine.due import Holding


class IssuedLine(Protocol):
    """A line as it is remembered; Line has all of it.

    From `start_day` up to `end_day`, of the period from `period_start_day` up to `period_end_day`, `after` of the item
    is billed (None: nothing). `exact_worth` is the line's worth before rounding, in minor units, as a numerator and a
    denominator.
    """

    @property
    def period_start_day(self) -> Day: ...
    @property
    def period_end_day(self) -> Day: ...
    @property
    def item(self) -> str: ...
    @property
    def start_day(self) -> Day: ...
    @property
    def end_day(self) -> Day: ...
    @property
    def after(self) -> Holding | None: ...
    @property
    def exact_worth(self) -> tuple[int, int]: ...
    @property
    def amount_minor(self) -> int: ...


class IssuedDocument(Protocol):
    """A document as it is remembered; Document has all of it.

    The total of a credit note is negative, and `refund_minor` how much of it was paid back.
    """

    @property
    def date(self) -> date: ...
    @property
    def known_until(self) -> Moment: ...
    @property
    def lines(self) -> Sequence[IssuedLine]: ...
    @property
    def total_minor(self) -> int: ...
    @property
    def credit_used_minor(self) -> int: ...
    @property
    def refund_minor(self) -> int: ...


class IssuedLapse(Protocol):
    """A credit that lapsed as it is remembered; Lapse has all of it. `reason` is that of Lapse."""

    @property
    def date(self) -> date: ...
    @property
    def known_until(self) -> Moment: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def reason(self) -> str: ...


class Issued(Protocol):
    """What an account was billed through a day, in order of date, and the credits that lapsed; Billing has all of it.

    `known_until` is the moment up to which was known what had been recorded when that day was billed.
    """

    @property
    def through(self) -> date: ...
    @property
    def known_until(self) -> Moment: ...
    @property
    def documents(self) -> Sequence[IssuedDocument]: ...
    @property
    def lapses(self) -> Sequence[IssuedLapse]: ...
