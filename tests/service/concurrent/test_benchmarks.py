"""What `make bench` measures can be measured: each benchmark runs, on a few accounts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("bill_run.py --accounts 60", "× that; wanted: at most 2.0"),
        ("preview.py --members 20", "preview of an account with 20 members, on PostgreSQL"),
        ("memory.py --accounts 20", "bill-run"),
    ],
)
def test_a_benchmark_runs(command: str, says: str) -> None:
    name, *options = command.split()
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / name, *options],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
