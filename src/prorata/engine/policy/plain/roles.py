"""What is otherwise with the seats of a role, where they have rules of their own."""

from __future__ import annotations

from collections.abc import Iterator

from prorata.engine.policy.model import SEATS, seats_of
from prorata.engine.policy.plain import changes, seats, terms
from prorata.engine.policy.plain.stories import Case
from prorata.engine.policy.plain.words import Sentence
from prorata.engine.policy.price_checks import is_priced


def apart(case: Case) -> Iterator[Sentence]:
    """The roles whose rules are other than those of the other seats."""
    policy = case.whole
    usual = policy.rules(case.interval, case.at, case.plans[0], SEATS, case.payment_method).without_sizes()
    plans = [policy.plans[name] for name in case.plans]
    for role in policy.roles_apart:
        item = seats_of(role)
        rules = policy.rules(case.interval, case.at, case.plans[0], item, case.payment_method)
        if rules == usual and not any(is_priced(plan, role, case.interval, alone=True) for plan in plans):
            continue
        own = case.of(item)
        if rules == usual:
            example = changes.rise(own).example
            yield Sentence(f"Seats of the role {role} are billed by the same rules, at their own price.", example)
            continue
        counts_otherwise = rules.without_sizes().seats != usual.seats
        told = [*([seats.who(own)] if counts_otherwise else []), *seats.sold(own)]
        if counts_otherwise or (rules.rise, rules.share) != (usual.rise, usual.share):
            told.append(changes.rise(own))
        if counts_otherwise or (rules.fall, rules.share) != (usual.fall, usual.share):
            told.append(changes.fall(own))
        if rules.rounding != usual.rounding:
            told += terms.amounts(own)
        for sentence in told:
            text = f"Seats of the role {role}: {sentence.text[0].lower()}{sentence.text[1:]}"
            yield Sentence(text, sentence.example)
