"""Who asks: the vendor behind a token, and what time it is for it."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from prorata.api.bill_runs import OutcomeOut, outcome_out
from prorata.api.once import in_steps
from prorata.api.tokens import Bearer, vendor_of
from prorata.api.values import In, Moment, PartyIn
from prorata.invoicing.actions.advance_clock import advance_clock
from prorata.vendors.actions import change_vendor
from prorata.vendors.models import PARTY, Vendor
from prorata.vendors.queries import now_of, policy_names

router = Router(tags=["Vendor"])


class VendorOut(Schema):
    key: str
    name: str
    organisation_number: str
    vat_number: str
    address: str
    postal_code: str
    city: str
    country: str
    policies: list[str] = Field(description="The names of its policies.")
    now: datetime = Field(description="What time it is for the vendor.")
    is_sandbox: bool = Field(description="Whether that is by a test clock.")


class ClockIn(In):
    to: Moment = Field(description="A moment after the clock's own.")


class ClockOut(Schema):
    now: datetime
    outcome: OutcomeOut = Field(description="What the bill runs on the way came to.")


@router.get("/vendor", response=VendorOut, auth=Bearer("read"))
def show_vendor(request: HttpRequest) -> VendorOut:
    """The vendor whose token is shown."""
    return _vendor_out(vendor_of(request))


@router.patch("/vendor", response=VendorOut, auth=Bearer("settings"))
def change_the_vendor(request: HttpRequest, body: PartyIn) -> VendorOut:
    """Change what the next documents say of who sells; those that were issued stay."""
    return _vendor_out(change_vendor(vendor=vendor_of(request), identity=body.model_dump(exclude_none=True)))


@router.post("/clock", response=ClockOut, auth=Bearer("settings"))
@in_steps
def advance_the_clock(request: HttpRequest, body: ClockIn) -> ClockOut:
    """Move the test clock of a sandbox forward. Bills are run as each day begins on which one is due."""
    vendor = vendor_of(request)
    outcome = advance_clock(vendor=vendor, to=body.to)
    return ClockOut(now=now_of(vendor), outcome=outcome_out(outcome))


def _vendor_out(vendor: Vendor) -> VendorOut:
    return VendorOut(
        key=vendor.key,
        **{name: getattr(vendor, name) for name in PARTY},
        policies=policy_names(vendor),
        now=now_of(vendor),
        is_sandbox=vendor.test_clock is not None,
    )
