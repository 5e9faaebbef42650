"""Who speaks for the interviewer: ourselves, word for word, or a model that is told what comes next.

`say` performs one move and comes back when it was heard, or will not be. Cancelling it takes back what is under way.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from charye.core.calls import Reply as Manner
from charye.core.requests import OnUserSpeech, Outcome, OutcomeKind
from charye.errors import LocalProtocolError, RealtimeError
from charye.interview import guidance, prompts
from charye.interview.guidance import Keep
from charye.interview.hangul import has_hangul
from charye.interview.moves import Move
from charye.interview.progress import Progress
from charye.protocol import AudioConfig, AudioOutputConfig, FunctionTool, SessionConfig
from charye.session.events import RequestChanged, UtteranceChanged
from charye.session.handles import Handle
from charye.session.replies import Reply
from charye.session.session import Session

__all__ = ["Heard", "Interviewer", "Modelled", "Verbatim"]

log = logging.getLogger(__name__)

FOLLOW_UP_S = 20.0
"""For what a model says after it has called a tool."""
FOLLOWS = 1 / 3
"""A model that uses so many of the words it was given has asked the question it was given."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a move.

    Args:
        kind: `HEARD`, or why not in full.
        heard_ms: how much of it, if it was cut off.
    """

    kind: OutcomeKind
    heard_ms: float | None = None

    @property
    def in_full(self) -> bool:
        """All of it."""
        return self.kind is OutcomeKind.HEARD

    @property
    def cut_off(self) -> bool:
        """The learner spoke into it, or before it."""
        return self.kind in (OutcomeKind.INTERRUPTED, OutcomeKind.CANCELLED)


class Interviewer(Protocol):
    """Performs moves."""

    async def say(self, move: Move, progress: Progress, elapsed_s: float) -> Heard:
        """Perform this move, and wait until it was heard or will not be.

        Raises:
            LocalProtocolError: the session is over.
        """
        ...

    def hear(self, event: object) -> None:
        """Something happened in the session."""
        ...


class Verbatim:
    """We speak: every word is the policy's.

    Args:
        say: `Session.say`, or what stands for it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._speed = 1.0

    async def say(self, move: Move, progress: Progress, elapsed_s: float) -> Heard:
        """See `Interviewer.say`."""
        await self.at_speed(move.speed)
        return await _ended(self._session.say(move.say, on_user_speech=OnUserSpeech.DROP))

    def hear(self, event: object) -> None:
        """Nothing is wanted."""

    async def at_speed(self, speed: float) -> None:
        """Speak at this speed from now on, over new connections too. A voice that cannot is no reason to be silent."""
        if speed == self._speed:
            return
        self._speed = speed
        try:
            await self._session.configure(
                SessionConfig(audio=AudioConfig(output=AudioOutputConfig(speed=speed)))
            )
        except RealtimeError as error:
            log.warning("the voice does not change its speed", extra={"error": error.message, "speed": speed})


class Modelled:
    """A model speaks. Its guidance is in the instructions of every turn of its, so it cannot do without it.

    It may call `interview_guidance` besides, which gives the same. A model that neither calls it nor uses the words
    that it was given is reminded once, and then we speak ourselves (`guidance.on_model_turn`).

    Args:
        known: how far the interview is now.
        called: is told the reason of a call of `trigger_assessment`; gives what the model is to know.
    """

    def __init__(
        self,
        session: Session,
        *,
        known: Callable[[], Progress],
        called: Callable[[str], Awaitable[Reply]],
    ) -> None:
        self._session = session
        self._known = known
        self._called = called
        self._verbatim = Verbatim(session)
        self._unguided = 0
        self._asked = False
        self._follow_ups = _FollowUps()
        self._words: dict[str, str] = {}
        self.stepped_in = False
        """We had to speak ourselves."""
        functions = {prompts.GUIDANCE_TOOL: self._guidance, prompts.ASSESSMENT_TOOL: self._assessment}
        for tool in prompts.tools():
            declared = FunctionTool(
                name=str(tool["name"]),
                description=str(tool["description"]),
                parameters=tool["parameters"],  # type: ignore[arg-type]
            )
            session.tool(declared=declared)(functions[declared.name])

    async def say(self, move: Move, progress: Progress, elapsed_s: float) -> Heard:
        """See `Interviewer.say`."""
        await self._verbatim.at_speed(move.speed)
        keep = guidance.on_model_turn(progress, elapsed_s=elapsed_s, unguided=self._unguided)
        if keep in (Keep.SPEAK, Keep.CLOSE):
            self.stepped_in = True
            return await self._verbatim.say(move, progress, elapsed_s)
        self._asked = False
        self._words.clear()
        heard = await self._turn(
            _instructions(progress) if keep is Keep.TRUST else prompts.reminder(move.say)
        )
        if heard.cut_off:
            return heard
        said = " ".join(self._words.values())
        if not said.strip() or not heard.in_full:
            # It had nothing to say, or could not say it. Nobody should have to wait for it.
            self._unguided += 1 if heard.in_full else 0
            self.stepped_in = True
            return await self._verbatim.say(move, progress, elapsed_s)
        self._unguided = 0 if self._asked or _follows(said, move.say) else self._unguided + 1
        return heard

    def hear(self, event: object) -> None:
        """The model's words, and the follow-ups of its calls."""
        match event:
            case UtteranceChanged(utterance=utterance) if utterance.speaker == "assistant":
                self._words[utterance.item_id] = utterance.text
            case RequestChanged():
                self._follow_ups.hear(event)

    async def _turn(self, instructions: str) -> Heard:
        """One turn of the model's, with whatever follows its calls."""
        heard = await _ended(self._session.respond(instructions, on_user_speech=OnUserSpeech.DROP))
        try:
            last = await self._follow_ups.ended()
        except asyncio.CancelledError:
            self._session.interrupt()  # they are not ours to cancel, and outdated
            raise
        return heard if last is None else Heard(last.kind, last.heard_ms)

    async def _guidance(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._asked = True
        self._follow_ups.owed()
        return guidance.guidance(self._known())

    async def _assessment(self, arguments: dict[str, Any]) -> Reply:
        reply = await self._called(str(arguments.get("reason", "")))
        if reply.manner is Manner.NORMAL:
            self._follow_ups.owed()
        return reply


class _FollowUps:
    """What a model says after it has called a tool: requests that the session makes by itself."""

    def __init__(self) -> None:
        self._is_owed = False
        self._living: set[str] = set()
        self._last: Outcome | None = None
        self._changed = asyncio.Event()

    def owed(self) -> None:
        """A call was answered so that the model speaks about it."""
        self._is_owed = True

    def hear(self, event: RequestChanged) -> None:
        """Something became of a request, perhaps of one of these."""
        if isinstance(event.change, Outcome):
            if event.request_id in self._living:
                self._living.discard(event.request_id)
                self._last = event.change
        elif event.trigger.startswith("tool:"):
            self._is_owed = False
            self._living.add(event.request_id)
        self._changed.set()

    async def ended(self) -> Outcome | None:
        """Wait for the last of them; how it ended, or None if there was none."""
        while self._is_owed or self._living:
            self._changed.clear()
            try:
                # Once there is one, it ends by itself.
                async with asyncio.timeout(None if self._living else FOLLOW_UP_S):
                    await self._changed.wait()
            except TimeoutError:
                log.warning("a model called a tool and said nothing more", extra={"reason": "out of time"})
                self._is_owed = False
        last, self._last = self._last, None
        return last


async def _ended(handle: Handle) -> Heard:
    try:
        outcome = await handle
    except asyncio.CancelledError:
        handle.cancel()
        raise
    if outcome.kind is OutcomeKind.DISCONNECTED:
        raise LocalProtocolError("the session is over", state="closed")
    return Heard(outcome.kind, outcome.heard_ms)


def _instructions(progress: Progress) -> str:
    told = json.dumps(guidance.guidance(progress), ensure_ascii=False)
    return (
        f"{prompts.instructions()}\n\n"
        f"`{prompts.GUIDANCE_TOOL}` has been called for you. It says, for your next turn:\n{told}"
    )


def _follows(said: str, asked: str) -> bool:
    """Whether enough of the question's words are in what was said; endings may differ, so beginnings count."""
    wanted = {word[:2] for word in asked.split() if len(word) >= 2 and has_hangul(word)}
    used = {word[:2] for word in said.split()}
    return not wanted or len(wanted & used) >= FOLLOWS * len(wanted)
