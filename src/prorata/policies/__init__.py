"""The policies that ship, and any other policy file by its path."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError, read_policy


def policy_names() -> tuple[str, ...]:
    """The names of the policies that ship, the presets among them."""
    return tuple(sorted(_files()))


def preset_names() -> tuple[str, ...]:
    """Those of them that are named for what they do, to start a policy of one's own from."""
    return tuple(sorted(_toml(files(__package__).joinpath("presets"))))


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
        raise PolicyError(
            [f"{name} is neither a policy that ships (prorata policy list names them) nor a file{hint}"]
        ) from None
    return read_policy(text, name=Path(name).stem, source=name)


def policy_text(name: str) -> str:
    """The file of a policy that ships, as it is written."""
    return _files()[name].read_text(encoding="utf-8")


@cache
def _files() -> dict[str, Traversable]:
    folder = files(__package__)
    return {**_toml(folder), **_toml(folder.joinpath("presets"))}


def _toml(folder: Traversable) -> dict[str, Traversable]:
    return {one.name.removesuffix(".toml"): one for one in folder.iterdir() if one.name.endswith(".toml")}


@cache
def _shipped(name: str) -> Policy:
    return read_policy(policy_text(name), name=name, source=f"{name}.toml")
