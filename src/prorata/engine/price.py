"""What a seat or an add-on costs on each day of a period."""

from __future__ import annotations

from prorata.engine.known import Held, Known, Terms
from prorata.engine.period import Period
from prorata.engine.policy.model import Price
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Span, Window, joined


def seat_prices(known: Known, period: Period, span: Span) -> Window[Price]:
    """The price of a seat over the days of the span: the plan's, or the one agreed with the account."""
    terms = known.terms.window(span)
    if len(terms) == 1:
        return [(span[0], _seat_price(terms[0][1], period))]
    return joined([(day, _seat_price(each, period)) for day, each in terms])


def _seat_price(terms: Terms, period: Period) -> Price:
    price = terms.agreed.get(period.interval) or period.plan_prices.get(terms.plan)
    if price is None:
        raise CannotBill(
            f"plan {terms.plan} has no price for interval {period.interval}; "
            f"give the agreed one in the column price, or add it to the policy"
        )
    return price


def add_on_price(item: str, held: Held, period: Period) -> Price:
    """The price of one unit of an add-on: the list's, or the one agreed with the account."""
    price = held.agreed or period.add_on_prices.get(item)
    if price is None:
        raise CannotBill(
            f"add-on {item} has no price for interval {period.interval}; "
            f"give the agreed one in the column price, or add it to the policy"
        )
    return price
