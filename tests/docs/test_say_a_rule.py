"""What the how-to page says beside a sentence is a policy that can be meant, and that bills somebody."""

from __future__ import annotations

import re
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import read_policy
from tests.docs.markdown import ROOT

PAGE = ROOT / "docs" / "howto" / "say-a-rule.md"
HEAD = {"currency": '"EUR"', "intervals": '["month", "year"]'}
TEAM = '[plans.team]\nprice = "10.00 per month"\n'
PRO = '[plans.pro]\nprice = "20.00 per month"\n'
ROWS = [
    row
    for row in PAGE.read_text(encoding="utf-8").splitlines()
    if row.startswith("| ") and " | " in row and "The FAQ says" not in row
]
SAID = re.compile(r"`([\w.]+) = ([^`]+)`")
IN_WORDS = re.compile(
    r"`(above|base|role|overage|\[\[when\]\])[` ]"
)  # what is written in rows of prices or differences


def priced(*rows: str, tiers: str = "volume") -> str:
    """A plan with rows of prices, each of them some keys."""
    plan = f'[plans.team]\ntiers = "{tiers}"\n' if tiers != "volume" else ""
    return plan + "".join(f"[[plans.team.prices]]\n{row}\n" for row in rows)


# The sentences beside which prices or differences stand in words, with those written out.
WRITTEN = {
    "A contracted number, and more users cost another price":
        priced('price = "10.00 per month"\noverage = "12.00 per month"'),
    "The contract is paid a year ahead; users beyond it cost another price, billed each month afterwards":
        priced('price = "10.00 per month"\noverage = "12.00 per month"')
        + '[[when]]\nitem = "overage"\nperiod.charge = "arrears"\n',
    "The contract stands for a year, users beyond it are gone when they leave":
        priced('price = "10.00 per month"\noverage = "12.00 per month"')
        + '[[when]]\nitem = "overage"\nfall.takes_effect = "day"\n',
    "At least 28 a month, from the sixth user on 5 each":
        priced('price = "0.00 per month"\nbase = "28.00 per month"',
               'price = "5.00 per month"\nbase = "0.00 per month"\nabove = 5'),
    "Five users are included in the base fee": priced('price = "10.00 per month"\nbase = "40.00 per month"'),
    "The price per user depends on how many there are":
        priced('price = "10.00 per month"', 'price = "8.00 per month"\nabove = 2'),
    "The first ten cost 8, every further one 6":
        priced('price = "8.00 per month"', 'price = "6.00 per month"\nabove = 10', tiers="graduated"),
    "Up to 10 users 50, up to 25 users 90":
        priced('price = "0.00 per month"\nbase = "50.00 per month"',
               'price = "0.00 per month"\nbase = "90.00 per month"\nabove = 10'),
    "Editors and viewers have different prices":
        priced('price = "10.00 per month"', 'price = "5.00 per month"\nrole = "viewer"') + "[roles.viewer]\n",
    "The first 20 guests are free":
        priced('price = "10.00 per month"', 'price = "0.00 per month"\nrole = "guest"',
               'price = "2.00 per month"\nrole = "guest"\nabove = 20', tiers="graduated")
        + "[roles.editor]\n[roles.guest]\n",
    "At least three editors; viewers in packs of ten":
        TEAM + "[roles.editor]\n[roles.viewer]\n"
        + '[[when]]\nrole = "editor"\nseats.minimum = 3\n[[when]]\nrole = "viewer"\nseats.packages = [10]\n',
    "Nothing is given back for viewers, other seats are credited":
        TEAM + '[roles.editor]\n[roles.viewer]\n[[when]]\nrole = "viewer"\nfall.takes_effect = "next_period"\n',
    "You buy seats for editors; viewers are billed when they are active":
        TEAM + "[roles.editor]\n[roles.viewer]\n[seats]\ncount = \"bought\"\n"
        + '[[when]]\nrole = "viewer"\nseats.count = "active"\nseats.counts_from = "activity"\n',
    "Yearly customers have other rules": TEAM + '[[when]]\ninterval = "year"\nrise.settle = "quarter"\n',
    "On the Enterprise plan other rules hold":
        TEAM + '[plans.ENTERPRISE]\nprice = "20.00 per month"\n[[when]]\nplan = "ENTERPRISE"\nseats.minimum = 2\n',
    "Customers who pay by invoice have other rules":
        TEAM + '[[when]]\npayment_method = "invoice"\nfall.give = "nothing"\n',
    "Since 2027 other rules hold": TEAM + "[[when]]\nfrom = 2027-01-01\nrise.settle = \"month\"\n",
}  # fmt: skip


def sentence(row: str) -> str:
    return row.split(" | ", maxsplit=1)[0].strip("| ")


def policy_beside(row: str) -> Policy:
    """The policy that says what stands beside a sentence; refused if it contradicts itself or has no effect."""
    in_words = IN_WORDS.search(row)
    keys = SAID.findall(row.split(" | ")[1].split("`[[when]]`", maxsplit=1)[0])  # what differs is written out
    if "`[[when]]` with `role" in row:
        keys = []  # all of them stand in the differences
    elif in_words:
        of_whole = ("payment_methods", "intervals")
        keys = [(key, value) for key, value in keys if "." in key or key in of_whole]
    prices = WRITTEN[sentence(row)] if in_words else TEAM + PRO
    if dict(keys).get("change.more_seats") in ('"extend"', '"use_up"'):
        prices = TEAM  # prepaid time is that of a single plan and interval
        keys.append(("intervals", '["year"]'))
    text = "\n".join(f"{key} = {value}" for key, value in {**HEAD, **dict(keys)}.items())
    return read_policy(f"{text}\n{prices}", name="row", source="row.toml")


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) >= 65
    assert {sentence(row) for row in ROWS if IN_WORDS.search(row)} == set(WRITTEN)


@pytest.mark.parametrize("row", ROWS, ids=sentence)
def test_what_stands_beside_a_sentence_bills_an_account(row: str) -> None:
    policy = policy_beside(row)
    role = next((name for name, one in policy.roles.items() if one.billed), "")
    events: list[dict[str, object]] = [{"at": "2026-01-10", "event": "start", "quantity": 3}]
    for user, joins in (("anna", "2026-01-10"), ("ben", "2026-01-10"), ("chris", "2026-02-20")):
        events.append({"at": joins, "event": "activate", "user": user, "role": role})
        events += [{"at": f"2026-{month:02}-25", "event": "activity", "user": user} for month in range(3, 13)]
    events += [
        {"at": "2026-04-03", "event": "seats", "quantity": 4},
        {"at": "2026-05-15", "event": "deactivate", "user": "ben"},
        {"at": "2026-11-02", "event": "cancel"},
    ]
    for interval in policy.intervals:
        documents = bill(read_history(events, policy=policy, interval=interval), through=date(2027, 3, 1)).documents
        assert sum(one.total_minor for one in documents) > 0
