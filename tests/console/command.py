"""The real command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import prorata as prorata_package

COMMAND = (sys.executable, "-c", "from prorata.console.main import run; run()")


@dataclass(frozen=True, slots=True)
class Said:
    """What the command said, and with which exit code it ended."""

    code: int
    out: str
    errors: str


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what would make the command think that it writes to a terminal."""
    # The command runs in another folder, so that a relative PYTHONPATH would lead nowhere.
    found = {"PYTHONPATH": str(Path(prorata_package.__file__).parents[1])}
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS", "NO_COLOR")}
    return kept | found | dict(more or {})


def prorata(
    *words: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, code: int | None = 0
) -> Said:
    """Runs `prorata` with these words; never a traceback, never a colour code, and the exit code that is expected."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=cwd, input=stdin, env=environment(env), capture_output=True, timeout=60, check=False
    )
    said = Said(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
    assert "Traceback" not in said.errors + said.out, said.errors[-2000:]
    assert "\x1b" not in said.errors + said.out
    if code is not None:
        assert said.code == code, said
    return said


def bill(*words: str, cwd: Path, through: str = "2026-07-01", code: int | None = 0, stdin: bytes = b"") -> Said:
    return prorata("bill", "--through", through, *words, cwd=cwd, code=code, stdin=stdin)


def refused(*words: str, cwd: Path, through: str = "2026-07-01", stdin: bytes = b"") -> str:
    """The sentences of a bill that is refused: exit code 2, and nothing on standard output."""
    said = bill(*words, cwd=cwd, through=through, code=2, stdin=stdin)
    assert said.out == ""
    return said.errors.rstrip("\n")


def write(folder: Path, name: str, lines: Sequence[str]) -> None:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
