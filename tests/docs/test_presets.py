"""The presets: each has a story and a page, its file is short, and pages and pictures are what the files say."""

from __future__ import annotations

import pytest

from prorata.engine.policy.plain import tell
from prorata.policies import load_policy, policy_names, policy_text, preset_names
from tests.docs.presets import FOLDER, STORIES, Preset, pages, picture, presets

PRESETS = presets()


def _named(preset: Preset) -> str:
    return preset.name


def test_every_preset_has_a_story_and_every_story_a_preset() -> None:
    assert {path.stem for path in STORIES.glob("*.toml")} == set(preset_names()) < set(policy_names())


def test_the_committed_pages_are_what_the_presets_say() -> None:
    """After a change to a preset or its story: `make docs`."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert committed == pages()


@pytest.mark.parametrize("preset", PRESETS, ids=_named)
def test_the_committed_picture_is_what_its_story_draws(preset: Preset) -> None:
    """After a change to the story or to how it is drawn: `make docs`."""
    assert (FOLDER / f"{preset.name}.svg").read_bytes() == picture(preset)


def test_there_is_no_picture_of_a_preset_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(preset_names())


@pytest.mark.parametrize("preset", PRESETS, ids=_named)
def test_a_story_shows_at_least_two_documents_that_differ(preset: Preset) -> None:
    documents = preset.billing.documents
    assert 2 <= len(documents) <= 4
    assert len({document.total_minor for document in documents}) > 1


@pytest.mark.parametrize("name", preset_names())
def test_its_file_is_short_and_begins_with_what_the_customer_experiences(name: str) -> None:
    words, _, rules = policy_text(name).partition("\n\n")
    assert all(line.startswith("#") for line in words.splitlines())
    assert 3 <= words.count(". ") + words.count(".\n") + 1 <= 8
    assert 8 <= len([line for line in rules.splitlines() if line.strip()]) <= 20
    assert "#" in rules, "nothing says what a vendor may change"


@pytest.mark.parametrize("name", preset_names())
def test_it_is_told_in_sentences_with_examples(name: str) -> None:
    policy = load_policy(name)
    assert policy.title
    assert policy.currency == "EUR"
    assert any(sentence.example for part in tell(policy) for sentence in part.sentences)


def test_no_two_presets_have_the_same_rules() -> None:
    rules = [load_policy(name).variants for name in preset_names()]
    assert all(one not in rules[:at] for at, one in enumerate(rules))
