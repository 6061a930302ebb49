"""From the seats that were measured to the seats that are billed."""

from __future__ import annotations

from prorata.engine.policy.model import SeatRules
from prorata.engine.steps import Window, joined


def billed_quantity(rules: SeatRules, window: Window[int]) -> Window[int]:
    """Never fewer than the minimum."""
    if not rules.minimum:
        return window
    return joined([(day, max(value, rules.minimum)) for day, value in window])
