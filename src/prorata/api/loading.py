"""Loading is authorising: what a program names is looked for among what its vendor has, and nowhere else."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Path

from prorata.accounts.models import Account
from prorata.accounts.queries import account_of
from prorata.api.problems import Gone
from prorata.api.tokens import vendor_of
from prorata.engine.policy.model import Policy
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import at_work, rules_for
from prorata.vendors.queries import now_of

AccountKey = Annotated[str, Path(description="The account's key.", max_length=200)]
Number = Annotated[int, Path(ge=1, lt=2**63)]


def rules_of(subscription: Subscription) -> Policy:
    """The rules that an agreement is billed by now."""
    return rules_for(subscription, now_of(subscription.vendor))


def account_called(request: HttpRequest, key: str) -> Account:
    """The vendor's account of a key."""
    account = account_of(vendor_of(request), key)
    if account is None:
        raise Gone(f"there is no account {key!r}")
    return account


def agreement_called(request: HttpRequest, key: str) -> Subscription:
    """The agreement with the vendor's account of a key."""
    subscription = at_work(account_called(request, key))
    if subscription is None:
        raise Gone(f"account {key!r} has no agreement")
    return subscription
