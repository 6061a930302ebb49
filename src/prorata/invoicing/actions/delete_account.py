"""Delete an account: its people are forgotten, its documents stay."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from prorata.accounts.actions import forget
from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.invoicing.models import Quote
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.queries import today_of


@transaction.atomic
def delete_account(*, account: Account, now: datetime) -> None:
    """Forgets an account whose agreements have ended, and its people; documents and history stay, without names.

    The law keeps invoices for years, people have a right to be forgotten (GDPR, article 17). What was written as a
    reason or as an actor stays as it is. Raises Refused where an agreement runs.
    """
    rows = Subscription.objects.select_for_update().filter(account=account).order_by("pk")
    if account.deleted_at is not None:
        raise Refused([f"account {account.key} was deleted already, on {account.deleted_at.date()}"])
    for row in rows:
        if row.next_look is None and row.ended_on is None:
            continue  # it never began
        if row.ended_on is None or row.ended_on > today_of(row, now):
            raise Refused(
                [f"the agreement of account {account.key} has not ended; cancel it, and bill its last period"]
            )
    keys = {member.key: f"deleted-{member.pk}" for member in account.members.all()}
    for quote in Quote.objects.filter(subscription__account=account):
        quote.change = [{**one, "user": keys.get(one["user"], "")} if "user" in one else one for one in quote.change]
        quote.save(update_fields=["change"])
    forget(account=account, now=now)
