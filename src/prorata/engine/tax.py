"""Tax is reckoned once per rate on the sum of a document's lines, and rounded once."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from prorata.engine.document import Line, Tax
from prorata.engine.money import RoundingMode, rounded


def taxes(lines: Iterable[Line]) -> tuple[Tax, ...]:
    """One entry per rate above zero, in the order of the lines (EN 16931, BR-CO-17)."""
    bases: dict[Fraction, int] = {}
    mode: RoundingMode = "half_up"
    for line in lines:
        rate = line.tax_rate
        if rate:
            mode = line.period.rules.rounding.mode
            bases[rate] = bases.get(rate, 0) + line.amount_minor
    return tuple(
        Tax(rate, base, rounded(base * rate.numerator, 100 * rate.denominator, mode)) for rate, base in bases.items()
    )
