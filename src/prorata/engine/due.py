"""What is due for a billing period by what is known: for each item, how many at which price on which days."""

from __future__ import annotations

from typing import TypeAlias

from prorata.engine.aggregate import rising, seats
from prorata.engine.calendar import Day
from prorata.engine.known import Held, Known
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.price import add_on_price, seat_prices
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
    _put(items, SEATS, together(quantities, seat_prices(known, period, end)), end)
    for item, steps in known.add_ons.items():
        _put(items, item, _add_on(known, period, end, item, steps, quantities), end)
    return items


def _put(items: Due, item: str, window: Window[Holding], end: Day) -> None:
    held = []
    for start, past, holding in stretches(window, end):
        if holding[0] and holding[1].minor:
            held.append((start, past, holding))
    if held:
        items[item] = held


def _add_on(
    known: Known, period: Period, end: Day, item: str, steps: Steps[Held], seat_quantities: Window[int]
) -> Window[Holding]:
    rules = period.rules
    delay = 1 if rules.seats.change_day == "not_billed" else 0
    window = steps.window(period.start, end, delay, opening=period.start == known.start)
    if rules.fall.give == "nothing":
        window = _kept(window)
    add_on = period.policy.add_ons.get(item)
    holdings: Window[Holding] = []
    if add_on is None or add_on.charge == "flat":
        for day, held in window:
            holdings.append((day, _holding(item, held, held.quantity, period)))
    else:
        for day, (held, seat_quantity) in together(window, seat_quantities):
            holdings.append((day, _holding(item, held, held.quantity * seat_quantity, period)))
    return holdings


def _holding(item: str, held: Held, quantity: int, period: Period) -> Holding:
    return (quantity, add_on_price(item, held, period)) if quantity else (0, _NOTHING)


_NOTHING = Price(0, 1)


def _kept(window: Window[Held]) -> Window[Held]:
    """What is ended or made fewer stays, at its price, to the period's end."""
    kept = [window[0]]
    for day, held in window:
        if day > kept[-1][0] and held.quantity >= kept[-1][1].quantity:
            kept.append((day, held))
    return kept
