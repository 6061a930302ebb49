"""Details of accounts from a file: all of them or nothing, and each that cannot be is named."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from prorata.accounts.actions import forget, open_account
from prorata.accounts.details import load_details
from prorata.accounts.models import Account
from prorata.engine.intake import IntakeError, Row
from prorata.vendors.models import Vendor
from prorata.webhooks.actions import add_endpoint
from prorata.webhooks.models import Message
from tests.service.world import at, seller

NOW = at("2026-02-01")


@pytest.fixture
def vendor() -> Vendor:
    vendor = seller()
    for key in ("nord", "syd"):
        open_account(vendor=vendor, key=key, name=key, details={"address": "Storgatan 1"})
    open_account(vendor=seller("konfidens", "other"), key="fjord", name="fjord")
    return vendor


def rows(*told: dict[str, str]) -> list[Row]:
    return [Row(f"accounts.csv, line {line}", cells) for line, cells in enumerate(told, 2)]


def test_accounts_get_what_the_file_tells_and_keep_the_rest(vendor: Vendor) -> None:
    told = rows(
        {
            "account": "nord", "name": "Nord AB", "country": "se", "email": "post@nord.example", "city": "Göteborg",
            "postal_code": "411 01", "reference": "PO 17", "copies_to": "anna@nord.example; books@nord.example",
        },
        {"account": "syd"},
    )  # fmt: skip
    assert load_details(vendor=vendor, rows=told, now=NOW) == 1
    nord = Account.objects.get(vendor=vendor, key="nord")
    assert (nord.postal_code, nord.city, nord.reference) == ("411 01", "Göteborg", "PO 17")
    assert nord.copies_to == ["anna@nord.example", "books@nord.example"]
    assert (nord.name, nord.country, nord.email, nord.address) == ("Nord AB", "SE", "post@nord.example", "Storgatan 1")
    assert Account.objects.get(vendor=vendor, key="syd").name == "syd"
    assert load_details(vendor=vendor, rows=told, now=NOW) == 0  # nothing is otherwise any more


def test_one_bad_row_changes_nothing_and_every_one_is_named(vendor: Vendor) -> None:
    forget(account=Account.objects.get(vendor=vendor, key="syd"), now=NOW)
    told = rows(
        {"account": "nord", "name": "Nord AB"},
        {"account": "west", "name": "West AB"},
        {"account": "fjord", "name": "Fjord AS"},
        {"account": "syd", "name": "Syd AB"},
        {"account": "nord", "email": "nobody", "country": "Sweden", "vat_number": "9" * 41, "copies_to": "a@b.se;x"},
        {"name": "Nobody AB", "nmae": "x", "country": "ß"},
    )
    with pytest.raises(IntakeError) as caught:
        load_details(vendor=vendor, rows=told, now=NOW)
    columns = "account, name, organisation_number, vat_number, address, postal_code, city, country, reference, email"
    columns += ", copies_to"
    assert caught.value.sentences == (
        f"accounts.csv, line 7: 'nmae' is not a column; did you mean 'name'? allowed: {columns}",
        "accounts.csv, line 6, column account: 'nord' is told of already, in accounts.csv, line 2",
        "accounts.csv, line 7, column account: is empty; every row names its account",
        "accounts.csv, line 3, column account: 'west' is not an account of vendor vendor",
        "accounts.csv, line 4, column account: 'fjord' is not an account of vendor vendor",
        "accounts.csv, line 5, column account: 'syd' was deleted; it stays as it is",
        "accounts.csv, line 6, column vat_number: '" + "9" * 41 + "': Ensure this value has at most 40 characters "
        "(it has 41).",
        "accounts.csv, line 6, column email: 'nobody': Enter a valid email address.",
        "accounts.csv, line 6, column copies_to: 'a@b.se;x': 'x' is not an e-mail address.",
        "accounts.csv, line 6, column country: 'Sweden' is not a country; write two letters, such as SE",
    )
    assert Account.objects.get(vendor=vendor, key="nord").name == "nord"


def test_who_wants_to_know_is_told_what_changed(vendor: Vendor) -> None:
    add_endpoint(vendor=vendor, url="https://crm.example/", kinds=["account.changed"], now=NOW)
    told = rows({"account": "nord", "name": "Nord AB", "email": "post@nord.example"})
    load_details(vendor=vendor, rows=told, now=NOW)
    [message] = Message.objects.all()
    assert '"data":{"account":"nord","changed":["name","email"]}' in message.body


def test_many_accounts_take_few_queries(vendor: Vendor) -> None:
    def queries(count: int) -> int:
        told = rows(*({"account": f"a{number}", "name": f"A {count} {number}"} for number in range(count)))
        with CaptureQueriesContext(connection) as captured:
            assert load_details(vendor=vendor, rows=told, now=NOW) == count
        return len(captured)

    for number in range(40):
        open_account(vendor=vendor, key=f"a{number}", name="A")
    assert queries(40) == queries(4)
