"""Accounts: who buys, by which agreement, and how that stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from prorata.accounts.actions import change_details
from prorata.accounts.models import MOST_COPIES, Account
from prorata.accounts.queries import accounts_like
from prorata.api.event_values import EventIn, rows_from
from prorata.api.loading import AccountKey, account_called
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.tokens import Bearer, actor_of, vendor_of
from prorata.api.values import Amount, Copy, Email, Key, Name, PartyIn
from prorata.engine.calendar import to_date
from prorata.engine.history import NEVER
from prorata.engine.money import format_amount
from prorata.engine.status import State
from prorata.invoicing.actions.delete_account import delete_account
from prorata.invoicing.present import status
from prorata.subscriptions.actions.rows import Wish, open_agreement
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import at_work, rules_for
from prorata.vendors.queries import now_of

router = Router(tags=["Accounts"])

_Words = Annotated[str, Query(max_length=200, description="Only those with these words in key, name or e-mail.")]


class DetailsIn(PartyIn):
    """What documents say of the account, and where its mail goes; what is left out stays as it is."""

    reference: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="What it wants to read on its documents: an order's number, a cost centre."
    )
    email: Email | None = Field(None, description="Where its documents go.")
    copies_to: Annotated[list[Copy], Field(max_length=MOST_COPIES)] | None = Field(
        None, description="Where copies of them go."
    )

    def told(self) -> dict[str, Any]:
        """What was said of these."""
        return self.model_dump(include=set(DetailsIn.model_fields), exclude_none=True)


class AccountIn(DetailsIn):
    """A new account. Without events it waits; a `start` or a `trial` begins it, told now or later."""

    key: Key = Field(description="What your own system calls it; used once, and for good.")
    policy: Name | None = Field(None, description="By which of the vendor's policies; needed where there are several.")
    plan: Name | None = None
    interval: Name | None = None
    payment_method: Name | None = None
    time_zone: Annotated[str, Field(max_length=64)] = Field(
        "", description="By whose clock its days begin and end, for good; where it is left out, the policy's."
    )
    seats_follow: bool = Field(False, description="Whether seats follow active members until the first order of some.")
    events: list[EventIn] = Field([], max_length=1000, description="What is to be told of it at once.")


class ItemOut(Schema):
    """So many of an item are billed at this price a unit, which is for so many months."""

    item: str
    quantity: int
    price: Amount
    price_months: int


class AgreementOut(Schema):
    """How the agreement stands now."""

    policy: str
    state: State = Field(
        description="waiting for its start, on trial, suspended (no payment method), active, paused, or ended."
    )
    plan: str
    interval: str
    payment_method: str
    currency: str
    time_zone: str = Field(description="By whose clock its days begin and end.")
    starts: date | None = Field(description="The first billed day.")
    ends: date | None = Field(description="The first day on which it no longer runs, once it is cancelled or paused.")
    returns: date | None = Field(description="The day on which it comes back, if that is told.")
    trial_plan: str = Field(description="A plan that is tried out for nothing.")
    trial_ends: date | None
    period_start: date | None = Field(description="The running billing period.")
    period_end: date | None
    ordered: dict[str, int] = Field(description='Seats that are bought, by role, or under "".')
    billed: list[ItemOut] = Field(description="What a bill of now would count.")
    credit_left: Amount = Field(description="What the next invoices can use.")
    billed_through: date | None = Field(description="The last day that was looked at.")
    next_look: date | None = Field(description="Nothing is billed before that day unless something is recorded.")
    problem: str = Field(description="Why it cannot be said what is billed, if so.")
    message: str = Field(description="Why it does not run, if so, and what makes it run: for people.")


class AccountSummary(Schema):
    key: str
    name: str
    organisation_number: str
    vat_number: str
    address: str
    postal_code: str
    city: str
    country: str
    reference: str
    email: str
    copies_to: list[str]
    deleted_at: datetime | None


class AccountOut(AccountSummary):
    agreement: AgreementOut | None


@router.get("/accounts", response=Page[AccountSummary], auth=Bearer("read"))
def list_accounts(
    request: HttpRequest, words: _Words = "", cursor: Cursor = "", limit: Limit = 50
) -> Page[AccountSummary]:
    """The vendor's accounts, in the order in which they came."""
    return page(accounts_like(vendor_of(request), words), cursor, limit, _summaries)


@router.post("/accounts", response={201: AccountOut}, auth=Bearer("agreements"))
def open_an_account(request: HttpRequest, body: AccountIn) -> Status[AccountOut]:
    """Open an account, with an agreement and the first events of it."""
    vendor = vendor_of(request)
    subscription = open_agreement(
        vendor=vendor,
        key=body.key,
        details=body.told(),
        wish=Wish(body.policy, body.plan, body.interval, body.payment_method, body.seats_follow, body.time_zone),
        rows=rows_from(body.events),
        now=now_of(vendor),
        actor=actor_of(request),
    )
    return Status(201, _account_out(subscription.account, now_of(vendor)))


@router.get("/accounts/{account}", response=AccountOut, auth=Bearer("read"))
def show_account(request: HttpRequest, account: AccountKey) -> AccountOut:
    """One account and how its agreement stands."""
    return _account_out(account_called(request, account), now_of(vendor_of(request)))


@router.patch("/accounts/{account}", response=AccountOut, auth=Bearer("agreements"))
def change_an_account(request: HttpRequest, account: AccountKey, body: DetailsIn) -> AccountOut:
    """Change what the next documents say of it; those that were issued stay."""
    now = now_of(vendor_of(request))
    changed = change_details(account=account_called(request, account), details=body.told(), now=now)
    return _account_out(changed, now)


@router.delete("/accounts/{account}", response={204: None}, auth=Bearer("settings"))
def delete_an_account(request: HttpRequest, account: AccountKey) -> Status[None]:
    """Forget an account whose agreement has ended, and its people. Its documents stay."""
    delete_account(account=account_called(request, account), now=now_of(vendor_of(request)))
    return Status(204, None)


def _summaries(accounts: Sequence[Account]) -> list[AccountSummary]:
    return [AccountSummary.model_validate(account) for account in accounts]


def _account_out(account: Account, now: datetime) -> AccountOut:
    subscription = at_work(account)
    agreement = None if subscription is None else _agreement_out(subscription, now)
    return AccountOut(**AccountSummary.model_validate(account).model_dump(), agreement=agreement)


def _agreement_out(row: Subscription, now: datetime) -> AgreementOut:
    stands = status(subscription=row, now=now)
    rules = rules_for(row, now)
    currency = rules.currency
    return AgreementOut(
        policy=row.policy_name,
        state=stands.state,
        plan=stands.plan,
        interval=stands.interval,
        payment_method=stands.payment_method,
        currency=currency,
        time_zone=rules.time_zone,
        starts=stands.starts,
        ends=stands.ends,
        returns=stands.returns,
        trial_plan=stands.trial_plan,
        trial_ends=stands.trial_ends,
        period_start=stands.period_start,
        period_end=stands.period_end,
        ordered=dict(stands.ordered or {}),
        billed=[
            ItemOut(
                item=one.item,
                quantity=one.quantity,
                price=format_amount(one.price_minor, currency),
                price_months=one.price_months,
            )
            for one in stands.billed
        ],
        credit_left=format_amount(stands.credit_left_minor, currency),
        billed_through=row.billed_through,
        next_look=None if row.next_look is None or row.next_look >= to_date(NEVER) else row.next_look,
        problem=stands.problem,
        message=stands.message,
    )
