"""What happens to accounts: they are opened, and people become their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import CharField, TextField, Value
from django.db.models.functions import Concat

from prorata.accounts.models import Account, Member
from prorata.database.refused import Refused
from prorata.vendors.answers import forget_answers_about
from prorata.vendors.models import Vendor
from prorata.webhooks.outbox import announce


def open_account(*, vendor: Vendor, key: str, name: str, details: Mapping[str, Any] | None = None) -> Account:
    """A new customer organisation of the vendor; raises ValidationError where a detail is not what it should be."""
    account = Account(vendor=vendor, key=key, name=name, **(details or {}))
    account.full_clean(exclude=("vendor",))
    account.save()
    return account


def change_details(*, account: Account, details: Mapping[str, Any], now: datetime) -> Account:
    """What the next documents say of an account, and where its mail goes.

    Raises Refused of an account that was deleted, and ValidationError where a detail is not what it should be.
    """
    account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    refuse_deleted(account)
    for name, value in details.items():
        setattr(account, name, value)
    account.full_clean()
    account.save(update_fields=list(details))
    if details:
        told = [{"account": account.key, "changed": sorted(details)}]
        announce(vendor_id=account.vendor_id, kind="account.changed", told=told, at=now)
    return account


def refuse_deleted(account: Account) -> None:
    """Raises Refused where the account was deleted: nothing happens to it any more."""
    if account.deleted_at is not None:
        raise Refused([f"account {account.key} was deleted on {account.deleted_at.date()}; it stays as it is"])


def forget(*, account: Account, now: datetime) -> None:
    """Forgets who the account and its people were: of each a key is left that tells nothing of a person."""
    for field in Account._meta.concrete_fields:
        if isinstance(field, CharField | TextField) and field.name != "key":
            setattr(account, field.name, "")
    account.copies_to = []
    account.deleted_at = now
    account.save()
    forget_answers_about(vendor_id=account.vendor_id, account=account.key)
    announce(vendor_id=account.vendor_id, kind="account.deleted", told=[{"account": account.key}], at=now)
    Member.objects.filter(account=account).update(key=Concat(Value("deleted-"), "pk"), name="", email="")


def members_called(*, account: Account, keys: Iterable[str]) -> dict[str, Member]:
    """The account's members by their keys; who is not one yet becomes one."""
    wanted = dict.fromkeys(keys)
    found = {member.key: member for member in Member.objects.filter(account=account, key__in=wanted)}
    new = [Member(vendor_id=account.vendor_id, account=account, key=key) for key in wanted if key not in found]
    found.update((member.key, member) for member in Member.objects.bulk_create(new, batch_size=1000))
    return found
