"""What the how-to page says beside a sentence is a policy that is read."""

from __future__ import annotations

import re

import pytest

from prorata.engine.policy.reading import read_policy
from tests.docs.markdown import ROOT

PAGE = ROOT / "docs" / "howto" / "say-a-rule.md"
HEAD = {
    "currency": '"EUR"',
    "intervals": '["month", "year"]',
    "plans.team.price": '"10.00 per month"',
    "plans.pro.price": '"20.00 per month"',
}
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and " | " in line]
SAID = re.compile(r"`([\w.]+) = ([^`]+)`")
WHOLE = [row for row in ROWS if "`" in row and not re.search(r"`(above|base|role|overage|\[\[when\]\])", row)]


def test_the_page_has_its_rows() -> None:
    assert len(WHOLE) >= 45


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row.split(" | ")[0].strip("| "))
def test_what_stands_beside_a_sentence_can_be_written(row: str) -> None:
    keys = {**HEAD, **dict(SAID.findall(row.split(" | ")[1]))}
    if keys.get("change.more_seats") in ('"extend"', '"use_up"'):
        del keys["plans.pro.price"]  # prepaid time is that of a single plan
    read_policy("\n".join(f"{key} = {value}" for key, value in keys.items()), name="row", source="row.toml")
