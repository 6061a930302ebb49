"""Rules that differ by item: each add-on, and the seats, is shared out and given back in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import Explanation, explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import documents, policy_of, refusals, remembered

SOLD = """\
currency = "EUR"
intervals = ["month"]
[plans.basic]
price = "30.00 per month"
[add_ons.sms]
price = "10.00 per month"
[add_ons.video]
price = "6.00 per month"
charge = "seat"
"""
WHOLE = '[[when]]\nitem = "sms"\nshare.by = "period"\nfall.give = "nothing"\n'
START: list[Mapping[str, object]] = [
    {"at": "2026-04-01", "event": "start"},
    {"at": "2026-04-01", "event": "activate", "user": "anna"},
    {"at": "2026-04-01", "event": "activate", "user": "ben"},
]
BEN_LEAVES: Mapping[str, object] = {"at": "2026-04-16", "event": "deactivate", "user": "ben"}


def add(item: str, at: str, quantity: int = 1) -> Mapping[str, object]:
    return {"at": at, "event": "add_on", "item": item, "quantity": quantity}


def lines(text: str, *rows: Mapping[str, object], through: date = date(2026, 5, 1)) -> list[tuple[str, str, int]]:
    """Item, kind and amount of every line after the first bill."""
    _, *later = documents([*START, *rows], policy_of(text), through)
    return [(line.item, line.kind, line.amount_minor) for one in later for line in one.lines]


def test_an_add_on_that_counts_whole_stands_beside_seats_by_the_day() -> None:
    # Ben's seat 15 of 30 days at 30.00; sms the whole month; then a month of one seat and of sms
    assert lines(SOLD + WHOLE, BEN_LEAVES, add("sms", "2026-04-16")) == [
        ("seats", "fall", -1500), ("sms", "rise", 1000), ("seats", "period", 3000), ("sms", "period", 1000),
    ]  # fmt: skip


def test_an_add_on_that_gives_nothing_stays_paid_to_the_end_of_its_period() -> None:
    removed: Mapping[str, object] = {"at": "2026-04-16", "event": "remove_add_on", "item": "sms"}
    assert lines(SOLD + WHOLE, BEN_LEAVES, add("sms", "2026-04-01"), removed) == [
        ("seats", "fall", -1500), ("seats", "period", 3000),
    ]  # fmt: skip


def test_rules_for_the_seats_leave_the_add_ons_as_they_are() -> None:
    text = SOLD + '[[when]]\nitem = "seats"\nshare.by = "period"\nfall.give = "nothing"\n'
    # Ben's seat stays paid for; sms 15 of 30 days at 10.00
    assert lines(text, BEN_LEAVES, add("sms", "2026-04-16")) == [
        ("sms", "rise", 500), ("seats", "period", 3000), ("sms", "period", 1000),
    ]  # fmt: skip


def test_rules_for_the_seats_are_the_base_price_s_too() -> None:
    text = SOLD.replace("30.00 per month", '30.00 per month"\nbase = "90.00 per month', 1)
    text += '[plans.pro]\nprice = "30.00 per month"\nbase = "120.00 per month"\n'
    text += '[[when]]\nitem = "seats"\nshare.by = "period"\n'
    pro: Mapping[str, object] = {"at": "2026-04-16", "event": "plan", "plan": "pro"}
    # the dearer base price for the whole month: 30.00; by the days it would be 15.00
    assert ("base", "plan", 3000) in lines(text, pro)


def test_an_agreement_that_ends_within_a_period_keeps_what_gives_nothing() -> None:
    text = SOLD + '[cancel]\nends = "day"\n' + WHOLE
    cancel: Mapping[str, object] = {"at": "2026-04-15", "event": "cancel"}
    # 2 seats for 15 of 30 days back; sms stays paid
    assert lines(text, add("sms", "2026-04-01"), cancel) == [("seats", "fall", -3000)]
    # an add-on of the seats has none left to count
    text = SOLD + '[cancel]\nends = "day"\n' + WHOLE.replace("sms", "video")
    told = lines(text, add("video", "2026-04-01"), cancel)
    assert told == [("seats", "fall", -3000), ("video", "fall", -1200)]


def test_an_item_s_rules_can_differ_by_date() -> None:
    text = SOLD + WHOLE + "from = 2026-05-01\n"
    april, may = add("sms", "2026-04-16"), add("sms", "2026-05-16", 2)
    told = lines(text, april, may, through=date(2026, 6, 1))
    # one for 15 of 30 days of April, one more for the whole of May
    assert [one for one in told if one[:2] == ("sms", "rise")] == [("sms", "rise", 500), ("sms", "rise", 1000)]


def test_each_item_is_rounded_in_its_own_way() -> None:
    text = SOLD + '[[when]]\nitem = "sms"\nrounding.mode = "down"\n'
    # 20 of 30 days: video 4.00 for each of two seats; sms 6.666… cut off
    told = lines(text, add("sms", "2026-04-11"), add("video", "2026-04-11"))
    assert told[:2] == [("sms", "rise", 666), ("video", "rise", 800)]


def test_a_run_taken_up_again_knows_each_item_by_its_own_rules() -> None:
    history = read_history([*START, add("sms", "2026-04-11"), BEN_LEAVES], policy=policy_of(SOLD + WHOLE))
    whole = bill(history, through=date(2026, 6, 1))
    first = remembered(bill(history, through=date(2026, 5, 1)))
    assert bill(history, through=date(2026, 6, 1), issued=first).documents == whole.documents[2:]


def test_what_differs_for_an_add_on_is_told() -> None:
    said = {one.text: one.example for one in tell(policy_of(SOLD + WHOLE))[1].sentences}
    assert said["sms added in between is charged for the whole month, with the bill of the next month."] == (
        "sms added on 10 April 2026: 1 × 10.00 × 1 = 10.00, on 1 May 2026"
    )
    assert "Less of sms counts from the next month on; until then it stays paid for." in said
    assert said["video added or ended in between is billed as a seat is."].startswith("video added on ")


def why(text: str, *rows: Mapping[str, object], on: str = "2026-05-01") -> dict[str, Explanation]:
    """What a day's document says of each line of the video add-on, by the line's text."""
    history = read_history([*START, *rows], policy=policy_of(text))
    day = date.fromisoformat(on)
    document = bill(history, through=day).documents[-1]
    assert document.date == day
    told = [explain(line, document, history) for line in document.lines if line.item == "video"]
    return {one.text: one for one in told}


VIDEO = '[[when]]\nitem = "video"\n'
DORA: Mapping[str, object] = {"at": "2026-04-11", "event": "activate", "user": "dora"}
OWN_RULES = (
    'rise.takes_effect = "period"\n', 'rise.takes_effect = "next_period"\n', 'fall.takes_effect = "period"\n',
    'fall.takes_effect = "next_period"\nfall.window_days = 7\n', 'fall.give = "nothing"\n',
)  # fmt: skip


@pytest.mark.parametrize("rules", OWN_RULES)
def test_who_joined_is_why_an_add_on_of_the_seats_rises_whatever_its_own_rules(rules: str) -> None:
    found = why(SOLD + VIDEO + rules, add("video", "2026-04-01"), DORA, BEN_LEAVES)
    rise = found["1 × video added, 11–15 April 2026"]
    assert rise.causes == ("dora joined on 11 April 2026",)
    # her seat counts by the day, and so does what is charged for it: 5 of 30 days of 6.00
    assert rise.arithmetic == "1 × 6.00 × 5/30 = 1.00"
    assert not any("takes_effect" in rule or "window_days" in rule for rule in rise.rules)


@pytest.mark.parametrize("rules", OWN_RULES)
def test_the_first_line_of_an_add_on_of_the_seats_names_them_and_it(rules: str) -> None:
    [first] = why(SOLD + VIDEO + rules, add("video", "2026-04-01"), on="2026-04-01").values()
    assert first.causes == (
        "anna joined on 1 April 2026", "ben joined on 1 April 2026", "video added on 1 April 2026",
    )  # fmt: skip


def test_seats_drawn_forward_draw_an_add_on_of_theirs_with_them() -> None:
    text = SOLD + '[[when]]\nitem = "seats"\nrise.takes_effect = "period"\n'
    rise = why(text, add("video", "2026-04-01"), DORA)["1 × video added, 1–30 April 2026"]
    assert rise.causes == ("dora joined on 11 April 2026",)
    assert "what is added takes effect with the first day of the period (rise.takes_effect)" in rise.rules


def test_an_add_on_of_the_seats_that_is_bought_itself_counts_by_its_own_rules() -> None:
    text = SOLD + VIDEO + 'rise.takes_effect = "period"\n'
    rise = why(text, add("video", "2026-04-16"))["2 × video added, 1–30 April 2026"]
    assert rise.causes == ("video added on 16 April 2026",)
    assert "what is added takes effect with the first day of the period (rise.takes_effect)" in rise.rules


BROKEN = {
    "when.item: fax is neither seats nor overage nor one of add_ons (sms, video)": WHOLE.replace("sms", "fax"),
    "rise.settle is of the whole invoice; by item may differ share, rounding, rise.takes_effect, fall.takes_effect, "
    "fall.give, fall.window_days, fall.notice_days and period.charge": WHOLE + 'rise.settle = "now"\n',
    "seats.minimum is of the whole invoice; by item may differ share, rounding, rise.takes_effect, "
    "fall.takes_effect, fall.give, fall.window_days, fall.notice_days and period.charge": WHOLE + "seats.minimum = 3\n",
    "when.item: overage is the seats beyond those ordered, and no price says what they cost (overage)": (
        WHOLE.replace('item = "sms"', 'item = "overage"').replace('fall.give = "nothing"\n', "")
    ),
    'period.charge = "advance": an item is never billed sooner than the invoice it is on; leave it out': (
        WHOLE + 'period.charge = "advance"\n'
    ),
    "period.charge would have no effect; the whole invoice is in arrears": (
        WHOLE.replace("[[when]]", '[period]\ncharge = "arrears"\n[[when]]') + 'period.charge = "arrears"\n'
    ),
    "when says no rule that differs; write one, such as rise.settle": '[[when]]\nitem = "sms"\n',
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_rules_that_cannot_differ_by_item_are_refused(sentence: str) -> None:
    assert [each.partition(": ")[2] for each in refusals(SOLD + BROKEN[sentence])] == [sentence]
