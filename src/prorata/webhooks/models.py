"""Where a vendor wants to be told what happened, what was to be told, and how the telling went."""

from __future__ import annotations

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from prorata.vendors.models import Vendor


class Endpoint(models.Model):
    """An address that is told what happens: these kinds of messages, or all where none are named.

    Once it was `deleted_at` a moment it is there for nobody, and forgotten when nothing is under way to it any more.
    Messages are signed with the secret; until `previous_until` with the one before it as well. `disabled_because` says
    why nothing is sent any more, if so.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="endpoints")
    url = models.URLField(max_length=500)
    kinds = models.JSONField(default=list, blank=True)
    secret = models.CharField(max_length=100)
    previous_secret = models.CharField(max_length=100, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_because = models.TextField(blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.url


class Message(models.Model):
    """Something that happened at a moment, as it is told: the same text to everybody, however often.

    It was written at a moment of real time, from which on it is kept for a month.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    happened_at = models.DateTimeField()
    written_at = models.DateTimeField(db_index=True)
    body = models.TextField()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Delivery(models.Model):
    """A message to one endpoint: to be sent at `next_at`, or no more (None): delivered, or given up."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(Message, models.PROTECT, related_name="deliveries")
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (Index(fields=("next_at",), name="delivery_due", condition=Q(next_at__isnull=False)),)
        constraints = (
            UniqueConstraint(fields=("endpoint", "message"), name="delivery_once"),
            CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(next_at__isnull=True), name="delivery_ends_when_delivered"
            ),
        )

    def __str__(self) -> str:
        return f"{self.message_id} to {self.endpoint_id}"


class Attempt(models.Model):
    """How one sending went: the status that was answered, or None and what went wrong before there was an answer."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    said = models.TextField(blank=True)
    milliseconds = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.at} {self.status or self.said}"
