"""The main job on samples that ship: a year of three vendors in a database, and a few invoices explained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from prorata.console import database, output, service
from prorata.console.asked import steps
from prorata.console.event_files import rows_of
from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import speak_day, to_day
from prorata.engine.document import Document, Line
from prorata.engine.explain import explain
from prorata.engine.history import Subscription
from prorata.engine.intake import Intake, Row, read_facts, read_histories
from prorata.engine.policy.model import Policy
from prorata.policies import load_policy
from prorata.samples import sample_text, shows
from prorata.samples.lively import lively_rows

_ACCOUNTS, _FIRST, _DAYS, _THROUGH = 120, date(2025, 9, 1), 400, date(2026, 9, 30)

_KEPT = """\
All of it is kept in {file}. Look around there, or bill a month more:
  export PRORATA_HOME={home}
  .venv/bin/prorata vendor list
  .venv/bin/prorata bill-run --through 2026-10-31
  .venv/bin/prorata verify
"""

_NEXT = """\
The command is .venv/bin/prorata. Bill this sample, or a CSV of your own with such columns, each line explained:
  .venv/bin/prorata bill --policy {policy} --events {sample} --through {through} --explain
Ask why one document is what it is:
  .venv/bin/prorata explain --policy {policy} --events {sample} --account "{account}" --date {date}
Read a policy in plain words, or as a file to start your own from:
  .venv/bin/prorata policy show {policy}
  .venv/bin/prorata policy show {policy} --source
"""


def show_demo(console: Console) -> None:
    """Bills the samples and prints the documents."""
    shown = []
    for show in shows():
        policy = load_policy(show.policy)
        rows = rows_of(f"{show.sample}.csv", sample_text(show.sample))
        billed = [(one, bill(one, through=show.through)) for one in read_histories(rows, Intake(policy=policy))]
        console.print(Text(f"{policy.title}: {show.words}\n", style="bold underline"))
        output.write_tables(console, billed, explained=False)
        _show_explained(console, billed)
        shown.append((show, billed))
    console.print(Text("What to try next", style="bold underline"))
    show, billed = shown[1]
    _, document, _ = next(_changes(billed))
    sample = f"src/prorata/samples/{show.sample}.csv"
    said = _NEXT.format(
        policy=show.policy, sample=sample, through=show.through, account=document.account, date=document.date
    )
    console.print(said, markup=False, soft_wrap=True)


def show_service(home: Path) -> None:
    """Sets up a database in a folder, loads a lively year under each policy, bills it and verifies every document."""
    file = home / "prorata.sqlite3"
    home.mkdir(parents=True, exist_ok=True)
    for old in (file, *home.glob(f"{file.name}-*")):
        old.unlink(missing_ok=True)
    os.environ |= {"PRORATA_HOME": str(home), "DATABASE_URL": ""}
    console = database.console()
    words = f"{_ACCOUNTS} accounts of each vendor, with a year of people who join and leave, in a database"
    console.print(Text(f"{words}\n", style="bold underline"))
    with database.database(migrated=False):
        database.set_up_tables()
        for show in shows():
            _live(load_policy(show.policy))
    console.print()
    console.print(_KEPT.format(file=file, home=home), markup=False, soft_wrap=True)


def _live(policy: Policy) -> None:
    """A vendor with a lively year: loaded, billed and verified."""
    from prorata.invoicing.actions.run_bills import run_bills
    from prorata.subscriptions.actions.load import load

    vendor = service.add_with_policies(policy.name, policy.title, [policy.name])
    now = datetime.now(UTC)
    cells = lively_rows(policy, accounts=_ACCOUNTS, first=_FIRST, days=_DAYS, seed=1)
    rows = [Row(f"row {number}", one) for number, one in enumerate(cells, 1)]
    told = read_facts(rows, Intake(policy=policy))
    with steps(f"Loading {vendor.key}", len(told)) as step:
        load(vendor=vendor, told=told, now=now, actor="demo", step=step)
    with steps(f"Billing {vendor.key}", len(told)) as step:
        outcome = run_bills(vendor=vendor, through=_THROUGH, now=now, step=step)
    service.write_outcome(vendor.key, outcome)
    service.verify_vendor(vendor)


def _show_explained(console: Console, billed: list[tuple[Subscription, Billing]]) -> None:
    """The first line that charges or credits a change, in words."""
    subscription, document, line = next(_changes(billed))
    day = speak_day(to_day(document.date))
    console.print(f"Why {document.account} is billed this on {day}:", style="bold", markup=False)
    console.print(Padding(Text(str(explain(line, document, subscription))), (0, 0, 1, 2), expand=False))


def _changes(billed: list[tuple[Subscription, Billing]]) -> Iterator[tuple[Subscription, Document, Line]]:
    for subscription, billing in billed:
        for document in billing.documents:
            for line in document.lines:
                if line.kind != "period":
                    yield subscription, document, line
