"""A line is a stretch of days on which what is due is not what was billed."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter

from prorata.engine.calendar import Day, to_date
from prorata.engine.document import Line, LineKind
from prorata.engine.due import Due, Holding
from prorata.engine.history import Event
from prorata.engine.money import rounded
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.share import YEAR
from prorata.engine.steps import Stretch, compare


@dataclass(slots=True)
class Account:
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
    items: dict[str, Account] = field(default_factory=dict)
    last: Day | None = None  # the day of the last document that billed some of it

    def add(self, line: Line, day: int) -> None:
        """`line` is on a document of this day."""
        self.last = day
        account = self.items.setdefault(line.item, Account([]))
        account.exact_parts += line.exact_parts
        account.minor += line.amount_minor
        start, end = line.start.toordinal(), line.end.toordinal()
        kept = []
        for first, past, holding in account.held:
            if first < start:
                kept.append((first, min(past, start), holding))
            if past > end:
                kept.append((max(first, end), past, holding))
        if line.after is not None:
            kept.append((start, end, line.after))
        account.held = sorted(kept, key=itemgetter(0))


@dataclass(slots=True)
class Open:
    """What is due for a period and not billed: the lines, and what the period's items come to with them."""

    billed: Billed
    lines: list[Line]
    items: dict[str, Account]

    def settle(self, day: int) -> None:
        """The lines are on a document of this day."""
        self.billed.items.update(self.items)
        self.billed.last = day


class _Writer:
    """Writes the lines of one item and period one after the other, keeping the running totals."""

    __slots__ = ("charged", "exact", "item", "lines", "mode", "news", "period", "running")

    def __init__(
        self, period: Period, item: str, exact: int, charged: int, news: tuple[Event, ...], lines: list[Line]
    ) -> None:
        self.period = period
        self.item = item
        self.news = news
        self.lines = lines
        self.exact = exact
        self.charged = charged
        self.mode = period.rules.rounding.mode
        self.running = period.rules.rounding.stage == "running"

    def write(
        self,
        kind: LineKind,
        start: Day,
        end: Day,
        quantity: int,
        price: Price,
        before: Holding | None,
        after: Holding | None,
    ) -> None:
        """One line; a stretch that is worth nothing (the rest of a month that counts whole) gives none."""
        period = self.period
        scale = period.scale
        numerator, denominator = scale.months(start, end)
        worth = quantity * price.minor * numerator * (scale.denominator // denominator) * (YEAR // price.months)
        if not worth:
            return
        self.exact += worth
        if self.running:
            amount = rounded(self.exact, scale.denominator * YEAR, self.mode) - self.charged
        else:
            amount = rounded(worth, scale.denominator * YEAR, self.mode)
        self.charged += amount
        first, past = to_date(start), to_date(end)
        self.lines.append(
            Line(period, self.item, kind, first, past, quantity, price, amount, worth, before, after, self.news)
        )


def differences(billed: Billed, due: Due, news: tuple[Event, ...], look: Day) -> Open | None:
    """What leads from what was billed for the period to what is due for it, in order of item and day, if anything."""
    first: LineKind = "period" if look == billed.released else "rise"
    lines: list[Line] = []
    items: dict[str, Account] = {}
    for item in due if not billed.items else [*due, *(item for item in billed.items if item not in due)]:
        account = billed.items.get(item)
        held = due.get(item, [])
        if account is None:
            writer = _Writer(billed.period, item, 0, 0, news, lines)
            for start, end, holding in held:
                writer.write(first, start, end, holding[0], holding[1], None, holding)
        elif account.held == held:
            continue
        else:
            writer = _Writer(billed.period, item, account.exact_parts, account.minor, news, lines)
            for start, end, before, after in compare(account.held, held):
                for kind, quantity, price, was, will in _changes(before, after):
                    writer.write(kind, start, end, quantity, price, was, will)
        items[item] = Account(held, writer.exact, writer.charged)
    return Open(billed, lines, items) if lines else None


_Change = tuple[LineKind, int, Price, Holding | None, Holding | None]


def _changes(before: Holding | None, after: Holding | None) -> list[_Change]:
    """One change for a quantity or a price that moved, two where both did: the seats that stay, and the others."""
    if before is None:
        assert after is not None
        return [("rise", after[0], after[1], None, after)]
    if after is None:
        return [("fall", -before[0], before[1], before, None)]
    (quantity_before, price_before), (quantity, price) = before, after
    more = quantity - quantity_before
    if price == price_before:
        return [("rise" if more > 0 else "fall", more, price, before, after)]
    if price.months != price_before.months:
        return [("fall", -quantity_before, price_before, before, None), ("rise", quantity, price, None, after)]
    dearer = price.minor - price_before.minor
    step = Price(abs(dearer), price.months, price.plan)
    stay = min(quantity, quantity_before)
    both: list[_Change] = []
    if more < 0:
        both.append(("fall", more, price_before, before, (stay, price_before)))
    between = (stay, price)
    moved: LineKind = "plan" if price.plan != price_before.plan else "price"
    both.append((moved, stay if dearer > 0 else -stay, step, (stay, price_before), between))
    if more > 0:
        both.append(("rise", more, price, between, after))
    return both
