"""What is refused as things are, whoever asks for it."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(ValueError):
    """What cannot be recorded; one sentence for each reason."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join(self.sentences))
