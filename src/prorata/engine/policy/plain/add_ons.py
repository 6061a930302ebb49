"""Add-ons: what buying or ending one within a period comes to."""

from __future__ import annotations

from collections.abc import Iterator

from prorata.engine.policy.plain.changes import falls, moves
from prorata.engine.policy.plain.stories import Case, Row
from prorata.engine.policy.plain.words import Sentence


def apart(case: Case) -> Iterator[Sentence]:
    """The add-ons by the rules of the seats in one sentence, and those with rules of their own."""
    policy = case.whole
    for item, add_on in policy.add_ons.items():
        if add_on.charge == "once":
            continue
        own = case.of(item)
        name = add_on.title or item
        if own.rules == case.rules and own.rules.seats.measure == "level":
            example = _shown(own, f"{name} added", [_bought(own, item)])
            yield Sentence(f"{name} added or ended in between is billed as a seat is.", example)
        else:
            rise, fall = own.rules.rise.takes_effect, own.rules.fall.effect
            more = moves(own, f"{name} added in between is", "charged", rise)
            less = falls(own, f"Less of {name}", f"What is ended of {name} is", fall)
            yield Sentence(more, _shown(own, f"{name} added", [_bought(own, item)]))
            ended: Row = {"at": own.change, "event": "remove_add_on", "item": item}
            yield Sentence(less, _shown(own, f"{name} ended", [_bought(own, item, early=True), ended]))


def _bought(case: Case, item: str, *, early: bool = False) -> Row:
    return {"at": case.start if early else case.change, "event": "add_on", "item": item}


def _shown(case: Case, who: str, rows: list[Row]) -> str:
    """What the last of the rows changes."""
    item = str(rows[-1]["item"])
    if case.policy.price(case.policy.add_ons[item].prices, case.interval, case.at, "") is None:
        return ""
    return case.different(case.on(case.change, who), case.bills(rows), case.bills(rows[:-1]))
