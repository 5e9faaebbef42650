"""What asking the judge came to. Always a value, never an exception: the report does not depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charye.assessment.consensus import Consensus

__all__ = ["NOT_ASKED", "JudgeOutcome", "JudgeStatus"]


class JudgeStatus(StrEnum):
    """How it went: of one answer, and of all together."""

    OK = "ok"
    NOT_ASKED = "not_asked"
    NOTHING_TO_READ = "nothing_to_read"
    """There is no Korean in the learner's turns."""
    NO_CONSENSUS = "no_consensus"
    """There were answers, but too few that could be used."""
    NO_VOTE = "no_vote"
    """An answer, but with too few bands in it, or without a genuine quote for them."""
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    """The model declined, or a filter of the endpoint did."""
    CUT_OFF = "cut_off"
    """The answer reached its longest."""
    BROKEN_ANSWER = "broken_answer"
    """No JSON of the form that was asked for, twice."""
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    """The key is wrong, or may not use this model."""
    REQUEST_REFUSED = "request_refused"
    """The endpoint does not take the request: a wrong model, say, or a parameter that it does not know."""
    ENDPOINT_FAILED = "endpoint_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOutcome:
    """What came of it. Nothing in it but `consensus` holds words of the learner.

    Args:
        status: `OK` if there is a consensus; else what went wrong in most answers.
        consensus: None without one.
        runs: how each answer went.
        requests: how many were sent, repairs and repetitions included.
        input_tokens, output_tokens: as the endpoint counts them; 0 where it does not.
    """

    status: JudgeStatus
    consensus: Consensus | None = None
    runs: tuple[JudgeStatus, ...] = ()
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __repr__(self) -> str:
        runs = ", ".join(status.value for status in self.runs)
        return f"JudgeOutcome({self.status.value}, runs=[{runs}], requests={self.requests})"


NOT_ASKED = JudgeOutcome(status=JudgeStatus.NOT_ASKED)
