"""What a vendor does: it is set up, and says by which rules it bills from now on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from prorata.engine.policy.reading import read_policy
from prorata.vendors.models import PolicyVersion, Series, Vendor


@transaction.atomic
def add_vendor(*, key: str, name: str, identity: Mapping[str, str] | None = None) -> Vendor:
    """A new vendor with its two series of numbers, for invoices and for credit notes."""
    vendor = Vendor.objects.create(key=key, name=name, **(identity or {}))
    Series.objects.bulk_create(Series(vendor=vendor, kind=kind) for kind in ("invoice", "credit_note"))
    return vendor


@transaction.atomic
def set_policy(*, vendor: Vendor, name: str, text: str, now: datetime, actor: str) -> PolicyVersion:
    """The rules from now on; the same text again changes nothing. Raises PolicyError where they cannot be used."""
    read_policy(text, name=name, source=f"{name}.toml")
    digest = sha256(text.encode()).hexdigest()
    Vendor.objects.select_for_update().get(pk=vendor.pk)  # so that two at once become two versions
    last = PolicyVersion.objects.filter(vendor=vendor, name=name).order_by("-number").first()
    if last is not None and last.sha256 == digest:
        return last
    number = 1 if last is None else last.number + 1
    return PolicyVersion.objects.create(
        vendor=vendor, name=name, number=number, text=text, sha256=digest, recorded_at=now, actor=actor
    )
