"""Reading what vendors said: by which version of its rules something is billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from django.db.models import QuerySet

from prorata.engine.books import Ledger
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import read_policy
from prorata.vendors.models import LedgerAccount, PolicyVersion, Vendor


class NoPolicy(LookupError):
    """A policy that the vendor does not have, or did not have yet; says which."""


@lru_cache(maxsize=1024)
def _read(text: str, name: str, time_zone: str) -> Policy:
    if time_zone:
        return replace(_read(text, name, ""), time_zone=time_zone)
    return read_policy(text, name=name, source=f"{name}.toml")


def policy_of(version: PolicyVersion, time_zone: str = "") -> Policy:
    """The rules of a version, as the engine has them; where a time zone is named, by its clock."""
    return _read(version.text, version.name, time_zone)


def now_of(vendor: Vendor) -> datetime:
    """What time it is for a vendor: by its test clock, if it has one."""
    return vendor.test_clock or datetime.now(UTC)


def ledger_accounts(vendor: Vendor) -> dict[Ledger, LedgerAccount]:
    """Under which numbers the vendor's own books have its ledgers, as far as that was said."""
    rows = LedgerAccount.objects.filter(vendor=vendor)
    return {cast(Ledger, row.ledger): row for row in rows}


def policy_names(vendor: Vendor) -> list[str]:
    """The names of a vendor's policies."""
    return sorted(set(PolicyVersion.objects.filter(vendor=vendor).values_list("name", flat=True)))


def policy_at(vendor: Vendor, name: str, known_until: datetime) -> PolicyVersion:
    """The version of a policy that had been recorded before a moment; raises NoPolicy where there was none."""
    return _last(PolicyVersion.objects.filter(vendor=vendor, name=name, recorded_at__lt=known_until), vendor, name)


def versions_of(vendor: Vendor, name: str) -> QuerySet[PolicyVersion]:
    """The versions of a policy, the newest last."""
    return PolicyVersion.objects.filter(vendor=vendor, name=name).order_by("number")


def last_version(vendor: Vendor, name: str) -> PolicyVersion | None:
    """The newest version of a policy."""
    return versions_of(vendor, name).last()


def rules_now(vendor: Vendor, name: str, now: datetime, time_zone: str = "") -> Policy:
    """The rules of a policy as recorded by now, and at this very moment; raises NoPolicy where there are none.

    Where a time zone is named, by its clock.
    """
    versions = PolicyVersion.objects.filter(vendor=vendor, name=name, recorded_at__lte=now)
    return policy_of(_last(versions, vendor, name), time_zone)


def _last(versions: QuerySet[PolicyVersion], vendor: Vendor, name: str) -> PolicyVersion:
    version = versions.order_by("-number").first()
    if version is None:
        raise NoPolicy(f"vendor {vendor.key} had no policy {name} yet")
    return version
