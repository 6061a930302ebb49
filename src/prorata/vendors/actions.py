"""What a vendor does: it is set up, and says by which rules it bills from now on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from hashlib import sha256
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.db import transaction

from prorata.engine.books import Ledger
from prorata.engine.calendar import Interval, add_months, to_date, to_day
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import read_policy
from prorata.engine.policy.tariff import Price, PriceRow, row_for
from prorata.engine.words import listed
from prorata.vendors.models import PARTY, LedgerAccount, PolicyVersion, Series, Vendor
from prorata.vendors.queries import last_version, policy_of, versions_of


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


@transaction.atomic
def change_vendor(*, vendor: Vendor, identity: Mapping[str, str]) -> Vendor:
    """What the next documents say of who sells; raises ValidationError where it is not what it should be."""
    vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)
    for name, value in identity.items():
        assert name in PARTY
        setattr(vendor, name, value.strip())
    vendor.full_clean()
    vendor.save(update_fields=list(identity))
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


Prices: TypeAlias = tuple[PriceRow, ...]
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
    known = [policy_of(version) for version in versions_of(vendor, name)]
    if known:
        today = now.astimezone(ZoneInfo(policy.time_zone)).date()
        problems += [*_unfit(known[-1], policy), *_unannounced(known, policy, today)]
    if problems:
        raise UnfitPolicy("\n".join(f"policy {name}: {problem}" for problem in problems))
    return policy


def _too_long(policy: Policy) -> list[str]:
    """Names that have no room in the columns of events and lines."""
    names = (*policy.plans, *policy.roles, *policy.add_ons, *policy.payment_methods)
    return [f"{name[:40]}… has {len(name)} signs; allowed in a name: {ROOM}" for name in names if len(name) > ROOM]


def _unannounced(known: Sequence[Policy], after: Policy, today: date) -> Iterator[str]:
    """Prices that become dearer sooner than the notice that was promised allows (K12).

    `known` are the versions there were, the newest last: by what they said of a day to come, customers were told.
    """
    before = known[-1]
    for was_sold, is_sold in ((before.plans, after.plans), (before.add_ons, after.add_ons)):
        for name in (name for name in is_sold if name in was_sold):
            was, now = was_sold[name].prices, is_sold[name].prices
            days = sorted({today, *(row.from_ for row in (*was, *now) if row.from_ is not None and row.from_ > today)})
            for interval, day in ((interval, day) for interval in before.intervals for day in days):
                months = before.rules(interval, to_day(day)).prices.notice_months
                soonest = to_date(add_months(to_day(today), months))
                if day < soonest and any(
                    _is_dearer(was, now, seats, interval, day) for seats in {row.seats for row in was}
                ):
                    if day > today and any(_says(version, name, now, interval, day) for version in known):
                        continue
                    yield (
                        f"{name} becomes dearer on {day}, for accounts billed each {interval}, and "
                        f"prices.notice_months = {months} allows it from {soonest} on"
                    )


def _is_dearer(was: Prices, now: Prices, seats: tuple[str, int], interval: Interval, day: date) -> bool:
    """Whether some seats cost more from a day on than they were to; with what the plan costs beside them."""
    before = row_for((row for row in was if row.seats == seats), interval, day)
    after = row_for((row for row in now if row.seats == seats), interval, day)
    if before is None or after is None:
        return False
    return _rate(after.price) > _rate(before.price) or _rate(after.base) > _rate(before.base)


def _rate(price: Price | None) -> Fraction:
    return Fraction(0) if price is None else Fraction(price.minor, price.months or 1)


def _says(version: Policy, name: str, now: Prices, interval: Interval, day: date) -> bool:
    """Whether a version had the very price that is to hold on a day."""
    sold = version.plans.get(name) or version.add_ons.get(name)
    return sold is not None and any(row in sold.prices for row in now if row.from_ == day and row.covers(interval, day))


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
