"""The reference of the API is what the API says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prorata.api.reference import pages, run
from tests.docs.markdown import ROOT


@pytest.mark.parametrize("name", ["api.md", "openapi.json"])
def test_the_committed_reference_is_what_the_api_says(name: str) -> None:
    """After a change to the API: `make docs`."""
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == pages()[name]


def test_the_reference_is_written_into_a_folder(tmp_path: Path) -> None:
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(pages())


def test_every_operation_says_what_it_does_and_what_can_be_wrong() -> None:
    described = json.loads(pages()["openapi.json"])
    for path, operations in described["paths"].items():
        for method, told in operations.items():
            assert told["description"].endswith("."), (method, path)
            assert {"400", "401", "403", "404", "409", "422"} < set(told["responses"])
            assert f"`{method.upper()} {path.removeprefix('/api/v1')}`" in pages()["api.md"]
