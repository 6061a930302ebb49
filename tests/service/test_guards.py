"""What the database itself refuses, whoever asks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from prorata.accounts.models import Account, Member
from prorata.invoicing.actions.payments import Transfer, receive_payment
from prorata.invoicing.models import Allocation, BillRun, Document, Lapse, Line, OpenItem, Payment, Posting
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.models import PolicyVersion, Series, Vendor
from tests.service.world import at, told


@pytest.fixture
def vendor() -> Vendor:
    vendor = told("scenarios/M11-credits-lapse-at-the-end.toml")
    account, by = Account.objects.get(vendor=vendor), Transfer(date(2026, 6, 1), reference="R1")
    to_pay = OpenItem.objects.filter(account=account, open_minor__gt=0).aggregate(of=models.Sum("open_minor"))["of"]
    receive_payment(account=account, amount_minor=to_pay - 1, by=by, now=at("2026-06-02"), actor="test")
    return vendor


@pytest.mark.parametrize("table", [Event, Document, Line, Lapse, Posting, Payment, Allocation, PolicyVersion])
def test_what_was_said_and_what_was_issued_is_never_changed_or_deleted(
    vendor: Vendor, table: type[models.Model]
) -> None:
    rows = table._default_manager.filter(vendor=vendor)
    assert rows.exists()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows.update(vendor_id=models.F("vendor_id"))
    refuses_to_delete(rows)


@pytest.mark.parametrize("table", [Account, Member, Subscription, Series, BillRun])
def test_what_others_refer_to_is_never_deleted(vendor: Vendor, table: type[models.Model]) -> None:
    refuses_to_delete(table._default_manager.filter(vendor=vendor))


def test_a_vendor_is_never_deleted(vendor: Vendor) -> None:
    refuses_to_delete(Vendor.objects.filter(pk=vendor.pk))


def refuses_to_delete(rows: models.QuerySet[Any]) -> None:
    assert rows.exists()
    with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
        rows._raw_delete(rows.db)
    assert rows.exists()
    if connection.vendor == "postgresql":
        table = rows.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
                cursor.execute(f"TRUNCATE {table} CASCADE")


def again(row: models.Model, **changed: Any) -> models.Model:
    """A row like this one, but for what is changed."""
    fields = [field.attname for field in row._meta.concrete_fields if not field.primary_key]
    values = {name: getattr(row, name) for name in fields}
    return type(row)(**{**values, **changed})


@pytest.mark.parametrize(
    ("table", "changed", "constraint"),
    [
        (Document, {}, "document_number"),
        (Document, {"number": 0}, "document_counts_from_one"),
        (Document, {"number": 9999, "kind": "credit_note"}, "document_kind_by_total"),
        (Document, {"number": 9999, "total_minor": 5, "credit_used_minor": 6}, "document_uses_no_more_than_its_total"),
        (Document, {"number": 9999, "refund_minor": 5}, "document_refunds_its_total"),
        (Line, {}, "line_position"),
        (Line, {"position": 99, "start": date(2030, 1, 1)}, "line_of_some_days"),
        (Line, {"position": 99, "exact_denominator": 0}, "line_exact_amount"),
        (Line, {"position": 99, "after_quantity": 1, "price_minor": None}, "line_price_of_its_quantity"),
        (Event, {"kind": "wait", "member_id": None}, "event_kind_is_known"),
        (Event, {"member_id": None}, "event_names_a_member"),
        (Event, {"interval": "fortnight"}, "event_interval_is_known"),
        (Subscription, {"interval": "fortnight"}, "subscription_interval_is_known"),
        (Subscription, {"known_until": None}, "subscription_billed_as_known"),
        (Subscription, {"next_look": date(2020, 1, 1)}, "subscription_looks_ahead"),
        (Payment, {}, "payment_reference"),
        (Payment, {"reference": "", "amount_minor": 0}, "payment_of_something"),
        (Allocation, {"amount_minor": 0}, "allocation_of_something"),
        (Allocation, {"document_id": None}, "allocation_to_one_thing"),
        (OpenItem, {}, "open_item_of_document"),
        (OpenItem, {"open_minor": 0}, "open_item_of_something"),
        (OpenItem, {"document_id": None}, "open_item_of_one_thing"),
        (Series, {}, "series_kind"),
        (Series, {"kind": "draft"}, "series_kind_is_known"),
        (PolicyVersion, {}, "policy_version_number"),
        (PolicyVersion, {"number": 0}, "policy_version_counts_from_one"),
        (Lapse, {"amount_minor": 0}, "lapse_of_something"),
        (Lapse, {"reason": "mood"}, "lapse_reason_is_known"),
    ],
)
def test_rows_that_cannot_be_true_are_refused(
    vendor: Vendor, table: type[models.Model], changed: dict[str, Any], constraint: str
) -> None:
    rows = table._default_manager.filter(vendor=vendor)
    if table is Document:
        rows = rows.filter(kind="invoice")
    if table is Event:
        rows = rows.filter(member__isnull=False)
    row = rows.order_by("pk").first()
    assert row is not None
    with pytest.raises(IntegrityError, match=f"{constraint}|UNIQUE constraint failed"), transaction.atomic():
        again(row, **changed).save()


def test_a_time_of_an_account_s_own_clock_comes_back_as_it_was(vendor: Vendor) -> None:
    row = Event.objects.filter(vendor=vendor, member__isnull=False).first()
    assert row is not None
    for until, back in (
        (date(2026, 3, 29), datetime(2026, 3, 29)),
        (datetime(2026, 3, 29, 2, 30, 1), datetime(2026, 3, 29, 2, 30, 1)),  # a time that no clock in Stockholm shows
        (None, None),
    ):
        event = again(row, until=until, at=datetime(2026, 1, 1, tzinfo=UTC))
        event.save()
        event.refresh_from_db()
        assert isinstance(event, Event)
        assert event.until == back
        assert Event.objects.filter(pk=event.pk, until=until).exists() or until is None
