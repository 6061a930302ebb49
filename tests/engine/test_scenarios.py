"""Every story in scenarios/ comes out as it says, in one run or in two, and every claim about money has one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prorata.engine.bill import bill
from prorata.engine.scenario import Scenario, read_scenario, run_scenario, subscriptions_of
from prorata.policies import policy_names, policy_text

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scenarios"
CONFORMANCE = ROOT / "conformance"
FILES = sorted(FOLDER.rglob("*.toml")) + sorted((CONFORMANCE / "stories").glob("*.toml"))
NAMES = [str(file.relative_to(ROOT)) for file in FILES]

# Those of the three vendors' claims that are about money or dates.
CLAIMS = (
    "K1 K2 K3 K4 K7 K8 K9 K10 K11 K12 K15 K16 K17 M1 M2 M3 M4 M5 M6 M7 M8 M9 M10 M11 "
    "S1 S2 S3 S4 S5 S6 S7 S9 S13 S15 S18"
).split()


def scenario_of(name: str) -> Scenario:
    def policy_document(policy: str) -> Mapping[str, Any]:
        beside = (ROOT / name).parent / policy
        return tomllib.loads(policy_text(policy) if policy in policy_names() else beside.read_text(encoding="utf-8"))

    return read_scenario((ROOT / name).read_text(encoding="utf-8"), name=name, policy_document=policy_document)


@pytest.mark.parametrize("name", NAMES)
def test_the_story_comes_out_as_expected(name: str) -> None:
    assert run_scenario(scenario_of(name)) == ()


@pytest.mark.parametrize("name", NAMES)
def test_billing_in_two_runs_gives_what_one_run_gives_and_billing_again_gives_nothing(name: str) -> None:
    scenario = scenario_of(name)
    if scenario.refused is not None:
        assert not scenario.documents, "a story that is refused has no documents"
        return
    for subscription in subscriptions_of(scenario):
        whole = bill(subscription, through=scenario.through)
        dates = {document.date for document in whole.documents}
        for cut in sorted(dates | {day - timedelta(days=1) for day in dates} | {scenario.through}):
            first = bill(subscription, through=cut)
            rest = bill(subscription, through=scenario.through, issued=first)
            assert first.followed_by(rest) == whole, cut
        again = bill(subscription, through=scenario.through, issued=whole)
        assert (again.documents, again.lapses) == ((), ())
        assert again.credit_left_minor == whole.credit_left_minor


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_claim_has_a_story_that_is_named_by_it_or_says_it_proves_it(claim: str) -> None:
    assert any(claim in scenario_of(name).claims for name in NAMES)


def test_no_story_claims_what_nobody_promised() -> None:
    promised = {
        f"{vendor}{number}" for vendor, last in (("K", 18), ("M", 11), ("S", 18)) for number in range(1, last + 1)
    }
    assert {claim for name in NAMES for claim in scenario_of(name).claims} <= promised


def test_the_numbers_of_the_claims_stand_in_their_stories() -> None:
    # As claims.md gives them: claim and amounts that its stories expect, as totals or lines.
    expected = {
        "K1": ["543.00"],  # 181 × 3
        "K2": ["96.00"],
        "K3": ["-104.00"],  # −2 × 52
        "K11": ["98.00"],  # 26 × 3 + 5 × 4
        "M4": ["466.00"],  # 699 / 30 × 20
        "M5": ["83880.00", "14878.71"],  # 10 × 12 × 699, and 2 × 699 × 298/28
        "M7": ["1600.00"],  # 400 × 6 / 30 × 20
        "M8": ["-1600.00"],
        "M10": ["1398.00"],  # 3 × 699 / 30 × 20
        "S3": ["80.00", "160.00"],
        "S5": ["150.00", "20.32"],  # 25 × 6, and 5 × 6 × 21/31
        "S6": ["1500.00"],  # 50 × 60 × 6/12
        "S7": ["140.00", "80.00"],  # 15 × 8 + 5 × 8 × 15/30
    }
    missing = []
    for claim, amounts in expected.items():
        stories = [scenario_of(name) for name in NAMES if claim in scenario_of(name).claims]
        said = {
            str(value).lstrip("-")
            for story in stories
            for document in story.documents
            for table in (document, *document.get("lines", []))
            for value in table.values()
        }
        missing += [f"{claim}: {amount}" for amount in amounts if amount.lstrip("-") not in said]
    assert missing == []
