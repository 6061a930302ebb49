"""The commands for payments: what came in and went back, what it counts for, and what is open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from prorata.console.asked import day_of, sentences
from prorata.console.database import ACTOR, VendorOption, add_row, console, database, vendor_called
from prorata.engine.intake import IntakeError
from prorata.engine.money import parse_amount, speak_amount

if TYPE_CHECKING:
    from datetime import date

    from prorata.accounts.models import Account
    from prorata.invoicing.actions.payments import Transfer
    from prorata.invoicing.models import Document, Payment
    from prorata.vendors.models import Vendor

app = typer.Typer(help="What was paid, what it counts for, and what went back.", no_args_is_help=True)

PaymentArgument = Annotated[int, typer.Argument(help="The payment's number, as prorata payment list tells it.")]
DocumentArgument = Annotated[str, typer.Argument(help="The document, such as invoice-12.")]
AmountOption = Annotated[str | None, typer.Option(help="How much; left out, as much as there is.")]
DateOption = Annotated[str | None, typer.Option(help="The day on which the money moved; left out, today.")]
MethodOption = Annotated[str, typer.Option(help="How it was paid, such as: bank transfer.")]
ReferenceOption = Annotated[str, typer.Option(help="What the bank calls it; no two payments have the same.")]


@app.command()
def add(
    account: Annotated[str, typer.Argument(help="The key of the account that paid.")],
    amount: Annotated[str, typer.Argument(help="In the policy's currency, such as 1250.00.")],
    date: DateOption = None,
    method: MethodOption = "",
    reference: ReferenceOption = "",
    document: Annotated[
        list[str] | None, typer.Option("--document", "-d", help="What it is for, such as invoice-12; may be repeated.")
    ] = None,
    vendor: VendorOption = None,
) -> None:
    """Record money that came in: it counts for the documents that are named, or for what is open, the oldest first."""
    with sentences(), database():
        from prorata.accounts.queries import account_of
        from prorata.invoicing.actions.payments import Share, currency_of, receive_payment
        from prorata.vendors.queries import now_of

        seller = vendor_called(vendor)
        found, now = account_of(seller, account), now_of(seller)
        if found is None:
            raise IntakeError([f"vendor {seller.key} has no account {account!r}"])
        amount_minor = _minor("AMOUNT", amount, currency_of(found, now))
        made = receive_payment(
            account=found,
            amount_minor=amount_minor,
            by=_transfer(found, date, method, reference),
            shares=[Share(_document(seller, name)) for name in document or ()],
            now=now,
            actor=ACTOR,
        )
        _say(made)


@app.command("list")
def list_payments(
    vendor: VendorOption = None,
    account: Annotated[str | None, typer.Option("--account", "-a", help="Only those of this account.")] = None,
    left: Annotated[bool, typer.Option("--left", help="Only those of which something is left.")] = False,
    last: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 20,
) -> None:
    """The newest payments, with their numbers."""
    with sentences(), database():
        from prorata.invoicing.models import OpenItem

        seller = vendor_called(vendor)
        rows = seller.payments.select_related("account").order_by("-pk")
        if account is not None:
            if not seller.accounts.filter(key=account).exists():
                raise IntakeError([f"--account: vendor {seller.key} has no account {account!r}"])
            rows = rows.filter(account__key=account)
        still = OpenItem.objects.filter(vendor=seller, payment__isnull=False)
        if left:
            rows = rows.filter(pk__in=still.values("payment_id"))
        shown = list(reversed(rows[:last]))
        of_each = dict(still.filter(payment__in=shown).values_list("payment_id", "open_minor"))
        table = Table("number", "date", "account", "method", "reference", box=None, header_style="bold")
        for title in ("amount", "left"):
            table.add_column(title, justify="right")
        for row in shown:
            minors = (row.amount_minor, -of_each.get(row.pk, 0))
            amounts = [speak_amount(minor, row.currency) for minor in minors]
            add_row(table, row.pk, row.date, row.account.key, row.method, row.reference, *amounts)
        console().print(table)


@app.command()
def allocate(
    payment: PaymentArgument, document: DocumentArgument, amount: AmountOption = None, vendor: VendorOption = None
) -> None:
    """Let what is left of a payment count for a document."""
    with sentences(), database():
        from prorata.invoicing.actions.payments import Share
        from prorata.invoicing.actions.payments import allocate as count
        from prorata.vendors.queries import now_of

        seller = vendor_called(vendor)
        found = _payment(seller, payment)
        minor = None if amount is None else _minor("--amount", amount, found.currency)
        count(payment=found, share=Share(_document(seller, document), minor), now=now_of(seller), actor=ACTOR)
        _say(found)


@app.command()
def release(payment: PaymentArgument, document: DocumentArgument, vendor: VendorOption = None) -> None:
    """Let a payment no longer count for a document, which is open again."""
    with sentences(), database():
        from prorata.invoicing.actions.payments import release as let_go
        from prorata.vendors.queries import now_of

        seller = vendor_called(vendor)
        found = _payment(seller, payment)
        let_go(payment=found, document=_document(seller, document), now=now_of(seller), actor=ACTOR)
        _say(found)


@app.command("return")
def send_back(
    payment: PaymentArgument,
    date: DateOption = None,
    method: MethodOption = "",
    reference: ReferenceOption = "",
    vendor: VendorOption = None,
) -> None:
    """Record that a payment went back where it came from, or never was: what it counted for is open again."""
    with sentences(), database():
        from prorata.invoicing.actions.payments import return_payment
        from prorata.vendors.queries import now_of

        seller = vendor_called(vendor)
        found = _payment(seller, payment)
        by = _transfer(found.account, date, method, reference)
        back = return_payment(payment=found, by=by, now=now_of(seller), actor=ACTOR)
        if back.amount_minor < 0:
            _say_back(back)
        else:
            said = f"{speak_amount(back.amount_minor, back.currency)} {back.currency}"
            console().print(f"Payment {back.pk}: {said} came back from account {found.account.key}.", markup=False)


@app.command()
def refund(
    what: Annotated[
        str, typer.Argument(help="A payment's number, of which something is left; or credit_note-3, to be paid back.")
    ],
    amount: AmountOption = None,
    date: DateOption = None,
    method: MethodOption = "",
    reference: ReferenceOption = "",
    vendor: VendorOption = None,
) -> None:
    """Record that money went back: what is left of a payment, or what a credit note gives back in money."""
    with sentences(), database():
        from prorata.invoicing.actions.payments import pay_back, pay_refund
        from prorata.vendors.queries import now_of

        seller = vendor_called(vendor)
        now = now_of(seller)
        if re.fullmatch("[0-9]{1,18}", what):
            found = _payment(seller, int(what))
            minor = None if amount is None else _minor("--amount", amount, found.currency)
            by = _transfer(found.account, date, method, reference)
            _say_back(pay_back(payment=found, amount_minor=minor, by=by, now=now, actor=ACTOR))
            return
        if amount is not None:
            raise IntakeError(["--amount: a credit note is paid back as a whole; leave it out"])
        document = _document(seller, what)
        by = _transfer(document.account, date, method, reference)
        _say_back(pay_refund(document=document, by=by, now=now, actor=ACTOR))


def _transfer(account: Account, day: str | None, method: str, reference: str) -> Transfer:
    from prorata.invoicing.actions.payments import Transfer, today_for
    from prorata.vendors.queries import now_of

    moved: date = today_for(account, now_of(account.vendor)) if day is None else day_of("--date", day)
    return Transfer(moved, method, reference)


def _minor(place: str, amount: str, currency: str) -> int:
    try:
        minor = parse_amount(amount, currency)
    except ValueError as error:
        raise IntakeError([f"{place}: {error}"]) from None
    if not minor:
        raise IntakeError([f"{place}: {amount!r} is nothing; write an amount above zero"])
    return minor


def _document(seller: Vendor, name: str) -> Document:
    from prorata.invoicing.queries import document_of

    found = document_of(seller, name)
    if found is None:
        raise IntakeError([f"vendor {seller.key} has no document {name!r}; name one like invoice-12 or credit_note-3"])
    return found


def _payment(seller: Vendor, number: int) -> Payment:
    found = seller.payments.select_related("account__vendor").filter(pk=number).first()
    if found is None:
        raise IntakeError([f"vendor {seller.key} has no payment {number}; prorata payment list lists them"])
    return found


def _say(payment: Payment) -> None:
    """What a payment counts for, and what is left of it."""
    from prorata.invoicing.models import Document, OpenItem
    from prorata.invoicing.open_items import counted

    parts = counted(payment)
    told = []
    for document in Document.objects.filter(pk__in=parts).order_by("pk"):
        told.append(f"{speak_amount(parts[document.pk], payment.currency)} for {document.name}")
    rest = OpenItem.objects.filter(payment=payment).first()
    if rest is not None:
        told.append(f"{speak_amount(-rest.open_minor, payment.currency)} left")
    whole = f"{speak_amount(payment.amount_minor, payment.currency)} {payment.currency}"
    console().print(f"Payment {payment.pk} of account {payment.account.key}, {whole}: {', '.join(told)}.", markup=False)


def _say_back(back: Payment) -> None:
    said = f"{speak_amount(-back.amount_minor, back.currency)} {back.currency}"
    console().print(f"Payment {back.pk}: {said} went back to account {back.account.key} on {back.date}.", markup=False)
