"""`prorata`: bill histories, check scenarios, read policies."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import track
from rich.text import Text

from prorata.console import accounts, bookkeeping, output, payments, programs, reconciling, service, working
from prorata.console.asked import (
    AccountOption,
    EventsOption,
    IntervalOption,
    PaymentOption,
    PlanOption,
    PolicyOption,
    RoleOption,
    SeatsOption,
    SeatsRule,
    StartOption,
    day_of,
    intake_of,
    interval_of,
    roles_of,
    say,
    sentences,
    steps,
)
from prorata.console.database import VendorOption
from prorata.console.event_files import read_event_file
from prorata.engine.bill import bill as bill_account
from prorata.engine.document import Document
from prorata.engine.history import Subscription
from prorata.engine.intake import IntakeError, read_histories
from prorata.engine.policy.price_checks import unpriced
from prorata.engine.policy.reading import PolicyError
from prorata.engine.refusal import CannotBill
from prorata.engine.scenario import ScenarioError, read_scenario, run_scenario
from prorata.policies import load_policy, policy_names, policy_text, preset_names

app = typer.Typer(
    name="prorata",
    help="Bill seats: people over time, by a vendor's rules written as a file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
policies = typer.Typer(help="List, tell and check policies.", no_args_is_help=True)
app.add_typer(policies, name="policy")
service.register(app)
service.vendors.command()(bookkeeping.ledgers)
app.add_typer(bookkeeping.exports, name="export")
app.add_typer(accounts.app, name="account")
app.add_typer(payments.app, name="payment")
app.command()(reconciling.reconcile)
app.add_typer(programs.tokens, name="token")
app.command()(programs.serve)
app.command()(working.worker)


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


@app.command()
def bill(
    policy: PolicyOption,
    events: EventsOption,
    through: Annotated[str, typer.Option(help="Bill everything dated up to and with this day.")],
    start: StartOption = None,
    plan: PlanOption = None,
    interval: IntervalOption = None,
    payment_method: PaymentOption = None,
    account: AccountOption = None,
    map_role: RoleOption = None,
    seats: SeatsOption = None,
    format: Annotated[Format, typer.Option(help="How documents are written.")] = Format.table,
    explain: Annotated[bool, typer.Option("--explain", help="Say why with every line.")] = False,
) -> None:
    """Bill the accounts of an event file under a policy."""
    with sentences():
        last = day_of("--through", through)
        subscriptions = _subscriptions(policy, events, start, plan, interval, payment_method, account, map_role, seats)
        billed = list(_billed(subscriptions, last))
    output.say_what_is_ignored(billed)
    if format is Format.table:
        with output.paper() as console:
            output.write_tables(console, billed, explained=explain)
        return
    write = output.write_json if format is Format.json else output.write_csv
    write(sys.stdout, billed, explained=explain)
    output.say_lapses(billed)


@app.command()
def compare(
    candidates: Annotated[
        list[str],
        typer.Argument(
            metavar="POLICY…",
            help="Names or paths; behind an @ a plan, interval or payment method for one alone, as in mainter@PRO.",
        ),
    ],
    events: EventsOption,
    through: Annotated[str, typer.Option(help="Compare everything dated up to and with this day.")],
    start: StartOption = None,
    plan: PlanOption = None,
    interval: IntervalOption = None,
    payment_method: PaymentOption = None,
    account: AccountOption = None,
    map_role: RoleOption = None,
    seats: SeatsOption = None,
    format: Annotated[Format, typer.Option(help="How the comparison is written.")] = Format.table,
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw it as well: a file .svg or .png.")] = None,
) -> None:
    """Compare what accounts would have paid under two or more policies, month by month."""
    from prorata.console import comparison
    from prorata.console.candidates import Wish, bill_accounts, read_accounts, read_candidates

    with sentences():
        drawing = comparison.plot_file(plot) if plot is not None else None
        last = day_of("--through", through)
        wish = Wish(
            plan=plan,
            interval=interval_of(interval),
            payment_method=payment_method,
            start=day_of("--start", start) if start else None,
            roles=roles_of(map_role),
            seats_follow=seats is SeatsRule.follow,
        )
        asked = read_candidates(candidates, wish)
        rows = read_event_file(events)
        names = _chosen(tuple(dict.fromkeys(row.cells.get("account", "") for row in rows)), account, events)
        accounts, problems = read_accounts([row for row in rows if row.cells.get("account", "") in names], asked)
        with steps("Billing", len(accounts) * len(asked)) as step:
            outcome = bill_accounts(accounts, asked, through=last, step=step)
        problems += outcome.problems
        if not outcome.accounts:
            raise IntakeError(problems)
        labels = tuple(candidate.label for candidate in asked)
        currency = asked[0].intake.policy.currency
        found = comparison.Comparison(labels, currency, len(outcome.accounts), outcome.rows)
        if drawing is not None:
            comparison.draw(found, drawing)
        comparison.write(found, format.value)
        if outcome.notes:
            say("\n".join(outcome.notes))
        if problems:
            left_out = ", ".join(name for name in names if name not in outcome.accounts)
            raise IntakeError([*problems, f"left out of the comparison under every policy: {left_out}"])


@app.command()
def explain(
    document: Annotated[
        str | None, typer.Argument(help="A document of the database, such as invoice-12; without one, of a file:")
    ] = None,
    of_line: Annotated[int | None, typer.Argument(metavar="[line]", help="Only this line of it, from 1.")] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", help="A policy that ships, or the path of a policy file.")
    ] = None,
    events: Annotated[
        str | None, typer.Option("--events", "-e", help="Event file, CSV or JSON Lines; - is standard input.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", "-a", help="Whose document.")] = None,
    on: Annotated[str | None, typer.Option("--date", help="The document's date.")] = None,
    line: Annotated[int | None, typer.Option(help="Only this line of it, counted from 1.")] = None,
    vendor: VendorOption = None,
    start: StartOption = None,
    plan: PlanOption = None,
    interval: IntervalOption = None,
    payment_method: PaymentOption = None,
    map_role: RoleOption = None,
    seats: SeatsOption = None,
) -> None:
    """Say why a document of an account is what it is, line by line."""
    with sentences():
        if document is not None:
            subscription, found = service.document_called(document, vendor)
        else:
            if policy is None or events is None or account is None or on is None:
                way = "a document of the database, such as invoice-12, or --policy, --events, --account and --date"
                raise IntakeError([f"explain needs {way}"])
            day = day_of("--date", on)
            billed = _subscriptions(policy, events, start, plan, interval, payment_method, [account], map_role, seats)
            subscription, found = _document_of(billed, account, day)
        if of_line is not None and line is not None:
            raise IntakeError([f"--line {line}: line {of_line} is asked for already"])
        asked = "--line" if of_line is None else "line"
        line = line if of_line is None else of_line
        if line is not None and not 1 <= line <= len(found.lines):
            raise IntakeError([f"{asked} {line}: the document of {found.date} has lines 1 to {len(found.lines)}"])
    with output.paper() as console:
        output.write_explained(console, subscription, found, line)


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Scenario files, or folders of them.", metavar="PATH…")],
) -> None:
    """Run scenarios: each failure as expected against computed, then the counts."""
    console, errors = (
        Console(highlight=False, soft_wrap=True, emoji=False),
        Console(stderr=True, highlight=False, soft_wrap=True, emoji=False),
    )
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            errors.print(f"{path} does not exist", markup=False)
            raise typer.Exit(2)
        files += sorted(one for one in path.rglob("*.toml") if one.is_file()) if path.is_dir() else [path]
    if not files:
        errors.print("no scenario files (*.toml) there", markup=False)
        raise typer.Exit(2)
    passed = failed = 0
    for file in track(files, description="Checking", console=errors, transient=True, disable=not errors.is_terminal):
        try:
            policies = partial(_policy_document, file.parent)
            scenario = read_scenario(file.read_text(encoding="utf-8"), name=str(file), policy_document=policies)
            problems = run_scenario(scenario)
        except (ScenarioError, PolicyError, UnicodeDecodeError, OSError) as error:
            problems = (str(error),)
        if problems:
            failed += 1
            console.print(f"FAILED {file}", style="red", markup=False)
            for problem in problems:
                console.print(f"  {problem}", markup=False)
        else:
            passed += 1
    console.print(f"{passed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


@app.command()
def demo() -> None:
    """Bill samples that ship under the policies of three vendors: first a few on paper, then a year in a database."""
    from prorata.console.demo import show_demo, show_service

    show_service(Path("demo"))
    with output.paper() as console:
        show_demo(console)


@policies.command("list")
def list_policies() -> None:
    """The policies that ship."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    presets = preset_names()
    for name in (one for one in policy_names() if one not in presets):
        policy = load_policy(name)
        plans = ", ".join(policy.plans)
        console.print(f"[bold]{name:<12}[/bold] {policy.currency}  billed {_either(policy.intervals)}; plans: {plans}")
    console.print("\nPresets to start your own from (prorata policy show NAME --source > mine.toml):")
    width = max(map(len, presets))
    for name in presets:
        console.print(f"[bold]{name:<{width}}[/bold]  {load_policy(name).title}")


@policies.command("show")
def show_policy(
    name: Annotated[str, typer.Argument(help="A policy that ships, or the path of a policy file.")],
    interval: IntervalOption = None,
    source: Annotated[bool, typer.Option("--source", help="Print the file instead.")] = False,
) -> None:
    """Tell a policy in plain sentences, each with an example in money."""
    from prorata.engine.policy.plain import tell

    with sentences():
        policy = load_policy(name)
        chosen = interval_of(interval)
        if chosen is not None and chosen not in policy.intervals:
            raise IntakeError([f"--interval: {interval!r} is not an interval of policy {policy.name}; "
                               f"allowed: {', '.join(policy.intervals)}"])  # fmt: skip
        if source:
            text = policy_text(name) if name in policy_names() else Path(name).read_text(encoding="utf-8-sig")
            sys.stdout.write(text)
            return
        with output.paper() as console:
            for part in tell(policy, interval=chosen):
                console.print(Text(f"\n{part.title}", style="bold"))
                for sentence in part.sentences:
                    console.print(Padding(Text(sentence.text), (0, 0, 0, 2), expand=False))
                    if sentence.example:
                        console.print(Padding(Text(sentence.example, style="cyan"), (0, 0, 0, 6), expand=False))


@policies.command("check")
def check_policy(file: Annotated[str, typer.Argument(help="The policy file.")]) -> None:
    """Check a policy file; every mistake with its line and what is allowed."""
    with sentences():
        policy = load_policy(file)
    plans = f"{len(policy.plans)} plan{'s' if len(policy.plans) > 1 else ''}"
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    console.print(f"{file}: fine. {plans}, billed {_either(policy.intervals)}.", markup=False)
    for sentence in unpriced(policy):
        console.print(f"Mind that {sentence}: an account needs one of its own (column price).", markup=False)


@policies.command("schema")
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    import json

    from prorata.engine.policy.language import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")


def run() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")
    if odd := next((word for word in sys.argv[1:] if not _is_text(word)), None):
        say(f"{odd.encode('utf-8', 'backslashreplace').decode()} is not UTF-8; write it so")
        raise SystemExit(2)
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`).
        sys.stderr.close()
        raise SystemExit(0) from None


def _is_text(word: str) -> bool:
    """Whether a word came as UTF-8; bytes that did not are stood for by halves of signs."""
    return not any("\ud800" <= sign <= "\udfff" for sign in word)


def _subscriptions(
    policy_name: str,
    events: str,
    start: str | None,
    plan: str | None,
    interval: str | None,
    payment_method: str | None,
    accounts: list[str] | None,
    map_role: list[str] | None,
    seats: SeatsRule | None,
) -> tuple[Subscription, ...]:
    intake = intake_of(
        load_policy(policy_name),
        plan=plan,
        interval=interval,
        payment_method=payment_method,
        start=start,
        map_role=map_role,
        seats=seats,
    )
    subscriptions = read_histories(read_event_file(events), intake)
    names = _chosen([subscription.account for subscription in subscriptions], accounts, events)
    return tuple(subscription for subscription in subscriptions if subscription.account in names)


def _document_of(subscriptions: tuple[Subscription, ...], account: str, day: date) -> tuple[Subscription, Document]:
    """The document of a day among those of one account."""
    subscription, billing = next(iter(_billed(subscriptions, day)))
    dates = [document.date for document in billing.documents]
    if day not in dates:
        known = ", ".join(str(one) for one in dates[-6:]) or "none"
        raise IntakeError([f"account {account} has no document of {day}; its documents up to then: {known}"])
    return subscription, billing.documents[dates.index(day)]


def _chosen(known: Sequence[str], accounts: list[str] | None, events: str) -> Collection[str]:
    """Those of the file's accounts that were asked for: all, where nothing was said."""
    unknown = [account for account in accounts or () if account not in known]
    if unknown:
        shown = ", ".join(known[:10]) + (" …" if len(known) > 10 else "")
        raise IntakeError([f"--account {name!r} is not in {events}; there: {shown}" for name in unknown])
    return dict.fromkeys(account for account in known if not accounts or account in accounts)


def _billed(subscriptions: tuple[Subscription, ...], through: date) -> Iterator[output.Billed]:
    errors = Console(stderr=True)
    refused: dict[str, list[str]] = {}
    for subscription in track(
        subscriptions, description="Billing", console=errors, transient=True, disable=not errors.is_terminal
    ):
        try:
            yield subscription, bill_account(subscription, through=through)
        except CannotBill as error:
            refused.setdefault(str(error), []).append(subscription.account)
    if refused:
        raise IntakeError([f"account {', '.join(accounts)}: {why}" for why, accounts in refused.items()])


def _either(intervals: tuple[str, ...]) -> str:
    words = {
        "month": "monthly", "quarter": "quarterly", "half_year": "half-yearly", "year": "yearly", "week": "weekly",
        "two_weeks": "every two weeks", "four_weeks": "every four weeks", "30_days": "every 30 days",
    }  # fmt: skip
    return " or ".join(words[interval] for interval in intervals)


def _policy_document(folder: Path, name: str) -> dict[str, object]:
    """A policy as plain data: one that ships, or a file, by its path from the folder of the story that names it."""
    if name in policy_names():
        return tomllib.loads(policy_text(name))
    beside = folder / name
    path = beside if beside.is_file() else Path(name)
    load_policy(str(path))
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))
