"""The interviewer's turn: one move under way at most, and what became of the last one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from charye.core.requests import OutcomeKind
from charye.interview.moves import Move
from charye.interview.progress import Progress
from charye.interview.saying import Heard, Interviewer

__all__ = ["Performed", "Voice"]

_TRIES = 2
"""So often a move is begun that is not heard, and that nobody answers."""


@dataclass(frozen=True, slots=True)
class Performed:
    """A move was heard, or will not be. To be given to `Voice.ended`."""

    task: asyncio.Task[Heard]


class Voice:
    """Of one interview. On the session's loop.

    Args:
        move: the last one of an interview that is resumed.
        over: is told when a move is through.
    """

    def __init__(self, interviewer: Interviewer, move: Move, over: Callable[[Performed], object]) -> None:
        self.move = move
        """The last that was begun, or would have been."""
        self.heard: Heard | None = None
        """What became of it; None as long as it is under way."""
        self.heard_at_s: float | None = None
        """When a move was last over."""
        self.again_at_s: float | None = None
        """When it is to be begun again, if nothing happens before."""
        self._interviewer, self._over = interviewer, over
        self._task: asyncio.Task[Heard] | None = None
        self._tries = 0

    @property
    def is_speaking(self) -> bool:
        """A move is under way."""
        return self._task is not None

    @property
    def may_try_again(self) -> bool:
        """It was not begun too often."""
        return self._tries < _TRIES

    def begin(self, move: Move, progress: Progress, elapsed_s: float) -> None:
        """Perform a new move, instead of whatever is under way."""
        self._tries = 0
        self._start(move, progress, elapsed_s)

    def begin_again(self, progress: Progress, elapsed_s: float) -> None:
        """Perform the last one once more."""
        self._start(self.move, progress, elapsed_s)

    def skip(self, move: Move) -> None:
        """The learner goes on speaking, so this move is outdated before it is begun."""
        self.stop()
        self.move, self.heard, self._tries = move, Heard(OutcomeKind.CANCELLED), 0

    def ended(self, performed: Performed, now_s: float) -> Heard | None:
        """What became of a move; None if it was stopped for another.

        Raises:
            LocalProtocolError, RealtimeError: the session is over.
        """
        if performed.task is not self._task:
            return None
        self._task = None
        self.heard, self.heard_at_s = performed.task.result(), now_s
        return self.heard

    async def finish(self, patience_s: float) -> None:
        """Wait until what is under way was heard, but not for ever."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=patience_s)

    def stop(self) -> None:
        """Take back what is under way."""
        task, self._task, self.again_at_s = self._task, None, None
        if task is not None:
            task.cancel()

    def _start(self, move: Move, progress: Progress, elapsed_s: float) -> None:
        self.stop()
        self.move, self.heard = move, None
        self._tries += 1
        self._task = asyncio.ensure_future(self._interviewer.say(move, progress, elapsed_s))
        self._task.add_done_callback(lambda task: self._over(Performed(task)))
