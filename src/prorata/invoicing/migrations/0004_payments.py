"""Payments, what they pay, and what is open; of all that was issued until now nothing was paid yet."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from prorata.database.append_only import AppendOnly

_PROTECT = django.db.models.deletion.PROTECT
_OPEN = """
INSERT INTO invoicing_openitem (vendor_id, account_id, document_id, date, currency, open_minor)
SELECT vendor_id, account_id, id, date, currency,
       CASE WHEN total_minor > 0 THEN total_minor - credit_used_minor ELSE -refund_minor END
FROM invoicing_document WHERE total_minor > credit_used_minor OR refund_minor > 0 ORDER BY id
"""


def _unchecked(to: str, *, null: bool = False) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        db_constraint=False, db_index=False, null=null, on_delete=_PROTECT, related_name="+", to=to
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_kept"),
        ("invoicing", "0003_run_of_account"),
        ("vendors", "0005_ledgers"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="posting", name="posting_in_two_ledgers"),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "credit__in",
                        (
                            "receivable",
                            "deferred_revenue",
                            "revenue",
                            "tax",
                            "customer_credit",
                            "refunds",
                            "lapsed_credits",
                            "granted_credits",
                            "bank",
                            "unapplied_payments",
                        ),
                    ),
                    (
                        "debit__in",
                        (
                            "receivable",
                            "deferred_revenue",
                            "revenue",
                            "tax",
                            "customer_credit",
                            "refunds",
                            "lapsed_credits",
                            "granted_credits",
                            "bank",
                            "unapplied_payments",
                        ),
                    ),
                    models.Q(("debit", models.F("credit")), _negated=True),
                ),
                name="posting_in_two_ledgers",
            ),
        ),
        AppendOnly("invoicing_posting"),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("date", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                ("method", models.CharField(blank=True, max_length=40)),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=200)),
                ("account", models.ForeignKey(on_delete=_PROTECT, related_name="payments", to="accounts.account")),
                (
                    "returns",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=_PROTECT, related_name="returned_by", to="invoicing.payment"
                    ),
                ),
                ("vendor", models.ForeignKey(on_delete=_PROTECT, related_name="payments", to="vendors.vendor")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=("vendor", "reference"),
                        name="payment_reference",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor", 0), _negated=True), name="payment_of_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_minor", models.BigIntegerField()),
                ("at_once", models.BooleanField()),
                ("date", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=200)),
                (
                    "document",
                    models.ForeignKey(
                        null=True, on_delete=_PROTECT, related_name="allocations", to="invoicing.document"
                    ),
                ),
                (
                    "paid_back_by",
                    models.ForeignKey(null=True, on_delete=_PROTECT, related_name="pays_back", to="invoicing.payment"),
                ),
                ("payment", models.ForeignKey(on_delete=_PROTECT, related_name="allocations", to="invoicing.payment")),
                (
                    "vendor",
                    models.ForeignKey(db_index=False, on_delete=_PROTECT, related_name="+", to="vendors.vendor"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor", 0), _negated=True), name="allocation_of_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("at_once", False), ("document__isnull", True), ("paid_back_by__isnull", False)),
                            models.Q(("document__isnull", False), ("paid_back_by__isnull", True)),
                            _connector="OR",
                        ),
                        name="allocation_to_one_thing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpenItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("date", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("open_minor", models.BigIntegerField()),
                ("account", _unchecked("accounts.account")),
                ("document", _unchecked("invoicing.document", null=True)),
                ("payment", _unchecked("invoicing.payment", null=True)),
                ("vendor", _unchecked("vendors.vendor")),
            ],
            options={
                "indexes": [models.Index(fields=["account", "id"], name="open_item_of_account")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("document__isnull", False)),
                        fields=("document",),
                        name="open_item_of_document",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("payment__isnull", False)), fields=("payment",), name="open_item_of_payment"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("open_minor", 0), _negated=True), name="open_item_of_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("document__isnull", True), ("open_minor__lt", 0), ("payment__isnull", False)),
                            models.Q(("document__isnull", False), ("payment__isnull", True)),
                            _connector="OR",
                        ),
                        name="open_item_of_one_thing",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_OPEN, migrations.RunSQL.noop),
        AppendOnly("invoicing_payment"),
        AppendOnly("invoicing_allocation"),
    ]
