"""What happens to accounts: they are opened, and people become their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import CharField, TextField, Value
from django.db.models.functions import Concat

from prorata.accounts.models import Account, Member
from prorata.vendors.models import Vendor


def open_account(*, vendor: Vendor, key: str, name: str, details: Mapping[str, str] | None = None) -> Account:
    """A new customer organisation of the vendor."""
    return Account.objects.create(vendor=vendor, key=key, name=name, **(details or {}))


def forget(*, account: Account, now: datetime) -> None:
    """Forgets who the account and its people were: of each a key is left that tells nothing of a person."""
    rest = [field.name for field in Account._meta.concrete_fields if isinstance(field, CharField | TextField)]
    for name in rest:
        if name != "key":
            setattr(account, name, "")
    account.deleted_at = now
    account.save()
    Member.objects.filter(account=account).update(key=Concat(Value("deleted-"), "pk"), name="", email="")


def members_called(*, account: Account, keys: Iterable[str]) -> dict[str, Member]:
    """The account's members by their keys; who is not one yet becomes one."""
    wanted = dict.fromkeys(keys)
    found = {member.key: member for member in Member.objects.filter(account=account, key__in=wanted)}
    new = [Member(vendor_id=account.vendor_id, account=account, key=key) for key in wanted if key not in found]
    found.update((member.key, member) for member in Member.objects.bulk_create(new, batch_size=1000))
    return found
