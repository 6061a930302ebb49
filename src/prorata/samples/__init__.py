"""Sample histories: a year in the life of a few accounts, made up for the demo, the tutorial and the tests."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files


def sample_text(name: str) -> str:
    """A sample history as CSV: `clinics`, `workshops` or `offices`."""
    return files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Show:
    """One part of the demo: a sample billed under a policy up to a day, and in words what it shows."""

    policy: str
    sample: str
    through: date
    words: str


def shows() -> tuple[Show, ...]:
    """The parts of the demo, in order."""
    told = tomllib.loads(files(__package__).joinpath("demo.toml").read_text(encoding="utf-8"))
    return tuple(Show(**show) for show in told["show"])
