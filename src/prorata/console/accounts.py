"""The commands about one account: what was recorded of it, and what is taken back of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from prorata.console.asked import EventsOption, sentences
from prorata.console.database import ACTOR, VendorOption, add_row, console, database, vendor_called
from prorata.console.event_files import read_event_file
from prorata.engine.calendar import moment_of
from prorata.engine.facts import Fact
from prorata.engine.intake import IntakeError
from prorata.engine.money import parse_amount, speak_amount

if TYPE_CHECKING:
    from prorata.engine.policy.model import Policy
    from prorata.engine.status import Status
    from prorata.subscriptions.models import Event, Subscription
    from prorata.vendors.models import Vendor

app = typer.Typer(help="One account: what was recorded of it, and what is taken back of that.", no_args_is_help=True)

AccountArgument = Annotated[str, typer.Argument(help="The account's key.")]


@app.command()
def history(
    account: AccountArgument,
    vendor: VendorOption = None,
    scheduled: Annotated[bool, typer.Option("--scheduled", help="Only what is still to come.")] = False,
) -> None:
    """What was recorded of an account, with the numbers by which events are withdrawn."""
    with sentences(), database():
        from prorata.subscriptions.queries import rules_for
        from prorata.subscriptions.queries import scheduled as still_to_come
        from prorata.vendors.queries import now_of

        subscription = _subscription(vendor_called(vendor), account)
        now = now_of(subscription.vendor)
        policy = rules_for(subscription, now)
        events = still_to_come(subscription, now) if scheduled else subscription.events.all()
        table = Table("number", "on", "event", "what", "recorded", "by", "withdrawn", box=None, header_style="bold")
        zone = ZoneInfo(policy.time_zone)
        for event in events.select_related("member", "withdrawal").order_by("at", "id"):
            taken_back = getattr(event, "withdrawal", None)
            days = [
                "" if moment is None else str(moment.astimezone(zone).date())
                for moment in (event.at, event.recorded_at, taken_back and taken_back.recorded_at)
            ]
            add_row(table, str(event.pk), days[0], event.kind, _what(event, policy), days[1], event.actor, days[2])
        console().print(table)


@app.command()
def show(account: AccountArgument, vendor: VendorOption = None) -> None:
    """How an account's agreement stands now, and what it will be sent next."""
    with sentences(), database():
        from prorata.invoicing.open_items import balance_of
        from prorata.invoicing.present import preview, status
        from prorata.subscriptions.queries import rules_for
        from prorata.vendors.queries import now_of

        subscription = _subscription(vendor_called(vendor), account)
        now = now_of(subscription.vendor)
        stands = status(subscription=subscription, now=now)
        rules = rules_for(subscription, now)
        table = Table(box=None, show_header=False)
        for title, told in _standing(stands, rules.currency):
            add_row(table, title, told)
        if subscription.time_zone:
            add_row(table, "clock", subscription.time_zone)
        balance = balance_of(subscription.account)
        for title, name in (("to pay", "to_pay"), ("to be paid back", "to_pay_back"), ("paid too much", "left")):
            if balance[name]:
                add_row(table, title, f"{speak_amount(balance[name], rules.currency)} {rules.currency}")
        if not stands.problem:
            following = preview(subscription=subscription, now=now).next_document
            if following is not None:
                total = f"{speak_amount(following.total_minor, rules.currency)} {rules.currency}"
                add_row(table, "next document", f"{following.date}: {total}")
        console().print(table)


@app.command()
def quote(
    account: AccountArgument,
    events: EventsOption,
    vendor: VendorOption = None,
) -> None:
    """Say what a change would cost: now, on the next document, and each period from then on; nothing is kept."""
    with sentences(), database():
        from prorata.engine.refusal import CannotBill
        from prorata.invoicing.actions.quotes import price_change
        from prorata.subscriptions.actions.rows import read_rows
        from prorata.vendors.queries import now_of

        subscription = _subscription(vendor_called(vendor), account)
        rows = read_event_file(events)
        if others := sorted({row.cells.get("account", account) for row in rows} - {account}):
            raise IntakeError([f"{events} is also about {', '.join(others)}; a quote is for one account"])
        now = now_of(subscription.vendor)
        try:
            made = price_change(subscription=subscription, change=read_rows(subscription, rows, now), now=now)
        except CannotBill as error:
            raise IntakeError([f"account {account} cannot be billed: {error}"]) from None
        table = Table(box=None, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        following = f"on {made.next_date} more" if made.next_date else "on the next document"
        each = f"each period from {made.period_start} more" if made.period_start else "each period"
        for title, minor in (("now", made.now_minor), (following, made.next_minor), (each, made.per_period_minor)):
            add_row(table, title, f"{speak_amount(minor, made.currency)} {made.currency}")
        console().print(table)


@app.command()
def withdraw(
    event: Annotated[int, typer.Argument(help="The event's number, as prorata account history tells it.")],
    vendor: VendorOption = None,
) -> None:
    """Take back an event that did not happen, or is not to be; what was billed of it goes on the next documents."""
    with sentences(), database():
        from prorata.subscriptions.actions.withdraw import withdraw as take_back
        from prorata.subscriptions.models import Event
        from prorata.vendors.queries import now_of

        seller = vendor_called(vendor)
        found = Event.objects.filter(vendor=seller, pk=event).select_related("subscription__account").first()
        if found is None:
            raise IntakeError([f"vendor {seller.key} has no event {event}; prorata account history lists them"])
        take_back(event=found, now=now_of(seller), actor=ACTOR)
        console().print(
            f"Event {event} ({found.kind}) of account {found.subscription.account.key} is withdrawn.", markup=False
        )


@app.command()
def credit(
    account: AccountArgument,
    amount: Annotated[str, typer.Argument(help="In the policy's currency, such as 120.00.")],
    reason: Annotated[str, typer.Option(help="Why it is granted.")],
    vendor: VendorOption = None,
) -> None:
    """Grant an account a credit, which pays its next invoices."""
    with sentences(), database():
        from prorata.subscriptions.actions.record import tell
        from prorata.subscriptions.queries import rules_for
        from prorata.vendors.queries import now_of

        subscription = _subscription(vendor_called(vendor), account)
        now = now_of(subscription.vendor)
        policy = rules_for(subscription, now)
        try:
            minor = parse_amount(amount, policy.currency)
        except ValueError as error:
            raise IntakeError([f"AMOUNT: {error}"]) from None
        if not minor or not reason.strip():
            raise IntakeError(["a credit is of more than nothing, and --reason says why it is granted"])
        at = moment_of(now, ZoneInfo(policy.time_zone))
        granted = Fact("credit", at, at, price_minor=minor, reason=reason)
        tell(subscription=subscription, facts=[granted], now=now, actor=ACTOR)
        said = f"{speak_amount(minor, policy.currency)} {policy.currency}"
        console().print(f"Account {account} has {said} of credit more.", markup=False)


@app.command()
def delete(
    account: AccountArgument,
    vendor: VendorOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget an account whose agreement has ended, and its people; documents and history stay, without names."""
    with sentences(), database():
        from prorata.invoicing.actions.delete_account import delete_account
        from prorata.invoicing.open_items import balance_of
        from prorata.vendors.queries import now_of

        found = _subscription(vendor_called(vendor), account).account
        if not yes:
            typer.confirm(f"Forget account {account} and its people for good?", abort=True)
        delete_account(account=found, now=now_of(found.vendor))
        balance = balance_of(found)
        told = (("to pay", "is still to be paid"), ("to pay back", "is to be paid back"), ("left", "was paid too much"))
        still = [words for name, words in told if balance[name.replace(" ", "_")]]
        rest = f" Something {' and '.join(still)}: prorata payment goes on." if still else ""
        console().print(f"Account {account} is deleted; its documents are kept.{rest}", markup=False)


def _standing(stands: Status, currency: str) -> Iterator[tuple[str, str]]:
    """What there is to say of how an agreement stands."""
    yield "state", stands.state
    if stands.message:
        yield "", stands.message
    yield "plan", f"{stands.plan}, each {stands.interval.replace('_', ' ')}"
    if stands.trial_plan:
        yield "tried out", f"{stands.trial_plan} until {stands.trial_ends}"
    if stands.starts is not None:
        yield "starts", str(stands.starts)
    if stands.ends is not None:
        yield "ends", str(stands.ends)
    if stands.returns is not None:
        yield "comes back", str(stands.returns)
    if stands.period_start is not None:
        yield "period", f"{stands.period_start} up to {stands.period_end}"
    for role, count in (stands.ordered or {}).items():
        yield f"ordered {role}".strip(), str(count)
    for one in stands.billed:
        per = f" for {one.price_months} months" if one.price_months > 1 else ""
        yield f"billed {one.item}", f"{one.quantity} at {speak_amount(one.price_minor, currency)} {currency}{per}"
    if stands.credit_left_minor:
        yield "credit", f"{speak_amount(stands.credit_left_minor, currency)} {currency}"
    if stands.problem:
        yield "cannot be billed", stands.problem


def _subscription(seller: Vendor, key: str) -> Subscription:
    """The agreement of the vendor's account that is named; raises IntakeError where there is none."""
    from prorata.accounts.models import Account
    from prorata.subscriptions.queries import at_work

    account = Account.objects.filter(vendor=seller, key=key).first()
    subscription = None if account is None else at_work(account)
    if subscription is None:
        raise IntakeError([f"vendor {seller.key} has no account {key!r}"])
    return subscription


def _what(event: Event, policy: Policy) -> str:
    """Whom or what an event is about, in the order of an event file's columns."""
    price = "" if event.price_minor is None else speak_amount(event.price_minor, policy.currency)
    price = f"at {price}" if price and event.kind != "credit" else price
    until = "" if event.until is None else f"until {event.until:%Y-%m-%d}"
    quantity = "" if event.quantity is None else str(event.quantity)
    told = (
        event.member.key if event.member else "", event.role, event.plan, quantity, event.item, price,
        event.interval, event.payment_method, until, event.reason,
    )  # fmt: skip
    return " ".join(one for one in told if one)
