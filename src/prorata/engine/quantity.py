"""From the seats that were measured to the seats that are billed."""

from __future__ import annotations

from prorata.engine.policy.model import SeatRules
from prorata.engine.steps import Window


def billed_quantity(rules: SeatRules, window: Window[int]) -> Window[int]:
    """Never fewer than the minimum."""
    if not rules.minimum:
        return window
    held: Window[int] = []
    for day, value in window:
        quantity = max(value, rules.minimum)
        if not held or held[-1][1] != quantity:
            held.append((day, quantity))
    return held
