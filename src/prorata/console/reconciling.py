"""The command that compares the vendor's own list of users with the members that are billed."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from prorata.console.asked import RoleOption, roles_of, sentences
from prorata.console.database import ACTOR, VendorOption, add_row, console, database, vendor_called
from prorata.console.event_files import read_user_list
from prorata.engine.intake import IntakeError, Row
from prorata.engine.words import plural

if TYPE_CHECKING:
    from prorata.subscriptions.actions.reconcile import Difference

_WHAT = {
    "missing": "is on the list and no member",
    "surplus": "is a member and not on the list",
    "role": "has another role",
}


def reconcile(
    users: Annotated[
        str, typer.Option(help="A CSV or JSON Lines file of accounts, users and roles; - reads standard input.")
    ],
    vendor: VendorOption = None,
    map_role: RoleOption = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="The file names all accounts: those it does not have no users.")
    ] = False,
    events: Annotated[bool, typer.Option("--events", help="Write the events that mend it, as CSV for import.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Record these events, as of now.")] = False,
) -> None:
    """Compare your own list of users with the members that are billed, and mend the difference.

    The exit code is 1 where there is one that was not mended.
    """
    with sentences(), database():
        from prorata.subscriptions.actions.reconcile import as_rows
        from prorata.subscriptions.actions.reconcile import reconcile as compare
        from prorata.vendors.queries import now_of

        seller, listed = vendor_called(vendor), _listed(read_user_list(users), dict(roles_of(map_role)))
        now = now_of(seller)
        found = compare(vendor=seller, listed=listed, everyone=everyone, now=now, actor=ACTOR, mend=apply)
        if events:
            rows = csv.DictWriter(sys.stdout, ("at", "account", "event", "user", "role"), lineterminator="\n")
            rows.writeheader()
            rows.writerows(as_rows(found, now))
        else:
            _write(found, recorded=apply)
    if found and not apply:
        raise typer.Exit(1)


def _listed(rows: Sequence[Row], roles: dict[str, str]) -> dict[str, dict[str, str]]:
    """The role of each user of each account; raises IntakeError where one is listed twice or without a name."""
    listed: dict[str, dict[str, str]] = {}
    problems = []
    for row in rows:
        missing = [name for name in ("account", "user") if name not in row.cells]
        problems += [f"{row.place}, column {name}: is empty; every row names its {name}" for name in missing]
        if missing:
            continue
        account, user, role = (row.cells.get(name, "") for name in ("account", "user", "role"))
        of_account = listed.setdefault(account, {})
        if user in of_account:
            problems.append(f"{row.place}, column user: {user!r} of account {account} is listed twice")
        of_account[user] = roles.get(role, role)
    if problems:
        raise IntakeError(problems)
    return listed


def _write(found: Sequence[Difference], *, recorded: bool) -> None:
    if not found:
        console().print("The list and the members are the same.")
        return
    table = Table("account", "user", "difference", "event", box=None, header_style="bold")
    for one in found:
        add_row(table, one.account, one.user, _WHAT[one.kind], f"{one.fact.kind} {one.fact.role}".strip())
    console().print(table)
    count = f"{len(found):,} {plural('event', len(found))}"
    console().print(f"{count} recorded." if recorded else f"{count} would mend it; --apply records them.", markup=False)
