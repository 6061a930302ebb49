"""The customers' rows: organisations, and the people who hold seats."""

from __future__ import annotations

from django.db import models
from django.db.models import UniqueConstraint

from prorata.vendors.models import Vendor


class Account(models.Model):
    """A customer organisation. `key` is what the vendor's own system calls it.

    Of one that was deleted the key stays, for its documents; nothing else of it, nor of its people.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="accounts")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    organisation_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    email = models.EmailField(blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (UniqueConstraint(fields=("vendor", "key"), name="account_key"),)

    def __str__(self) -> str:
        return self.key


class Member(models.Model):
    """A person in an account. `key` is what the vendor's own system calls them; the rest may be forgotten one day.

    What a member does, and when, stands in the subscription's history.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="members")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)

    class Meta:
        constraints = (UniqueConstraint(fields=("vendor", "account", "key"), name="member_key"),)

    def __str__(self) -> str:
        return self.key
