"""What was answered to requests that are not to happen twice."""

from __future__ import annotations

from django.db import models
from django.db.models import Index, UniqueConstraint

from prorata.vendors.models import Vendor


class Answer(models.Model):
    """What was answered to a request that a program named by a key; `sha256` is the digest of the request."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)

    class Meta:
        indexes = (Index(fields=("vendor", "made_at"), name="answer_age"),)
        constraints = (UniqueConstraint(fields=("vendor", "key"), name="answer_key"),)

    def __str__(self) -> str:
        return self.key
