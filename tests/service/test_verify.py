"""Verify finds whatever was done to the rows behind its back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from hashlib import sha256

import pytest
from django.db import connection
from django.db.models import F, Model, Value
from django.db.models.functions import Concat

from prorata.invoicing.models import Document, Lapse, Line, Posting
from prorata.invoicing.verify import strays, verify
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.models import PolicyVersion, Series, Vendor
from tests.service.world import told

_WRITTEN_ONCE: tuple[type[Model], ...] = (Event, Document, Line, Lapse, Posting, PolicyVersion)
NOBODY = 999_999


@pytest.fixture
def vendor() -> Vendor:
    """Three invoices, two credit notes and a lapse; with the guards of its tables gone."""
    vendor = told("scenarios/M11-credits-lapse-at-the-end.toml")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _WRITTEN_ONCE:
            name = table._meta.db_table
            on = f" ON {name}" if connection.vendor == "postgresql" else ""
            for verb in ("UPDATE", "DELETE"):
                cursor.execute(f"DROP TRIGGER {name}_refuses_{verb}{on}")
    return vendor


def last() -> Document:
    document = Document.objects.order_by("id").last()
    assert document is not None
    return document


def rewrite(document: Document, **changed: object) -> None:
    """Another record, with the digest that goes with it."""
    record = json.dumps({**json.loads(document.record), **changed})
    digest = sha256(record.encode()).hexdigest()
    Document.objects.filter(pk=document.pk).update(record=record, sha256=digest)


def write_over_the_record() -> None:
    Document.objects.filter(pk=last().pk).update(record=last().record.replace("699.00", "1.00"))


def rewrite_the_total() -> None:
    rewrite(last(), total="1.00")


def rewrite_a_line() -> None:
    lines = json.loads(last().record)["lines"]
    rewrite(last(), lines=[{**lines[0], "text": "something else"}, *lines[1:]])


def rewrite_the_number() -> None:
    rewrite(last(), number=77)


def change_a_total() -> None:
    Document.objects.filter(pk=last().pk).update(total_minor=-5)


def change_a_line() -> None:
    Line.objects.filter(document=last()).update(amount_minor=1)


def change_what_a_line_is_for() -> None:
    Line.objects.filter(document=last(), position=2).update(item="lunch")


def change_what_is_left() -> None:
    Document.objects.filter(pk=last().pk).update(credit_left_minor=5)


def rewrite_the_rules() -> None:
    PolicyVersion.objects.update(text=Concat(F("text"), Value("\n")))


def invent_a_lapse() -> None:
    lapse = Lapse.objects.get()
    Lapse.objects.create(
        vendor=lapse.vendor,
        subscription=lapse.subscription,
        date=date(2026, 4, 20),
        known_until=lapse.known_until,
        amount_minor=7,
        reason="end",
    )


def take_the_lapse_away() -> None:
    Posting.objects.filter(lapse__isnull=False).delete()
    Lapse.objects.all().delete()


def forget_that_it_was_billed() -> None:
    Subscription.objects.update(billed_through=None, known_until=None)


def forget_to_look() -> None:
    Subscription.objects.update(next_look=None, ended_on=None)


def change_when_it_was_computed() -> None:
    first = Document.objects.order_by("id")[0]
    Document.objects.filter(pk=last().pk).update(known_until=first.known_until)


def take_an_event_away() -> None:
    Event.objects.filter(kind="deactivate").first().delete()  # type: ignore[union-attr]


def take_a_document_away() -> None:
    Line.objects.filter(document=last()).delete()
    Posting.objects.filter(document=last()).delete()
    last().delete()


def take_only_a_document_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoicing_document WHERE id = %s", [last().pk])


def issue_it_to_nobody() -> None:
    Document.objects.filter(pk=last().pk).update(subscription_id=NOBODY)


def issue_it_by_no_rules() -> None:
    Document.objects.filter(pk=last().pk).update(policy_id=NOBODY)


def issue_it_in_no_run() -> None:
    Document.objects.filter(pk=last().pk).update(run_id=NOBODY)


def tell_it_of_nobody() -> None:
    Event.objects.filter(member__isnull=False).update(member_id=NOBODY)


def give_a_line_to_another_vendor() -> None:
    Line.objects.filter(document=last()).update(vendor=Vendor.objects.create(key="other", name="Other"))


def change_a_posting() -> None:
    Posting.objects.filter(document=last(), credit="customer_credit").update(amount_minor=1)


def take_a_posting_away() -> None:
    Posting.objects.filter(document=last(), credit="customer_credit").delete()


def post_a_lapse_elsewhere() -> None:
    Posting.objects.filter(lapse__isnull=False).update(credit="revenue")


def give_a_number_to_nothing() -> None:
    Series.objects.filter(kind="invoice").update(last=9)


def test_nothing_is_wrong_with_what_was_issued(vendor: Vendor) -> None:
    assert list(verify(vendor)) == []


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (write_over_the_record, "its record is not what its digest was taken of"),
        (rewrite_the_total, "its record says total '1.00', and computed again it is '699.00'"),
        (rewrite_a_line, "its record says lines"),
        (rewrite_the_number, "its record says credit_note 77"),
        (change_a_total, "total_minor is -5, and computed again it is -69900"),
        (change_a_line, "line 1: amount_minor is 1, and computed again it is -139800"),
        (change_what_a_line_is_for, "line 2: item is lunch, and computed again it is seats"),
        (change_when_it_was_computed, "computed again"),
        (change_what_is_left, "credit_left_minor is 5, and computed again it is 69900"),
        (take_an_event_away, "computed again it is 'invoice'"),
        (take_a_document_away, "series credit_note: 1 number given to 0 documents"),
        (take_only_a_document_away, "which is not there"),
        (issue_it_to_nobody, "names subscription 999999, which is not there"),
        (issue_it_by_no_rules, "names policy 999999, which is not there"),
        (issue_it_in_no_run, "names run 999999, which is not there"),
        (tell_it_of_nobody, "names member 999999, which is not there"),
        (give_a_line_to_another_vendor, "line 1: vendor_id is "),
        (change_a_posting, "its postings are not what it means in the books"),
        (take_a_posting_away, "its postings are not what it means in the books"),
        (post_a_lapse_elsewhere, "is not in the books as it should be"),
        (give_a_number_to_nothing, "series invoice: 9 numbers given to 1 document, numbered from 1 to 1"),
        (rewrite_the_rules, "policy mainter 1: its text is not what its digest was taken of"),
        (invent_a_lapse, "a credit of 7 (in minor units) lapsed on 2026-04-20, and had not to"),
        (take_the_lapse_away, "more was due, or had lapsed, than was issued"),
        (forget_that_it_was_billed, "it was billed on 2026-05-01, and says that it was through None"),
        (forget_to_look, "it has not ended, and is not to be looked at any more"),
    ],
)
def test_what_was_done_to_the_rows_is_found(vendor: Vendor, harm: Callable[[], None], sentence: str) -> None:
    harm()
    found = list(verify(vendor))
    assert any(sentence in one for one in found), found


@pytest.mark.usefixtures("vendor")
def test_rows_of_a_vendor_that_is_not_there_are_found() -> None:
    assert not list(strays())
    Line.objects.filter(document=last(), position=1).update(vendor_id=NOBODY)
    assert [one.partition(" is ")[2] for one in strays()] == [f"of vendor {NOBODY}, which is not there"]
