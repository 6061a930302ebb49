"""Previews and quotes: what an account will be sent, and what a change costs before it is made."""

from __future__ import annotations

from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from prorata.api.document_values import Paper, paper_out
from prorata.api.event_values import EventIn, EventOut, EventTold, change_out, events_out, rows_from
from prorata.api.loading import AccountKey, Number, agreement_called, rules_of
from prorata.api.problems import Gone, problem
from prorata.api.tokens import Bearer, actor_of, vendor_of
from prorata.api.values import Amount, In
from prorata.engine.money import format_amount
from prorata.invoicing.actions.quotes import Outdated, accept, make_quote, price_change
from prorata.invoicing.models import Quote
from prorata.invoicing.present import preview
from prorata.subscriptions.actions.rows import read_rows
from prorata.vendors.queries import now_of

router = Router(tags=["Quotes"])


class RecurringOut(Schema):
    """What the first whole period that is still to come is billed, with tax."""

    start: date
    end: date
    total: Amount


class PreviewOut(Schema):
    """What an account will be sent if nothing more is recorded."""

    currency: str
    due: list[Paper] = Field(description="Documents of today and of days before that are not issued yet.")
    next: Paper | None = Field(description="The first document after them.")
    recurring: RecurringOut | None


class QuoteIn(In):
    events: list[EventIn] = Field(min_length=1, max_length=1000)
    keep: bool = Field(True, description="Whether it is to hold; a price that is only shown while choosing need not.")


class QuoteOut(Schema):
    """What a change costs, with tax; below zero is given back."""

    id: int | None = Field(description="By which it is accepted; null where it was not kept.")
    account: str
    events: list[EventTold]
    made_at: datetime
    valid_until: datetime
    accepted_at: datetime | None
    currency: str
    now: Amount = Field(description="What it costs at once.")
    next: Amount = Field(description="What it makes of the next document.")
    next_date: date | None
    per_period: Amount = Field(description="What each whole period costs more, from the one of period_start on.")
    period_start: date | None
    period_end: date | None


class AcceptedOut(Schema):
    quote: QuoteOut
    events: list[EventOut]


@router.get("/accounts/{account}/preview", response=PreviewOut, auth=Bearer("read"))
def preview_documents(request: HttpRequest, account: AccountKey) -> PreviewOut:
    """What the next document will be if nothing changes."""
    subscription = agreement_called(request, account)
    outlook = preview(subscription=subscription, now=now_of(vendor_of(request)))
    currency, recurring = rules_of(subscription).currency, None
    if (of := outlook.recurring) is not None:
        recurring = RecurringOut(start=of.start, end=of.end, total=format_amount(of.total_minor, currency))
    following = outlook.next_document
    return PreviewOut(
        currency=currency,
        due=[paper_out(one) for one in outlook.now],
        next=None if following is None else paper_out(following),
        recurring=recurring,
    )


@router.post("/accounts/{account}/quotes", response={200: QuoteOut, 201: QuoteOut}, auth=Bearer("agreements"))
def quote_a_change(request: HttpRequest, account: AccountKey, body: QuoteIn) -> Status[QuoteOut]:
    """What a change would cost now, on the next document and per period. It holds until the account's day is over."""
    subscription, now = agreement_called(request, account), now_of(vendor_of(request))
    change = read_rows(subscription, rows_from(body.events), now)
    if not body.keep:
        return Status(200, _quote_out(price_change(subscription=subscription, change=change, now=now)))
    return Status(201, _quote_out(make_quote(subscription=subscription, change=change, now=now)))


@router.get("/quotes/{quote}", response=QuoteOut, auth=Bearer("read"))
def show_quote(request: HttpRequest, quote: Number) -> QuoteOut:
    """A quote that was made."""
    return _quote_out(_called(request, quote))


@router.post("/quotes/{quote}/acceptance", response={201: AcceptedOut}, auth=Bearer("agreements"))
def accept_a_quote(request: HttpRequest, quote: Number) -> Status[AcceptedOut] | HttpResponse:
    """Record the change of a quote, which then costs what the quote says.

    Where the account has changed since, it is refused, and the problem's `quote` is a new one with what it costs now.
    """
    found = _called(request, quote)
    try:
        events = accept(quote=found, now=now_of(vendor_of(request)), actor=actor_of(request))
    except Outdated as outdated:
        return problem(409, outdated.sentences, quote=_quote_out(outdated.again).model_dump(mode="json"))
    accepted = Quote.objects.select_related("subscription__account", "subscription__vendor").get(pk=quote)
    told = events_out(events, rules_of(accepted.subscription))
    return Status(201, AcceptedOut(quote=_quote_out(accepted), events=told))


def _called(request: HttpRequest, pk: int) -> Quote:
    rows = Quote.objects.select_related("subscription__account", "subscription__vendor")
    found = rows.filter(vendor=vendor_of(request), pk=pk).first()
    if found is None:
        raise Gone(f"there is no quote {pk}")
    return found


def _quote_out(quote: Quote) -> QuoteOut:
    subscription = quote.subscription
    return QuoteOut(
        id=quote.pk,
        account=subscription.account.key,
        events=list(change_out(quote.change, rules_of(subscription))),
        made_at=quote.made_at,
        valid_until=quote.valid_until,
        accepted_at=quote.accepted_at,
        currency=quote.currency,
        now=format_amount(quote.now_minor, quote.currency),
        next=format_amount(quote.next_minor, quote.currency),
        next_date=quote.next_date,
        per_period=format_amount(quote.per_period_minor, quote.currency),
        period_start=quote.period_start,
        period_end=quote.period_end,
    )
