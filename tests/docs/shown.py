"""What the examples of a page print. `python -m tests.docs.shown` writes it into the pages; read the difference.

A page's blocks are run in order, in one empty folder:

- a block after a line `` `name`: `` is written to a file of that name;
- `python` blocks share one namespace, and a `text` block right after one is what it prints;
- in a `console` block each `$ ` begins a command, and the lines after it are its output. A line `…` stands for any
  number of lines. `$ echo $?` has to follow a command that fails, and shows its exit code.

Spaces at the ends of lines do not count. A process whose number a page writes into `server.pid` ends with the page.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import prorata
from tests.docs.markdown import FILES, Block, blocks

_COMMAND = """\
#!{python}
from prorata.console.main import run
run()
"""


def printed(path: Path, folder: Path) -> Iterator[tuple[Block, str]]:
    """Each block of the page that shows output, with the text it should have."""
    environment = _environment(folder / "bin")
    work = folder / "work"
    work.mkdir()
    try:
        yield from _shown(path, work, environment)
    finally:
        if (server := work / "server.pid").exists():
            _end(int(server.read_text(encoding="utf-8")))


def _end(server: int) -> None:
    """Ends a server with its processes, if the page did not."""
    with suppress(ProcessLookupError):
        os.kill(server, signal.SIGTERM)
        for _ in range(100):
            os.kill(server, 0)
            time.sleep(0.1)


def _shown(path: Path, work: Path, environment: dict[str, str]) -> Iterator[tuple[Block, str]]:
    namespace: dict[str, Any] = {"__name__": "docs"}
    said: str | None = None
    for block in blocks(path):
        if block.file_name is not None:
            (work / block.file_name).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            said = _python(block, namespace, work)
            continue
        elif block.language == "text" and said is not None:
            yield block, _as_shown(said, block.text)
        elif block.language == "console":
            yield block, "".join(_console(block, work, environment))
        said = None


def _python(block: Block, namespace: dict[str, Any], work: Path) -> str:
    out = StringIO()
    with redirect_stdout(out), chdir(work):
        exec(compile(block.text, f"line {block.line}", "exec"), namespace)
    return out.getvalue()


def _console(block: Block, work: Path, environment: dict[str, str]) -> Iterator[str]:
    assert block.text.startswith("$ "), f"line {block.line}: a console block begins with a command"
    code = 0
    for part in block.text.removeprefix("$ ").split("\n$ "):
        told = re.fullmatch(r"((?:.*\\\n)*.*)\n?((?:.*\n)*.*)", part)
        assert told is not None
        command, shown = told[1], told[2]
        if command == "echo $?":
            yield f"$ {command}\n{code}\n"
            code = 0
            continue
        assert code == 0, f"line {block.line}: a command failed; show it with $ echo $? before $ {command}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        code = done.returncode
        yield f"$ {command}\n{_as_shown(done.stdout, shown)}"
    assert code == 0, f"line {block.line}: the last command ended with {code}; show it with $ echo $?"


def _as_shown(output: str, shown: str) -> str:
    """The output as the page should show it: as it does, if that is the same but for lines left out."""
    shown = _tidied(shown)
    there = _tidied(output)
    parts = [r"(?:.*\n)*?" if line == "…\n" else re.escape(line) for line in shown.splitlines(keepends=True)]
    return shown if re.fullmatch("".join(parts), there) else there


def _tidied(text: str) -> str:
    text = "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")
    return f"{text}\n" if text else ""


def _environment(folder: Path) -> dict[str, str]:
    """One in which `prorata` is the code under test, `python` this Python, and the output no terminal."""
    folder.mkdir()
    command = folder / "prorata"
    command.write_text(_COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    places = [str(folder), str(Path(sys.executable).parent), os.environ["PATH"]]
    return {
        "PATH": os.pathsep.join(places),
        "PYTHONPATH": str(Path(prorata.__file__).parents[1]),
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "100",
    }


def rewrite(path: Path) -> None:
    """Writes into a page what its examples print."""
    text = path.read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        for block, output in reversed(list(printed(path, Path(folder)))):
            text = text[: block.offset] + output + text[block.offset + len(block.text) :]
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for page in FILES:
        rewrite(page)
