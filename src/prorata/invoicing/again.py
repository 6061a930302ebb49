"""A document is computed again, from what was known and what had been issued when it was made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from prorata.engine import document as engine
from prorata.engine.bill import bill
from prorata.engine.calendar import midnight, moment_of
from prorata.engine.history import Subscription as History
from prorata.invoicing.models import Document, Lapse, Line
from prorata.invoicing.queries import Issued, IssuedDocument, IssuedLapse, issued_document, issued_lapse, issued_line
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import histories
from prorata.vendors.models import PolicyVersion
from prorata.vendors.queries import policy_of


@dataclass(frozen=True, slots=True)
class Stored:
    """What was issued to one subscription: the rows in their order, and as the engine remembers them."""

    subscription: Subscription
    zone: ZoneInfo
    rows: Sequence[Document]
    lines: Sequence[Sequence[Line]]
    documents: Sequence[IssuedDocument]
    lapses: Sequence[IssuedLapse]

    def everything(self) -> Issued | None:
        """What was issued, and how far the subscription says that it was billed; None where it was not."""
        through, known_until = self.subscription.billed_through, self.subscription.known_until
        if through is None or known_until is None:
            return None
        return Issued(through, moment_of(known_until, self.zone), self.documents, self.lapses)

    def since_the_last(self) -> Issued:
        """What had been issued with the last document."""
        last = self.documents[-1]
        lapses = [lapse for lapse in self.lapses if lapse.date <= last.date]
        return Issued(last.date, last.known_until, self.documents, lapses)

    def before_lapse(self, at: int) -> Issued:
        """What had been issued before the day on which a credit lapsed."""
        day = self.lapses[at].date
        documents = [document for document in self.documents if document.date < day]
        earlier = [lapse for lapse in self.lapses if lapse.date < day]
        return Issued(day - timedelta(days=1), midnight(day.toordinal()), documents, earlier)

    def before(self, at: int) -> Issued | None:
        """What had been issued when a document came up, as far as documents tell; None before the first."""
        if not at:
            return None
        day, last = self.rows[at].date, self.documents[at - 1]
        through, known_until = day - timedelta(days=1), midnight(day.toordinal())
        if last.date == day:
            through, known_until = day, last.known_until
        lapses = [lapse for lapse in self.lapses if lapse.date <= through]
        return Issued(through, known_until, self.documents[:at], lapses)


def stored(subscriptions: Sequence[Subscription]) -> list[Stored]:
    """All that was issued to subscriptions, of each that any document was issued to."""
    documents: dict[int, list[Document]] = defaultdict(list)
    rows = Document.objects.filter(subscription__in=subscriptions)
    for document in rows.select_related("policy").order_by("id"):
        documents[document.subscription_id].append(document)
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(document__subscription__in=subscriptions).order_by("document_id", "position"):
        lines[line.document_id].append(line)
    lapses: dict[int, list[Lapse]] = defaultdict(list)
    for lapse in Lapse.objects.filter(subscription__in=subscriptions).order_by("id"):
        lapses[lapse.subscription_id].append(lapse)
    return [_stored(one, documents[one.pk], lines, lapses[one.pk]) for one in subscriptions if documents[one.pk]]


def _stored(
    subscription: Subscription, rows: Sequence[Document], lines: dict[int, list[Line]], lapses: Sequence[Lapse]
) -> Stored:
    zone = ZoneInfo(policy_of(rows[0].policy).time_zone)
    its_lines = [lines[row.pk] for row in rows]
    documents = [
        issued_document(row, [issued_line(line) for line in its], zone)
        for row, its in zip(rows, its_lines, strict=True)
    ]
    return Stored(subscription, zone, rows, its_lines, documents, [issued_lapse(lapse, zone) for lapse in lapses])


def told_under(subscription: Subscription, version: PolicyVersion) -> History:
    """All that was told of a subscription, under a version of its policy."""
    return histories([subscription], {subscription.pk: policy_of(version)})[subscription.pk]


def computed_again(stored: Stored, at: int, history: History) -> tuple[engine.Document, ...]:
    """The document at a place, computed again; more than one, or none, where it cannot have been. Raises CannotBill."""
    row = stored.rows[at]
    known_until = moment_of(row.known_until, stored.zone)
    return bill(history, through=row.date, known_until=known_until, issued=stored.before(at)).documents
