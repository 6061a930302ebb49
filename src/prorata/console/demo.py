"""The main job on the samples that ship: invoices under the three policies, one line of each explained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from prorata.console import output
from prorata.console.event_files import rows_of
from prorata.engine.bill import Billing, bill
from prorata.engine.document import Document, Line
from prorata.engine.explain import explain
from prorata.engine.history import Subscription
from prorata.engine.intake import Intake, read_histories
from prorata.policies import load_policy
from prorata.samples import sample_text

_SHOWS = (
    ("konfidens", "clinics", date(2026, 7, 1), "every active user, by days of a yearly price, half-yearly in advance"),
    ("mainter", "workshops", date(2026, 7, 1), "paying users, by days of the month, monthly in advance"),
    (
        "sloneek",
        "offices",
        date(2023, 9, 10),
        "bought seats, ten at least; in arrears until June 2023, then in advance",
    ),
)

_NEXT = """\
Bill a history of your own (CSV with the columns at, account, event, user, …), or this sample:
  prorata bill --policy mainter --events src/prorata/samples/workshops.csv --through 2026-07-01 --explain
Ask why a document is what it is:
  prorata explain --policy mainter --events src/prorata/samples/workshops.csv --account "Nord Verkstad" \\
    --date 2026-05-01
Read a policy in plain words, or as a file to start your own from:
  prorata policy show mainter
  prorata policy show mainter --source
After make run the command is .venv/bin/prorata.
"""


def show_demo(console: Console) -> None:
    """Bills the samples and prints the documents."""
    for policy_name, sample, through, words in _SHOWS:
        policy = load_policy(policy_name)
        rows = rows_of(f"{sample}.csv", sample_text(sample))
        billed = [(one, bill(one, through=through)) for one in read_histories(rows, Intake(policy=policy))]
        console.print(Text(f"{policy.title}: {words}\n", style="bold underline"))
        output.write_tables(console, billed, explained=False)
        _show_explained(console, billed)
    console.print(Text("What to try next", style="bold underline"))
    console.print(_NEXT, markup=False)


def _show_explained(console: Console, billed: list[tuple[Subscription, Billing]]) -> None:
    """The first line that charges or credits a change, in words."""
    subscription, document, line = next(_changes(billed))
    console.print(f"Why {document.account} is billed this on {document.date}:", style="bold", markup=False)
    console.print(Padding(Text(str(explain(line, document, subscription))), (0, 0, 1, 2), expand=False))


def _changes(billed: list[tuple[Subscription, Billing]]) -> Iterator[tuple[Subscription, Document, Line]]:
    for subscription, billing in billed:
        for document in billing.documents:
            for line in document.lines:
                if line.kind != "period":
                    yield subscription, document, line
