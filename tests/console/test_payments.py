"""What event files and tables say of how an account pays, and of what is paid back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from prorata.console.event_files import rows_of
from prorata.engine.bill import bill
from prorata.engine.intake import Intake, read_histories
from tests.console.command import prorata
from tests.engine.test_payment_methods import POLICY
from tests.engine.test_refunds import REFUND, ROWS


def test_csv_and_json_lines_tell_it_alike() -> None:
    csv = (
        "at,account,event,user,payment_method\n2026-01-01,A,activate,anna,\n2026-01-15,A,payment_method,,INVOICE\n"
        "2026-02-10,A,activate,dora,\n"
    )
    lines = (
        '{"at": "2026-01-01", "account": "A", "event": "activate", "user": "anna"}\n'
        '{"at": "2026-01-15", "account": "A", "event": "payment_method", "payment_method": "invoice"}\n'
        '{"at": "2026-02-10", "account": "A", "event": "activate", "user": "dora"}\n'
    )
    for text in (csv, lines):
        [history] = read_histories(rows_of("events", text), Intake(policy=POLICY))
        billing = bill(history, through=date(2026, 2, 28))
        assert [one.total_minor for one in billing.documents] == [1000, 1000, 679]  # Dora: 19 of 28 days, at once


def test_the_table_says_what_is_paid_back(tmp_path: Path) -> None:
    (tmp_path / "back.toml").write_text(REFUND, encoding="utf-8")
    rows = ["at,account,event,user", *(f"{row['at']},A,{row['event']},{row['user']}" for row in ROWS)]
    (tmp_path / "events.csv").write_text("\n".join(rows), encoding="utf-8")
    words = ("bill", "--policy", "back.toml", "--events", "events.csv", "--through", "2026-05-01")
    *_, last = prorata(*words, cwd=tmp_path).out.split()
    out = prorata(*words, cwd=tmp_path).out
    assert " ".join(out.split()).endswith("paid back EUR 4.00")
    assert "credit" not in out.replace("Credit note", "")
    assert last == "4.00"
