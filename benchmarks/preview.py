"""`make bench`: how long it takes on PostgreSQL to say what an account with 10,000 members will be sent next."""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, date, datetime

from tests.postgresql import server

TIMES, _WANTED_MS = 100, 50
_POLICY, _FIRST, _NOW = "mainter", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=10_000)
    members = options.parse_args().members
    with server() as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "prorata.site.settings"}
        import django

        django.setup()
        took = sorted(_measured(members))
    half, most = took[TIMES // 2], took[TIMES * 95 // 100]
    print(
        f"preview of an account with {members:,} members, on PostgreSQL: {half:.0f} ms; 95 of 100 within {most:.0f} ms"
    )
    print(f"wanted: within {_WANTED_MS} ms")


def _measured(members: int) -> list[float]:
    """How many milliseconds each of so many previews took."""
    from django.core.management import call_command

    from prorata.engine.intake import Row
    from prorata.invoicing.actions.run_bills import run_bills
    from prorata.invoicing.present import preview
    from prorata.policies import policy_text
    from prorata.subscriptions.actions.rows import Wish, open_agreement
    from prorata.vendors.actions import add_vendor, set_policy

    call_command("migrate", verbosity=0)
    vendor = add_vendor(key="bench", name="Bench")
    set_policy(vendor=vendor, name=_POLICY, text=policy_text(_POLICY), now=datetime(2025, 1, 1, tzinfo=UTC), actor="b")
    rows = [Row("row", {"event": "activate", "user": f"user{number}"}) for number in range(members)]
    subscription = open_agreement(
        vendor=vendor, key="large", details={}, wish=Wish(), rows=rows, now=_FIRST, actor="bench"
    )
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=datetime(2026, 1, 2, tzinfo=UTC))
    found = []
    for _ in range(TIMES):
        began = time.perf_counter()
        outlook = preview(subscription=subscription, now=_NOW)
        found.append((time.perf_counter() - began) * 1000)
        assert outlook.next_document is not None
        assert outlook.next_document.lines[0].quantity == members
    return found


if __name__ == "__main__":
    main()
