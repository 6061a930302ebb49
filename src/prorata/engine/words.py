"""Words that are counted and listed alike wherever something is told."""

from __future__ import annotations

from collections.abc import Iterable


def plural(word: str, count: int) -> str:
    """`seat` of one, `seats` of any other number."""
    return word if count == 1 else f"{word}s"


def days(count: int) -> str:
    """`1 day`, `5 days`."""
    return f"{count} {plural('day', count)}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    *rest, end = words
    return f"{', '.join(rest)} {last} {end}" if rest else end


def some_of(words: Iterable[str], most: int = 8) -> str:
    """`a, b, c`, and of more than are told how many: `… and 3 more`."""
    said = list(words)
    return ", ".join(said[:most]) + (f" and {len(said) - most} more" if len(said) > most else "")
