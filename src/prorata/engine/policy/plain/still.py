"""A policy as it is on one day, for ever, so that nothing changes in a story but what the story is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from prorata.engine.calendar import Day, Interval, to_date
from prorata.engine.policy.model import OVERAGE, SEATS, Policy, Rules, When, seats_of
from prorata.engine.policy.tariff import Plan, PriceRow

_FOREVER = 10_000  # days: longer than any story


def held_still(policy: Policy, intervals: tuple[Interval, ...], at: Day, item: str, payment_method: str) -> Policy:
    """The policy with the prices, and an item's rules, of one day for ever; apart where they differ.

    The rules of a role hold for its seats, and beside them those of the whole invoice, which need no other seats. What
    is used beyond an order keeps its own.
    """
    role = next((role for role in policy.roles_apart if seats_of(role) == item), None)
    plans = {
        name: replace(plan, prices=tuple(row for one in intervals for row in _rows(plan, one, at, len(intervals))))
        for name, plan in policy.plans.items()
    }
    whens: list[When] = []
    variants: dict[tuple[int, ...], Rules] = {}
    for interval, name in product(intervals, policy.plans if policy.by_plan else (policy.default_plan,)):
        alone = When(interval=interval, plan=name if policy.by_plan else None)
        chosen = (len(whens),)
        whole = policy.rules(interval, at, name, "", payment_method)
        of_all = _quiet(policy.rules(interval, at, name, item if role is None else "", payment_method))
        is_later = of_all.period.charge != whole.period.charge  # an item in arrears, on an invoice in advance
        of_invoice = replace(of_all, period=whole.period) if is_later else of_all
        variants[chosen] = of_invoice if role is None else of_invoice.without_sizes()
        whens.append(alone)
        of_seats: tuple[int, ...] = chosen
        if is_later:
            variants[*chosen, len(whens)] = of_all
            of_seats = (*chosen, len(whens)) if item == SEATS else chosen
            whens.append(replace(alone, item=item))
        if role is not None:
            variants[*chosen, len(whens)] = _quiet(policy.rules(interval, at, name, item, payment_method))
            whens.append(replace(alone, role=role))
        if OVERAGE in policy.apart and item != OVERAGE:
            variants[*of_seats, len(whens)] = _quiet(policy.rules(interval, at, name, OVERAGE, payment_method))
            whens.append(replace(alone, item=OVERAGE))
    return replace(policy, plans=plans, whens=tuple(whens), variants=variants)


def _quiet(rules: Rules) -> Rules:
    """The rules without what a story would have to heed: nobody becomes idle, and no order is refused."""
    return replace(rules, seats=replace(rules.seats, below_active="allowed", idle_days=_FOREVER))


def _rows(plan: Plan, interval: Interval, at: Day, intervals: int) -> Iterator[PriceRow]:
    rows = {row.seats: row for row in plan.prices if row.covers(interval, to_date(at))}
    for row in rows.values():
        yield replace(row, interval=interval if intervals > 1 else None, from_=None, announced=None)
