"""What is wrong with a policy, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a policy, at a path such as ("seats", "minimum")."""

    path: Path
    sentence: str


def tables(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The policy's own rules and those of each difference, with where they stand."""
    yield (), document
    for at, table in enumerate(document.get("when", ())):
        yield ("when", at), table


def where_written(document: Mapping[str, Any], chosen: tuple[int, ...], table: str, key: str) -> Path:
    """Where the value of a key stands that holds for some of the differences."""
    places = [at for at in chosen if key in document["when"][at].get(table, {})]
    return ("when", places[-1], table, key) if places else (table, key)
