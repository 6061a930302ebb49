"""From the seats that were measured to the seats that are billed."""

from __future__ import annotations

from prorata.engine.policy.model import SeatRules
from prorata.engine.steps import Window, joined


def billed_quantity(rules: SeatRules, window: Window[int]) -> Window[int]:
    """At least the minimum, in whole packages, without those that are included, and at most the maximum."""
    least = rules.minimum
    if least:
        window = [(day, value if value > least else least) for day, value in window]
    elif not rules.sold_apart:
        return window
    return joined([(day, _sold(rules, value)) for day, value in window] if rules.sold_apart else window)


def _sold(rules: SeatRules, count: int) -> int:
    """In whole packages, without those that are included, and at most the maximum."""
    if rules.packages:
        count = _packed(rules.packages, count)
    count = max(count - rules.included, 0)
    return min(count, rules.maximum) if rules.maximum else count


def _packed(packages: tuple[int, ...], count: int) -> int:
    """The smallest number sold that holds all; none for nobody."""
    last = packages[-1]
    if count <= last:
        return next(size for size in (0, *packages) if size >= count)
    step = last - (0, *packages)[-2]
    return last + -(-(count - last) // step) * step
