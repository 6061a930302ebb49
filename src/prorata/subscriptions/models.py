"""The agreement's rows: what holds at first, and every event since, each written once."""

from __future__ import annotations

from typing import get_args

from django.db import models
from django.db.models import CheckConstraint, Index, Q

from prorata.accounts.models import Account, Member
from prorata.database.local_time import LocalTimeField
from prorata.database.unchecked import unchecked
from prorata.engine.calendar import MONTHS
from prorata.engine.history import FOLLOWING, PERSON_EVENTS, EventKind
from prorata.engine.settlement import How
from prorata.vendors.models import Vendor

KINDS = tuple(kind for kind in get_args(EventKind) if kind not in FOLLOWING)
_OF_PEOPLE = tuple(sorted(PERSON_EVENTS.difference(FOLLOWING)))


class Subscription(models.Model):
    """An agreement: what holds until an event says otherwise, and how far it has been billed.

    Its days begin and end by the clock of `time_zone`, or where that is empty by its policy's. It never changes.

    It was looked at through the day `billed_through` with what had been recorded before `known_until`, and unless
    something is recorded there is nothing to bill before `next_look` (None: nor ever). `stopped` says why it did not
    run on that day, if it had begun.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="subscriptions", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="subscriptions")
    policy_name = models.SlugField()
    plan = models.CharField(max_length=100)
    interval = models.CharField(max_length=20)
    seats_follow = models.BooleanField(default=False)
    payment_method = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    billed_through = models.DateField(null=True)
    known_until = models.DateTimeField(null=True)
    next_look = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    stopped = models.CharField(max_length=10, blank=True)

    class Meta:
        # None by next_look, which each bill moves: a run goes through its vendor's rows once, by their ids.
        indexes = (
            Index(fields=("vendor", "id"), name="subscription_of_vendor"),
            Index(fields=("vendor", "time_zone"), name="subscription_clock", condition=~Q(time_zone="")),
        )
        constraints = (
            CheckConstraint(condition=Q(interval__in=tuple(MONTHS)), name="subscription_interval_is_known"),
            CheckConstraint(condition=Q(stopped__in=("", *get_args(How))), name="subscription_stopped_somehow"),
            CheckConstraint(
                condition=Q(billed_through__isnull=True, known_until__isnull=True)
                | Q(billed_through__isnull=False, known_until__isnull=False),
                name="subscription_billed_as_known",
            ),
            CheckConstraint(
                condition=Q(next_look__isnull=True)
                | Q(billed_through__isnull=True)
                | Q(next_look__gte=models.F("billed_through")),
                name="subscription_looks_ahead",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.policy_name}"


class Event(models.Model):
    """One thing that happened, as it was told: it took effect `at` a moment and was recorded at another, by an actor.

    Of two at the same moment the one written first comes first. `until` is the first day that is no longer part of
    what the event grants. A price is in minor units.
    """

    vendor = unchecked(Vendor)
    subscription = unchecked(Subscription, related_name="events")
    member = unchecked(Member, null=True, related_name="events")
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    role = models.CharField(max_length=100, blank=True)
    plan = models.CharField(max_length=100, blank=True)
    item = models.CharField(max_length=100, blank=True)
    quantity = models.PositiveIntegerField(null=True)
    price_minor = models.PositiveBigIntegerField(null=True)
    interval = models.CharField(max_length=20, blank=True)
    until = LocalTimeField(null=True)
    reason = models.TextField(blank=True)
    payment_method = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = (Index(fields=("subscription", "at", "id"), name="event_history"),)
        constraints = (
            CheckConstraint(condition=Q(kind__in=KINDS), name="event_kind_is_known"),
            CheckConstraint(
                condition=Q(kind__in=_OF_PEOPLE, member__isnull=False)
                | (~Q(kind__in=_OF_PEOPLE) & Q(member__isnull=True)),
                name="event_names_a_member",
            ),
            CheckConstraint(condition=Q(interval__in=("", *MONTHS)), name="event_interval_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class Withdrawal(models.Model):
    """That an event did not happen, or is not to be, as recorded at a moment by an actor.

    What an agreement began with is never withdrawn.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="withdrawals")
    event = models.OneToOneField(Event, models.PROTECT, related_name="withdrawal")
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.event_id} at {self.recorded_at}"
