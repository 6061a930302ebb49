"""What is wrong with a policy, and where."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a policy, at a path such as ("seats", "minimum")."""

    path: Path
    sentence: str
