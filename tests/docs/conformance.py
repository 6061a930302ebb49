"""The page of the conformance suite: every published rule, its policy and story, and how far it can be said.

`make docs` writes it; a test compares it with the folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "conformance"
PAGE = ROOT / "docs" / "reference" / "conformance.md"

_INTRODUCTION = """\
# Published rules, and how far the language says them

The seat-billing rules of {count} vendors, as they were published, told as policy files in our own words. Each has a
story with the documents that must come of it: the vendor's own worked example where there is one, otherwise a short one
that shows what is particular about the rule. What was decided where a rule is silent stands in the policy's `notes`.
`prorata check conformance/stories` runs them all, and so do the tests. This page is written from the files.

| | Rules |
| --- | ---: |
| said by a policy file | {said} of {count} |
| of these, the published example comes out as printed | {exact} |
| comes out with the rounding or convention that is stated | {stated} |
| has no published example | {none} |
| has a published example that contradicts itself, or leaves out what it takes to work it out | {unclear} |
| cannot be said yet | {open} |
"""


def page() -> str:
    """The page as Markdown."""
    stories = {path.stem: _read(path) for path in sorted((FOLDER / "stories").glob("*.toml"))}
    policies = {path.stem: _read(path) for path in sorted((FOLDER / "policies").glob("*.toml"))}
    open_ = {path.stem: _read(path) for path in sorted((FOLDER / "open").glob("*.toml"))}
    verdicts = [str(story["verdict"]) for story in stories.values()]
    told = _INTRODUCTION.format(
        count=len(stories) + len(open_),
        said=len(stories),
        exact=verdicts.count("exact"),
        stated=sum(verdict.startswith("exact,") for verdict in verdicts),
        none=verdicts.count("no example"),
        unclear=sum(verdict.startswith("example ") for verdict in verdicts),
        open=len(open_),
    )
    return "\n".join([told, *_said(policies, stories), *(["", *_open(open_)] if open_ else [])]) + "\n"


def _said(policies: dict[str, dict[str, object]], stories: dict[str, dict[str, object]]) -> Iterator[str]:
    yield "## Said by a policy file\n"
    yield "| Vendor | Policy | Story | Published example |"
    yield "| --- | --- | --- | --- |"
    for name, story in stories.items():
        policy = f"[policy](../../conformance/policies/{name}.toml)"
        told = f"[{story['title']}](../../conformance/stories/{name}.toml)"
        yield f"| {policies[name]['title']} | {policy} | {told} | {story['verdict']} |"


def _open(rules: dict[str, dict[str, object]]) -> Iterator[str]:
    yield "## Not yet\n"
    yield "| Vendor | The rule | What it needs |"
    yield "| --- | --- | --- |"
    for rule in rules.values():
        words = " ".join(str(rule["rule"]).split())
        yield f"| {rule['title']} | {words} | {rule['needs']} |"


def _read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
