"""A comparison of policies as tables, as JSON lines, as CSV, and as a picture."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from prorata.console import output
from prorata.engine.calendar import speak_month, to_day
from prorata.engine.compare import (
    AccountMonth,
    Amounts,
    by_account,
    by_month,
    by_year,
    credit_left,
    differences,
    greatest_differences,
    total,
)
from prorata.engine.intake import IntakeError
from prorata.engine.money import format_amount, rounded, speak_amount

_MOST_MONTHS = 36  # more rows than that are told by year
_MOST_ACCOUNTS = 5
_PLOTS = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What some accounts would have paid under each of the labelled policies, the first the one to compare with."""

    labels: tuple[str, ...]
    currency: str
    accounts: int
    rows: tuple[AccountMonth, ...]


def write(found: Comparison, format: str) -> None:
    """On standard output: `table`, `json` or `csv`."""
    if format == "json":
        for record in _records(found):
            sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    elif format == "csv":
        _write_csv(found)
    else:
        with output.paper() as console:
            _write_tables(console, found)


def plot_file(name: str) -> Path:
    """Where a picture is written; raises IntakeError before any work is done that it cannot be."""
    path = Path(name)
    if path.suffix not in _PLOTS:
        raise IntakeError([f"--plot: {name!r} is not the name of a picture; it ends with {' or '.join(_PLOTS)}"])
    if not path.parent.is_dir():
        raise IntakeError([f"--plot: the folder {path.parent} does not exist"])
    try:
        import prorata.console.plot  # noqa: F401
    except ModuleNotFoundError as error:
        raise IntakeError([f"--plot needs matplotlib, and {error.name} is not installed: "
                           "pip install matplotlib"]) from None  # fmt: skip
    return path


def draw(found: Comparison, path: Path) -> None:
    """The months and their running totals as a picture; raises IntakeError."""
    from prorata.console.plot import draw_comparison, save

    if not found.rows:
        raise IntakeError([f"--plot: there is nothing to draw, since {_accounts(found)} would have paid nothing"])
    title = f"What {_accounts(found)} would have paid"
    try:
        save(draw_comparison(by_month(found.rows), found.labels, found.currency, title), path, title)
    except OSError as error:
        raise IntakeError([f"--plot: {path} cannot be written: {error.strerror}"]) from None


def _records(found: Comparison) -> Iterator[dict[str, Any]]:
    """A month of an account each: what is due under each policy, the differences from the first, credits left."""
    for row in found.rows:
        yield {
            "account": row.account,
            "month": f"{row.month:%Y-%m}",
            "currency": found.currency,
            "due": _named(found.labels, row.due_minor, found.currency),
            "difference": _named(found.labels[1:], differences(row.due_minor), found.currency),
            "credit_left": _named(found.labels, row.credit_left_minor, found.currency),
        }


def _named(labels: Sequence[str], amounts: Amounts, currency: str) -> dict[str, str]:
    return {label: format_amount(minor, currency) for label, minor in zip(labels, amounts, strict=True)}


def _write_csv(found: Comparison) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    words = ("due", "difference", "credit_left")
    columns = [f"{label} {word}" for word in words for label in found.labels[word == "difference" :]]
    writer.writerow(["account", "month", "currency", *columns])
    for record in _records(found):
        amounts = [amount for word in words for amount in record[word].values()]
        writer.writerow([record["account"], record["month"], record["currency"], *amounts])


def _write_tables(console: Console, found: Comparison) -> None:
    console.print(Text(f"What {_accounts(found)} would have paid, in {found.currency}\n", style="bold"))
    if not found.rows:
        console.print("nothing to bill under any of the policies")
        return
    months = by_month(found.rows)
    by_years = len(months) > _MOST_MONTHS
    if by_years:
        periods = {str(year): due for year, due in by_year(months).items()}
    else:
        periods = {f"{speak_month(to_day(month))} {month.year}": due for month, due in months.items()}
    last = {"total": total(months.values())}
    if any(credit_left(found.rows)):
        last["credit left"] = credit_left(found.rows)
    _write_table(console, found, "year" if by_years else "month", periods, last)
    if by_years:
        console.print(f"By year, since there are {len(months)} months; --format csv has each of them.\n")
    if found.accounts > 1:
        _write_accounts(console, found)


def _write_accounts(console: Console, found: Comparison) -> None:
    accounts = by_account(found.rows)
    if found.accounts > _MOST_ACCOUNTS:
        count = f"The {_MOST_ACCOUNTS} accounts with the greatest differences, of {found.accounts:,}"
    else:
        count = "By account, the greatest difference first"
    console.print(Text(f"{count}\n", style="bold"))
    _write_table(console, found, "account", greatest_differences(accounts, _MOST_ACCOUNTS), {})


def _write_table(
    console: Console, found: Comparison, first: str, rows: Mapping[str, Amounts], last: Mapping[str, Amounts]
) -> None:
    """One table, or one for each further policy where all of them together are wider than the paper."""
    whole = _table(found, first, rows, last, range(1, len(found.labels)))
    unbounded = console.options.update(max_width=sys.maxsize)
    fits = Measurement.get(console, unbounded, whole).maximum <= console.width
    one_each = [_table(found, first, rows, last, [at]) for at in range(1, len(found.labels))]
    for table in [whole] if fits else one_each:
        console.print(table)
        console.print()


def _table(
    found: Comparison, first: str, rows: Mapping[str, Amounts], last: Mapping[str, Amounts], others: Sequence[int]
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(Text(first), overflow="fold")
    table.add_column(Text(found.labels[0]), justify="right", no_wrap=True)
    for at in others:
        table.add_column(Text(found.labels[at]), justify="right", no_wrap=True)
        table.add_column("difference", justify="right", no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    for name, amounts in rows.items():
        table.add_row(*_cells(found.currency, name, amounts, others))
    if last:
        table.add_section()
    for name, amounts in last.items():
        table.add_row(*_cells(found.currency, name, amounts, others), style="bold" if name == "total" else "dim")
    return table


def _cells(currency: str, name: str, amounts: Amounts, others: Sequence[int]) -> Iterator[Text]:
    yield Text(name)
    yield Text(speak_amount(amounts[0], currency))
    for at in others:
        more = amounts[at] - amounts[0]
        yield Text(speak_amount(amounts[at], currency))
        yield Text(f"{'+' if more > 0 else ''}{speak_amount(more, currency)}")
        yield Text(speak_change(more, amounts[0]))


def speak_change(more: int, of: int) -> str:
    """A difference in percent, with one decimal: `+12.5 %`; nothing where it is one from nothing, or from a refund."""
    if of <= 0:
        return ""
    tenths = rounded(1000 * more, of)
    sign = "+" if tenths > 0 else "−" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10:,}.{abs(tenths) % 10} %"


def _accounts(found: Comparison) -> str:
    return "1 account" if found.accounts == 1 else f"{found.accounts:,} accounts"
