"""What a vendor does: it is set up, and says by which rules it bills from now on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.engine.books import Ledger
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import read_policy
from prorata.engine.words import listed
from prorata.vendors.models import LedgerAccount, PolicyVersion, Series, Vendor
from prorata.vendors.queries import last_version, policy_of


@transaction.atomic
def add_vendor(
    *, key: str, name: str, identity: Mapping[str, str] | None = None, test_clock: datetime | None = None
) -> Vendor:
    """A new vendor with its two series of numbers, for invoices and for credit notes; with a test clock, a sandbox.

    Raises ValidationError where the key is taken, or something is too long or not what it should be.
    """
    vendor = Vendor(key=key, name=name, test_clock=test_clock, **(identity or {}))
    vendor.full_clean()
    vendor.save()
    Series.objects.bulk_create(Series(vendor=vendor, kind=kind) for kind in ("invoice", "credit_note"))
    return vendor


def name_ledgers(*, vendor: Vendor, accounts: Mapping[Ledger, tuple[str, str]]) -> None:
    """Under which numbers and names the vendor's own books have ledgers; those that are not named stay as they are.

    Raises ValidationError where a number or a name is too long.
    """
    for ledger, (number, name) in accounts.items():
        known = LedgerAccount.objects.filter(vendor=vendor, ledger=ledger).first()
        row = known or LedgerAccount(vendor=vendor, ledger=ledger)
        row.number, row.name = number, name
        row.full_clean()
        row.save()


ROOM = 100  # signs of the name of a plan, a role, an add-on or a payment method


class UnfitPolicy(ValueError):
    """A version of a policy whose names have no room, or that those billed by the one before cannot be billed by."""


@transaction.atomic
def set_policy(*, vendor: Vendor, name: str, text: str, now: datetime, actor: str) -> PolicyVersion:
    """The rules from now on; the same text again changes nothing.

    Raises PolicyError where they cannot be used, and UnfitPolicy where a name in them is too long to be kept, or what
    was agreed under the version before has no meaning in them.
    """
    digest = sha256(text.encode()).hexdigest()
    Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)  # so that two at once become two versions
    last = last_version(vendor, name)
    if last is not None and last.sha256 == digest:
        return last
    fitting(vendor=vendor, name=name, text=text, now=now)
    version = PolicyVersion(
        vendor=vendor, name=name, number=1 if last is None else last.number + 1,
        text=text, sha256=digest, recorded_at=now, actor=actor,
    )  # fmt: skip
    version.full_clean()
    version.save()
    return version


def fitting(*, vendor: Vendor, name: str, text: str, now: datetime) -> Policy:
    """The rules of a text, if those billed by the last version can be billed by them; raises as set_policy does."""
    policy = read_policy(text, name=name, source=f"{name}.toml")
    problems = _too_long(policy)
    if (last := last_version(vendor, name)) is not None:
        before, today = policy_of(last), now.astimezone(ZoneInfo(policy.time_zone)).date()
        problems += [*_unfit(before, policy), *_unannounced(before, policy, today)]
    if problems:
        raise UnfitPolicy("\n".join(f"policy {name}: {problem}" for problem in problems))
    return policy


def _too_long(policy: Policy) -> list[str]:
    """Names that have no room in the columns of events and lines."""
    names = (*policy.plans, *policy.roles, *policy.add_ons, *policy.payment_methods)
    return [f"{name[:40]}… has {len(name)} signs; allowed in a name: {ROOM}" for name in names if len(name) > ROOM]


def _unannounced(before: Policy, after: Policy, today: date) -> Iterator[str]:
    """Prices that change without the notice that the policy asks for (K12): at once, or announced before they were."""
    months = max(rules.prices.notice_months for rules in after.variants.values())
    if not months:
        return
    for was_sold, is_sold in ((before.plans, after.plans), (before.add_ons, after.add_ons)):
        for name in (name for name in is_sold if name in was_sold):
            for row in (row for row in is_sold[name].prices if row not in was_sold[name].prices):
                if row.from_ is None or row.from_ <= today:
                    yield f"a price of {name} changes at once, and prices.notice_months = {months} asks for a notice"
                elif row.announced is not None and row.announced < today:
                    yield (
                        f"the price of {name} from {row.from_} was not recorded by {row.announced}, and cannot have "
                        f"been announced then; announced may be {today} or later"
                    )


def _unfit(before: Policy, after: Policy) -> list[str]:
    """Why histories told under one policy cannot be read under another."""
    found = [
        f"{key} was {was!r} and cannot become {now!r}; bill by it under another name"
        for key, was, now in (
            ("currency", before.currency, after.currency),
            ("time_zone", before.time_zone, after.time_zone),
            ("precision", before.ticks, after.ticks),
        )
        if was != now
    ]
    for kind, was_there, is_there in (
        ("interval", before.intervals, after.intervals),
        ("plan", before.plans, after.plans),
        ("role", before.roles, after.roles),
        ("add-on", before.add_ons, after.add_ons),
        ("payment method", before.payment_methods, after.payment_methods),
    ):
        gone = [one for one in was_there if one not in is_there]
        if gone and (is_there or kind in ("interval", "plan")):
            found.append(f"{kind} {listed(gone)} may be in use; it has to stay, even if it is no longer offered")
    return found
