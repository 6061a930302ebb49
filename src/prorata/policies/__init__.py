"""The policies that ship, and any other policy file by its path."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError, read_policy


def policy_names() -> tuple[str, ...]:
    """The names of the policies that ship."""
    return tuple(
        sorted(one.name.removesuffix(".toml") for one in files(__package__).iterdir() if one.name.endswith(".toml"))
    )


def load_policy(name: str) -> Policy:
    """A policy that ships, by its name, or a policy file, by its path; raises PolicyError."""
    if name in policy_names():
        return _shipped(name)
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError([f"{name} is not UTF-8 text; save it as UTF-8"]) from None
    except OSError as error:
        if name.endswith(".toml"):
            raise PolicyError([f"{name} cannot be read: {error.strerror}"]) from None
        near = get_close_matches(name, policy_names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        ships = ", ".join(policy_names())
        raise PolicyError([f"{name} is neither a policy that ships ({ships}) nor a file{hint}"]) from None
    return read_policy(text, name=Path(name).stem, source=name)


def policy_text(name: str) -> str:
    """The file of a policy that ships, as it is written."""
    return files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


@cache
def _shipped(name: str) -> Policy:
    return read_policy(policy_text(name), name=name, source=f"{name}.toml")
