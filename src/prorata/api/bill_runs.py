"""Bill runs: what is due is billed, of one account or of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from prorata.api.loading import Number, account_called
from prorata.api.once import in_steps
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, vendor_of
from prorata.api.values import Amount, Day, In, Name
from prorata.engine.money import format_amount
from prorata.invoicing.actions.advance_clock import ticked
from prorata.invoicing.actions.run_bills import Outcome, run_bills
from prorata.invoicing.models import BillRun, Problem

router = Router(tags=["Bill runs"])


class RunIn(In):
    through: Day = Field(description="Bill everything dated up to and with this day.")
    account: Name | None = Field(None, description="Only this account.")
    dry_run: bool = Field(
        False, description="Whether to compute all of it and keep nothing; the day may lie ahead then."
    )


class TotalOut(Schema):
    kind: str
    currency: str
    total: Amount


class OutcomeOut(Schema):
    """What a run came to."""

    run: int | None = Field(description="Its id; null where nothing was kept, or where they were several.")
    looked_at: int = Field(description="How many accounts were due.")
    invoices: int
    credit_notes: int
    totals: list[TotalOut]
    problems: list[str] = Field(description="Who could not be billed, and why. They stay due.")


class RunOut(Schema):
    id: int
    account: str | None = Field(description="The account it was run for; null where it was run for all.")
    through: date
    known_until: datetime = Field(description="What was recorded before is on its documents.")
    ended_at: datetime | None = Field(description="Null while it runs, or where it was interrupted.")
    looked_at: int
    documents: int


class ProblemOut(Schema):
    account: str
    sentence: str


@router.get("/bill-runs", response=Page[RunOut], auth=Bearer("read"))
def list_bill_runs(request: HttpRequest, cursor: Cursor = "", limit: Limit = 50) -> Page[RunOut]:
    """The runs, the newest first."""
    return page(_runs(request), cursor, limit, _runs_out, newest_first=True)


@router.post("/bill-runs", response=OutcomeOut, auth=Bearer("billing"))
@in_steps
def run_the_bills(request: HttpRequest, body: RunIn) -> OutcomeOut:
    """Bill every account that is due. Asked for again it bills nobody twice; interrupted, it goes on where it was.

    The answer comes once all are billed; of many accounts, `prorata bill-run` does the same with more processes.
    """
    vendor = vendor_of(request)
    account = None if body.account is None else account_called(request, body.account)
    outcome = run_bills(
        vendor=vendor,
        account=account,
        through=body.through,
        now=ticked(vendor, dry_run=body.dry_run),
        dry_run=body.dry_run,
    )
    return outcome_out(outcome)


@router.get("/bill-runs/{run}", response=RunOut, auth=Bearer("read"))
def show_bill_run(request: HttpRequest, run: Number) -> RunOut:
    """One run."""
    return _runs_out([_called(request, run)])[0]


@router.get("/bill-runs/{run}/problems", response=Page[ProblemOut], auth=Bearer("read"))
def list_problems(request: HttpRequest, run: Number, cursor: Cursor = "", limit: Limit = 50) -> Page[ProblemOut]:
    """Who a run could not bill, and why."""
    rows = Problem.objects.filter(run=_called(request, run)).select_related("subscription__account")
    return page(rows, cursor, limit, _problems_out)


def outcome_out(outcome: Outcome) -> OutcomeOut:
    """What runs came to, as it is shown."""
    totals = [
        TotalOut(kind=kind, currency=currency, total=format_amount(total, currency))
        for (kind, currency), total in sorted(outcome.totals.items())
    ]
    return OutcomeOut(
        run=None if outcome.run is None else outcome.run.pk,
        looked_at=outcome.looked_at,
        invoices=outcome.documents["invoice"],
        credit_notes=outcome.documents["credit_note"],
        totals=totals,
        problems=outcome.problems,
    )


def _runs_out(runs: Sequence[BillRun]) -> list[RunOut]:
    return [
        RunOut(
            id=run.pk,
            account=None if run.account is None else run.account.key,
            through=run.through,
            known_until=run.known_until,
            ended_at=run.ended_at,
            looked_at=run.looked_at,
            documents=run.documents,
        )
        for run in runs
    ]


def _problems_out(problems: Sequence[Problem]) -> list[ProblemOut]:
    return [ProblemOut(account=one.subscription.account.key, sentence=one.sentence) for one in problems]


def _runs(request: HttpRequest) -> QuerySet[BillRun]:
    return BillRun.objects.filter(vendor=vendor_of(request)).select_related("account")


def _called(request: HttpRequest, pk: int) -> BillRun:
    found = _runs(request).filter(pk=pk).first()
    if found is None:
        raise Gone(f"there is no bill run {pk}")
    return found
