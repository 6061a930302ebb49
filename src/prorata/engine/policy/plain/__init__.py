"""A policy told in plain sentences, each with an example in money that the engine computed."""

from prorata.engine.policy.plain.telling import tell
from prorata.engine.policy.plain.words import Part, Sentence

__all__ = ["Part", "Sentence", "tell"]
