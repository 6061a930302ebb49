"""One way of being billed, and the made-up account whose bills show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from prorata.engine.arithmetic import arithmetic
from prorata.engine.bill import bill
from prorata.engine.calendar import (
    DAYS,
    MONTHS,
    Day,
    Interval,
    border,
    calendar_start,
    speak_day,
    to_date,
    to_day,
    to_point,
)
from prorata.engine.document import Document, Line
from prorata.engine.due import BASE, SEATS
from prorata.engine.intake import read_history
from prorata.engine.money import speak_amount
from prorata.engine.policy.model import Policy, Rules, SeatRules, When
from prorata.engine.policy.tariff import Plan, PriceRow
from prorata.engine.quantity import billed_quantity
from prorata.engine.spoken import share_words, speak_share

Row: TypeAlias = dict[str, object]

_MOST_SUMS = 3
_FOREVER = 10_000  # days: longer than any story


class Case:
    """The rules of an interval on some plans, and an account to show them by: it starts with a year.

    `at` is the day whose rules and prices are told. In the account's story they hold for ever, so that nothing but
    what the story is about changes. `change` is the day on which something does: it lies within a period, early
    enough for what counts on one day or on many of it. `item` is the add-on that is told, or the seats;
    `payment_method` how the account pays, if not as by default.
    """

    def __init__(
        self,
        policy: Policy,
        interval: Interval,
        plans: Sequence[str],
        *,
        at: Day,
        year: int,
        item: str = SEATS,
        payment_method: str = "",
    ) -> None:
        self.interval = interval
        self.plans = plans
        self.payment_method = payment_method
        self.rules: Rules = policy.rules(interval, at, plans[0], item, payment_method)
        self.whole = policy
        self.policy = _held_still(policy, interval, at, item, payment_method)
        self.at = at
        self.start = date(year, 1, 1)
        measured = self.rules.period.measured or interval
        self.unit: Interval = min(measured, interval, key=MONTHS.__getitem__)  # what is measured on its own
        self.change = _change(self.rules, self.unit, date(year, 4 if MONTHS[interval] == 1 else 2, 10))
        self.bought = self.rules.seats.count == "bought"
        self.noun = "seat" if self.bought else "user"
        priced = [name for name in policy.plans if self.yearly(name)]
        self.by_price = sorted(priced, key=self.yearly)
        self.plan = next((name for name in plans if name in priced), None)
        held = [name for name, role in policy.roles.items() if role.billed and name not in self.rules.seats.free]
        self.role = next(iter(held), None)
        self.seats, self.before_fall = self._some_seats()
        self.fewer = self._fewer(self.before_fall)  # so many have to go for fewer to be billed
        self._billed: dict[tuple[int, str | None, str], tuple[Document, ...]] = {}

    def yearly(self, plan: str) -> int:
        """The plan's price of a year, for putting plans in order; 0 where it has none."""
        rows = self.policy.plans[plan].prices  # those of the day: the policy is held still
        return max((row.price.yearly_minor for row in rows if not row.above), default=0)

    def billed(self, count: int) -> int:
        """How many seats are billed where so many are counted."""
        return billed_quantity(self.rules.seats, [(0, count)])[0][1]

    def _some_seats(self) -> tuple[int, int]:
        """A number of seats of which one more makes a difference, and if possible the same of which fewer do."""
        seats = self.rules.seats
        usual = max(3, seats.minimum + 2, seats.included + 2)
        most = usual + max((0, *seats.packages)) + 1
        felt = {count for count in range(1, most + 2) if self.billed(count - 1) < self.billed(count)}
        fewer = {count for count in felt if self.billed(count - 1)}
        counts = [*range(usual, most + 1), *range(usual - 1, 0, -1)]
        rising = [count for count in counts if count + 1 in felt]
        falling = [count for count in counts if fewer and count >= min(fewer)]
        both = [count for count in rising if count in falling]
        found = (*both, *rising, usual)[0]
        return found, found if found in falling else (*falling, usual)[0]

    def _fewer(self, seats: int) -> int:
        """How many of so many seats have to go for fewer to be billed, and not none."""
        return next((less for less in range(1, seats) if 0 < self.billed(seats - less) < self.billed(seats)), 1)

    def added(self) -> Row:
        if self.bought:
            return {"at": self.change, "event": "seats", "quantity": self.seats + 1}
        return {"at": self.change, "event": self.joins, "user": "dora", "role": self.role}

    def removed(self, day: date) -> list[Row]:
        if self.bought:
            return [{"at": day, "event": "seats", "quantity": self.before_fall - self.fewer}]
        gone = (f"member {number}" for number in range(1, self.fewer + 1))
        return [{"at": day, "event": "deactivate", "user": user} for user in gone]

    @property
    def days_of_change(self) -> Iterator[date]:
        """Days on which something may change: the usual one, then the first ones of its period."""
        first = _first_of(self.unit, self.change)
        yield self.change
        yield from (to_date(first + after) for after in (2, 1))

    @property
    def joins(self) -> str:
        """The event with which somebody takes a seat."""
        return "activity" if self.policy.idle_days else "activate"

    def bills(
        self, changes: Iterable[Row] = (), *, seats: int | None = None, plan: str | None = None, opening: str = "start"
    ) -> tuple[Document, ...]:
        """The bills of an account that has some seats from its first day, and of what happens to it."""
        told = list(changes)
        plan = plan or self.plan
        if plan is None:
            return ()
        key = (self.seats if seats is None else seats, plan, opening)
        if told or key not in self._billed:
            found = self._bills(told, *key)
            if told:
                return found
            self._billed[key] = found
        return self._billed[key]

    def _bills(self, changes: list[Row], count: int, plan: str, opening: str) -> tuple[Document, ...]:
        kinds = {rules.seats.count for rules in self.policy.variants.values()}
        rows: list[Row] = [{"at": self.start, "event": opening}]
        if "bought" in kinds:
            rows[0]["quantity"] = count
        months = max(self._periods * MONTHS[self.interval], self.rules.period.term_months)
        through = border(to_day(self.change), months + 1, self.interval, 1)
        if kinds != {"bought"}:
            members = (f"member {number}" for number in range(1, count + 1))
            rows += [{"at": self.start, "event": self.joins, "user": user, "role": self.role} for user in members]
        history = read_history(
            [*rows, *changes], policy=self.policy, plan=plan, interval=self.interval, seats_follow=True
        )
        return bill(history, through=to_date(through)).documents

    @property
    def _periods(self) -> int:
        """After how many periods everything is billed that comes of a change."""
        return 3 if self.rules.seats.of == "period_before" else 2

    def on(self, day: date, who: str) -> str:
        return f"{who} on {speak_day(to_day(day))}"

    def first(self, who: str, documents: Sequence[Document]) -> str:
        """The sums of the first bill, as an example."""
        return self._said(who, documents[0].lines, documents[0]) if documents else ""

    def last(self, who: str, documents: Sequence[Document]) -> str:
        """The sums of the last bill, as an example."""
        return self._said(who, documents[-1].lines, documents[-1]) if documents else ""

    def different(self, who: str, documents: Sequence[Document], without: Sequence[Document]) -> str:
        """What is new on the first bill that is another than without what happened, as an example.

        That is what moved, and where it begins a new period that one as well.
        """
        for document, lines in _different(documents, without):
            moved = [line for line in lines if line.kind != "period"]
            days = {line.start_day for line in moved}
            moved += [line for line in lines if line.kind == "period" and line.start_day in days]
            first = [line for line in lines if line.period == lines[0].period]
            return self._said(who, moved or first, document)
        return ""

    def moves(self, day: date, documents: Sequence[Document], without: Sequence[Document]) -> bool:
        """Whether what happened on a day moves what is billed for the period of that day."""
        first = to_point(day, self.policy.ticks)
        moved = (line for _, lines in _different(documents, without) for line in lines)
        return any(line.period.start <= first < line.period.end for line in moved)

    def _said(self, who: str, lines: Sequence[Line], document: Document) -> str:
        sums = [self.sum(line) for line in lines]
        if len(sums) > _MOST_SUMS:
            sums[_MOST_SUMS - 1 :] = [f"and {len(sums) - _MOST_SUMS + 1} more"]
        amount = speak_amount(sum(line.amount_minor for line in lines), self.policy.currency)
        total = f", together {amount}" if len(lines) > 1 else ""
        said = f"{'; '.join(sums)}{total}, on {speak_day(to_day(document.date))}"
        return f"{who}: {said}" if who else said

    def sum(self, line: Line) -> str:
        base = "base price " if line.item == BASE else ""
        if line.period.rules.rounding.stage in ("seat", "day"):
            return base + arithmetic(line, self.policy.currency)
        quantity = f"{'−' if line.quantity < 0 else ''}{abs(line.quantity)}"
        price, amount = (speak_amount(minor, self.policy.currency) for minor in (line.price.minor, line.amount_minor))
        return f"{base}{quantity} × {price} × {speak_share(line)}{share_words(line)} = {amount}"


def _different(documents: Iterable[Document], without: Iterable[Document]) -> Iterator[tuple[Document, list[Line]]]:
    """The documents with lines that are not on those without what happened, and these lines."""
    before = {document.date: set(map(_shape, document.lines)) for document in without}
    for document in documents:
        lines = [line for line in document.lines if _shape(line) not in before.get(document.date, set())]
        if lines:
            yield document, lines


def _shape(line: Line) -> tuple[object, ...]:
    """What a reader sees of a line."""
    return line.item, line.kind, line.start_day, line.end_day, line.quantity, line.price, line.amount_minor


def _held_still(policy: Policy, interval: Interval, at: Day, item: str, payment_method: str) -> Policy:
    """The policy with the prices, and an item's rules, of one day for ever; apart for each plan where they differ."""
    found = {name: policy.rules(interval, at, name, item, payment_method) for name in policy.plans}
    allowed = {name: replace(rules, seats=_quiet(rules.seats)) for name, rules in found.items()}
    plans = {name: replace(plan, prices=tuple(_row(plan, interval, at))) for name, plan in policy.plans.items()}
    if not policy.by_plan:
        return replace(policy, plans=plans, whens=(), variants={(): allowed[policy.default_plan]})
    whens = tuple(When(plan=name) for name in policy.plans)
    variants: dict[tuple[int, ...], Rules] = {(number,): rules for number, rules in enumerate(allowed.values())}
    return replace(policy, plans=plans, whens=whens, variants=variants)


def _quiet(seats: SeatRules) -> SeatRules:
    """The rules without what a story would have to heed: nobody becomes idle, and no order is refused."""
    return replace(seats, below_active="allowed", idle_days=_FOREVER)


def _row(plan: Plan, interval: Interval, at: Day) -> Iterator[PriceRow]:
    rows = {row.seats: row for row in plan.prices if row.covers(interval, to_date(at))}
    for row in rows.values():
        yield replace(row, interval=None, from_=None, announced=None)


def _change(rules: Rules, unit: Interval, usual: date) -> date:
    """A day within a period from which on a change can still be seen by how seats are measured."""
    first = _first_of(unit, usual)
    seats = rules.seats
    day = to_day(usual)
    if seats.measure == "snapshot" and seats.on_day > 1:
        day = min(day, max(first + seats.on_day - 1 - seats.delay_days, first))
    if seats.measure == "distinct" and seats.least_days > 1:
        day = min(day, max(border(first, MONTHS[unit], unit, 1) - seats.least_days - seats.delay_days, first + 1))
    return to_date(day)


def _first_of(unit: Interval, day: date) -> Day:
    """The first day of the period in which a day lies, counted from the day with which its year begins."""
    if unit not in DAYS:
        return calendar_start(to_day(day), MONTHS[unit])
    year = to_day(date(day.year, 1, 1))
    return year + (to_day(day) - year) // DAYS[unit] * DAYS[unit]
