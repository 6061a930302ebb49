"""`make bench`: how fast histories become documents, and where the time goes.

Every figure is the best of some runs on one core, beside a yardstick measured in the same run: plain Python making as
many bare tuples as the engine makes lines. A machine's mood moves both, so the ratio is what to compare.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from inspect import isbuiltin
from pathlib import Path
from time import process_time
from typing import Any

from prorata.console.event_files import read_event_file
from prorata.engine.bill import bill
from prorata.engine.history import Subscription
from prorata.engine.intake import Intake, Row, read_histories, read_history
from prorata.policies import load_policy

START = date(2025, 1, 1)
WANTED = 20_000  # subscription-periods a second on a quiet machine of 2026


def best(work: Callable[[], Any], runs: int = 5) -> float:
    """The least seconds of processor time a piece of work took."""
    times = []
    for _ in range(runs):
        before = process_time()
        work()
        times.append(process_time() - before)
    return min(times)


def yardstick(lines: int) -> float:
    """Seconds that plain Python takes for as many tuples of eleven as there are lines."""
    return best(lambda: [(at, at, at, at, at, at, at, at, at, at, at + 1) for at in range(lines)])


def small_account(policy: str, **settings: Any) -> Subscription:
    """A year of an account with 8 seats and 3 changes a month."""
    rows: list[dict[str, object]] = [{"at": START, "event": "activate", "user": f"u{at}"} for at in range(8)]
    member = 8
    for month in range(1, 13):
        rows += [
            {"at": date(2025, month, 7), "event": "activate", "user": f"u{member}"},
            {"at": date(2025, month, 13), "event": "deactivate", "user": f"u{member - 8}"},
            {"at": date(2025, month, 22), "event": "activate", "user": f"u{member + 1}"},
        ]
        member += 2
    return read_history(rows, policy=load_policy(policy), interval="month", seats_follow=True, **settings)


def large_account(members: int, changes_a_day: int, days: int) -> Subscription:
    """An account with many members of whom some leave and others join on every day."""
    dice = random.Random(1)
    present = [f"u{at}" for at in range(members)]
    rows: list[dict[str, object]] = [{"at": START, "event": "activate", "user": user} for user in present]
    newcomer = members
    for day in range(1, days):
        at = START + timedelta(days=day)
        for _ in range(changes_a_day // 2):
            gone = present.pop(dice.randrange(len(present)))
            rows.append({"at": at, "event": "deactivate", "user": gone})
            present.append(f"u{newcomer}")
            rows.append({"at": at, "event": "activate", "user": f"u{newcomer}"})
            newcomer += 1
        if day % 3 == 0:
            rows.append({"at": at, "event": "deactivate", "user": present.pop()})
    return read_history(rows, policy=load_policy("mainter"), plan="PRO")


def organisations() -> Iterator[Row]:
    """Eight accounts over eight years with seven thousand events: bursts, returns, changes of role."""
    dice = random.Random(2)
    for account in range(8):
        present: list[str] = []
        for number in range(875):
            day = date(2018, 8, 23) + timedelta(days=number * 2900 // 875)
            at = f"{day}T{dice.randrange(24):02}:{dice.randrange(60):02}:00Z"
            leaves = bool(present) and dice.random() < 0.35
            user = present.pop(dice.randrange(len(present))) if leaves else f"u{dice.randrange(5000)}"
            if not leaves:
                present.append(user)
            event = "deactivate" if leaves else "activate"
            yield Row("made up", {"at": at, "account": f"org {account}", "event": event, "user": user})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=Path, help="a real event file instead of the organisations made up here")
    chosen = options.parse_args()
    compiled = isbuiltin(bill)
    print(f"THE ENGINE {'COMPILED' if compiled else 'AS PLAIN PYTHON'}")
    print(f"small accounts: 8 seats, 3 changes a month, a year billed monthly; wanted: {WANTED:,} a second")
    for policy in ("konfidens", "mainter", "sloneek"):
        report_small(policy)
    report_organisations(chosen.events)
    report_large()
    if not compiled:  # the profiler does not see into compiled code
        report_parts()


def report_small(policy: str) -> None:
    subscription = small_account(policy)
    through = date(2025, 12, 31) if policy != "konfidens" else date(2026, 1, 1)
    documents = bill(subscription, through=through).documents
    lines = sum(len(document.lines) for document in documents)
    times = 200
    seconds = best(lambda: [bill(subscription, through=through) for _ in range(times)], 7)
    periods = times * 12
    print(
        f"  {policy:<10} {periods / seconds:>9,.0f} subscription-periods a second, {lines / 12:.1f} lines each; "
        f"{seconds / yardstick(times * lines):.0f} × the yardstick; {periods / seconds / WANTED:.2f} of what is wanted"
    )


def report_organisations(events: Path | None) -> None:
    roles = {"member": "paying", "admin": "paying"}

    def run(policy: str) -> int:
        rows = read_event_file(str(events)) if events else list(organisations())
        intake = Intake(load_policy(policy), interval="month", start=date(2018, 9, 1), roles=roles, seats_follow=True)
        billed = [bill(one, through=date(2026, 8, 1)) for one in read_histories(rows, intake)]
        return sum(len(document.lines) for billing in billed for document in billing.documents)

    print(f"eight years of {events.name if events else 'eight made-up organisations'}, reading included; wanted: 2 s")
    for policy in ("konfidens", "mainter", "sloneek"):
        lines = run(policy)
        seconds = best(lambda policy=policy: run(policy), 3)  # type: ignore[misc]
        print(f"  {policy:<10} {seconds:>9.2f} s, {lines:,} lines; {seconds / yardstick(lines):.0f} × the yardstick")


def report_large() -> None:
    print(
        "one account of 10,000 members, 20 changes a day, billed monthly; wanted: a year in 1 s, and growing linearly"
    )
    seconds = {}
    for years in (1, 2):
        subscription = large_account(10_000, 20, 365 * years)
        through = START + timedelta(days=365 * years)
        seconds[years] = best(lambda one=subscription, day=through: bill(one, through=day), 3)  # type: ignore[misc]
        print(f"  {years} year{'s' if years > 1 else ' '}    {seconds[years]:>9.2f} s")
    print(f"  two years took {seconds[2] / seconds[1]:.1f} × the time of one")


def report_parts() -> None:
    """The share of each module in a small account's bills, by the profiler's own time."""
    subscription = small_account("mainter")
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(200):
        bill(subscription, through=date(2025, 12, 31))
    profile.disable()
    spent: dict[str, float] = defaultdict(float)
    stats: Any = pstats.Stats(profile)
    for (file, _, _), (_, _, own, _, _) in stats.stats.items():
        path = Path(file)
        spent[path.stem if "prorata" in path.parts else "built in"] += own
    whole = sum(spent.values())
    print("where the time of a small account goes, by module")
    for name, own in sorted(spent.items(), key=lambda one: -one[1])[:12]:
        print(f"  {name:<12} {own / whole:>5.0%}")


if __name__ == "__main__":
    main()
