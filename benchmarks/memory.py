"""How much memory the commands take that go through all accounts: import, a month's bill run and verify, on SQLite."""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

MOST = 2048  # MiB
SEATS, CHANGES = 8, 3


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--accounts", type=int, default=50_000)
    accounts = asked.parse_args().accounts
    with TemporaryDirectory() as folder:
        os.environ |= {"PRORATA_HOME": folder, "DATABASE_URL": ""}
        events = Path(folder) / "events.csv"
        write(events, accounts)
        run("migrate")
        run("vendor", "add", "acme", "--name", "Acme", "--policy", "mainter")
        print(f"{accounts:,} accounts, {SEATS} seats and {CHANGES} changes each:")
        peaks = [
            run("import", "--events", str(events)),
            run("bill-run", "--through", "2026-05-01"),
            run("verify"),
        ]
    assert max(peaks) <= MOST, f"more than {MOST} MiB"


def write(path: Path, accounts: int) -> None:
    """An event file of accounts that begin in April 2026 and of whom some more join within it."""
    draw = Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("at", "account", "event", "user"))
        for account in (f"account{number}" for number in range(accounts)):
            rows.writerow(("2026-04-01", account, "start", ""))
            rows.writerows(("2026-04-01", account, "activate", f"user{seat}") for seat in range(SEATS))
            days = sorted(draw.randint(2, 28) for _ in range(CHANGES))
            rows.writerows(
                (f"2026-04-{day:02}", account, "activate", f"more{change}") for change, day in enumerate(days)
            )


def run(*words: str) -> int:
    """The most memory that the command held at a time, in MiB."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", "from prorata.console.main import run; run()", *words]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"prorata {' '.join(words)} ended with {child.returncode}"
    peak = used.ru_maxrss // 1024
    if words[0] in ("import", "bill-run", "verify"):
        print(f"  {words[0]:<10} {peak:>6,} MiB {time.perf_counter() - begun:>8.1f} s", flush=True)
    return peak


if __name__ == "__main__":
    main()
