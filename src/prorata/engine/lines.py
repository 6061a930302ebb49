"""A line is a stretch of days on which what is due is not what was billed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

from prorata.engine.calendar import Day, Moment, speak_day, to_date
from prorata.engine.document import Line, LineKind
from prorata.engine.due import Due, Holding
from prorata.engine.history import Event
from prorata.engine.issued import IssuedLine
from prorata.engine.money import rounded
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.refusal import CannotBill
from prorata.engine.share import YEAR
from prorata.engine.steps import Stretch, compare


@dataclass(slots=True)
class ItemBilled:
    """What was billed of one item in one period: the stretches, their exact worth, and what was charged for them.

    Exact worth is counted in parts of a minor unit, as Period.parts says.
    """

    held: list[Stretch[Holding]]
    exact_parts: int = 0
    minor: int = 0


@dataclass(slots=True)
class Billed:
    """What the documents so far cover of one period, by item."""

    period: Period
    released: Day  # when it was first looked at
    items: dict[str, ItemBilled] = field(default_factory=dict)
    known_until: Moment | None = None  # what the last document that billed some of it knew

    def add(self, line: IssuedLine, known_until: Moment) -> None:
        """`line` is on a document that knew things up to a moment. Raises CannotBill where the rules have changed."""
        self.known_until = known_until
        so_far = self.items.setdefault(line.item, ItemBilled([]))
        parts = line.exact_minor * self.period.parts
        if parts.denominator != 1:
            raise CannotBill(
                f"the period from {speak_day(self.period.start)} was billed in shares that its rules do not have; "
                "the rules of a period cannot be changed once it is billed"
            )
        so_far.exact_parts += parts.numerator
        so_far.minor += line.amount_minor
        start, end = line.start.toordinal(), line.end.toordinal()
        kept = []
        for first, past, holding in so_far.held:
            if first < start:
                kept.append((first, min(past, start), holding))
            if past > end:
                kept.append((max(first, end), past, holding))
        if line.after is not None:
            kept.append((start, end, line.after))
        so_far.held = sorted(kept, key=itemgetter(0))


@dataclass(slots=True)
class Open:
    """What is due for a period and not billed: the lines, and what the period's items come to with them."""

    billed: Billed
    lines: list[Line]
    items: dict[str, ItemBilled]

    def settle(self, known_until: Moment) -> None:
        """The lines are on a document that knew things up to a moment."""
        self.billed.items.update(self.items)
        self.billed.known_until = known_until


_Change: TypeAlias = tuple[LineKind, Day, Day, int, Price, Holding | None, Holding | None]


def differences(billed: Billed, due: Due, news: tuple[Event, ...], look: Day) -> Open | None:
    """What leads from what was billed for the period to what is due for it, in order of item and day, if anything."""
    first: LineKind = "period" if look == billed.released else "rise"
    items = billed.items
    lines: list[Line] = []
    coming: dict[str, ItemBilled] = {}
    changes: Iterable[_Change]
    for item, held in due.items():
        so_far = items.get(item)
        if so_far is None:
            changes = [(first, start, end, each[0], each[1], None, each) for start, end, each in held]
            coming[item] = _write(billed.period, item, changes, ItemBilled(held), news, lines)
        elif so_far.held != held:
            changes = _changes(billed.period, so_far.held, held)
            coming[item] = _write(
                billed.period, item, changes, ItemBilled(held, so_far.exact_parts, so_far.minor), news, lines
            )
    for item, so_far in items.items():
        if item not in due and so_far.held:
            changes = _changes(billed.period, so_far.held, [])
            coming[item] = _write(
                billed.period, item, changes, ItemBilled([], so_far.exact_parts, so_far.minor), news, lines
            )
    return Open(billed, lines, coming) if lines else None


def _write(
    period: Period,
    item: str,
    changes: Iterable[_Change],
    so_far: ItemBilled,
    news: tuple[Event, ...],
    lines: list[Line],
) -> ItemBilled:
    """Adds the lines of the changes to `lines` and their worth to the so_far, by running totals."""
    rounding = period.rules.rounding
    running, mode = rounding.stage == "running", rounding.mode
    worth_of, denominator = period.scale.worth, period.scale.denominator
    parts = denominator * YEAR
    exact, charged = so_far.exact_parts, so_far.minor
    for kind, start, end, quantity, price, before, after in changes:
        over, below = worth_of(start, end)
        worth = quantity * price.minor * over * (denominator // below) * (YEAR // price.months)
        if not worth:
            continue  # the rest of a month that counts whole
        exact += worth
        amount, rest = divmod(exact if running else worth, parts)
        if rest:
            amount = rounded(exact if running else worth, parts, mode)
        if running:
            amount -= charged
        charged += amount
        lines.append(
            Line(period, item, kind, to_date(start), to_date(end), quantity, price, amount, worth, before, after, news)
        )
    so_far.exact_parts, so_far.minor = exact, charged
    return so_far


def _changes(period: Period, held: list[Stretch[Holding]], due: list[Stretch[Holding]]) -> Iterator[_Change]:
    """One change where a quantity or a price moved, two where both did: the seats that stay, and the others.

    Prices of different months or tax rates have no difference that one line could show: the old goes, the new comes.
    """
    taxed = period.policy.is_taxed
    for start, end, before, after in compare(held, due):
        if before is None:
            assert after is not None
            yield "rise", start, end, after[0], after[1], None, after
            continue
        if after is None:
            yield "fall", start, end, -before[0], before[1], before, None
            continue
        (quantity_before, price_before), (quantity, price) = before, after
        more = quantity - quantity_before
        if price == price_before:
            yield "rise" if more > 0 else "fall", start, end, more, price, before, after
            continue
        if price.months != price_before.months or (taxed and _taxed_apart(period, price, price_before)):
            yield "fall", start, end, -quantity_before, price_before, before, None
            yield "rise", start, end, quantity, price, None, after
            continue
        dearer = price.minor - price_before.minor
        stay = min(quantity, quantity_before)
        between = (stay, price)
        if more < 0:
            yield "fall", start, end, more, price_before, before, (stay, price_before)
        moved: LineKind = "plan" if price.plan != price_before.plan else "price"
        step = Price(abs(dearer), price.months, price.plan)
        yield moved, start, end, stay if dearer > 0 else -stay, step, (stay, price_before), between
        if more > 0:
            yield "rise", start, end, more, price, between, after


def _taxed_apart(period: Period, one: Price, two: Price) -> bool:
    return one.plan != two.plan and period.tax_rate("", one.plan) != period.tax_rate("", two.plan)
