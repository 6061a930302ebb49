"""A policy as it is on one day, for ever, so that nothing changes in a story but what the story is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from prorata.engine.calendar import Day, Interval, to_date
from prorata.engine.policy.model import Policy, Rules, SeatRules, When
from prorata.engine.policy.tariff import Plan, PriceRow

_FOREVER = 10_000  # days: longer than any story


def held_still(policy: Policy, intervals: tuple[Interval, ...], at: Day, item: str, payment_method: str) -> Policy:
    """The policy with the prices, and an item's rules, of one day for ever; apart where they differ."""
    plans = {
        name: replace(plan, prices=tuple(row for one in intervals for row in _rows(plan, one, at, len(intervals))))
        for name, plan in policy.plans.items()
    }
    whens, variants = [], []
    for interval, name in product(intervals, policy.plans if policy.by_plan else (policy.default_plan,)):
        rules = policy.rules(interval, at, name, item, payment_method)
        variants.append(replace(rules, seats=_quiet(rules.seats)))
        whens.append(When(interval=interval, plan=name if policy.by_plan else None))
    if len(whens) == 1:
        return replace(policy, plans=plans, whens=(), variants={(): variants[0]})
    by_number: dict[tuple[int, ...], Rules] = {(number,): rules for number, rules in enumerate(variants)}
    return replace(policy, plans=plans, whens=tuple(whens), variants=by_number)


def _quiet(seats: SeatRules) -> SeatRules:
    """The rules without what a story would have to heed: nobody becomes idle, and no order is refused."""
    return replace(seats, below_active="allowed", idle_days=_FOREVER)


def _rows(plan: Plan, interval: Interval, at: Day, intervals: int) -> Iterator[PriceRow]:
    rows = {row.seats: row for row in plan.prices if row.covers(interval, to_date(at))}
    for row in rows.values():
        yield replace(row, interval=interval if intervals > 1 else None, from_=None, announced=None)
