"""What another version of a policy would make of what accounts are sent: whom it concerns, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import QuerySet

from prorata.database.garbage import kept_to_the_end
from prorata.engine.calendar import Day, day_of, to_day
from prorata.engine.facts import history
from prorata.engine.policy.model import Policy
from prorata.engine.quote import Outlook, Recurring, outlook
from prorata.engine.refusal import CannotBill
from prorata.invoicing.present import Present, present
from prorata.subscriptions.models import Subscription
from prorata.vendors.models import Vendor


class Amounts(NamedTuple):
    """By the rules there are, and by the others; with tax, in minor units."""

    before_minor: int
    after_minor: int

    @property
    def more_minor(self) -> int:
        return self.after_minor - self.before_minor


_NONE = Amounts(0, 0)


@dataclass(frozen=True, slots=True)
class Effect:
    """What other rules make of one account's documents.

    `now` is due by today, `next` the document after that, of `next_date`, with what is corrected of days billed
    before. `per_period` is a whole period, the first to begin from the day on which the rules differ, at `start`.
    `problem` says why the account could not be billed by them.
    """

    account: str
    currency: str
    now: Amounts = _NONE
    next: Amounts = _NONE
    next_date: date | None = None
    per_period: Amounts = _NONE
    start: date | None = None
    problem: str = ""

    @property
    def is_any(self) -> bool:
        return bool(self.problem or self.now.more_minor or self.next.more_minor or self.per_period.more_minor)


def concerned(vendor: Vendor, name: str) -> QuerySet[Subscription]:
    """The agreements that are billed by a policy; also those that have ended, whose days it may correct."""
    rows = Subscription.objects.filter(vendor=vendor, policy_name=name, account__deleted_at=None)
    return rows.exclude(next_look=None, billed_through=None).select_related("account", "vendor")


def effects(subscriptions: Iterable[Subscription], policy: Policy, now: datetime) -> Iterator[Effect]:
    """What a policy makes of each of some agreements, of those for which it makes a difference."""
    for one in subscriptions:
        with kept_to_the_end():
            found = _effect(present(one, now, named=False), policy)
        if found.is_any:
            yield found


def _effect(known: Present, policy: Policy) -> Effect:
    """Where the rules there are do not allow it, nothing is billed by them."""
    since = _differ_from(known.policy, policy, day_of(known.now))
    account, currency = known.agreement.account, policy.currency
    before, was_wrong = _outlook(known, known.policy, since)
    after, is_wrong = _outlook(known, policy, since)
    if is_wrong:
        return Effect(account, currency, problem="" if was_wrong else is_wrong)
    following = after.next_document or before.next_document
    recurring = after.recurring or before.recurring
    return Effect(
        account=account,
        currency=currency,
        now=Amounts(before.now_minor, after.now_minor),
        next=Amounts(_next(before), _next(after)),
        next_date=None if following is None else following.date,
        per_period=Amounts(_total(before.recurring), _total(after.recurring)),
        start=None if recurring is None else recurring.start,
    )


def _outlook(known: Present, policy: Policy, since: Day) -> tuple[Outlook, str]:
    """What an account will be sent by a policy, and why it cannot be billed by it, if so."""
    told = history(replace(known.agreement, policy=policy), known.facts)
    try:
        return outlook(told, now=known.now, issued=known.issued, since=since), ""
    except CannotBill as error:
        return Outlook((), None, None), str(error)


def _differ_from(before: Policy, after: Policy, today: Day) -> Day:
    """The last day to come on which something changes in one of the versions and not in the other; else today."""
    days = [to_day(day) for day in before.dates ^ after.dates]
    return max([day for day in days if day > today], default=today)


def _next(told: Outlook) -> int:
    return 0 if told.next_document is None else told.next_document.total_minor


def _total(recurring: Recurring | None) -> int:
    return 0 if recurring is None else recurring.total_minor
