"""What the documentation shows is what happens: its code runs, its commands print what it says, its links lead on."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from prorata.engine.words import listed
from prorata.subscriptions.people import MOVES
from tests.docs.markdown import FILES, ROOT, anchors, blocks, links
from tests.docs.shown import printed, rewrite


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_what_a_page_shows_is_what_happens(path: Path, tmp_path: Path) -> None:
    """After a change to what is printed: `python -m tests.docs.shown`, and read the difference."""
    for block, output in printed(path, tmp_path):
        assert block.text == output, f"{_named(path)}, line {block.line}"


EXAMPLE = """\
`name.txt`:

```text
one
two
three
```

```console
$ cat name.txt
one
…
$ cat \\
  name.txt
other
$ false
$ echo $?
0
```

```python
print(1 + 1)
```

```text
3
```
"""


def test_what_is_shown_wrong_is_noticed_and_can_be_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(EXAMPLE, encoding="utf-8")
    rewrite(page)
    right = EXAMPLE.replace("other\n", "one\ntwo\nthree\n").replace("$?\n0", "$?\n1").replace("\n3\n", "\n2\n")
    assert page.read_text(encoding="utf-8") == right


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_what_is_shown_as_toml_is_toml(path: Path) -> None:
    for block in blocks(path):
        if block.language == "toml":
            tomllib.loads(block.text)


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_every_block_has_a_language_that_is_checked(path: Path) -> None:
    known = {"console", "csv", "json", "jsonl", "python", "sh", "text", "toml"}
    assert {block.language for block in blocks(path)} <= known
    assert path.read_text(encoding="utf-8").count("```") == 2 * len(list(blocks(path))), "a fence that is not read"


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_links_lead_to_something(path: Path) -> None:
    for link in links(path):
        if re.match(r"https?:|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), f"{_named(path)}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{_named(path)}: {link}"


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index) if "://" not in link}
    pages = {path for path in FILES if index.parent in path.parents} - {index}
    assert sorted(_named(page) for page in pages - listed) == []


def test_the_readme_bills_a_history_in_eight_lines() -> None:
    first = next(block for block in blocks(ROOT / "README.md") if block.language == "python")
    assert len([line for line in first.text.splitlines() if line.strip()]) == 8


# Written in parts, so that this file does not hold what it looks for.
_FORBIDDEN = ("pypi" + ".org", "python" + "hosted", "npm" + "js", "/work" + "/", "/tmp" + "/v")


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    tracked = _git("ls-files", "-z")
    names = [name for name in (tracked or "").split("\0") if name]
    if not names:
        pytest.skip("not a Git checkout")
    found = []
    for name in names:
        path = ROOT / name
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="replace").lower()
        found += [f"{name} holds {word}" for word in _FORBIDDEN if word in text]
    assert found == []


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def test_the_moves_of_people_are_in_the_docs() -> None:
    text = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")
    said = {"absent": "no member"}
    for verb, states in MOVES.items():
        assert f"| `{verb}` | {listed([said.get(state, state) for state in states], 'or')} |" in text
