"""Refunds: what a document comes to below zero is paid back, and no credit remains of it."""

from __future__ import annotations

from datetime import date

import pytest

from prorata.engine.bill import Billing, bill
from prorata.engine.compare import compare_account
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import BASE, policy_of, records, refusals, remembered

REFUND = BASE + '[fall]\ngive = "refund"\n'
ROWS = [
    *({"at": "2026-04-01", "event": "activate", "user": user} for user in ("anna", "ben", "chris")),
    *({"at": "2026-04-10", "event": "deactivate", "user": user} for user in ("ben", "chris")),
]


def billing(text: str, through: date = date(2026, 6, 1)) -> Billing:
    return bill(read_history(ROWS, policy=policy_of(text)), through=through)


def amounts(text: str) -> list[tuple[str, int, int, int, int]]:
    """Date, total, refund, credit left and what is due of every document after the first bill."""
    return [
        (str(one.date), one.total_minor, one.refund_minor, one.credit_left_minor, one.due_minor)
        for one in billing(text).documents[1:]
    ]


def test_a_refund_reduces_the_next_invoice_first_and_only_the_rest_is_paid_back() -> None:
    # Two seats for 21 of 30 days: 14.00 back, less May's seat of 10.00: 4.00 are paid back, and June is due in full
    assert amounts(REFUND) == [("2026-05-01", -400, 400, 0, 0), ("2026-06-01", 1000, 0, 0, 1000)]


def test_a_credit_stays_where_a_refund_would_be_paid_back() -> None:
    assert amounts(BASE) == [("2026-05-01", -400, 0, 400, 0), ("2026-06-01", 1000, 0, 0, 600)]


def test_a_refund_at_once_is_a_credit_note_that_is_paid_back() -> None:
    # 2 × 10.00 × 21/30 = 14.00 on the day; then a month of one seat each
    assert amounts(REFUND + 'settle = "now"\n') == [
        ("2026-04-10", -1400, 1400, 0, 0), ("2026-05-01", 1000, 0, 0, 1000), ("2026-06-01", 1000, 0, 0, 1000),
    ]  # fmt: skip


def test_the_latest_period_that_was_billed_says_whether_a_document_is_paid_back() -> None:
    from_may = BASE + '[[when]]\nfrom = 2026-05-01\nfall.give = "refund"\n'
    until_may = BASE + '[[when]]\nuntil = 2026-05-01\nfall.give = "refund"\n'
    assert amounts(from_may)[0] == ("2026-05-01", -400, 400, 0, 0)
    assert amounts(until_may)[0] == ("2026-05-01", -400, 0, 400, 0)


def test_what_was_paid_back_is_no_credit_for_the_next_run() -> None:
    history = read_history(ROWS, policy=policy_of(REFUND))
    whole = bill(history, through=date(2026, 6, 1))
    first = bill(history, through=date(2026, 5, 1))
    for issued in (first, remembered(first)):
        assert first.followed_by(bill(history, through=date(2026, 6, 1), issued=issued)) == whole


def test_a_comparison_takes_refunds_off_what_is_to_be_paid() -> None:
    rows = compare_account("A", [billing(REFUND), billing(BASE)])
    assert [(row.due_minor, row.credit_left_minor) for row in rows] == [
        ((3000, 3000), (0, 0)), ((-400, 0), (0, 400)), ((1000, 600), (0, 0)),
    ]  # fmt: skip


def test_json_tells_what_is_paid_back() -> None:
    note = records(ROWS, policy_of(REFUND), date(2026, 5, 1))[-1]
    assert {key: note[key] for key in ("kind", "total", "credit_left", "due", "refund")} == {
        "kind": "credit_note", "total": "4.00", "credit_left": "0.00", "due": "0.00", "refund": "4.00",
    }  # fmt: skip


@pytest.mark.parametrize(("more", "day", "sentence"), [
    ("", "2026-05-01",
     "what falls away is taken off the next invoice, and what exceeds that is paid back (fall.give)"),
    ('settle = "now"\n', "2026-04-10", "what falls away is paid back at once (fall.settle)"),
])  # fmt: skip
def test_a_line_says_that_it_is_paid_back(more: str, day: str, sentence: str) -> None:
    history = read_history(ROWS, policy=policy_of(REFUND + more))
    note = bill(history, through=date.fromisoformat(day)).documents[-1]
    assert sentence in explain(note.lines[0], note, history).rules


def told(text: str) -> list[str]:
    return [one.text for part in tell(policy_of(text), interval="month") for one in part.sentences]


def test_a_policy_that_refunds_says_so() -> None:
    left = "A user who leaves is credited for the days left of the month, with the next invoice."
    assert f"{left} Where that exceeds the invoice, nothing is charged and the rest is paid back." in told(REFUND)
    at_once = told(REFUND + 'settle = "now"\n[cancel]\nends = "day"\n')
    assert "A user who leaves is paid back for the days left of the month, at once." in at_once
    assert any("on which it is made; the unused rest is paid back at once." in sentence for sentence in at_once)


NO_CREDIT = 'would have no effect; with fall.give = "refund" no credit is ever left'
BROKEN = {
    f"credits.lapse {NO_CREDIT}": REFUND + '[credits]\nlapse = "agreement_end"\n',
    f"credits.lapse_months {NO_CREDIT}": REFUND + "[credits]\nlapse_months = 6\n",
    'fall.give = "refund" is of the whole invoice; by item it is "credit" or "nothing"':
        BASE + '[[when]]\nitem = "seats"\nfall.give = "refund"\n',
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_refunds_that_cannot_be_meant_are_refused(sentence: str) -> None:
    [said] = refusals(BROKEN[sentence])
    assert said.partition(": ")[2] == sentence


def test_credits_may_lapse_where_only_some_periods_refund() -> None:
    yearly = BASE + '[credits]\nlapse_months = 1\n[[when]]\ninterval = "year"\nfall.give = "refund"\n'
    rows = [*ROWS, {"at": "2026-04-11", "event": "deactivate", "user": "anna"}]
    monthly = bill(read_history(rows, policy=policy_of(yearly)), through=date(2026, 7, 1))
    # 2 × 10.00 × 21/30 + 10.00 × 20/30 = 20.67 on 1 May, lost a month later
    assert [(str(one.date), one.amount_minor) for one in monthly.lapses] == [("2026-06-01", 2067)]
    paid_back = bill(read_history(rows, policy=policy_of(yearly), interval="year"), through=date(2027, 4, 1))
    assert (paid_back.lapses, paid_back.documents[-1].refund_minor > 0) == ((), True)
