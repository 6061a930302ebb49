"""Quotes: what a change costs is computed, kept, and held to when somebody acts on it the same day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.database.refused import Refused
from prorata.engine import quote as engine
from prorata.engine.calendar import day_of, instant_of, midnight
from prorata.engine.facts import Fact
from prorata.engine.money import speak_amount
from prorata.engine.refusal import CannotBill
from prorata.invoicing.models import Quote
from prorata.invoicing.present import present
from prorata.invoicing.rows import MOST
from prorata.subscriptions.actions.record import locked, new_contradictions, tell, too_long
from prorata.subscriptions.models import Event, Subscription


class Outdated(Refused):
    """A quote that no longer holds; `again` is what the change costs now, kept as a quote of its own."""

    def __init__(self, sentence: str, again: Quote) -> None:
        super().__init__([sentence])
        self.again = again


def price_change(*, subscription: Subscription, change: Sequence[Fact], now: datetime) -> Quote:
    """What a change would cost, as make_quote says it, but that nobody is held to it: the quote is not kept."""
    return _computed(subscription, change, now)


@transaction.atomic
def make_quote(*, subscription: Subscription, change: Sequence[Fact], now: datetime) -> Quote:
    """What a change costs that takes effect when its facts say, whatever moment they name as their recording.

    It holds until the account's day is over. Raises Refused where the change contradicts what was recorded, and
    CannotBill where the account cannot be billed.
    """
    made = _computed(locked(subscription), change, now)
    made.save()
    return made


def accept(*, quote: Quote, now: datetime, actor: str) -> list[Event]:
    """Records the change of a quote, which then costs exactly what the quote says.

    Raises Outdated, with a new quote, where the day is over or the account changed so that it would cost something
    else, and Refused where it was acted on already or the change is no longer possible.
    """
    with transaction.atomic():
        events = _accepted(quote, now, actor)
    if isinstance(events, Outdated):
        raise events
    return events


def _accepted(quote: Quote, now: datetime, actor: str) -> list[Event] | Outdated:
    """What is recorded, or a refusal to be raised once its new quote is kept."""
    row = locked(quote.subscription)
    held = Quote.objects.get(pk=quote.pk)
    if held.accepted_at is not None:
        raise Refused([f"the quote was accepted already, at {held.accepted_at.isoformat()}"])
    change = [Fact(recorded=0, **fact) for fact in held.change]
    again = _computed(row, change, now)
    because = ""
    if now >= held.valid_until:
        because = f"the quote was valid until {held.valid_until.isoformat()}"
    elif _amounts(again) != _amounts(held):
        because = "the account has changed since the quote was made"
    if because:
        again.save()
        return Outdated(f"{because}; the change now costs {_said(again)}, and was quoted {_said(held)}", again)
    held.accepted_at = now
    held.save(update_fields=["accepted_at"])
    return tell(subscription=row, facts=change, now=now, actor=actor)


def _computed(row: Subscription, change: Sequence[Fact], now: datetime) -> Quote:
    """The quote of a change, not written yet."""
    agreement, policy, facts, issued, moment = present(row, now)
    zone = ZoneInfo(policy.time_zone)
    news = [fact._replace(recorded=moment) for fact in change]
    problems = [*too_long(news), *new_contradictions(agreement, facts, news)]
    if problems:
        raise Refused(problems)
    made = engine.quote(agreement, facts, news, now=moment, issued=issued)
    if max(map(abs, (made.now_minor, made.next_minor, made.per_period_minor))) > MOST:
        raise CannotBill("an amount is too large to be kept; look at the quantities and prices of the change")
    following, recurring = made.changed.next_document, made.changed.recurring
    return Quote(
        vendor_id=row.vendor_id,
        subscription=row,
        change=[_as_json(fact) for fact in change],
        made_at=now,
        valid_until=instant_of(midnight(day_of(moment) + 1), zone),
        currency=policy.currency,
        now_minor=made.now_minor,
        next_minor=made.next_minor,
        next_date=None if following is None else following.date,
        per_period_minor=made.per_period_minor,
        period_start=None if recurring is None else recurring.start,
        period_end=None if recurring is None else recurring.end,
    )


def _amounts(quote: Quote) -> tuple[object, ...]:
    return quote.now_minor, quote.next_minor, quote.next_date, quote.per_period_minor, quote.period_start


def _said(quote: Quote) -> str:
    now, following, each = (
        speak_amount(minor, quote.currency) for minor in (quote.now_minor, quote.next_minor, quote.per_period_minor)
    )
    return f"{now} {quote.currency} now, {following} with the next document and {each} a period"


def _as_json(fact: Fact) -> dict[str, Any]:
    """A fact but for its recording, which is when the quote is accepted."""
    return {name: value for name, value in fact._asdict().items() if name != "recorded" and value not in ("", None)}
