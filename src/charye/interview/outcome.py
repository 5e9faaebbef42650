"""What became of an interview."""

from dataclasses import dataclass, field

from charye.interview.closing import Ending, Part
from charye.interview.moves import Reason
from charye.interview.news import Checkpoint
from charye.interview.reporting import SpokenReport

__all__ = ["InterviewOutcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterviewOutcome:
    """The end of a conducted interview.

    Args:
        ending: for the learner.
        reason: why the interview itself ended; None if it was suspended.
        checkpoint: how far it came, and what was said; the closing included.
        report: None if there is none.
        stored: it is in the store.
        failure: why there is no report, or why it is not stored; see `Made`. Empty if all went well.
        parts: what was said in the closing, and whether it was heard.
        setting: `embedded`, `model`, or `hybrid` where a model had to be helped.
    """

    ending: Ending
    reason: Reason | None
    checkpoint: Checkpoint = field(repr=False)
    report: SpokenReport | None = field(default=None, repr=False)
    stored: bool = False
    failure: str = ""
    parts: tuple[Part, ...] = ()
    setting: str
