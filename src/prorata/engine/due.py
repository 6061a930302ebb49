"""What is due for a billing period by what is known: for each item, how many at which price on which days."""

from __future__ import annotations

from typing import TypeAlias

from prorata.engine.aggregate import seats
from prorata.engine.change import counts_in_effect, prices_in_effect
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.price import add_on_price, seat_prices
from prorata.engine.quantity import billed_quantity
from prorata.engine.steps import Span, Window, joined, pieces

SEATS, BASE = "seats", "base"
Holding: TypeAlias = tuple[int, Price]  # so many, at this price
Due: TypeAlias = dict[str, Window[Holding | None]]


def due(known: Known, period: Period) -> Due:
    """Everything that should be billed for the period once it is, item by item."""
    span = known.span(period)
    if span is None:
        return {}
    at_once = period.rise_waits is None and period.fall_waits is None
    quantities = billed_quantity(period.rules.seats, seats(known, period, span))
    prices = seat_prices(known, period, span)
    if not at_once:
        quantities, prices = counts_in_effect(period, quantities), prices_in_effect(period, prices)
    items = {SEATS: _held(quantities, prices, span, period)}
    if period.base_prices:
        fees = joined([(day, period.base_prices.get(terms.plan, _NOTHING)) for day, terms in known.terms.window(span)])
        items[BASE] = _held([(span[0], 1)], fees if at_once else prices_in_effect(period, fees), span, period)
    for item, steps in known.add_ons.items():
        window = steps.window(span)
        units: Window[int] = [(day, held.quantity) for day, held in window]
        costs = [(day, add_on_price(item, held, period) if held.quantity else _NOTHING) for day, held in window]
        if not at_once:
            units, costs = counts_in_effect(period, units), prices_in_effect(period, costs)
        add_on = period.policy.add_ons.get(item)
        if add_on is not None and add_on.charge == "seat":
            units = [(day, each * seats) for day, _, each, seats in pieces(units, quantities, span[1])]
        items[item] = _held(joined(units), joined(costs), span, period)
    return items


def _held(quantities: Window[int], prices: Window[Price], span: Span, period: Period) -> Window[Holding | None]:
    """What is held on each day of the period, None where that is nothing or costs nothing."""
    held: Window[Holding | None]
    if len(prices) == 1:
        price = prices[0][1]
        if not price.minor:
            return [(period.start, None)]
        held = []
        for day, count in quantities:
            held.append((day, (count, price) if count else None))
    else:
        both = pieces(quantities, prices, span[1])
        held = joined([(day, (count, price) if count and price.minor else None) for day, _, count, price in both])
    start, end, _, _ = span
    if end < period.end and held[-1][1] is not None:
        held.append((end, None))
    if start > period.start:
        held = joined([(period.start, None), *held])
    return held


_NOTHING = Price(0, 1)
