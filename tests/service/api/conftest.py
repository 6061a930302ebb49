"""A vendor with a customer of its own, at noon of 10 February 2026 by its test clock, and its program."""

from __future__ import annotations

import pytest

from prorata.vendors.models import Vendor
from tests.service.api.cast import Caller, program
from tests.service.world import at, seller


def sandbox(key: str = "vendor", policy: str = "mainter") -> Vendor:
    """A vendor that lives by a test clock, from noon of 10 January 2026 on."""
    vendor = seller(policy, key)
    vendor.test_clock = at("2026-01-10")
    vendor.save()
    return vendor


@pytest.fixture
def vendor() -> Vendor:
    return sandbox()


@pytest.fixture
def vera(vendor: Vendor) -> Caller:
    """A program that may do everything, of a vendor whose account nord has been billed twice."""
    caller = program(vendor)
    people = [{"event": "activate", "user": user, "at": "2026-01-01"} for user in ("anna", "ben")]
    caller.post("/accounts", {"key": "nord", "name": "Nord AB", "plan": "PRO", "events": people})
    caller.post("/clock", {"to": "2026-02-10T12:00:00Z"})
    return caller
