"""The main job on the samples that ship: invoices under the three policies, one line of each explained."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from prorata.console import output
from prorata.console.event_files import rows_of
from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import speak_day, to_day
from prorata.engine.document import Document, Line
from prorata.engine.explain import explain
from prorata.engine.history import Subscription
from prorata.engine.intake import Intake, read_histories
from prorata.policies import load_policy
from prorata.samples import sample_text, shows

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
