"""The command that loads files: histories, and what documents say of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prorata.console.asked import (
    DryRunOption,
    IntervalOption,
    PaymentOption,
    PlanOption,
    RoleOption,
    SeatsOption,
    StartOption,
    intake_of,
    sentences,
    steps,
)
from prorata.console.database import ACTOR, VendorOption, console, database, vendor_called
from prorata.console.event_files import read_account_file, read_event_file, read_payment_file
from prorata.engine.calendar import is_time_zone
from prorata.engine.intake import Intake, IntakeError
from prorata.engine.words import plural

if TYPE_CHECKING:
    from prorata.vendors.models import Vendor


def import_files(
    events: Annotated[
        str | None, typer.Option("--events", "-e", help="Event file, CSV or JSON Lines; - is standard input.")
    ] = None,
    accounts: Annotated[
        str | None, typer.Option("--accounts", help="File of names, numbers and addresses of accounts; the same.")
    ] = None,
    payments: Annotated[
        str | None, typer.Option("--payments", help="File of what was paid and for which document; the same.")
    ] = None,
    vendor: VendorOption = None,
    time_zone: Annotated[
        str, typer.Option(help="By whose clock days of accounts that are new begin and end; else by the policy's.")
    ] = "",
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", help="Which of the vendor's policies; needed where it has several.")
    ] = None,
    start: StartOption = None,
    plan: PlanOption = None,
    interval: IntervalOption = None,
    payment_method: PaymentOption = None,
    map_role: RoleOption = None,
    seats: SeatsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Load histories, what documents say of accounts, and payments: all that the files tell, or nothing."""
    with sentences(), database():
        from django.db import transaction

        from prorata.vendors.queries import now_of, rules_now

        if events is None and accounts is None and payments is None:
            raise IntakeError(["import needs --events, --accounts or --payments, or several of them"])
        if time_zone and not is_time_zone(time_zone):
            raise IntakeError([f"--time-zone: {time_zone!r} is not a time zone; write one like Europe/Oslo"])
        seller = vendor_called(vendor)
        said = []
        with transaction.atomic():
            if events is not None:
                intake = intake_of(
                    rules_now(seller, _policy_name(seller, policy), now_of(seller)),
                    plan=plan,
                    interval=interval,
                    payment_method=payment_method,
                    start=start,
                    map_role=map_role,
                    seats=seats,
                )
                said.append(_load_events(seller, events, intake, time_zone))
            if accounts is not None:
                said.append(_load_accounts(seller, accounts))
            if payments is not None:
                said.append(_load_payments(seller, payments))
            transaction.set_rollback(dry_run)
        said += ["Nothing was kept: this was a dry run."] if dry_run else []
        console().print(" ".join(said), markup=False)


def _load_events(seller: Vendor, events: str, intake: Intake, time_zone: str) -> str:
    from prorata.subscriptions.actions.load import load, read_by_clocks
    from prorata.vendors.queries import now_of

    clocks = dict(seller.subscriptions.values_list("account__key", "time_zone"))
    told = read_by_clocks(read_event_file(events), intake, clocks, time_zone)
    with steps("Loading", len(told)) as step:
        loaded = load(vendor=seller, told=told, now=now_of(seller), actor=ACTOR, time_zone=time_zone, step=step)
    again = f", {loaded.known:,} of them known before" if loaded.known else ""
    accounts, count = plural("account", loaded.accounts), plural("event", loaded.events)
    return f"{loaded.accounts:,} {accounts}{again}, {loaded.events:,} {count}."


def _load_accounts(seller: Vendor, accounts: str) -> str:
    from prorata.accounts.details import COLUMNS, load_details
    from prorata.vendors.queries import now_of

    rows = read_account_file(accounts, COLUMNS)
    with steps("Loading", len(rows)) as step:
        changed = load_details(vendor=seller, rows=rows, now=now_of(seller), step=step)
    return f"The details of {changed:,} {plural('account', changed)} changed."


def _load_payments(seller: Vendor, payments: str) -> str:
    from prorata.invoicing.actions.payment_rows import COLUMNS, NEEDED, load_payments
    from prorata.vendors.queries import now_of

    rows = read_payment_file(payments, COLUMNS, NEEDED)
    with steps("Loading", len(rows)) as step:
        count, left = load_payments(vendor=seller, rows=rows, now=now_of(seller), actor=ACTOR, step=step)
    more = f", and something is left of {left:,} of them" if left else ""
    return f"{count:,} {plural('payment', count)} recorded{more}."


def _policy_name(vendor: Vendor, name: str | None) -> str:
    """The vendor's policy that is named, or its only one."""
    from prorata.vendors.queries import policy_names as names_of

    names = names_of(vendor)
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        said = "say which" if name is None else f"{name!r} is none of its policies"
        raise IntakeError([f"--policy: {said}; vendor {vendor.key} has: {', '.join(names)}"])
    return name
