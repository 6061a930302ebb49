"""A bill is what is due by a day less what was billed before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from prorata.engine.calendar import Day, Moment, to_date, to_day
from prorata.engine.credits import Credits, Lapse
from prorata.engine.document import Document, Line
from prorata.engine.history import Subscription
from prorata.engine.issued import Issued, IssuedDocument
from prorata.engine.refusal import CannotBill
from prorata.engine.settlement import Settlement
from prorata.engine.tax import taxes


@dataclass(frozen=True, slots=True)
class Billing:
    """The documents of one account in the order of their dates, and the credits that were lost meanwhile.

    They were made by looking at every day up to and with `through`, at the last with what had been recorded before
    `known_until`.
    """

    through: date
    known_until: Moment
    documents: tuple[Document, ...]
    lapses: tuple[Lapse, ...]
    credit_left_minor: int


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
    start = starts_on(subscription)
    if start is None:
        raise CannotBill("no event says when the agreement starts; add a start or a trial")
    settlement = Settlement(subscription, start, known_until, issued)
    credits = _credits_of(issued)
    documents: list[Document] = []
    lapses: list[Lapse] = []
    for look in settlement.looks(through.toordinal()):
        found = settlement.open(look)
        lines = [line for some in found for line in some.lines]
        if lines:
            document = _document(subscription, look, settlement.horizon(look), lines)
            if settlement.is_due(look, document.total_minor):
                documents.append(_settled(document, credits))
                settlement.settle(look, found)
        if settlement.is_base and settlement.ended(look):
            rules = settlement.released[-1].period.rules
            if rules.credits.lapse == "agreement_end" and credits.left_minor:
                lapses.append(Lapse(subscription.account, to_date(look), credits.lapse()))
    return Billing(through, settlement.horizon(to_day(through)), tuple(documents), tuple(lapses), credits.left_minor)


def starts_on(subscription: Subscription) -> Day | None:
    """The first billed day: the day of `start`, or the day after a trial where that is later."""
    start = trial_end = None
    for event in subscription.events:
        if event.kind == "start":
            start = event.day
        elif event.kind == "trial":
            trial_end = event.until
    if start is None or trial_end is None:
        return trial_end if start is None else start
    return max(start, trial_end)


def _document(subscription: Subscription, look: Day, known_until: Moment, lines: list[Line]) -> Document:
    """What the lines come to, before credits."""
    policy = subscription.policy
    subtotal = sum([line.amount_minor for line in lines])
    tax = taxes(lines) if policy.is_taxed else ()
    total = subtotal + sum(part.tax_minor for part in tax) if tax else subtotal
    return Document(
        subscription.account, to_date(look), known_until, policy.currency, tuple(lines), tax, subtotal, total, 0, 0
    )


def _settled(document: Document, credits: Credits) -> Document:
    """The document with the credits it uses, or after the credit it gives."""
    total = document.total_minor
    if total < 0:
        credits.grant(document.date, -total)
    elif not credits.open:
        return document
    used = credits.use(total) if total > 0 else 0
    return replace(document, credit_used_minor=used, credit_left_minor=credits.left_minor)


def _credits_of(issued: Issued | None) -> Credits:
    credits = Credits()
    if issued is None:
        return credits
    moves: list[IssuedDocument | Lapse] = [*issued.documents, *issued.lapses]
    for move in sorted(moves, key=lambda move: move.date):  # a lapse comes after its day's document: the sort is stable
        if isinstance(move, Lapse):
            lost = credits.lapse()
            assert lost == move.amount_minor, "another credit was lost than there was"
            continue
        if move.total_minor < 0:
            credits.grant(move.date, -move.total_minor)
        used = credits.use(move.credit_used_minor)
        assert used == move.credit_used_minor, "more credit was used than there was"
    return credits
