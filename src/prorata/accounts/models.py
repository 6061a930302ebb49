"""The customers' rows: organisations, and the people who hold seats."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import UniqueConstraint

from prorata.vendors.models import Party, Vendor

MOST_COPIES = 10


def check_copies(copies: object) -> None:
    """Raises ValidationError unless it is a list of e-mail addresses, and not too long."""
    if not isinstance(copies, list) or len(copies) > MOST_COPIES:
        raise ValidationError(f"Write a list of at most {MOST_COPIES} e-mail addresses.")
    for one in copies:
        try:
            validate_email(str(one))
        except ValidationError:
            raise ValidationError(f"{str(one)[:60]!r} is not an e-mail address.") from None


class Account(Party):
    """A customer organisation. `key` is what the vendor's own system calls it.

    Its documents go to `email`, with copies to further addresses (K5, S10), and show the `reference` that it asked for:
    an order's number, a cost centre. Of one that was deleted the key stays, for its documents; nothing else of it, nor
    of its people.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="accounts")
    key = models.CharField(max_length=200)
    reference = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    copies_to = models.JSONField(default=list, blank=True, validators=[check_copies])
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
