"""The reference of the policy language is what the model says, and its examples are read."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from prorata.console.reference import BESIDE, block, pages, run
from prorata.engine.policy.language import Key, json_schema, keys_of, tables
from prorata.engine.policy.reading import PolicyError, read_policy
from prorata.policies import policy_names, policy_text
from tests.docs.markdown import ROOT, blocks

REFERENCE = ROOT / "docs" / "reference"
KEYS = [(path, key) for path, table in tables() for key in keys_of(table)]

# What every policy has; an example replaces what it says itself.
_SCALARS = {"currency": 'currency = "EUR"', "intervals": 'intervals = ["month", "year"]'}
_PLANS = '[plans.standard]\nprice = "10.00 per month"'


def whole(example: str) -> str:
    """A complete policy with the example in its place."""
    said = tomllib.loads(example)
    before = [line for name, line in _SCALARS.items() if name not in said]
    return "\n".join([*before, example, *([] if "plans" in said else [_PLANS])])


def _named(value: object) -> str:
    return value.name if isinstance(value, Key) else str(value) or "file"


@pytest.mark.parametrize("name", pages())
def test_the_committed_reference_is_what_the_model_says(name: str) -> None:
    """After a change to the model: `make docs`."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages()[name]


def test_the_reference_is_written_into_a_folder(tmp_path: Path) -> None:
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(pages())


@pytest.mark.parametrize(("path", "key"), KEYS, ids=_named)
def test_every_key_is_described_and_its_example_is_read(path: str, key: Key) -> None:
    assert key.meaning
    read_policy(whole(block(path, key)), name="example", source="example.toml")


@pytest.mark.parametrize(("path", "key"), KEYS, ids=_named)
def test_an_example_states_the_key_it_is_for(path: str, key: Key) -> None:
    said: Any = tomllib.loads(block(path, key))
    for part in path.removeprefix("….").split(".") if path and path != "….prices" else ():
        said = said[0][part] if isinstance(said, list) else said.get(part) or next(iter(said.values()))
    shown = json.dumps(said, default=str)
    assert f'"{key.name}": ' in shown or (key.name == "prices" and '"price": ' in shown)


@pytest.mark.parametrize(("path", "name"), BESIDE)
def test_a_key_that_needs_another_is_refused_without_it(path: str, name: str) -> None:
    key = next(one for at, one in KEYS if (at, one.name) == (path, name))
    alone = block(path, key)
    for part in BESIDE[path, name].split("\n\n"):
        alone = alone.replace(part, "")
    with pytest.raises(PolicyError):
        read_policy(whole(alone), name="example", source="example.toml")


def test_every_toml_block_of_the_page_is_read() -> None:
    shown = [one for one in blocks(REFERENCE / "policy.md") if one.language == "toml"]
    assert len(shown) == len(KEYS) + 2  # the shortest policy, and rules in a [[when]]
    for one in shown:
        read_policy(whole(one.text), name="example", source=f"policy.md, line {one.line}")


@pytest.mark.parametrize("name", policy_names())
def test_the_schema_accepts_the_policies_that_ship(name: str) -> None:
    document = json.loads(json.dumps(tomllib.loads(policy_text(name)), default=date.isoformat))
    jsonschema: Any = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(json_schema()).validate(document)
