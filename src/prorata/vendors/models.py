"""The vendor's rows: who sells, by which policies, under which document numbers."""

from __future__ import annotations

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from prorata.engine.books import LEDGERS

PARTY = ("name", "organisation_number", "vat_number", "address", "postal_code", "city", "country")


class Party(models.Model):
    """Who sells or buys, as documents name them: all of PARTY. `address` is what stands above the city, in lines."""

    name = models.CharField(max_length=200)
    organisation_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)

    class Meta:
        abstract = True


class Vendor(Party):
    """Who sells. `key` is the short name by which the command line, the API and files call it.

    Of a vendor of a sandbox `test_clock` says what time it is.
    """

    key = models.SlugField(unique=True)
    test_clock = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key


class LedgerAccount(models.Model):
    """Under which number, and name, the vendor's own books have one of the ledgers."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="ledger_accounts")
    ledger = models.CharField(max_length=20)
    number = models.CharField(max_length=20)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = (
            UniqueConstraint(fields=("vendor", "ledger"), name="ledger_account_of_ledger"),
            CheckConstraint(condition=Q(ledger__in=LEDGERS), name="ledger_account_ledger_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.ledger} {self.number}"


class Token(models.Model):
    """What a vendor's program shows to be let in, and what it may do then (`scopes`); of its text a digest is kept.

    It holds until it `expires_at` a moment, or was `revoked_at` one before. `used_on` is the last day of its use.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Answer(models.Model):
    """What was answered to a request that a program named by a key; `sha256` is the digest of the request.

    `account` is the key of the account that it was about, if it was about one.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    account = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)

    class Meta:
        indexes = (Index(fields=("vendor", "made_at"), name="answer_age"),)
        constraints = (UniqueConstraint(fields=("vendor", "key"), name="answer_key"),)

    def __str__(self) -> str:
        return self.key


class PolicyVersion(models.Model):
    """A vendor's billing rules as they were from a moment on; what was billed before keeps the version before.

    `text` is the policy file, `sha256` the digest of its UTF-8 bytes.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="policies")
    name = models.SlugField()
    number = models.PositiveIntegerField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=200)

    class Meta:
        constraints = (
            UniqueConstraint(fields=("vendor", "name", "number"), name="policy_version_number"),
            CheckConstraint(condition=Q(number__gte=1), name="policy_version_counts_from_one"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class Series(models.Model):
    """A row of numbers without gaps. `last` is the number used last; whoever numbers documents locks the row."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="series")
    kind = models.CharField(max_length=20, choices=[("invoice", "invoice"), ("credit_note", "credit note")])
    prefix = models.CharField(max_length=20, blank=True)
    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            UniqueConstraint(fields=("vendor", "kind"), name="series_kind"),
            CheckConstraint(condition=Q(kind__in=("invoice", "credit_note")), name="series_kind_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.vendor_id} {self.kind}"
