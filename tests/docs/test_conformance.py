"""The conformance suite: its files belong together, its policies can be told, and its page says what is there."""

from __future__ import annotations

import pytest

from prorata.engine.policy.plain import tell
from prorata.policies import load_policy
from tests.docs.conformance import FOLDER, PAGE, page

STORIES, POLICIES, OPEN = (
    {path.stem for path in (FOLDER / folder).glob("*.toml")} for folder in ("stories", "policies", "open")
)


def test_every_rule_has_a_policy_and_a_story_or_says_what_is_missing() -> None:
    assert STORIES == POLICIES
    assert not STORIES & OPEN
    assert len(STORIES | OPEN) == 104


def test_the_committed_page_is_what_the_files_say() -> None:
    """After a change to conformance/: `make docs`."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_its_policy_is_accepted_and_told_in_sentences_with_examples(name: str) -> None:
    policy = load_policy(str(FOLDER / "policies" / f"{name}.toml"))
    parts = tell(policy)
    assert any(sentence.example for part in parts for sentence in part.sentences)
