"""Prorata bills seats: people over time, by a vendor's rules written as a file.

    from datetime import date
    import prorata

    policy = prorata.load_policy("mainter")
    history = prorata.read_history(rows, policy=policy, plan="PRO")
    for document in prorata.bill(history, through=date(2026, 5, 1)).documents:
        print(document.date, document.kind, document.total_minor)
"""

from prorata.engine.bill import Billing, bill
from prorata.engine.document import Document, Line
from prorata.engine.explain import explain
from prorata.engine.intake import IntakeError, read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError
from prorata.policies import load_policy, policy_names

__all__ = [
    "Billing",
    "Document",
    "IntakeError",
    "Line",
    "Policy",
    "PolicyError",
    "bill",
    "explain",
    "load_policy",
    "policy_names",
    "read_history",
]
