"""The generator of policies: what it writes is read, or a law would fail for a reason that is none of its own."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from prorata.engine.policy.reading import PolicyError, read_document
from tests.engine.worlds import documents


def refused(document: dict[str, Any]) -> tuple[str, ...]:
    """The sentences with which a policy is refused."""
    try:
        read_document(document, name="generated", source="generated")
    except PolicyError as error:
        return error.sentences
    return ()


@given(documents() | documents(rounding="line"))
@settings(max_examples=500)
def test_every_policy_that_is_generated_is_read(document: dict[str, Any]) -> None:
    assert refused(document) == ()
