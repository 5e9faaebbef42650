"""What the assessor sees in one answer while the interview goes on. It helps; nobody waits for it for long."""

import logging
from typing import Protocol

from charye.assessment.live import TurnReading
from charye.assessment.speech import Speaker, Turn
from charye.errors import CharyeError
from charye.interview.levels import Level
from charye.interview.listening import Said
from charye.interview.progress import Progress
from charye.interview.speaking import question_words

__all__ = ["Reader", "read"]

log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads one answer. `charye.assessment.worker.LinguisticAssessor` is one."""

    async def score_turn(
        self, turn: Turn, *, question: str = "", level: Level | None = None, timeout_s: float = 1.0
    ) -> TurnReading:
        """See there. Raises a `CharyeError` for anything that goes wrong."""
        ...


async def read(reader: Reader | None, said: Said, progress: Progress, *, timeout_s: float) -> float | None:
    """Where the answer stands, 0.0 (A1) to 3.0 (B2 or above); None where that cannot be had in time."""
    task = progress.task
    if reader is None or task is None or not said.text:
        return None
    try:
        reading = await reader.score_turn(
            Turn(Speaker.LEARNER, said.text, source=said.source),
            question=question_words(progress),
            level=task.level,
            timeout_s=timeout_s,
        )
    except CharyeError as error:
        log.warning("an answer is judged without the assessor's reading", extra={"error": error.message})
        return None
    return reading.position
