"""Prorata bills seats: people over time, by a vendor's rules written as a file.

`load_policy` reads the rules, `read_history` who held a seat when, and `bill` gives the documents that come of both.
"""

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import moment_of
from prorata.engine.document import Document, Line
from prorata.engine.explain import explain
from prorata.engine.intake import IntakeError, read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError
from prorata.engine.refusal import CannotBill
from prorata.policies import load_policy, policy_names

__all__ = [
    "Billing",
    "CannotBill",
    "Document",
    "IntakeError",
    "Line",
    "Policy",
    "PolicyError",
    "bill",
    "explain",
    "load_policy",
    "moment_of",
    "policy_names",
    "read_history",
]
