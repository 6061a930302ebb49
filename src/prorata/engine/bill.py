"""A bill is what is due by a day less what was billed before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from operator import attrgetter

from prorata.engine.calendar import Day, Moment, midnight, to_date, to_day
from prorata.engine.credits import Credits, Grant, Lapse, grants_of
from prorata.engine.document import Document
from prorata.engine.history import NEVER, Subscription
from prorata.engine.issued import Issued
from prorata.engine.lines import Open
from prorata.engine.refusal import CannotBill
from prorata.engine.settlement import Settlement, Stopped
from prorata.engine.tax import taxes

_QUIET: Day = 3660  # ten years
_LINES, _AMOUNT = attrgetter("lines"), attrgetter("amount_minor")


@dataclass(frozen=True, slots=True)
class Billing:
    """The documents of one account in the order of their dates, and the credits that were granted and lost meanwhile.

    They were made by looking at every day up to and with `through`, at the last with what had been recorded before
    `known_until`. `ended` is the first day on which the agreement no longer ran, if it ended by then.
    Unless something is recorded, nothing is billed and no credit lapses before `next_look`; None: nor ever after.
    `stopped` says why the agreement does not run by then, and since when, if it had begun.
    """

    through: date
    known_until: Moment
    documents: tuple[Document, ...]
    lapses: tuple[Lapse, ...]
    credit_left_minor: int
    grants: tuple[Grant, ...] = ()
    ended: date | None = None
    next_look: date | None = field(default=None, compare=False)
    stopped: Stopped | None = field(default=None, compare=False)

    def followed_by(self, more: Billing) -> Billing:
        """This and the next run of the account as one, for the run after both."""
        documents, lapses, grants = (
            self.documents + more.documents,
            self.lapses + more.lapses,
            self.grants + more.grants,
        )
        return replace(more, documents=documents, lapses=lapses, grants=grants)


def bill(
    subscription: Subscription, *, through: date, known_until: Moment | None = None, issued: Issued | None = None
) -> Billing:
    """Every document of the account dated up to and with `through` that has not been issued yet.

    A day is billed with what was recorded before its end, and before `known_until` where that is earlier: with the
    present moment and a later day this is what will be billed if nothing changes. `issued` is what was billed before,
    a Billing or what a database remembers of one; what it covers is not billed again.

    Raises CannotBill for a history without `start` or `trial`, where nothing says what something costs, where bought
    seats are billed and none were, and where what was billed cannot have been billed of this history.
    """
    if issued is not None and through < issued.through:
        raise CannotBill(f"the account was billed through {issued.through} already; {through} lies before that")
    settlement, credits = Settlement(subscription, known_until, issued), credits_of(subscription, issued)
    documents: list[Document] = []
    lapses: list[Lapse] = []
    grants: list[Grant] = []
    for made in _made(settlement, credits, to_day(through)):
        if isinstance(made, Document):
            documents.append(made)
        elif isinstance(made, Lapse):
            lapses.append(made)
        else:
            grants.append(made)
    ended = settlement.ended(to_day(through))
    heard = settlement
    if settlement.ends_unheard(to_day(through)):
        heard = Settlement(subscription, known_until, issued)
        heard.catch_up(to_day(through))
        ended = None if heard.ended(to_day(through)) != ended else ended
    return Billing(
        through=through,
        known_until=settlement.horizon(to_day(through)),
        documents=tuple(documents),
        lapses=tuple(lapses),
        credit_left_minor=credits.left_minor,
        grants=tuple(grants),
        ended=None if ended is None else to_date(ended),
        next_look=_next_look(settlement, credits, to_day(through), heard.next_turn(to_day(through))),
        stopped=heard.stopped(to_day(through)),
    )


def upcoming(subscription: Subscription, *, known_until: Moment, issued: Issued | None = None) -> Iterator[Document]:
    """The documents that will follow what was issued, one after the other, if nothing more is recorded.

    They end where nothing will be billed any more: where the agreement has ended, or nobody has used anything for ten
    years in which nothing that is known was to happen. Raises CannotBill as bill does.
    """
    settlement, credits = Settlement(subscription, known_until, issued), credits_of(subscription, issued)
    through = 0 if issued is None else to_day(issued.through)
    quiet = max(through, _last_known(subscription)) + _QUIET
    while (look := settlement.next_look(through, lapses=False)) is not None and look < min(quiet, NEVER):
        through = look
        for made in _made(settlement, credits, look):
            if isinstance(made, Document):
                quiet = max(quiet, look + _QUIET)
                yield made


def _last_known(subscription: Subscription) -> Day:
    """The last day on which something is to happen, by what was told and by the policy's dates."""
    ticks = subscription.policy.ticks
    told = [max(event.day, event.until or 0) // ticks for event in subscription.events]
    return max([*told, *(to_day(day) for day in subscription.policy.dates)], default=0)


def _made(settlement: Settlement, credits: Credits, through: Day) -> Iterator[Document | Lapse | Grant]:
    """What the looks up to and with a day come to, in order, and what was granted until then."""
    account = settlement.known.subscription.account
    for look in settlement.looks(through):
        yield from _come(settlement, credits, look)
        if settlement.is_base and credits.left_minor:
            months = settlement.released[-1].period.rules.credits.lapse_months
            if months and (lost := credits.expire(look, months)):
                yield Lapse(account, to_date(look), settlement.known_until, lost, "age")
        found = settlement.open(look)
        if found and (document := _document(settlement, credits, look, found)) is not None:
            yield document
        if settlement.is_base and credits.left_minor and settlement.has_ended(look):
            rules = settlement.released[-1].period.rules
            if rules.credits.lapse == "agreement_end":
                yield Lapse(account, to_date(look), settlement.known_until, credits.lapse())
    yield from _come(settlement, credits, through)


def _come(settlement: Settlement, credits: Credits, through: Day) -> Iterator[Lapse | Grant]:
    """What was granted by a day, and what of it was withdrawn."""
    account = settlement.known.subscription.account
    for come in credits.come(settlement.horizon(through)):
        if isinstance(come, Grant):
            yield come
        else:
            until = settlement.horizon(come.day)
            yield Lapse(account, to_date(come.day), until, come.amount_minor, "withdrawn")


def _next_look(settlement: Settlement, credits: Credits, through: Day, turn: Day | None) -> date | None:
    rules = [one.credits for one in settlement.known.subscription.policy.variants.values()]
    lapses = (credits.left_minor > 0 or bool(credits.grants)) and any(
        one.lapse != "never" or one.lapse_months for one in rules
    )
    days = (settlement.next_look(through, lapses=lapses), turn)
    day = min((day for day in days if day is not None), default=None)
    return None if day is None else to_date(day)


def _document(settlement: Settlement, credits: Credits, look: Day, found: Sequence[Open]) -> Document | None:
    """What is open on one document of a day, with the credits it uses or leaves; None where it is not settled yet."""
    subscription = settlement.known.subscription
    lines = tuple(chain.from_iterable(map(_LINES, found)))
    subtotal = total = sum(map(_AMOUNT, lines))
    tax = taxes(lines) if subscription.policy.is_taxed else ()
    for part in tax:
        total += part.tax_minor
    if not settlement.is_due(look, lines, total):
        return None
    settlement.settle(found)
    refund = -total if total < 0 and settlement.refunds() else 0
    used = credits.take(total + refund, look)
    return Document(
        subscription.account, to_date(look), settlement.known_until, subscription.policy.currency,
        lines, tax, subtotal, total, used, credits.left_minor, refund,
    )  # fmt: skip


def credits_of(subscription: Subscription, issued: Issued | None) -> Credits:
    """What is left of credits by what was issued, with what was granted and that does not know yet still to be told."""
    grants = grants_of(subscription.account, subscription.grants, subscription.policy.ticks)
    credits = Credits(grants=grants)
    if issued is None:
        return credits
    taken = [
        (one.date, one.known_until, 0, one.total_minor + one.refund_minor, one.credit_used_minor)
        for one in issued.documents
    ]
    lapsed = [
        (one.date, one.known_until, 1 if one.reason == "end" else -1, 0, one.amount_minor)
        for one in issued.lapses
        if one.reason != "withdrawn"  # what was granted and withdrawn is told by the history
    ]
    for day, known_until, order, total, stated in sorted(taken + lapsed):
        _take_in(credits, day, known_until)
        # What grew too old was the oldest that was left.
        used = credits.lapse() if order == 1 else credits.take(total if order == 0 else stated, to_day(day))
        if used != stated:
            raise CannotBill(
                f"what was issued on {day} does not add up: credits of {stated} (in minor units) were "
                f"{'lost' if order else 'used'}, and by the documents before it would have been {used}"
            )
    _take_in(credits, issued.through, issued.known_until)
    return credits


def _take_in(credits: Credits, day: date, known_until: Moment) -> None:
    """Takes in what was granted by a look at a day that knew so much."""
    for _ in credits.come(min(known_until, midnight(to_day(day) + 1))):
        pass
