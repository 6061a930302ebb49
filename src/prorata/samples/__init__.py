"""Sample histories: a year in the life of a few accounts, made up for the demo, the tutorial and the tests."""

from __future__ import annotations

from importlib.resources import files


def sample_text(name: str) -> str:
    """A sample history as CSV: `clinics`, `workshops` or `offices`."""
    return files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
