"""How many seats the account of an example has, so that one more and one fewer can be seen in what it pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prorata.engine.policy.model import SeatRules

_MOST = 500  # seats of an example


@dataclass(frozen=True, slots=True)
class Sizes:
    """`seats` of which one more costs more, `before_fall` of which `fewer` less cost less, and not nothing.

    `is_felt` says whether there are any. `crossing` is the number after which the seats come into another tier; None
    where there is none. `is_named` says whether the seats are a number that the amounts alone would not tell.
    """

    seats: int
    before_fall: int
    fewer: int
    is_felt: bool
    crossing: int | None
    is_named: bool


def sizes_of(
    rules: SeatRules, costs: Callable[[int], int], billed: Callable[[int], int], tiers: Sequence[int]
) -> Sizes:
    """The sizes by what so many seats cost, how many of them are billed, and the numbers above which tiers begin."""
    usual = max(3, rules.minimum + 2, rules.included + 2)
    most = usual + max((0, *rules.packages)) + 1
    felt = {count for count in range(1, most + 2) if costs(count - 1) < costs(count)}
    fewer = {count for count in felt if billed(count - 1)}
    counts = [*range(usual, most + 1), *range(usual - 1, 0, -1)]
    rising = [count for count in counts if count + 1 in felt]
    falling = [count for count in counts if fewer and count >= min(fewer)]
    both = [count for count in rising if count in falling]
    crossings = list(_crossings(billed, tiers, most))
    steps = [count for count in _around(crossings) if costs(count) < costs(count + 1)]
    paid = [count for count in steps if costs(count)]
    found = (*both, *rising, *paid, *steps, usual)[0]
    down = falling + [count + 1 for count in crossings if costs(count) < costs(count + 1) and billed(count)]
    before = found if found in falling else (*down, usual)[0]
    return Sizes(
        found,
        before,
        _fewer(before, costs, billed),
        is_felt=bool(rising or steps),
        crossing=next(iter(crossings), None),
        is_named=not rising and bool(steps),
    )


def _crossings(billed: Callable[[int], int], tiers: Sequence[int], most: int) -> Iterator[int]:
    """The numbers of seats after which one more is billed in another tier."""
    last = max(tiers, default=0)
    for count in range(1, min(last + most, _MOST) if last else 0):
        if any(billed(count) <= above < billed(count + 1) for above in tiers):
            yield count


def _around(crossings: Sequence[int]) -> list[int]:
    """The numbers before a border, then those behind it."""
    return [*crossings, *(count + 1 for count in crossings)]


def _fewer(seats: int, costs: Callable[[int], int], billed: Callable[[int], int]) -> int:
    """How many of so many seats have to go for it to cost less, and not none to be left."""
    return next((less for less in range(1, seats) if billed(seats - less) and costs(seats - less) < costs(seats)), 1)
