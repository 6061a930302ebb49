"""A line is a stretch of days on which what is due is not what was billed."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter

from prorata.engine.calendar import to_date
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

    Exact worth is counted in whole parts of a minor unit, `period.scale.denominator` × 12 of them.
    """

    held: list[Stretch[Holding]]
    exact_parts: int = 0
    minor: int = 0


@dataclass(slots=True)
class Billed:
    """What the documents so far cover of one period, by item."""

    period: Period
    items: dict[str, Account] = field(default_factory=dict)
    last: int | None = None  # the day of the last document that billed some of it

    def add(self, line: Line, day: int) -> None:
        """`line` is on a document of this day now."""
        self.last = day
        start, end = line.start.toordinal(), line.end.toordinal()
        account = self.items.get(line.item)
        if account is None:
            account = self.items[line.item] = Account([])
        account.exact_parts += _parts(line.period, start, end, line.quantity, line.price)
        account.minor += line.amount_minor
        held = account.held
        if not held or held[-1][1] <= start:
            if line.after is not None:
                held.append((start, end, line.after))
            return
        kept = []
        for first, past, holding in held:
            if first < start:
                kept.append((first, min(past, start), holding))
            if past > end:
                kept.append((max(first, end), past, holding))
        if line.after is not None:
            kept.append((start, end, line.after))
            kept.sort(key=_START)
        account.held = kept


_START = itemgetter(0)


def _parts(period: Period, start: int, end: int, quantity: int, price: Price) -> int:
    scale = period.scale
    numerator, denominator = scale.months(start, end)
    return quantity * price.minor * numerator * (scale.denominator // denominator) * (YEAR // price.months)


def differences(billed: Billed, due: Due, news: tuple[Event, ...]) -> list[Line]:
    """The lines that lead from what was billed for the period to what is due for it, in order of item and day."""
    period = billed.period
    lines: list[Line] = []
    for item in due if not billed.items else [*due, *(item for item in billed.items if item not in due)]:
        account = billed.items.get(item)
        if account is None:
            _first_lines(period, item, due[item], news, lines)
        elif account.held != due.get(item):
            _next_lines(period, item, account, due.get(item, []), news, lines)
    return lines


def _first_lines(
    period: Period, item: str, due: list[Stretch[Holding]], news: tuple[Event, ...], lines: list[Line]
) -> None:
    rounding, below = period.rules.rounding, period.scale.denominator * YEAR
    exact = charged = 0
    for start, end, holding in due:
        quantity, price = holding
        worth = _parts(period, start, end, quantity, price)
        if not worth:
            continue
        exact += worth
        if rounding.stage == "running":
            amount = rounded(exact, below, rounding.mode) - charged
        else:
            amount = rounded(worth, below, rounding.mode)
        charged += amount
        lines.append(
            Line(period, item, "period", to_date(start), to_date(end), quantity, price, amount, None, holding, news)
        )


def _next_lines(
    period: Period,
    item: str,
    account: Account,
    due: list[Stretch[Holding]],
    news: tuple[Event, ...],
    lines: list[Line],
) -> None:
    rounding, below = period.rules.rounding, period.scale.denominator * YEAR
    exact, charged = account.exact_parts, account.minor
    for start, end, before, after in compare(account.held, due):
        for kind, quantity, price, was, will in _changes(before, after):
            worth = _parts(period, start, end, quantity, price)
            if not worth:
                continue
            exact += worth
            if rounding.stage == "running":
                amount = rounded(exact, below, rounding.mode) - charged
            else:
                amount = rounded(worth, below, rounding.mode)
            charged += amount
            lines.append(
                Line(period, item, kind, to_date(start), to_date(end), quantity, price, amount, was, will, news)
            )


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
