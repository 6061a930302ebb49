"""A document is computed again, from what was known and what had been issued when it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from prorata.database.clock import Clock, clock_of
from prorata.database.rows import microseconds_of
from prorata.engine import document as engine
from prorata.engine.bill import bill
from prorata.engine.calendar import Moment, midnight
from prorata.engine.history import Subscription as History
from prorata.engine.refusal import CannotBill
from prorata.invoicing.models import Document
from prorata.invoicing.queries import (
    Issued,
    IssuedDocument,
    IssuedLapse,
    issued_document,
    issued_lapse,
    issued_rows,
)
from prorata.invoicing.rows import DocumentRow, LapseRow, LineRow
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import agreement_of, histories
from prorata.vendors.models import PolicyVersion
from prorata.vendors.queries import policy_of


@dataclass(frozen=True, slots=True)
class Stored:
    """What was issued to one subscription: the rows in their order, and as the engine remembers them."""

    subscription: Subscription
    clock: Clock
    versions: Mapping[int, PolicyVersion]  # of the rules, by their id: those that its documents name
    rows: Sequence[DocumentRow]
    lines: Sequence[Sequence[LineRow]]
    lapse_rows: Sequence[LapseRow]
    documents: Sequence[IssuedDocument]
    lapses: Sequence[IssuedLapse]

    def everything(self) -> Issued | None:
        """What was issued, and how far the subscription says that it was billed; None where it was not."""
        through, known_until = self.subscription.billed_through, self.subscription.known_until
        if through is None or known_until is None:
            return None
        return Issued(through, self.clock.moment(microseconds_of(known_until)), self.documents, self.lapses)

    def since_the_last(self) -> Issued:
        """What had been issued with the last document."""
        last = self.documents[-1]
        return Issued(last.date, last.known_until, self.documents, self._lapsed(last.date, last.known_until))

    def _lapsed(self, through: date, known_until: Moment) -> list[IssuedLapse]:
        """What had lapsed by a look at a day that knew so much."""
        return [lapse for lapse in self.lapses if (lapse.date, lapse.known_until) <= (through, known_until)]

    def before_lapse(self, at: int) -> Issued:
        """What had been issued before a credit lapsed, by looks that knew less."""
        lost = self.lapses[at]
        then = (lost.date, lost.known_until)
        documents = [one for one in self.documents if (one.date, one.known_until) < then]
        earlier = [one for one in self.lapses if (one.date, one.known_until) < then]
        that_day = [one.known_until for one in documents if one.date == lost.date]
        that_day += [one.known_until for one in earlier if one.date == lost.date]
        if that_day:
            return Issued(lost.date, max(that_day), documents, earlier)
        return Issued(lost.date - timedelta(days=1), midnight(lost.date.toordinal()), documents, earlier)

    def before(self, at: int) -> Issued | None:
        """What had been issued when a document came up, as far as documents tell; None before the first."""
        if not at:
            return None
        day, last = self.rows[at].date, self.documents[at - 1]
        through, known_until = day - timedelta(days=1), midnight(day.toordinal())
        if last.date == day:
            through, known_until = day, last.known_until
        return Issued(through, known_until, self.documents[:at], self._lapsed(through, known_until))


def stored(subscriptions: Sequence[Subscription]) -> list[Stored]:
    """All that was issued to subscriptions, of each that any document was issued to.

    Whom a document was issued to by a version of the rules that is not there, is left out: nothing can be computed.
    """
    rows = issued_rows([one.pk for one in subscriptions])
    named = {row.policy_id for issued in rows.values() for row in issued.documents}
    versions = PolicyVersion.objects.in_bulk(named)
    found = []
    for one in subscriptions:
        its = rows[one.pk]
        if not its.documents or not all(row.policy_id in versions for row in its.documents):
            continue
        policy = policy_of(versions[its.documents[0].policy_id], one.time_zone)
        clock, ticks = clock_of(policy.time_zone), policy.ticks
        documents = [
            issued_document(row, lines, clock, ticks) for row, lines in zip(its.documents, its.lines, strict=True)
        ]
        lapses = [issued_lapse(row, clock) for row in its.lapses]
        found.append(Stored(one, clock, versions, its.documents, its.lines, its.lapses, documents, lapses))
    return found


def told_under(subscription: Subscription, version: PolicyVersion) -> History:
    """All that was told of a subscription, under a version of its policy."""
    policy = policy_of(version, subscription.time_zone)
    agreement = agreement_of(subscription, subscription.account.key, policy)
    return histories({subscription.pk: agreement})[subscription.pk]


def recomputed(row: Document) -> tuple[engine.Document, History]:
    """An issued document, computed again, with the history behind it. Raises CannotBill where that is not to be."""
    history = told_under(row.subscription, row.policy)
    for issued in stored([row.subscription]):
        found = computed_again(issued, [one.id for one in issued.rows].index(row.pk), history)
        if len(found) == 1:
            return found[0], history
    raise CannotBill("it would not be issued again; prorata verify says why")


def computed_again(stored: Stored, at: int, history: History) -> tuple[engine.Document, ...]:
    """The document at a place, computed again; more than one, or none, where it cannot have been. Raises CannotBill."""
    found = stored.documents[at]
    return bill(history, through=found.date, known_until=found.known_until, issued=stored.before(at)).documents
