"""What is due for a billing period by what is known: for each item, how many at which price on which days."""

from __future__ import annotations

from typing import TypeAlias

from prorata.engine.aggregate import rising, seats
from prorata.engine.calendar import Day
from prorata.engine.known import Held, Known
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.price import add_on_price, never_cheaper, seat_prices
from prorata.engine.quantity import billed_quantity
from prorata.engine.steps import Steps, Stretch, Window, stretches, together

SEATS = "seats"
Holding: TypeAlias = tuple[int, Price]  # so many, at this price
Due: TypeAlias = dict[str, list[Stretch[Holding]]]


def due(known: Known, period: Period) -> Due:
    """Everything that should be billed for the period once it is; days that cost nothing are left out."""
    end = known.ends(period)
    if end <= period.start:
        return {}
    quantities = billed_quantity(period.rules.seats, seats(known, period, end))
    if period.rules.fall.give == "nothing" and len(quantities) > 1:
        quantities = rising(quantities)
    items: Due = {}
    _put(items, SEATS, quantities, seat_prices(known, period, end), period, end)
    for item, steps in known.add_ons.items():
        _put(items, item, *_add_on(known, period, end, item, steps, quantities), period, end)
    return items


def _put(items: Due, item: str, quantities: Window[int], prices: Window[Price], period: Period, end: Day) -> None:
    """The item's stretches; what costs nothing is left out, and so are days worth nothing (share.by = months)."""
    held: list[Stretch[Holding]] = []
    if len(prices) == 1:
        price = prices[0][1]
        if price.minor:
            past = end
            for start, quantity in reversed(quantities):
                if quantity and start < past:
                    held.append((start, past, (quantity, price)))
                past = start
            held.reverse()
    else:
        for start, past, holding in stretches(together(quantities, prices), end):
            if holding[0] and holding[1].minor:
                held.append((start, past, holding))
    if period.rules.share.by == "months":
        held = [stretch for stretch in held if period.scale.worth(stretch[0], stretch[1])[0]]
    if held:
        items[item] = held


def _add_on(
    known: Known, period: Period, end: Day, item: str, steps: Steps[Held], seat_quantities: Window[int]
) -> tuple[Window[int], Window[Price]]:
    rules = period.rules
    delay = rules.seats.delay_days
    window = steps.window(period.start, end, delay, opening=period.start == known.start)
    prices = [(day, add_on_price(item, held, period) if held.quantity else _NOTHING) for day, held in window]
    quantities = [(day, held.quantity) for day, held in window]
    if rules.fall.give == "nothing":
        prices, quantities = never_cheaper(prices), rising(quantities)
    add_on = period.policy.add_ons.get(item)
    if add_on is not None and add_on.charge == "seat":
        both = together(quantities, seat_quantities)
        quantities = [(day, each * seats) for day, (each, seats) in both]
    return quantities, prices


_NOTHING = Price(0, 1)
