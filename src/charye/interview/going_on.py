"""A learner who stops to think, and goes on while the next question begins, goes on with the same answer. Pure."""

from dataclasses import dataclass

from charye.assessment.speech import Source
from charye.interview.hearing import Kind, TurnEvidence, kind_of
from charye.interview.listening import Said
from charye.interview.progress import Progress
from charye.interview.saying import Heard

__all__ = ["Answered"]

_MOST_PIECES = 4
"""Of one answer; who still goes on then speaks into every question."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The last answer.

    Args:
        before: how far the interview was before it. What was made of it since was never heard, if it goes on.
        latency_ms: before it began.
    """

    before: Progress
    said: Said
    latency_ms: float | None

    def goes_on(self, said: Said, heard: Heard | None, *, unheard_ms: float) -> bool:
        """Whether this is more of it: the interviewer's move was cut off, and hardly begun, and it is no wish.

        Args:
            heard: what became of that move.
            unheard_ms: what is heard of a move before it counts as begun.
        """
        if heard is None or not heard.cut_off or (heard.heard_ms or 0.0) >= unheard_ms:
            return False
        # Whoever types has read the question.
        if said.source is Source.TYPED or len(self.said.pieces) >= _MOST_PIECES:
            return False
        return kind_of(TurnEvidence(text=said.text, source=said.source)) is Kind.ANSWER
