"""What seats and add-ons cost on each day of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from prorata.engine.known import Held, Known, Terms
from prorata.engine.period import Period
from prorata.engine.policy.tariff import Price, Tariff, Tier
from prorata.engine.refusal import CannotBill
from prorata.engine.steps import Span, Window, joined


def seat_prices(known: Known, period: Period, span: Span) -> Window[Price]:
    """The price of a seat over the days of the span, where all cost the same: the plan's, or the one agreed."""
    terms = known.terms.window(span)
    if len(terms) == 1:
        return [(span[0], _seat_price(terms[0][1], period))]
    return joined([(day, _seat_price(each, period)) for day, each in terms])


def _seat_price(terms: Terms, period: Period) -> Price:
    return terms.agreed.get(period.interval) or period.plan_prices.get(terms.plan) or _no_price(terms.plan, period)


def _no_price(plan: str, period: Period) -> Price:
    raise CannotBill(
        f"plan {plan} has no price for interval {period.interval}; "
        f"give the agreed one in the column price, or add it to the policy"
    )


def tariffs(known: Known, period: Period, span: Span) -> Window[Tariff]:
    """What seats of every kind cost over the days of the span: the plan's tariff, with the price agreed if any."""
    return joined([(day, _tariff(each, period)) for day, each in known.terms.window(span)])


def _tariff(terms: Terms, period: Period) -> Tariff:
    listed = period.tariffs.get(terms.plan)
    agreed = terms.agreed.get(period.interval)
    if agreed is None:
        if listed is None:
            _no_price(terms.plan, period)
        assert listed is not None
        return listed
    if listed is None:
        return Tariff({"": (Tier(0, agreed, None),)}, {}, graduated=False)
    plain = listed.tiers.get("", (Tier(0, agreed, None),))
    if listed.graduated:
        plain = plain[:1]
    return replace(listed, tiers={**listed.tiers, "": tuple(replace(tier, price=agreed) for tier in plain)})


def tiers_of(tariff: Tariff, role: str, period: Period) -> tuple[Tier, ...]:
    """The tiers of a role's seats; a role without any has those of the plan."""
    tiers = tariff.tiers.get(role) or tariff.tiers.get("")
    if tiers is None:
        plan = next(iter(tariff.tiers.values()))[0].price.plan
        raise CannotBill(
            f"plan {plan} has prices for some roles only, for interval {period.interval}; "
            "add a price without a role to the policy"
        )
    return tiers


def tier_at(tiers: tuple[Tier, ...], count: int) -> Tier:
    """The tier of so many seats."""
    return next((tier for tier in reversed(tiers) if tier.above < count), tiers[0])


def base_of(tariff: Tariff, count: int) -> Price | None:
    """What a plan costs beside so many seats, if anything."""
    tiers = tariff.tiers.get("", ())
    reached = [tier for tier in tiers if tier.above < max(count, 1)] if not tariff.graduated else tiers[:1]
    return next((tier.base for tier in reversed(reached) if tier.base is not None), None)


def yearly(tariff: Tariff, counts: Mapping[str, int], period: Period) -> int:
    """What a year of so many seats of each role costs, in minor units: which of two plans is the dearer."""
    base = base_of(tariff, counts[""])
    total = base.yearly_minor if base else 0
    for role, count in counts.items():
        if count:
            total += sum(quantity * price.yearly_minor for quantity, price in sold(tariff, role, count, period))
    return total


def sold(tariff: Tariff, role: str, count: int, period: Period) -> list[tuple[int, Price]]:
    """How many seats of a role at which price; each tier apart where prices are graduated."""
    if not count:
        return []
    tiers = tiers_of(tariff, role, period)
    if not tariff.graduated or len(tiers) == 1:
        return [(count, tier_at(tiers, count).price)]
    past = [tier.above for tier in tiers[1:]] + [count]
    return [
        (min(count, end) - tier.above, tier.price) for tier, end in zip(tiers, past, strict=True) if count > tier.above
    ]


def add_on_price(item: str, held: Held, period: Period) -> Price:
    """The price of one unit of an add-on: the list's, or the one agreed with the account."""
    price = held.agreed or period.add_on_prices.get(item)
    if price is None:
        raise CannotBill(
            f"add-on {item} has no price for interval {period.interval}; "
            f"give the agreed one in the column price, or add it to the policy"
        )
    return price
