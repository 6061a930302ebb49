"""`make bench`: how long a month's bill run takes on PostgreSQL, beside merely moving the same rows.

Each account has eight seats, and three changes in the month. What is measured is the second bill of each: it charges
what changed in January and the seats of February. Beside it two connections read the very rows that the run reads, and
copy the very documents, lines and postings that it writes into the same tables of a copy of the database.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing import get_context
from typing import Any, NamedTuple

import psycopg

from tests.postgresql import server

_SETTINGS = "-c listen_addresses=127.0.0.1 -c shared_buffers=1GB -c max_wal_size=8GB -c checkpoint_timeout=30min"
_POLICY, _WANTED_RATIO, _WANTED_A_MILLION = "mainter", 2.0, 60
_BATCH = 2000
_OUTPUT = {
    "invoicing_document": "id",
    "invoicing_line": "document_id",
    "invoicing_posting": "document_id",
    "invoicing_openitem": "document_id",
}
_INPUTS = (
    "SELECT s.*, a.* FROM subscriptions_subscription s JOIN accounts_account a ON a.id = s.account_id "
    "WHERE s.id BETWEEN %(first)s AND %(last)s ORDER BY s.id",
    "SELECT subscription_id, kind, at, recorded_at, member_id, role, plan, item, quantity, price_minor, interval, "
    "until, reason, payment_method FROM subscriptions_event WHERE subscription_id BETWEEN %(first)s AND %(last)s "
    "ORDER BY subscription_id, at, id",
    "SELECT id, subscription_id, date, known_until, total_minor, credit_used_minor, refund_minor "
    "FROM invoicing_document WHERE subscription_id BETWEEN %(first)s AND %(last)s ORDER BY id",
    "SELECT l.document_id, l.item, l.amount_minor, l.period_start, l.period_end, l.start, l.end, l.exact_numerator, "
    "l.exact_denominator, l.after_quantity, l.price_minor, l.price_months, l.price_plan, l.price_role, l.price_above "
    "FROM invoicing_line l JOIN invoicing_document d ON d.id = l.document_id "
    "WHERE d.subscription_id BETWEEN %(first)s AND %(last)s ORDER BY l.document_id, l.position",
)


class Piece(NamedTuple):
    """What one transaction reads, by subscriptions' ids, and what it copies, by table."""

    first: int
    last: int
    output: dict[str, bytes]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=100_000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument(
        "--alone", action="store_true", help="leave out the comparison, which keeps all rows in memory"
    )
    chosen = options.parse_args()
    with server(_SETTINGS) as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "prorata.site.settings"}
        import django

        django.setup()
        measure(url, chosen.accounts, chosen.workers, alone=chosen.alone)


def measure(url: str, accounts: int, workers: int, *, alone: bool) -> None:
    from django.db import connection

    from prorata.engine import bill

    vendor = seeded(accounts)
    billed(vendor, 1, workers)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    if not alone:
        with psycopg.connect(url, autocommit=True) as one:
            one.execute("CREATE DATABASE mere TEMPLATE postgres")
    how = "plain Python" if bill.__file__.endswith(".py") else "compiled"
    seconds = billed(vendor, 2, workers)
    million = seconds * 1e6 / accounts
    print(f"A BILL RUN of {accounts:,} accounts with {workers} workers, the engine {how}")
    print(f"  {seconds:>7.1f} s, {accounts / seconds:,.0f} accounts a second; a million in {million:.0f} s")
    print(f"  {million / _WANTED_A_MILLION:>7.2f} of the time wanted for a million, {_WANTED_A_MILLION} s")
    if alone:
        return
    mere = moved(url, url.replace("/postgres", "/mere"), accounts)
    print(f"  {mere:>7.1f} s to read the same rows and copy the same rows over two connections")
    print(f"  {seconds / mere:>7.2f} × that; wanted: at most {_WANTED_RATIO}")
    report_parts(vendor)


def seeded(accounts: int) -> Any:
    """A vendor with accounts that were told of and not billed."""
    from django.core.management import call_command
    from django.db import connection

    from prorata.accounts.models import Account, Member
    from prorata.database.rows import add_rows, microseconds_of
    from prorata.policies import policy_text
    from prorata.subscriptions.models import Event, Subscription
    from prorata.vendors.actions import add_vendor, set_policy

    call_command("migrate", verbosity=0)
    vendor, before = add_vendor(key="vendor", name="Vendor"), datetime(2025, 12, 1, tzinfo=UTC)
    set_policy(vendor=vendor, name=_POLICY, text=policy_text(_POLICY), now=before, actor="bench")
    ids = range(1, accounts + 1)
    Account.objects.bulk_create(
        (Account(pk=pk, vendor=vendor, key=f"a{pk}", name=f"Account {pk}") for pk in ids), batch_size=5000
    )
    people = ((pk * 10 + at, vendor.pk, pk, f"u{at}", "", "") for pk in ids for at in range(10))
    add_rows(Member, ("id", "vendor_id", "account_id", "key", "name", "email"), people)
    of_subscriptions = (
        "id", "vendor_id", "account_id", "policy_name", "plan", "interval", "seats_follow", "payment_method",
        "next_look", "stopped", "time_zone",
    )  # fmt: skip
    agreed = ((pk, vendor.pk, pk, _POLICY, "BASIC", "month", False, "", date(2026, 1, 1), "", "") for pk in ids)
    add_rows(Subscription, of_subscriptions, agreed)
    start = microseconds_of(datetime(2025, 12, 31, 23, tzinfo=UTC))

    def events() -> Iterator[tuple[Any, ...]]:
        rest = ("bench", "", "", "", None, None, "", None, "", "")
        for pk in ids:
            yield (vendor.pk, pk, None, "start", start, start, *rest)
            for at in range(8):
                yield (vendor.pk, pk, pk * 10 + at, "activate", start, start, *rest)
            for order, (kind, at) in enumerate((("activate", 8), ("deactivate", 0), ("activate", 9))):
                day = 2 + order * 8 + pk % 7
                told = microseconds_of(datetime(2026, 1, day, 8 + pk % 9, pk % 60, pk % 59, tzinfo=UTC))
                yield (vendor.pk, pk, pk * 10 + at, kind, told, told, *rest)

    of_events = (
        "vendor_id", "subscription_id", "member_id", "kind", "at", "recorded_at", "actor", "role", "plan", "item",
        "quantity", "price_minor", "interval", "until", "reason", "payment_method",
    )  # fmt: skip
    add_rows(Event, of_events, events())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return vendor


def billed(vendor: Any, month: int, workers: int) -> float:
    """Seconds that the run of the first of a month takes."""
    from prorata.invoicing.actions.run_bills import run_bills

    began = time.perf_counter()
    now = datetime(2026, month, 1, 20, tzinfo=UTC)
    outcome = run_bills(vendor=vendor, through=date(2026, month, 1), now=now, workers=workers)
    seconds = time.perf_counter() - began
    assert not outcome.problems
    assert outcome.documents["invoice"] == outcome.looked_at > 0
    return seconds


def moved(url: str, copy: str, accounts: int) -> float:
    """Seconds that two connections take to read a run's inputs and to copy its output into a copy of the database."""
    pieces = [piece_of(url, first, min(first + _BATCH - 1, accounts)) for first in range(1, accounts + 1, _BATCH)]
    with psycopg.connect(copy) as one:  # so that neither is the first to read from the disk
        for sql in _INPUTS:
            one.execute(sql.replace("s.*, a.*", "count(*)").split("ORDER BY")[0], {"first": 0, "last": 0}).fetchall()
    spawn = get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        list(pool.map(time.sleep, [0.2, 0.2]))  # both are there
        began = time.perf_counter()
        list(pool.map(move, [copy] * 2, [pieces[0::2], pieces[1::2]]))
        return time.perf_counter() - began


def piece_of(url: str, first: int, last: int) -> Piece:
    output = {}
    with psycopg.connect(url) as one:
        for table, column in _OUTPUT.items():
            chosen = (
                f"SELECT id FROM invoicing_document WHERE run_id = 2 AND subscription_id BETWEEN {first} AND {last}"
            )
            sql = f"COPY (SELECT * FROM {table} WHERE {column} IN ({chosen}) ORDER BY id) TO STDOUT (FORMAT BINARY)"
            with one.cursor().copy(sql.encode()) as copy:
                output[table] = b"".join(bytes(part) for part in copy)
    return Piece(first, last, output)


def move(url: str, pieces: list[Piece]) -> None:
    with psycopg.connect(url) as one:
        for first, last, output in pieces:
            with one.transaction():
                for sql in _INPUTS:
                    one.execute(sql, {"first": first, "last": last}, binary=True).fetchall()
                for table, rows in output.items():
                    with one.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()) as copy:
                        copy.write(rows)


def report_parts(vendor: Any) -> None:
    """Where the time of one worker goes, in the next month's run."""
    from prorata.invoicing.actions import issue, run_bills

    spent: dict[str, float] = defaultdict(float)

    def timed(module: Any, name: str, part: str) -> None:
        work: Callable[..., Any] = getattr(module, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                spent[part] += time.perf_counter() - began

        setattr(module, name, wrapped)

    timed(run_bills, "histories", "reading what was told")
    timed(run_bills, "issued_to", "reading what was issued")
    timed(run_bills, "bill", "computing")
    timed(run_bills, "_bill_batch", "all")
    timed(issue, "set_rows", "writing how far it is billed")
    timed(issue, "add_rows", "copying lines, postings and documents")
    timed(issue, "shown", "documents as JSON")
    batches = run_bills._batches
    run_bills._batches = lambda *args, **kwargs: batches(*args, **kwargs)[:5]
    billed(vendor, 3, 1)
    whole = spent.pop("all")
    print("where the time of one worker goes, waiting for the database included")
    for part, seconds in sorted(spent.items(), key=lambda one: -one[1]):
        print(f"  {seconds / whole:>6.0%}  {part}")
    print(f"  {1 - sum(spent.values()) / whole:>6.0%}  the rest")


if __name__ == "__main__":
    main()
