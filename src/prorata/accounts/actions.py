"""What happens to accounts: they are opened, and people become their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prorata.accounts.models import Account, Member
from prorata.vendors.models import Vendor


def open_account(*, vendor: Vendor, key: str, name: str, details: Mapping[str, str] | None = None) -> Account:
    """A new customer organisation of the vendor."""
    return Account.objects.create(vendor=vendor, key=key, name=name, **(details or {}))


def members_called(*, account: Account, keys: Iterable[str]) -> dict[str, Member]:
    """The account's members by their keys; who is not one yet becomes one."""
    wanted = dict.fromkeys(keys)
    found = {member.key: member for member in Member.objects.filter(account=account, key__in=wanted)}
    new = [Member(vendor_id=account.vendor_id, account=account, key=key) for key in wanted if key not in found]
    found.update((member.key, member) for member in Member.objects.bulk_create(new, batch_size=1000))
    return found
