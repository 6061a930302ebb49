"""The commands about one account: what was recorded of it, and what is taken back of that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from prorata.console.asked import sentences
from prorata.console.database import ACTOR, VendorOption, console, database, vendor_called
from prorata.engine.intake import Intake, IntakeError, Row, read_facts
from prorata.engine.money import speak_amount

if TYPE_CHECKING:
    from prorata.engine.policy.model import Policy
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
        from prorata.subscriptions.queries import scheduled as still_to_come
        from prorata.vendors.queries import policy_at, policy_of

        now, subscription = datetime.now(UTC), _subscription(vendor_called(vendor), account)
        policy = policy_of(policy_at(subscription.vendor, subscription.policy_name, now))
        if scheduled:
            events = still_to_come(subscription, now)
        else:
            events = list(subscription.events.select_related("member", "withdrawal").order_by("at", "id"))
        table = Table("number", "on", "event", "what", "recorded", "by", "withdrawn", box=None, header_style="bold")
        zone = ZoneInfo(policy.time_zone)
        for event in events:
            taken_back = None if scheduled else getattr(event, "withdrawal", None)
            days = [
                "" if moment is None else str(moment.astimezone(zone).date())
                for moment in (event.at, event.recorded_at, taken_back and taken_back.recorded_at)
            ]
            table.add_row(str(event.pk), days[0], event.kind, _what(event, policy), days[1], event.actor, days[2])
        console().print(table)


@app.command()
def withdraw(
    event: Annotated[int, typer.Argument(help="The event's number, as prorata account history tells it.")],
    vendor: VendorOption = None,
) -> None:
    """Take back an event that did not happen, or is not to be; what was billed of it goes on the next documents."""
    with sentences(), database():
        from prorata.subscriptions.actions.record import Refused
        from prorata.subscriptions.actions.withdraw import withdraw as take_back
        from prorata.subscriptions.models import Event

        seller = vendor_called(vendor)
        found = Event.objects.filter(vendor=seller, pk=event).select_related("subscription__account").first()
        if found is None:
            raise IntakeError([f"vendor {seller.key} has no event {event}; prorata account history lists them"])
        try:
            take_back(event=found, now=datetime.now(UTC), actor=ACTOR)
        except Refused as error:
            raise IntakeError(error.sentences) from None
        console().print(f"The {found.kind} of account {found.subscription.account.key} is withdrawn.", markup=False)


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
        from prorata.vendors.queries import policy_at, policy_of

        now, subscription = datetime.now(UTC), _subscription(vendor_called(vendor), account)
        policy = policy_of(policy_at(subscription.vendor, subscription.policy_name, now))
        cells = {"at": now.isoformat(), "account": account, "event": "credit", "amount": amount, "reason": reason}
        [(_, [fact])] = read_facts([Row("AMOUNT", cells)], Intake(policy=policy), {account})
        tell(subscription=subscription, facts=[fact], now=now, actor=ACTOR)
        said = f"{speak_amount(fact.price_minor or 0, policy.currency)} {policy.currency}"
        console().print(f"Account {account} has {said} of credit more.", markup=False)


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
