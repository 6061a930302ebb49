"""Documents: what was issued, why each line is what it is, and whether it still adds up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from prorata.api.document_values import DocumentOut, DocumentSummary, Kind, document_out, summary_out
from prorata.api.loading import account_called
from prorata.api.once import in_steps
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, vendor_of
from prorata.api.values import Day, In, Name
from prorata.engine.explain import Explainer
from prorata.invoicing.again import recomputed
from prorata.invoicing.models import Document, OpenItem
from prorata.invoicing.open_items import open_of
from prorata.invoicing.queries import document_of
from prorata.invoicing.verify import verify

router = Router(tags=["Documents"])

DocumentName = Annotated[str, Path(pattern=r"^(invoice|credit_note)-[1-9][0-9]{0,17}$", examples=["invoice-12"])]
_Account = Annotated[str, Query(max_length=200, description="Only those of this account.")]
_Kind = Annotated[Kind | None, Query(description="Only invoices, or only credit notes.")]
_From = Annotated[Day | None, Query(alias="from", description="Only those of this day or later.")]
_Before = Annotated[Day | None, Query(description="Only those of days before this one.")]

_Open = Annotated[bool, Query(description="Only those of which something is still to be paid, or paid back.")]


class LineExplained(Schema):
    """A line in words: the people and events behind it, the arithmetic, the rules."""

    position: int
    text: str
    causes: list[str]
    people: list[str] = Field(description="Who held the seats on its first day.")
    arithmetic: str
    rules: list[str]


class Explained(Schema):
    document: str
    account: str
    lines: list[LineExplained]


class VerifyIn(In):
    account: Name | None = Field(None, description="Only what was issued to this account.")


class VerifiedOut(Schema):
    is_right: bool
    wrong: list[str] = Field(description="Whatever is not, in sentences.")


@router.get("/documents", response=Page[DocumentSummary], auth=Bearer("read"))
def list_documents(
    request: HttpRequest,
    account: _Account = "",
    kind: _Kind = None,
    since: _From = None,
    before: _Before = None,
    open: _Open = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[DocumentSummary]:
    """What was issued, the newest first."""
    rows = Document.objects.filter(vendor=vendor_of(request)).select_related("account")
    if account:
        rows = rows.filter(subscription__account=account_called(request, account))
    if kind is not None:
        rows = rows.filter(kind=kind)
    if since is not None:
        rows = rows.filter(date__gte=since)
    if before is not None:
        rows = rows.filter(date__lt=before)
    if open:
        rows = rows.filter(pk__in=OpenItem.objects.filter(vendor=vendor_of(request)).values("document_id"))
    return page(rows.defer("record"), cursor, limit, _summaries, newest_first=True)


@router.get("/documents/{document}", response=DocumentOut, auth=Bearer("read"))
def show_document(request: HttpRequest, document: DocumentName) -> DocumentOut:
    """One document, as it was issued."""
    found = document_called(request, document)
    return document_out(found, open_of([found])[found.pk])


@router.get("/documents/{document}/explanation", response=Explained, auth=Bearer("read"))
def explain_document(request: HttpRequest, document: DocumentName) -> Explained:
    """Why each line is what it is."""
    found, history = recomputed(document_called(request, document))
    explainer = Explainer(history)
    lines = []
    for position, line in enumerate(found.lines, 1):
        told = explainer.explain(line, found)
        lines.append(
            LineExplained(
                position=position,
                text=told.text,
                causes=list(told.causes),
                people=list(told.people),
                arithmetic=told.arithmetic,
                rules=list(told.rules),
            )
        )
    return Explained(document=document, account=found.account, lines=lines)


@router.post("/verifications", response=VerifiedOut, auth=Bearer("billing"))
@in_steps
def verify_documents(request: HttpRequest, body: VerifyIn) -> VerifiedOut:
    """Compute what was issued again, from what was known then, and look at every number, digest and posting.

    Of everything it takes about as long as billing all of it did.
    """
    account = None if body.account is None else account_called(request, body.account)
    wrong = list(verify(vendor_of(request), account=account))
    return VerifiedOut(is_right=not wrong, wrong=wrong)


def _summaries(rows: Sequence[Document]) -> list[DocumentSummary]:
    still = open_of(rows)
    return [summary_out(row, still[row.pk]) for row in rows]


def document_called(request: HttpRequest, name: str) -> Document:
    """The vendor's document of a name."""
    found = document_of(vendor_of(request), name)
    if found is None:
        raise Gone(f"there is no {name}")
    return found
