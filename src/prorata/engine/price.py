"""What a seat or an add-on costs on each day of a period."""

from __future__ import annotations

from prorata.engine.calendar import Day
from prorata.engine.known import Held, Known, Terms
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Window


def seat_prices(known: Known, period: Period, end: Day) -> Window[Price]:
    """The price of a seat over the days of [period.start, end): the plan's, or the one agreed with the account."""
    delay = period.rules.seats.delay_days
    terms = known.terms.window(period.start, end, delay, opening=period.start == known.start)
    prices = [(terms[0][0], _seat_price(terms[0][1], period))]
    if len(terms) == 1:
        return prices
    for day, term in terms[1:]:
        price = _seat_price(term, period)
        if price != prices[-1][1]:
            prices.append((day, price))
    return never_cheaper(prices) if period.rules.fall.give == "nothing" else prices


def never_cheaper(prices: Window[Price]) -> Window[Price]:
    """What costs less keeps its price to the period's end."""
    kept = [prices[0]]
    for day, price in prices[1:]:
        held = kept[-1][1]
        if price.minor * held.months > held.minor * price.months:
            kept.append((day, price))
    return kept


def _seat_price(terms: Terms, period: Period) -> Price:
    agreed = terms.agreed.get(period.interval)
    listed = agreed or period.list_price(terms.plan)
    if listed is None:
        raise CannotBill(
            f"plan {terms.plan} has no price for interval {period.interval}; "
            f"give the agreed one in the column price, or add it to the policy"
        )
    return listed


def add_on_price(item: str, held: Held, period: Period) -> Price:
    """The price of one unit of an add-on: the list's, or the one agreed with the account."""
    if held.agreed is not None:
        return held.agreed
    listed = period.add_on_price(item)
    if listed is None:
        raise CannotBill(
            f"add-on {item} has no price for interval {period.interval}; "
            f"give the agreed one in the column price, or add it to the policy"
        )
    return listed
