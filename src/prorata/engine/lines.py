"""A line is a stretch of days on which what is due is not what was billed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeAlias

from prorata.engine.calendar import Day, Moment, speak_point
from prorata.engine.document import Line, LineKind
from prorata.engine.due import Due, Holding
from prorata.engine.history import Event
from prorata.engine.issued import IssuedLine
from prorata.engine.money import rounded
from prorata.engine.period import Period
from prorata.engine.policy.model import BASE, is_taken
from prorata.engine.policy.tariff import Price
from prorata.engine.refusal import CannotBill
from prorata.engine.rounding import amount
from prorata.engine.steps import Window, overlaid, pieces


@dataclass(slots=True)
class ItemBilled:
    """What was billed of one item in one period: on each day, its exact worth, and what was charged for it.

    Exact worth is counted in parts of a minor unit, as Period.parts says.
    """

    held: Window[Holding | None]
    exact_parts: int = 0
    minor: int = 0


@dataclass(slots=True)
class Billed:
    """What the documents so far cover of one period, by item.

    `released` is the day on which it was first looked at. What was recorded before `known_until` is in what it was
    billed: what the last document that billed some of it knew, and of a period not billed yet the beginning of the
    day on which it was released, for had there been something, it would have been billed.
    """

    period: Period
    released: Day
    known_until: Moment
    items: dict[str, ItemBilled] = field(default_factory=dict)

    def add(self, line: IssuedLine, known_until: Moment) -> None:
        """`line` is on a document that knew things up to a moment. Raises CannotBill where the rules have changed."""
        self.known_until = known_until
        period = self.period.of(line.item)
        ticks = period.policy.ticks
        so_far = self.items.setdefault(line.item, ItemBilled([(period.start, None)]))
        numerator, denominator = line.exact_worth
        parts, rest = divmod(numerator * period.parts, denominator)
        if rest:
            raise CannotBill(
                f"the period from {speak_point(period.start, ticks)} was billed in shares that its rules do not have; "
                "the rules of a period cannot be changed once it is billed"
            )
        so_far.exact_parts += parts
        so_far.minor += line.amount_minor
        so_far.held = overlaid(so_far.held, line.start_day, line.end_day, period.end, line.after)


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


def seats_more(lines: Iterable[Line]) -> int:
    """How many seats more than were billed the lines have on the day with the most of them."""
    moves: dict[Day, int] = {}
    for line in lines:
        if line.kind in ("period", "rise", "fall") and line.item != BASE and is_taken(line.item):
            moves[line.start_day] = moves.get(line.start_day, 0) + line.quantity
            moves[line.end_day] = moves.get(line.end_day, 0) - line.quantity
    return max(accumulate(moves[day] for day in sorted(moves)), default=0)


_Piece: TypeAlias = tuple[Day, Day, Holding | None, Holding | None]
_Change: TypeAlias = tuple[LineKind, int, Price, Holding | None, Holding | None]


def differences(
    billed: Billed, due: Due, news: tuple[Event, ...], look: Day, first_news: tuple[Event, ...] = ()
) -> Open | None:
    """What leads from what was billed for the period to what is due for it, in order of item and day, if anything.

    `first_news` is what an item that is due later than the others is first billed with.
    """
    period, covered = billed.period, billed.items
    adds = period.stock is not None and period.stock.carried > 0
    first: LineKind = "rise" if covered or look != billed.released or adds else "period"
    nothing: Window[Holding | None] = [(period.start, None)]
    lines: list[Line] = []
    items: dict[str, ItemBilled] = {}
    for item in due | covered:
        held = due.get(item, nothing)
        so_far = covered.get(item) or ItemBilled(nothing)
        if so_far.held == held:
            continue
        own = period.of(item) if period.apart else period
        if own.is_later and item not in covered:
            items[item] = _write(own, item, "period", so_far, held, first_news, lines)
        else:
            items[item] = _write(own, item, first, so_far, held, news, lines)
    return Open(billed, lines, items) if lines else None


def _write(
    period: Period,
    item: str,
    new: LineKind,
    so_far: ItemBilled,
    due: Window[Holding | None],
    news: tuple[Event, ...],
    lines: list[Line],
) -> ItemBilled:
    """Adds the lines from what was billed of an item to what is due; gives what is billed with them.

    What nothing was billed for before is of kind `new`. By running totals a line is the rounded worth of all so far
    less what was charged for it, so that parts always add up to the whole.
    """
    held, exact, charged = so_far.held, so_far.exact_parts, so_far.minor
    rounding, mode = period.rounding, period.rules.rounding.mode
    parts, parts_of = period.parts, period.scale.parts
    told = len(lines)
    left_out = False
    changes = pieces(held, due, period.end)
    for start, end, before, after in _by_day(changes) if period.once else changes:
        if before == after:
            continue
        share = parts_of(start, end)
        for kind, quantity, price, one, other in _changes(new, before, after, period):
            worth = quantity * price.yearly_minor * share
            if not worth:
                left_out = True  # the rest of a month that counts whole, a plan that costs the same
                continue
            exact += worth
            if rounding is None:
                minor = rounded(exact, parts, mode) - charged
            else:
                minor = amount(rounding, start, end, quantity, price, worth, exact, charged)
            charged += minor
            line = (period, item, kind, start, end, quantity, price, minor, worth, one, other, news)
            lines.append(tuple.__new__(Line, line))  # Line(*line) in half the time
    if left_out:  # what is billed is what the lines say, no more, or whoever remembers the lines would not know
        for made in lines[told:]:
            held = overlaid(held, made.start_day, made.end_day, period.end, made.after)
    return ItemBilled(held if left_out else due, exact, charged)


def _by_day(changes: Iterable[_Piece]) -> Iterator[_Piece]:
    """What is paid once is told day by day: two on two days are two."""
    for start, end, before, after in changes:
        if before != after:
            yield from ((day, day + 1, before, after) for day in range(start, end))


def _changes(new: LineKind, before: Holding | None, after: Holding | None, period: Period) -> Iterable[_Change]:
    """One change where a quantity or a price moved, two where both did: the seats that stay, and the others."""
    if before is None:
        return ((new, after[0], after[1], None, after),) if after is not None else ()
    if after is None:
        return (("fall", -before[0], before[1], before, None),)
    (quantity_before, price_before), (quantity, price) = before, after
    if price is price_before or price == price_before:
        more = quantity - quantity_before
        return (("rise" if more > 0 else "fall", more, price, before, after),)
    return _moved(before, after, period)


def _moved(before: Holding, after: Holding, period: Period) -> Iterator[_Change]:
    """The changes where the price moved.

    Prices of different months or tax rates have no difference that one line could show: the old goes, the new comes.
    """
    (quantity_before, price_before), (quantity, price) = before, after
    if price.months != price_before.months or _taxed_apart(period, price, price_before):
        yield "fall", -quantity_before, price_before, before, None
        yield "rise", quantity, price, None, after
        return
    more = quantity - quantity_before
    dearer = price.minor - price_before.minor
    stay = min(quantity, quantity_before)
    between = (stay, price)
    if more < 0:
        yield "fall", more, price_before, before, (stay, price_before)
    moved: LineKind = "plan" if price.plan != price_before.plan else "price"
    step = Price(abs(dearer), price.months, price.plan, price.role, price.above)
    yield moved, stay if dearer > 0 else -stay, step, (stay, price_before), between
    if more > 0:
        yield "rise", more, price, between, after


def _taxed_apart(period: Period, one: Price, two: Price) -> bool:
    if not period.policy.is_taxed or one.plan == two.plan:
        return False
    return period.tax_rate("", one.plan) != period.tax_rate("", two.plan)
