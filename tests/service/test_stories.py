"""Every story of the engine comes out of the database as it does of the engine alone, day by day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prorata.engine.bill import bill
from prorata.engine.facts import history
from prorata.engine.intake import Intake, read_facts
from prorata.engine.policy.reading import read_document
from prorata.engine.record import document_record
from prorata.invoicing.models import Document, Lapse
from prorata.invoicing.verify import verify
from tests.engine.test_scenarios import NAMES, scenario_of
from tests.service.world import live_through, vendor_with

STORIES = [name for name in NAMES if scenario_of(name).refused is None]  # who is refused has nothing to be stored


@pytest.mark.parametrize("name", STORIES)
def test_the_story_comes_out_of_the_database_as_of_the_engine(name: str) -> None:
    scenario = scenario_of(name)
    policy = read_document(scenario.policy, name=Path(scenario.policy_name).stem, source=name)
    told = read_facts(scenario.history, Intake(policy=policy, account="account", as_keys=True, **scenario.settings))
    vendor = vendor_with(policy.name, scenario.policy)
    subscriptions = live_through(vendor, told, scenario.through)
    for subscription, (agreement, facts) in zip(subscriptions, told, strict=True):
        whole = bill(history(agreement, facts), through=scenario.through)
        rows = Document.objects.filter(subscription=subscription).order_by("id")
        stored = [json.loads(row.record) for row in rows]
        expected = [document_record(document) for document in whole.documents]
        assert [{key: one[key] for key in document_record(whole.documents[0])} for one in stored] == expected
        lapses = list(
            Lapse.objects.filter(subscription=subscription).order_by("id").values_list("date", "amount_minor")
        )
        assert list(lapses) == [(one.date, one.amount_minor) for one in whole.lapses]
    assert list(verify(vendor)) == []
