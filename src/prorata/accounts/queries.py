"""Finding accounts: only those of the vendor who asks."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from prorata.accounts.models import Account
from prorata.vendors.models import Vendor


def account_of(vendor: Vendor, key: str) -> Account | None:
    """The vendor's account of a key."""
    return Account.objects.select_related("vendor").filter(vendor=vendor, key=key).first()


def accounts_like(vendor: Vendor, words: str) -> QuerySet[Account]:
    """The vendor's accounts that have some words in their key, name, organisation number or e-mail address."""
    rows = Account.objects.filter(vendor=vendor)
    for word in words.split():
        rows = rows.filter(
            Q(key__icontains=word)
            | Q(name__icontains=word)
            | Q(organisation_number__icontains=word)
            | Q(email__icontains=word)
        )
    return rows
