"""How a field of the language is written down: with its meaning and an example."""

from __future__ import annotations

from dataclasses import field
from typing import Any

_REQUIRED: Any = object()


def key(meaning: str, example: str, default: Any = _REQUIRED, *, name: str | None = None) -> Any:
    """A key of the language: what it means (Markdown), an example in TOML, and its default unless it must be given."""
    metadata = {"meaning": meaning, "example": example, "name": name}
    return field(metadata=metadata) if default is _REQUIRED else field(default=default, metadata=metadata)
