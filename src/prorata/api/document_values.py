"""Documents as answers show them: the records that were issued, and what will be."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from prorata.api.values import Amount
from prorata.engine import document as engine
from prorata.engine.money import format_amount
from prorata.engine.record import document_record
from prorata.invoicing.models import Document

Kind = Literal["invoice", "credit_note"]


class LineOut(Schema):
    item: str
    kind: str
    quantity: int
    unit_price: Amount
    start: str = Field(description="A day; with its time where the policy counts more exactly.")
    end: str = Field(description="The first day that is no longer included.")
    days: int | float
    share: str = Field(description="Of the unit price, as a fraction.")
    amount: Amount
    text: str


class Paper(Schema):
    """What a document says of what is bought. The amounts of a credit note are positive."""

    account: str
    kind: Kind
    date: date
    currency: str
    lines: list[LineOut]
    subtotal: Amount
    tax: Amount
    total: Amount
    credit_used: Amount
    credit_left: Amount
    due: Amount
    refund: Amount


class Party(Schema):
    name: str
    organisation_number: str
    vat_number: str
    address: str
    postal_code: str = ""
    city: str = ""
    country: str


class Buyer(Party):
    reference: str = Field("", description="What it asked to read on its documents.")


class DocumentOut(Paper):
    """An issued document, as it was issued."""

    document: str = Field(description="Its name, such as invoice-12.")
    number: int
    seller: Party
    buyer: Buyer
    open: Amount = Field(description="What is still to be paid of it, of a credit note to be paid back.")
    sha256: str = Field(
        description="The digest of its record, which is this without name, what is open and digest, as canonical JSON."
    )


class DocumentSummary(Schema):
    document: str = Field(description="Its name, such as invoice-12.")
    account: str
    kind: Kind
    number: int
    date: date
    currency: str
    total: Amount
    credit_used: Amount
    due: Amount
    open: Amount = Field(description="What is still to be paid of it, of a credit note to be paid back.")


def document_out(row: Document, open_minor: int) -> DocumentOut:
    """An issued document."""
    still = format_amount(open_minor, row.currency)
    return DocumentOut(document=row.name, open=still, sha256=row.sha256, **json.loads(row.record))


def paper_out(found: engine.Document) -> Paper:
    """A document that is computed, and not issued."""
    return Paper(**document_record(found))


def summary_out(row: Document, open_minor: int) -> DocumentSummary:
    """An issued document in short."""

    def amount(minor: int) -> str:
        return format_amount(minor, row.currency)

    more: dict[str, Any] = {"kind": row.kind}
    return DocumentSummary(
        document=row.name,
        account=row.account.key,
        number=row.number,
        date=row.date,
        currency=row.currency,
        total=amount(abs(row.total_minor)),
        credit_used=amount(row.credit_used_minor),
        due=amount(max(row.total_minor, 0) - row.credit_used_minor),
        open=amount(open_minor),
        **more,
    )
