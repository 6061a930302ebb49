"""An account that cannot be billed, and why, in a sentence."""

from __future__ import annotations


class CannotBill(ValueError):
    """A history and a policy that do not fit together: no start, no price, no seats ever bought."""
