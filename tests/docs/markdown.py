"""The parts of a Markdown file that tests look at: its fenced blocks, its links and its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE_NAME = re.compile(r"`([\w.-]+)`:\s*\Z")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and text, where the text begins in the file, and which file it is.

    `file_name` is what stands before it as `` `name`: ``, None where there is no such line.
    """

    language: str
    text: str
    offset: int
    line: int
    file_name: str | None


def blocks(path: Path) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        before = text[: found.start()]
        name = _FILE_NAME.search(before)
        yield Block(found[1], found[2], found.start(2), before.count("\n") + 2, name[1] if name else None)


def links(path: Path) -> Iterator[str]:
    """The targets of the links outside fenced blocks."""
    for found in _LINK.finditer(_FENCE.sub("", path.read_text(encoding="utf-8"))):
        yield found[1]


def anchors(path: Path) -> set[str]:
    """The names under which the headings of a file can be linked to."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
