"""One way of being billed, and the made-up account whose bills show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import product
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
from prorata.engine.intake import read_history
from prorata.engine.money import speak_amount
from prorata.engine.period import first_period
from prorata.engine.policy.model import BASE, OVERAGE, SEATS, Policy, Rules, seats_of
from prorata.engine.policy.plain.sizes import Sizes, sizes_of
from prorata.engine.policy.plain.still import held_still
from prorata.engine.price import yearly
from prorata.engine.quantity import billed_quantity
from prorata.engine.spoken import share_words, speak_share
from prorata.engine.words import listed

Row: TypeAlias = dict[str, object]

_MOST_SUMS = 3


class Case:
    """The rules of an interval on some plans, and an account to show them by: it starts with a year.

    `at` is the day whose rules and prices are told. In the account's story they hold for ever, so that nothing but
    what the story is about changes. `change` is the day on which something does: it lies within a period, early
    enough for what counts on one day or on many of it. `item` is the add-on that is told, or the seats, or
    those of a role, whose members then are all there are; `payment_method` how the account pays, if not as by default.
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
        self.item = item
        self.policy = held_still(policy, (interval,), at, item, payment_method)
        self.at = at
        self.start = date(year, 1, 1)
        measured = self.rules.period.measured or interval
        self.unit: Interval = min(measured, interval, key=MONTHS.__getitem__)  # what is measured on its own
        self.change = _change(self.rules, self.unit, date(year, 4 if MONTHS[interval] == 1 else 2, 10))
        self.bought = self.rules.seats.count == "bought"
        self.noun = "seat" if self.bought else "user"
        held = [name for name, role in policy.roles.items() if role.billed and name not in self.rules.seats.free]
        self.of_role = next((role for role in policy.roles_apart if seats_of(role) == item), "")
        plain = [name for name in held if name not in policy.roles_apart]
        self.role = self.of_role or next(iter([*plain, *held]), None)
        by_role = [
            policy.rules(interval, at, plans[0], seats_of(one), payment_method) for one in ("", *policy.roles_apart)
        ]
        self.alike = sum(one.seats.measure == self.rules.seats.measure for one in by_role)
        self._period = first_period(self.policy, interval, to_point(self.start, policy.ticks), plans[0])
        priced = [name for name in policy.plans if self._is_priced(name)]
        sizes = {name: self._sizes(name) for name in plans if name in priced}
        felt = (name for name, its in sizes.items() if its.is_felt)
        self.plan = next(felt, next(iter(sizes), None))
        own = sizes[self.plan] if self.plan is not None else self._sizes(plans[0])
        self.seats, self.before_fall, self.fewer = own.seats, own.before_fall, own.fewer
        self.is_felt, self.crossing = own.is_felt, own.crossing
        self.is_named = own.is_named or self.plan != next(iter(sizes), None)
        self.by_price = sorted(priced, key=self.yearly)
        self._billed: dict[tuple[int, str, str, Interval | None], tuple[Document, ...]] = {}

    def of(self, item: str) -> Case:
        """The same by the rules of an item."""
        year, method = self.start.year, self.payment_method
        return Case(self.whole, self.interval, self.plans, at=self.at, year=year, item=item, payment_method=method)

    def yearly(self, plan: str) -> int:
        """What the account's seats cost in a year on a plan, with all that stands beside them."""
        return self._costs(plan, self.seats)

    def _costs(self, plan: str, count: int) -> int:
        """What so many seats cost in a year; 0 where the plan has no price for them."""
        tariff = self._period.tariffs.get(plan)
        role = self.of_role or (self.role if self.role in self.policy.roles_apart and not self.bought else None)
        if tariff is None or not {role or "", ""} & set(tariff.tiers):
            return 0
        counts = {"": self.billed(count)}
        if self.of_role:
            counts = {"": 0, self.of_role: self._sold(count)}
        elif role is not None and role in tariff.tiers:
            counts = {"": self._sold(0), role: count}
        return yearly(tariff, counts, self._period)

    def billed(self, count: int) -> int:
        """How many seats are billed where so many are counted of those of the story."""
        is_apart = not self.of_role and self.role in self.policy.roles_apart and not self.bought
        return count if is_apart else self._sold(count)

    def _sold(self, count: int) -> int:
        return billed_quantity(self.rules.seats, [(0, count)])[0][1]

    def _is_priced(self, plan: str) -> bool:
        rows = self.policy.plans[plan].prices  # those of the day: the policy is held still
        return any(price.minor for row in rows for price in (row.price, row.base) if price is not None)

    def _sizes(self, plan: str) -> Sizes:
        tariff = self._period.tariffs.get(plan)
        tiers = () if tariff is None else tariff.tiers.get(self.role or "") or tariff.tiers.get("", ())
        above = [tier.above for tier in tiers if tier.above]
        return sizes_of(self.rules.seats, partial(self._costs, plan), self.billed, above)

    @property
    def charge(self) -> str:
        """Whether the whole invoice is in advance or in arrears."""
        return self.whole.rules(self.interval, self.at, self.plans[0], "", self.payment_method).period.charge

    @property
    def over(self) -> Case | None:
        """The same by the rules of the seats beyond those ordered, where these have some of their own."""
        has_own = OVERAGE in self.whole.apart and self.rules.seats.count == "larger" and self.item != OVERAGE
        return self.of(OVERAGE) if has_own else None

    def lowered(self, day: date) -> Row:
        """An order of one seat less, where the larger number counts."""
        return {"at": day, "event": "seats", "quantity": max(self.ordered(self.seats) - 1, 0), "role": self.role}

    @property
    def seat(self) -> str:
        """What one of the seats is called: by its roles where others are counted apart."""
        if self.of_role or not self.whole.roles_apart:
            return "seat"
        free = (*self.rules.seats.free, *self.whole.roles_apart)
        roles = [role for role, one in self.whole.roles.items() if one.billed and role not in free]
        return f"{listed(roles, 'or') if roles else 'other'} seat"

    @property
    def opened(self) -> str:
        """Who begins, where the amounts of the first bill do not tell."""
        named = self.plan is not None and self.is_named
        plan = f" on {self.whole.plans[self.plan].title or self.plan}" if self.plan and len(self.plans) > 1 else ""
        if self.rules.seats.count == "larger":
            return f"{self.ordered(self.seats)} seats ordered, {self.seats} {self.noun}s{plan if named else ''}"
        return f"{self.seats} {self.noun}s{plan}" if named else ""

    def is_sold(self, plan: str, interval: Interval) -> bool:
        """Whether a plan has a price for periods of an interval."""
        return any(row.covers(interval, to_date(self.at)) for row in self.whole.plans[plan].prices)

    def ordered(self, seats: int) -> int:
        """How many seats are ordered where so many are there and the larger number counts: some, and fewer."""
        return max(seats - self.fewer, 0)

    def added(self, seats: int | None = None) -> Row:
        """One seat more than those that the account has."""
        if self.bought:
            return {"at": self.change, "event": "seats", "quantity": (seats or self.seats) + 1, **self._ordered_for}
        return {"at": self.change, "event": self.joins, "user": "dora", "role": self.role}

    def removed(self, day: date) -> list[Row]:
        if self.bought:
            return [{"at": day, "event": "seats", "quantity": self.before_fall - self.fewer, **self._ordered_for}]
        gone = (f"member {number}" for number in range(1, self.fewer + 1))
        return [{"at": day, "event": "deactivate", "user": user} for user in gone]

    @property
    def _ordered_for(self) -> Row:
        """The role of which seats are ordered, where that is told."""
        return {"role": self.of_role} if self.of_role else {}

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
        self,
        changes: Iterable[Row] = (),
        *,
        seats: int | None = None,
        plan: str | None = None,
        opening: str = "start",
        into: Interval | None = None,
    ) -> tuple[Document, ...]:
        """The bills of an account that has some seats from its first day, and of what happens to it.

        `into` is another interval that may be chosen. The `opening` is a start, a trial with a payment method told of,
        or one without (`trial_only`).
        """
        told = list(changes)
        plan = plan or self.plan
        if plan is None:
            return ()
        key = (self.seats if seats is None else seats, plan, opening, into)
        if told or key not in self._billed:
            found = self._bills(told, *key)
            if told:
                return found
            self._billed[key] = found
        return self._billed[key]

    @property
    def method(self) -> str:
        """A payment method that can be told of."""
        return self.payment_method or self.policy.default_payment_method or "card"

    def _bills(
        self, changes: list[Row], count: int, plan: str, opening: str, into: Interval | None
    ) -> tuple[Document, ...]:
        policy = self.policy
        if into is not None:
            policy = held_still(self.whole, (self.interval, into), self.at, self.item, self.payment_method)
        kinds = {self.rules.seats.count} if self.of_role else {one.seats.count for one in policy.variants.values()}
        rows: list[Row] = [{"at": self.start, "event": "start" if opening == "start" else "trial"}]
        if opening == "trial" and policy.may_wait:
            rows[0] |= {"payment_method": self.method}
        if "bought" in kinds:
            rows[0] |= {"quantity": count, **self._ordered_for}
        elif "larger" in kinds:
            rows[0] |= {"quantity": self.ordered(count), "role": self.role}
        longest = max(MONTHS[self.interval], MONTHS[into or self.interval])
        months = max(self._periods * longest, self.rules.period.term_months)
        through = border(to_day(self._latest), months + 1, self.interval, 1)
        if kinds != {"bought"}:
            members = (f"member {number}" for number in range(1, count + 1))
            rows += [{"at": self.start, "event": self.joins, "user": user, "role": self.role} for user in members]
        history = read_history([*rows, *changes], policy=policy, plan=plan, interval=self.interval, seats_follow=True)
        return bill(history, through=to_date(through)).documents

    @property
    def _latest(self) -> date:
        """The last day on which something may be told."""
        rules = self.rules
        notices = {rules.fall.notice_days + rules.seats.delay_days, rules.cancel.notice_days}
        terms, units = (0, rules.period.term_months), (self.unit, self.interval)
        return max(self.noticed(*one) + timedelta(days=one[0]) for one in product(notices, units, terms))

    def noticed(self, notice: int, unit: Interval, months: int = 0) -> date:
        """A day on which notice comes too late for the end of its period, or of a term of so many months."""
        if not notice:
            return self.change
        first = _first_of(unit, self.change)
        end = border(to_day(self.start), months, "month", 1) if months else border(first, MONTHS[unit], unit, 1)
        return to_date(max(to_day(self.change), end - notice + 1))

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
        for document, lines, gone in _different(documents, without):
            moved = [line for line in lines if line.kind != "period"]
            days = {line.start_day for line in moved}
            moved += [line for line in lines if line.kind == "period" and line.start_day in days]
            shown = moved or _beside([*lines, *gone][0], document)
            if shown:
                return self._said(who, shown, document)
        return ""

    def moves(self, day: date, documents: Sequence[Document], without: Sequence[Document]) -> bool:
        """Whether what happened on a day moves what is billed for the period of that day."""
        first = to_point(day, self.policy.ticks)
        moved = (line for _, lines, _ in _different(documents, without) for line in lines)
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


def _different(
    documents: Iterable[Document], without: Iterable[Document]
) -> Iterator[tuple[Document, list[Line], list[Line]]]:
    """The documents with other lines than those without what happened: the lines that are new, and those gone."""
    before = {document.date: document.lines for document in without}
    for document in documents:
        known, shapes = before.get(document.date, ()), set(map(_shape, document.lines))
        lines = [line for line in document.lines if _shape(line) not in set(map(_shape, known))]
        gone = [line for line in known if _shape(line) not in shapes]
        if lines or gone:
            yield document, lines, gone


def _beside(line: Line, document: Document) -> list[Line]:
    """All that a document bills for the period of a line: of the seats and their base price, or of its add-on."""
    alike = [other for other in document.lines if other.period == line.period and other.kind == line.kind]
    if _is_of_seats(line):
        return [other for other in alike if _is_of_seats(other)]
    return [other for other in alike if other.item == line.item]


def _is_of_seats(line: Line) -> bool:
    return line.item == BASE or line.item.startswith(SEATS)


def _shape(line: Line) -> tuple[object, ...]:
    """What a reader sees of a line."""
    return line.item, line.kind, line.start_day, line.end_day, line.quantity, line.price, line.amount_minor


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
