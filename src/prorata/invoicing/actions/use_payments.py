"""What is left of payments is used: it counts for what is issued next, many accounts at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Max

from prorata.database.one_of import one_of
from prorata.invoicing.models import Allocation, OpenItem


def use_payments(*, vendor_id: int, accounts: Iterable[int], documents: Collection[int], now: datetime) -> set[int]:
    """What accounts have left of payments counts for documents that are being issued to them; all by their ids.

    Which of the documents are paid by it. To be called within a transaction that holds the accounts' subscriptions,
    once the documents' open items are written.
    """
    rests: dict[int, list[tuple[int, OpenItem]]] = defaultdict(list)  # by account, with the payment's id
    left = OpenItem.objects.filter(one_of("account_id", set(accounts)), vendor_id=vendor_id, payment__isnull=False)
    for rest in left.order_by("date", "id"):
        assert rest.payment_id is not None
        rests[rest.account_id].append((rest.payment_id, rest))
    if not rests:
        return set()
    payments = {pk for some in rests.values() for pk, _ in some}
    taken_back = Allocation.objects.filter(one_of("payment_id", payments), amount_minor__lt=0)
    since = dict(taken_back.order_by().values_list("payment_id").annotate(Max("date")))
    made: list[Allocation] = []
    changed: dict[int, OpenItem] = {}
    new = OpenItem.objects.filter(one_of("document_id", documents), account_id__in=rests, open_minor__gt=0)
    for item in new.order_by("date", "document_id"):
        for pk, rest in rests[item.account_id]:
            part_minor = min(item.open_minor, -rest.open_minor)
            if not part_minor:
                continue
            day = max(rest.date, item.date, since.get(pk, item.date))
            made.append(Allocation(payment_id=pk, document_id=item.document_id, amount_minor=part_minor, date=day))
            rest.open_minor += part_minor
            item.open_minor -= part_minor
            changed |= {rest.pk: rest, item.pk: item}
    for one in made:
        one.vendor_id, one.at_once, one.recorded_at, one.actor = vendor_id, False, now, "bill run"
    Allocation.objects.bulk_create(made, batch_size=1000)
    OpenItem.objects.bulk_update((one for one in changed.values() if one.open_minor), ["open_minor"], batch_size=500)
    used = {pk: one for pk, one in changed.items() if not one.open_minor}
    OpenItem.objects.filter(one_of("id", used)).delete()
    return {one.document_id for one in used.values() if one.document_id is not None}
