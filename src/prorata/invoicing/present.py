"""The present of an agreement: all that is known of it now, how it stands, and what it will be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from prorata.database.garbage import kept_to_the_end
from prorata.database.snapshot import of_one_moment
from prorata.engine import status as engine
from prorata.engine.calendar import Moment, moment_of
from prorata.engine.facts import Fact, history
from prorata.engine.history import Subscription as History
from prorata.engine.policy.model import Policy
from prorata.engine.quote import Outlook, outlook
from prorata.invoicing.queries import Issued, issued_to
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import agreement_of, facts_of, rules_for


class Present(NamedTuple):
    """An agreement and its rules, what was told of it in order, what was issued to it, and the moment on its clock."""

    agreement: History
    policy: Policy
    facts: Sequence[Fact]
    issued: Issued | None
    now: Moment

    @property
    def history(self) -> History:
        return history(self.agreement, self.facts)


def present(subscription: Subscription, now: datetime, *, named: bool = True) -> Present:
    """All that is known of a subscription now; people by their keys, or by the ids of their rows, which is quicker."""
    with of_one_moment():
        row = Subscription.objects.select_related("account", "vendor").get(pk=subscription.pk)
        known = now if row.known_until is None else max(now, row.known_until)
        policy = rules_for(row, known)
        issued = issued_to([row], {row.pk: policy}).get(row.pk)
        facts = facts_of({row.pk: policy}, named=named)[row.pk]
    agreement = agreement_of(row, row.account.key, policy)
    return Present(agreement, policy, facts, issued, moment_of(known, ZoneInfo(policy.time_zone)))


def preview(*, subscription: Subscription, now: datetime) -> Outlook:
    """What an account will be sent if nothing more is recorded; raises CannotBill where it cannot be billed."""
    with kept_to_the_end():
        known = present(subscription, now, named=False)
        return outlook(known.history, now=known.now, issued=known.issued)


def status(*, subscription: Subscription, now: datetime) -> engine.Status:
    """How an agreement stands now."""
    with kept_to_the_end():
        known = present(subscription, now, named=False)
        return engine.status(known.history, now=known.now, issued=known.issued)
