"""The commands of the service: what is kept in the database, billed there, and verified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from prorata.console.asked import (
    DryRunOption,
    day_of,
    say,
    sentences,
    steps,
)
from prorata.console.database import (
    ACTOR,
    VendorOption,
    add_row,
    console,
    database,
    database_name,
    set_up_tables,
    vendor_called,
    vendors_called,
)
from prorata.console.importing import import_files
from prorata.engine.intake import IntakeError
from prorata.engine.money import speak_amount
from prorata.engine.words import listed, plural
from prorata.policies import load_policy, policy_names, policy_text

if TYPE_CHECKING:
    from prorata.engine.document import Document as EngineDocument
    from prorata.engine.history import Subscription as History
    from prorata.invoicing.actions.run_bills import Outcome
    from prorata.invoicing.effects import Effect
    from prorata.vendors.models import Vendor

vendors = typer.Typer(help="The vendors who sell, and the policies they bill by.", no_args_is_help=True)

PoliciesOption = Annotated[
    list[str],
    typer.Option("--policy", "-p", help="A policy that ships, or a file; may be repeated."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.add_typer(vendors, name="vendor")
    app.command()(migrate)
    app.command("import")(import_files)
    app.command("bill-run")(bill_run)
    app.command("documents")(list_documents)
    app.command()(verify)


def migrate() -> None:
    """Create the tables of the database, or bring them up to date."""
    with sentences(), database(migrated=False):
        set_up_tables()
        console().print(f"The tables of {database_name()} are up to date.", markup=False)


@vendors.command("add")
def add(
    key: Annotated[str, typer.Argument(help="Its short name, such as acme, for commands and files.")],
    name: Annotated[str, typer.Option(help="Its name on documents.")],
    policy: PoliciesOption,
    organisation_number: Annotated[str, typer.Option(help="Its organisation number.")] = "",
    vat_number: Annotated[str, typer.Option(help="Its VAT number.")] = "",
    address: Annotated[str, typer.Option(help="Its address, but for postal code and city.")] = "",
    postal_code: Annotated[str, typer.Option(help="Its postal code.")] = "",
    city: Annotated[str, typer.Option(help="Its city.")] = "",
    country: Annotated[str, typer.Option(help="Its country, as two letters.")] = "",
    test_clock: Annotated[
        str | None,
        typer.Option(help="A sandbox: its time begins with this day, UTC, and passes with prorata vendor clock."),
    ] = None,
) -> None:
    """Add a vendor with the policies it bills by."""
    with sentences(), database():
        from prorata.vendors.models import Vendor

        if not re.fullmatch(r"[\w-]{1,50}", key, re.ASCII):
            raise IntakeError([f"{key!r} is not a vendor's key; write letters, digits, - and _, at most 50"])
        if Vendor.objects.filter(key=key).exists():
            raise IntakeError([f"there is a vendor {key} already; prorata vendor policy changes its policies"])
        identity = {
            "organisation_number": organisation_number,
            "vat_number": vat_number,
            "address": address,
            "postal_code": postal_code,
            "city": city,
            "country": _country(country),
        }
        clock = None if test_clock is None else datetime.combine(day_of("--test-clock", test_clock), time.min, UTC)
        vendor = add_with_policies(key, name, policy, identity, test_clock=clock)
        names = [version.name for version in vendor.policies.order_by("name")]
        console().print(f"Vendor {key} bills by {', '.join(names)}.", markup=False)


@vendors.command("change")
def change(
    key: Annotated[str, typer.Argument(help="The vendor's key.")],
    name: Annotated[str | None, typer.Option(help="Its name on documents.")] = None,
    organisation_number: Annotated[str | None, typer.Option(help="Its organisation number.")] = None,
    vat_number: Annotated[str | None, typer.Option(help="Its VAT number.")] = None,
    address: Annotated[str | None, typer.Option(help="Its address, but for postal code and city.")] = None,
    postal_code: Annotated[str | None, typer.Option(help="Its postal code.")] = None,
    city: Annotated[str | None, typer.Option(help="Its city.")] = None,
    country: Annotated[str | None, typer.Option(help="Its country, as two letters.")] = None,
) -> None:
    """Change what the next documents say of a vendor; those that were issued stay."""
    with sentences(), database():
        from prorata.vendors.actions import change_vendor

        told = {
            "name": name,
            "organisation_number": organisation_number,
            "vat_number": vat_number,
            "address": address,
            "postal_code": postal_code,
            "city": city,
            "country": None if country is None else _country(country),
        }
        identity = {part: value for part, value in told.items() if value is not None}
        if not identity:
            options = ", ".join(f"--{part.replace('_', '-')}" for part in told)
            raise IntakeError([f"say what is to change: {options}"])
        change_vendor(vendor=vendor_called(key), identity=identity)
        console().print(f"The next documents of vendor {key} say so.", markup=False)


def _country(text: str) -> str:
    if not re.fullmatch("([A-Za-z]{2})?", text):
        raise IntakeError([f"--country: {text!r} is not a country; write two letters, such as SE"])
    return text.upper()


@vendors.command("policy")
def set_policy(
    key: Annotated[str, typer.Argument(help="The vendor's key.")],
    policy: PoliciesOption,
    new: Annotated[bool, typer.Option("--new", help="Add a policy beside those it has.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say whom it would concern and by how much, and keep nothing.")
    ] = False,
) -> None:
    """Bill by other rules from now on; what a policy changes of days billed already goes on the next documents."""
    with sentences(), database():
        from prorata.vendors.queries import policy_names as names_of

        seller = vendor_called(key)
        names, told = names_of(seller), _policy_texts(policy)
        if unknown := [] if new else [name for name, _ in told if name not in names]:
            way_out = "call the file so, or say --new to bill further accounts by it"
            raise IntakeError([f"vendor {key} has no policy {listed(unknown)}, but {listed(names)}; {way_out}"])
        if dry_run:
            for name, text in told:
                _say_effects(seller, name, text)
            return
        for name, number in _set_policies(seller, told):
            console().print(f"Vendor {key} bills by version {number} of {name} from now on.", markup=False)


def _say_effects(seller: Vendor, name: str, text: str) -> None:
    """Whom a version of a policy would concern, and by how much."""
    from prorata.invoicing.effects import concerned, effects
    from prorata.vendors.actions import fitting
    from prorata.vendors.queries import now_of

    policy = fitting(vendor=seller, name=name, text=text, now=now_of(seller))
    rows = concerned(seller, name).order_by("pk")
    count = rows.count()
    with steps(f"Comparing {name}", count) as step:
        found: list[Effect] = []
        for row in rows.iterator():
            found += effects([row], policy, now_of(seller))
            step()
    table = Table("account", "from", box=None, header_style="bold")
    for title in ("a period", "becomes", "next document", "becomes", "at once"):
        table.add_column(title, justify="right")
    for one in found:
        if one.problem:
            say(f"account {one.account}: {one.problem}")
            continue
        minors = (one.per_period.before_minor, one.per_period.after_minor, one.next.before_minor, one.next.after_minor)
        amounts = [speak_amount(minor, one.currency) for minor in (*minors, one.now.more_minor)]
        add_row(table, one.account, str(one.start or ""), *amounts)
    if table.row_count:
        console().print(table)
    said = f"{name}: {len(found):,} of {count:,} {plural('account', count)} would be billed otherwise."
    console().print(f"{said} Nothing was kept: this was a dry run.", markup=False)


@vendors.command("clock")
def clock(
    key: Annotated[str, typer.Argument(help="The vendor's key.")],
    to: Annotated[str, typer.Argument(help="A day to come, by the vendor's test clock: the moment it begins, UTC.")],
) -> None:
    """Move the test clock of a sandbox forward; bills are run as each day begins on which one is due."""
    with sentences(), database():
        from prorata.invoicing.actions.advance_clock import advance_clock
        from prorata.vendors.queries import now_of

        seller = vendor_called(key)
        outcome = advance_clock(vendor=seller, to=datetime.combine(day_of("TO", to), time.min, UTC))
        said = f"It is {now_of(seller):%Y-%m-%d %H:%M} UTC for vendor {key}; {_issued(outcome)} on the way."
        console().print(said, markup=False)
        _say_problems(key, outcome)


@vendors.command("list")
def list_vendors() -> None:
    """The vendors, with how much there is of each."""
    with sentences(), database():
        from prorata.invoicing.models import Document
        from prorata.subscriptions.models import Subscription
        from prorata.vendors.models import Vendor
        from prorata.vendors.queries import policy_names as names_of

        table = Table("vendor", "name", "policies", box=None, header_style="bold")
        for title in ("subscriptions", "documents"):
            table.add_column(title, justify="right")
        for vendor in Vendor.objects.order_by("key"):
            counts = (one.objects.filter(vendor=vendor).count() for one in (Subscription, Document))
            add_row(table, vendor.key, vendor.name, ", ".join(names_of(vendor)), *(f"{count:,}" for count in counts))
        console().print(table)


def bill_run(
    through: Annotated[str, typer.Option(help="Bill everything dated up to and with this day.")],
    vendor: VendorOption = None,
    dry_run: DryRunOption = False,
    workers: Annotated[int, typer.Option(min=1, help="How many processes bill at the same time.")] = 1,
) -> None:
    """Bill every account that is due: of one vendor, or of all of them."""
    problems = 0
    with sentences(), database():
        from django.db import connection

        from prorata.invoicing.actions.advance_clock import ticked
        from prorata.invoicing.actions.run_bills import count_due, run_bills

        if workers > 1 and connection.vendor == "sqlite":
            raise IntakeError(["--workers: SQLite lets one process write at a time; with PostgreSQL more can"])
        last = day_of("--through", through)
        for seller in vendors_called(vendor):
            with steps(f"Billing {seller.key}", count_due(vendor=seller, through=last)) as step:
                outcome = run_bills(
                    vendor=seller,
                    through=last,
                    now=ticked(seller, dry_run=dry_run),
                    dry_run=dry_run,
                    workers=workers,
                    step=step,
                )
            write_outcome(seller.key, outcome, dry_run=dry_run)
            problems += len(outcome.problems)
    if problems:
        raise typer.Exit(1)


def list_documents(
    vendor: VendorOption = None,
    account: Annotated[str | None, typer.Option("--account", "-a", help="Only those of this account.")] = None,
    open: Annotated[
        bool, typer.Option("--open", help="Only those of which something is still to be paid, or paid back.")
    ] = False,
    last: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 20,
) -> None:
    """The newest documents, by the names under which prorata explain knows them."""
    with sentences(), database():
        from prorata.invoicing.models import Document, OpenItem
        from prorata.invoicing.open_items import open_of

        seller = vendor_called(vendor)
        rows = Document.objects.filter(vendor=seller).select_related("account").order_by("-id")
        if account is not None:
            if not seller.accounts.filter(key=account).exists():
                raise IntakeError([f"--account: vendor {seller.key} has no account {account!r}"])
            rows = rows.filter(account__key=account)
        if open:
            rows = rows.filter(pk__in=OpenItem.objects.filter(vendor=seller).values("document_id"))
        table = Table("document", "date", "account", box=None, header_style="bold")
        for title in ("total", "credit used", "due", "open"):
            table.add_column(title, justify="right")
        shown = list(reversed(rows[:last]))
        still = open_of(shown)
        for row in shown:
            due = max(row.total_minor, 0) - row.credit_used_minor
            minors = (row.total_minor, row.credit_used_minor, due, still[row.pk])
            add_row(table, row.name, row.date, row.account.key, *(speak_amount(one, row.currency) for one in minors))
        console().print(table)


def document_called(name: str, vendor: str | None) -> tuple[History, EngineDocument]:
    """A document by its kind and number, computed again, with the history behind it; raises IntakeError."""
    kind, _, number = name.rpartition("-")
    kind = (kind or "invoice").replace("-", "_")
    with database():
        from prorata.engine.refusal import CannotBill
        from prorata.invoicing.again import recomputed
        from prorata.invoicing.queries import document_of

        seller = vendor_called(vendor)
        if kind not in ("invoice", "credit_note") or not number.isdecimal():
            raise IntakeError([f"{name!r} is not a document; name one like invoice-12 or credit_note-3"])
        row = document_of(seller, f"{kind}-{int(number)}")
        if row is None:
            raise IntakeError([f"vendor {seller.key} has no {kind.replace('_', ' ')} {number}"])
        try:
            again, history = recomputed(row)
        except CannotBill as error:
            raise IntakeError([f"{name} cannot be computed again: {error}"]) from None
        return history, again


def verify(vendor: VendorOption = None) -> None:
    """Compute every document again from what was known then, and look at every number and digest."""
    wrong = 0
    with sentences(), database():
        for seller in vendors_called(vendor):
            wrong += verify_vendor(seller)
        if vendor is None:
            wrong += _say_strays()
    if wrong:
        raise typer.Exit(1)


def add_with_policies(
    key: str,
    name: str,
    policies: Iterable[str],
    identity: Mapping[str, str] | None = None,
    test_clock: datetime | None = None,
) -> Vendor:
    """A new vendor with its policies, all of it or nothing; raises PolicyError where one cannot be used."""
    from django.db import transaction

    from prorata.vendors.actions import add_vendor

    told = _policy_texts(policies)
    with transaction.atomic():
        vendor = add_vendor(key=key, name=name, identity=identity, test_clock=test_clock)
        _set_policies(vendor, told)
    return vendor


def write_outcome(key: str, outcome: Outcome, *, dry_run: bool = False) -> None:
    """What a run came to, in a line, and its problems."""
    due = f"{outcome.looked_at:,} {plural('account', outcome.looked_at)} due"
    kept = " Nothing was kept: this was a dry run." if dry_run else ""
    console().print(f"{key}: {due}; {_issued(outcome)}.{kept}", markup=False)
    _say_problems(key, outcome)


def _issued(outcome: Outcome) -> str:
    """How many documents of which sums."""
    kinds = {"invoice": "invoice", "credit_note": "credit note"}
    told = []
    for kind, words in kinds.items():
        sums = [
            f"{speak_amount(total, currency)} {currency}"
            for (of_kind, currency), total in outcome.totals.items()
            if of_kind == kind
        ]
        count = outcome.documents[kind]
        told.append(f"{count:,} {plural(words, count)}" + (f" of {' and '.join(sums)}" if sums else ""))
    return ", ".join(told)


def _say_problems(key: str, outcome: Outcome) -> None:
    for sentence in outcome.problems:
        say(f"{key}: {sentence}")


def verify_vendor(seller: Vendor) -> int:
    """Verifies what a vendor issued and says what is wrong; how many things."""
    from prorata.invoicing.models import Document
    from prorata.invoicing.verify import verify as found_wrong
    from prorata.subscriptions.models import Subscription

    with steps(f"Verifying {seller.key}", Subscription.objects.filter(vendor=seller).count()) as step:
        wrong = list(found_wrong(seller, step))
    count = Document.objects.filter(vendor=seller).count()
    if not wrong:
        console().print(f"{seller.key}: {count:,} documents, each as it is when computed again.", markup=False)
    for sentence in wrong:
        say(f"{seller.key}: {sentence}")
    return len(wrong)


def _say_strays() -> int:
    """Says which rows are of no vendor; how many."""
    from prorata.invoicing.verify import strays

    found = list(strays())
    for sentence in found:
        say(sentence)
    return len(found)


def _policy_text(named: str) -> tuple[str, str]:
    """The name and text of a policy that ships, or of a file; raises PolicyError where it cannot be used."""
    policy = load_policy(named)
    return policy.name, policy_text(named) if named in policy_names() else Path(named).read_text(encoding="utf-8-sig")


def _policy_texts(named: Iterable[str]) -> list[tuple[str, str]]:
    told = [_policy_text(one) for one in named]
    names = [name for name, _ in told]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise IntakeError([f"--policy: {listed(twice)} is given twice"])
    return told


def _set_policies(vendor: Vendor, told: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """Bills by these texts from now on, all of them or none; the name and number of each version."""
    from django.db import transaction

    from prorata.subscriptions.actions.record import change_policy
    from prorata.vendors.queries import now_of

    now = now_of(vendor)
    with transaction.atomic():
        versions = [change_policy(vendor=vendor, name=name, text=text, now=now, actor=ACTOR) for name, text in told]
    return [(version.name, version.number) for version in versions]
