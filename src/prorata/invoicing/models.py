"""What was issued, and what was paid of it: documents with their lines, credits that lapsed, runs; payments."""

from __future__ import annotations

from typing import get_args

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from prorata.accounts.models import Account
from prorata.database.local_time import LocalTimeField
from prorata.database.unchecked import unchecked
from prorata.engine.books import LEDGERS
from prorata.engine.credits import LapseReason
from prorata.subscriptions.models import Subscription
from prorata.vendors.models import PolicyVersion, Vendor


class BillRun(models.Model):
    """One run over a vendor's due subscriptions: every day up to and with `through`, as known at `known_until`.

    Where an `account` is named it looked at that one only.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="bill_runs")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    through = models.DateField()
    known_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    looked_at = models.PositiveIntegerField(default=0)
    documents = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.vendor_id} through {self.through}"


class Problem(models.Model):
    """A subscription that a run could not bill, and why, in a sentence."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+")
    run = models.ForeignKey(BillRun, models.PROTECT, related_name="problems")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="problems")
    sentence = models.TextField()

    def __str__(self) -> str:
        return self.sentence


class Document(models.Model):
    """An issued invoice or credit note, never changed. Amounts are signed: those of a credit note are negative.

    `record` is the document as it is shown, canonical JSON with both parties, and `sha256` the digest of its bytes.
    It was computed under a version of the policy from what had been recorded before `known_until`.
    """

    vendor = unchecked(Vendor, related_name="documents")
    account = unchecked(Account, related_name="documents")
    subscription = unchecked(Subscription, related_name="documents")
    run = unchecked(BillRun, null=True)
    policy = unchecked(PolicyVersion)
    kind = models.CharField(max_length=20)
    number = models.PositiveBigIntegerField()
    date = models.DateField()
    known_until = models.DateTimeField()
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    credit_used_minor = models.PositiveBigIntegerField()
    credit_left_minor = models.PositiveBigIntegerField()
    refund_minor = models.PositiveBigIntegerField()
    record = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        indexes = (Index(fields=("subscription", "id"), name="document_history"),)
        constraints = (
            UniqueConstraint(fields=("vendor", "kind", "number"), name="document_number"),
            CheckConstraint(condition=Q(number__gte=1), name="document_counts_from_one"),
            CheckConstraint(
                condition=Q(kind="invoice", total_minor__gte=0) | Q(kind="credit_note", total_minor__lt=0),
                name="document_kind_by_total",
            ),
            CheckConstraint(
                condition=Q(credit_used_minor=0) | Q(total_minor__gte=F("credit_used_minor")),
                name="document_uses_no_more_than_its_total",
            ),
            CheckConstraint(
                condition=Q(refund_minor=0) | Q(total_minor=-F("refund_minor")), name="document_refunds_its_total"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people and programs call it, such as invoice-12."""
        return f"{self.kind}-{self.number}"


class Line(models.Model):
    """The stretch of days that a document's line bills, as the next bill has to know it (see Document of the engine).

    From `start` up to `end`, of the period from `period_start` up to `period_end`, `after_quantity` of the item is
    billed now (None: nothing), at the price behind it. What the line is worth before rounding is
    `exact_numerator` / `exact_denominator` minor units.
    """

    vendor = unchecked(Vendor)
    document = unchecked(Document, related_name="lines")
    position = models.PositiveIntegerField()
    item = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    quantity = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    period_start = LocalTimeField()
    period_end = LocalTimeField()
    start = LocalTimeField()
    end = LocalTimeField()
    exact_numerator = models.BigIntegerField()
    exact_denominator = models.PositiveBigIntegerField()
    after_quantity = models.PositiveBigIntegerField(null=True)
    price_minor = models.PositiveBigIntegerField(null=True)
    price_months = models.PositiveIntegerField(null=True)
    price_plan = models.CharField(max_length=100, blank=True)
    price_role = models.CharField(max_length=100, blank=True)
    price_above = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            UniqueConstraint(fields=("document", "position"), name="line_position"),
            CheckConstraint(condition=Q(start__lt=F("end")), name="line_of_some_days"),
            CheckConstraint(condition=Q(exact_denominator__gte=1), name="line_exact_amount"),
            CheckConstraint(
                condition=Q(after_quantity__isnull=True, price_minor__isnull=True, price_months__isnull=True)
                | Q(after_quantity__isnull=False, price_minor__isnull=False, price_months__isnull=False),
                name="line_price_of_its_quantity",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.item}"


class Quote(models.Model):
    """What a change was said to cost, binding until `valid_until`; `accepted_at` says when it was acted on.

    `change` are the facts to be recorded, as JSON. Amounts are with tax; below zero they are given back: `now_minor` is
    what the change costs at once, `next_minor` what it makes of the next document, of `next_date` (None: there is
    none), and `per_period_minor` what each whole period costs more, from `period_start` up to `period_end` first.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="quotes")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="quotes")
    change = models.JSONField()
    made_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    now_minor = models.BigIntegerField()
    next_minor = models.BigIntegerField()
    next_date = models.DateField(null=True)
    per_period_minor = models.BigIntegerField()
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)

    class Meta:
        constraints = (
            CheckConstraint(condition=Q(made_at__lt=F("valid_until")), name="quote_is_valid_for_a_while"),
            CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(accepted_at__lt=F("valid_until")),
                name="quote_accepted_in_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subscription_id} at {self.made_at}"


class Posting(models.Model):
    """An amount that an issued document, or a lapse, moves from one ledger of the books to another, never changed.

    It debits one and credits the other, so that the books are balanced whatever is posted (see books of the engine).
    """

    vendor = unchecked(Vendor)
    document = unchecked(Document, null=True)
    lapse = unchecked("Lapse", null=True)
    date = models.DateField()
    currency = models.CharField(max_length=3)
    debit = models.CharField(max_length=20)
    credit = models.CharField(max_length=20)
    amount_minor = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            UniqueConstraint(fields=("document", "debit", "credit"), name="posting_once_for_a_document"),
            UniqueConstraint(fields=("lapse",), condition=Q(lapse__isnull=False), name="posting_once_for_a_lapse"),
            CheckConstraint(condition=Q(amount_minor__gte=1), name="posting_of_something"),
            CheckConstraint(
                condition=Q(debit__in=LEDGERS, credit__in=LEDGERS) & ~Q(debit=F("credit")),
                name="posting_in_two_ledgers",
            ),
            CheckConstraint(
                condition=Q(document__isnull=True, lapse__isnull=False) | Q(document__isnull=False, lapse__isnull=True),
                name="posting_for_one_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.debit} to {self.credit} {self.amount_minor}"


class Lapse(models.Model):
    """A credit that was lost as the policy says, never changed."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="lapses")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="lapses")
    date = models.DateField()
    known_until = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=10)

    class Meta:
        constraints = (
            CheckConstraint(condition=Q(amount_minor__gte=1), name="lapse_of_something"),
            CheckConstraint(condition=Q(reason__in=get_args(LapseReason)), name="lapse_reason_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.amount_minor} on {self.date}"


class Payment(models.Model):
    """Money that came from an account, or below zero went back to it, on a day; never changed.

    `reference` is what the bank or the payment provider calls it, of which there is only one. `returns` is the payment
    whose money it is, where this one takes it the other way.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="payments")
    account = models.ForeignKey(Account, models.PROTECT, related_name="payments")
    date = models.DateField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    method = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    returns = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="returned_by")
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=200)

    class Meta:
        constraints = (
            UniqueConstraint(fields=("vendor", "reference"), condition=~Q(reference=""), name="payment_reference"),
            CheckConstraint(condition=~Q(amount_minor=0), name="payment_of_something"),
        )

    def __str__(self) -> str:
        return f"{self.amount_minor} on {self.date}"


class Allocation(models.Model):
    """So much of a payment counts for a document, or was paid back by another payment; never changed.

    The amount has the sign of the payment, or the other one where it takes back what counted before. `at_once` says
    that it counts on the payment's own day, so that in the books nothing lies between.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="allocations")
    document = models.ForeignKey(Document, models.PROTECT, null=True, related_name="allocations")
    paid_back_by = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="pays_back")
    amount_minor = models.BigIntegerField()
    at_once = models.BooleanField()
    date = models.DateField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=200)

    class Meta:
        constraints = (
            CheckConstraint(condition=~Q(amount_minor=0), name="allocation_of_something"),
            CheckConstraint(
                condition=Q(document__isnull=True, paid_back_by__isnull=False, at_once=False)
                | Q(document__isnull=False, paid_back_by__isnull=True),
                name="allocation_to_one_thing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount_minor} of {self.payment_id}"


class OpenItem(models.Model):
    """What is still to be paid of an invoice; below zero: to be paid back of a credit note, or not used of a payment.

    It follows from documents, payments and allocations, is written with them, and is gone once nothing is open.
    """

    vendor = unchecked(Vendor)
    account = unchecked(Account)
    document = unchecked(Document, null=True)
    payment = unchecked(Payment, null=True)
    date = models.DateField()
    currency = models.CharField(max_length=3)
    open_minor = models.BigIntegerField()

    class Meta:
        indexes = (Index(fields=("account", "id"), name="open_item_of_account"),)
        constraints = (
            UniqueConstraint(fields=("document",), condition=Q(document__isnull=False), name="open_item_of_document"),
            UniqueConstraint(fields=("payment",), condition=Q(payment__isnull=False), name="open_item_of_payment"),
            CheckConstraint(condition=~Q(open_minor=0), name="open_item_of_something"),
            CheckConstraint(
                condition=Q(document__isnull=True, payment__isnull=False, open_minor__lt=0)
                | Q(document__isnull=False, payment__isnull=True),
                name="open_item_of_one_thing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.open_minor} since {self.date}"
