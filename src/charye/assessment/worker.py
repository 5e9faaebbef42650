"""The assessor in a process of its own, for programs with an event loop.

    async with LinguisticAssessor() as assessor:             # returns at once; the model loads in the background
        reading = await assessor.score_turn(turn, question=question, level=Level.A2)
        result = await assessor.assess(turns)

Why a process: Kiwi holds half a gigabyte, takes seconds to load and computes without a pause; in this process it would
delay every audio frame. Why a plain subprocess with pipes, and not `multiprocessing`: the event loop reads pipes by
itself, so no thread stands between; nothing of the program's `__main__` is run again, as `spawn` does; what is
exchanged is typed data, not pickles; and its input ends with its owner, so it is never left behind.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Self

from charye.assessment.failures import (
    AssessorBusy,
    AssessorDied,
    AssessorFailed,
    AssessorTimedOut,
    AssessorUnavailable,
)
from charye.assessment.frames import Assess, Assessed, Failed, Ready, Scored, ScoreTurn
from charye.assessment.pipes import Child, ChildEnded, ChildHung
from charye.assessment.waiting import Job, Line
from charye.errors import LocalProtocolError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charye.assessment.frames import Answer, Request
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.live import TurnReading
    from charye.assessment.rubric import Level
    from charye.assessment.speech import Turn
    from charye.errors import CharyeError

__all__ = ["AssessorSettings", "LinguisticAssessor", "State"]

log = logging.getLogger(__name__)

_COMMAND = (sys.executable, "-m", "charye.assessment.worker_process")
_TRIES = 2


class State(Enum):
    """Of the process."""

    NEW = "new"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class AssessorSettings:
    """How patient it is.

    Args:
        most_waiting: requests beyond the one that is worked on. One more is refused at once.
        load_s: how long the model may take to load.
        work_s: how long one request may take in the process before it is taken for stuck and the process is replaced.
        restart_after_s: pauses before each start that follows one in vain, which is a process that ended before it was
            given any work; behind the last, it is given up.
        stop_s: how long a stopped process may take to end before it is killed.
        command: what is started; for tests.
    """

    most_waiting: int = 64
    load_s: float = 60.0
    work_s: float = 20.0
    restart_after_s: tuple[float, ...] = (0.1, 1.0, 5.0)
    stop_s: float = 2.0
    command: tuple[str, ...] = _COMMAND


class LinguisticAssessor:
    """The offline assessor beside an event loop, which never waits for it.

    Requests are worked on one after the other. A process that dies or hangs is replaced, and its request tried once
    more. Every method is for the loop in which `start` was called.

    Attributes:
        ready: what the process said when it was last ready: time to load, memory. None before.
    """

    def __init__(self, settings: AssessorSettings | None = None) -> None:
        self._settings = settings or AssessorSettings()
        self._state = State.NEW
        self._line = Line()
        self._task: asyncio.Task[None] | None = None
        self._failure: CharyeError | None = None
        self._settled = asyncio.Event()
        self._asked: set[asyncio.Future[Answer]] = set()
        self._worked = False
        self.ready: Ready | None = None

    @property
    def state(self) -> State:
        """Of the process now."""
        return self._state

    async def __aenter__(self) -> Self:
        """Start."""
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    def start(self) -> None:
        """Start the process, and load the model in the background. Returns at once. Once only.

        Raises:
            LocalProtocolError: it was started before.
            RuntimeError: no event loop is running.
        """
        if self._state is not State.NEW:
            raise LocalProtocolError(
                "the assessor was started before", state=self._state.value, given="start"
            )
        self._state = State.LOADING
        self._task = asyncio.get_running_loop().create_task(self._run(), name="charye-assessor")

    async def wait_ready(self) -> Ready:
        """Wait until the model is loaded. Need not be called: requests wait by themselves. Safe to cancel.

        Raises:
            MissingExtra: the extra `korean` is not installed.
            AssessorUnavailable: the process does not come up, or was stopped.
        """
        await self._settled.wait()
        self._raise_failure()
        assert self.ready is not None
        return self.ready

    async def assess(self, turns: Sequence[Turn], *, timeout_s: float = 60.0) -> LinguisticResult:
        """As `linguistic.assess`. Safe to cancel: what comes later is dropped.

        Args:
            turns: of both speakers, in order.
            timeout_s: for everything: waiting for the model, for others, and the work.
        Raises:
            MissingExtra: the extra `korean` is not installed.
            AssessorBusy: too many wait.
            AssessorTimedOut: it took longer than that.
            AssessorDied: the process ended or hung while it worked on this, twice.
            AssessorUnavailable: the process does not come up, or was stopped.
            AssessorFailed: this speech cannot be read.
            LocalProtocolError: it was not started.
        """
        answer = await self._ask(Assess(tuple(turns)), timeout_s)
        assert isinstance(answer, Assessed)
        return answer.result

    async def score_turn(
        self, turn: Turn, *, question: str = "", level: Level | None = None, timeout_s: float = 1.0
    ) -> TurnReading:
        """As `live.score_turn`, before all assessments that wait. Safe to cancel. Raises as `assess`.

        Args:
            turn: the learner's.
            question: what the interviewer had said.
            level: of the task.
            timeout_s: short, because a person waits for the next question.
        """
        answer = await self._ask(ScoreTurn(turn, question, level), timeout_s)
        assert isinstance(answer, Scored)
        return answer.reading

    async def stop(self) -> None:
        """End the process; whoever waits gets `AssessorUnavailable`. Safe to call twice, and before `start`.

        Safe to cancel: the process ends all the same.
        """
        self._give_up(AssessorUnavailable(), State.STOPPED)
        if self._task is not None:
            if not self._task.cancelling():
                self._task.cancel()
            await asyncio.wait({self._task})

    async def _ask(self, request: Request, timeout_s: float) -> Answer:
        self._raise_failure()
        if self._state is State.NEW:
            raise LocalProtocolError("the assessor was not started", state=self._state.value, given="ask")
        waiting = len(self._line)
        if waiting >= self._settings.most_waiting:
            raise AssessorBusy(waiting=waiting)
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._line.put(Job(request, done))
        self._asked.add(done)
        try:
            async with asyncio.timeout(timeout_s):
                # Cancelling the waiter cancels the future, and the line passes over it.
                answer = await done
        except TimeoutError as error:
            raise AssessorTimedOut(timeout_s=timeout_s) from error
        finally:
            self._asked.discard(done)
        if isinstance(answer, Failed):
            raise AssessorFailed(exception_type=answer.exception_type)
        return answer

    async def _run(self) -> None:
        try:
            await self._run_processes()
        finally:
            # Also after a mistake of ours: nobody may wait for ever.
            self._give_up(AssessorUnavailable(), State.FAILED)

    async def _run_processes(self) -> None:
        """One process after the other, until one asks for what is not there, or none comes up."""
        vain = 0
        while True:
            self._become(State.LOADING)
            self._worked = False
            child = Child(self._settings.command, stop_s=self._settings.stop_s)
            exit_code: int | None = None
            try:
                self.ready = await self._load(child)
                self._become(State.READY)
                self._settled.set()
                await self._work(child)
            except MissingExtra as error:
                self._give_up(error, State.FAILED)
                return
            except (ChildEnded, ChildHung) as error:
                exit_code = error.exit_code
            finally:
                await child.stop()
            # One that ends while it works ends with its request, which is not tried for ever. One that ends by itself,
            # loading or idle, would be replaced for ever.
            vain = 0 if self._worked else vain + 1
            log.warning("assessor process ended", extra={"exit_code": exit_code, "starts_in_vain": vain})
            if vain > len(self._settings.restart_after_s):
                self._give_up(AssessorUnavailable(starts=vain, exit_code=exit_code), State.FAILED)
                return
            await asyncio.sleep(self._settings.restart_after_s[vain - 1] if vain else 0.0)

    async def _load(self, child: Child) -> Ready:
        await child.start()
        answer = await child.read(self._settings.load_s)
        if isinstance(answer, Failed) and answer.extra is not None:
            raise MissingExtra(feature="the Korean assessor", extra=answer.extra)
        if not isinstance(answer, Ready):
            raise ChildEnded(None)
        return answer

    async def _work(self, child: Child) -> None:
        """Answer who waits, until the process ends. Raises how it ended."""
        while True:
            job = await child.outlive(self._line.get())
            job.tries += 1
            self._worked = True
            try:
                answer = await child.ask(job.request, self._settings.work_s)
            except (ChildEnded, ChildHung) as error:
                if job.tries < _TRIES:
                    self._line.put(job, first=True)
                elif not job.done.done():
                    job.done.set_exception(AssessorDied(exit_code=error.exit_code))
                raise
            if not job.done.done():
                job.done.set_result(answer)

    def _become(self, state: State) -> None:
        if self._failure is None:
            self._state = state

    def _give_up(self, error: CharyeError, state: State) -> None:
        """Tell all who wait, and all who will ask. The first reason stays."""
        if self._failure is None:
            self._state, self._failure = state, error
        self._settled.set()
        for done in self._asked:
            if not done.done():
                done.set_exception(copy(self._failure))

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise copy(self._failure)  # each asker gets a traceback of their own
