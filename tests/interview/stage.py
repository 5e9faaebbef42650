"""An interview on a stage: our own server in this process, a virtual clock, and a learner who speaks with a voice.

The learner's voice is a tone, so the server's voice detection has something to hear; what was "said" in it is what the
recogniser is told to write down. Everything between is the real thing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from array import array
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import structs

import charye
from charye.audio.pcm import pack, silence
from charye.embedded import Embedded
from charye.errors import LocalProtocolError
from charye.interview.conductor import Conductor
from charye.interview.configuring import ConductorSettings, Hands, Manner, configuration
from charye.interview.hearing import TurnEvidence
from charye.interview.learners import Learner
from charye.interview.moves import Move
from charye.interview.news import Asked, News, PartSaid, Ready, YourTurn
from charye.interview.outcome import InterviewOutcome
from charye.interview.plan import Plan
from charye.interview.reporting import Interviewed
from charye.protocol import ResponseError, Transcription
from charye.server.ears import LocalEars
from charye.server.faulting.line import Heard
from charye.server.faults import Faults
from charye.server.minds import Echo
from charye.server.parts import Mind, TranscriptDone, TranscriptFailed, TranscriptResult
from charye.server.settings import ServerSettings
from charye.server.voice import ToneVoice
from charye.session.session import Session
from charye.session.settings import LineSettings, SessionSettings
from tests.interview.talk import plan
from tests.session.talking import FirstLine

FRAME_MS = 250
SYLLABLE_MS = 250
_SAMPLES = 24 * FRAME_MS
VOICE = pack(array("h", [8000 if at // 60 % 2 else -8000 for at in range(_SAMPLES)]))
SILENCE = silence(FRAME_MS, sample_rate_hz=24_000)
END_OF_TURN_MS = 1750
"""A little more than the server waits for."""


class Recogniser:
    """Writes down what it is told, one turn after the other."""

    def __init__(self) -> None:
        self.words: deque[str | None] = deque()
        self.delay_s = 0.3

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        words = self.words.popleft() if self.words else ""
        await asyncio.sleep(self.delay_s)
        if words is None:
            yield TranscriptFailed(ResponseError(type="server_error", code="transcription_failed"))
        else:
            yield TranscriptDone(words)


@dataclass(frozen=True)
class Summary:
    text: str


@dataclass(frozen=True)
class MadeReport:
    """A report as the conductor sees it."""

    interview: Interviewed = field(repr=False)
    spoken: Summary

    @property
    def floor(self) -> int:
        return self.interview.progress.outcome.floor


SUMMARY = "오늘 이야기를 잘 들었어요. 결과는 에이 투예요."


@dataclass
class Office:
    """An assessor and a store, and what goes wrong in them."""

    takes_s: float = 1.0
    assessing: list[BaseException] = field(default_factory=list)
    saving: list[BaseException] = field(default_factory=list)
    summary: str = SUMMARY
    assessed: list[Interviewed] = field(default_factory=list)
    stored: list[MadeReport] = field(default_factory=list)
    stored_at_s: float | None = None

    async def assess(self, interview: Interviewed) -> MadeReport:
        self.assessed.append(interview)
        await asyncio.sleep(self.takes_s)
        if self.assessing:
            raise self.assessing.pop(0)
        return MadeReport(interview, Summary(self.summary))

    async def save(self, report: MadeReport) -> None:
        await asyncio.sleep(0.05)
        if self.saving:
            raise self.saving.pop(0)
        self.stored.append(report)
        self.stored_at_s = asyncio.get_running_loop().time()


class Told:
    """What the conductor tells."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self.turns: asyncio.Queue[Move] = asyncio.Queue()
        self._asked: Move | None = None
        self._more = asyncio.Event()
        self.fails = False

    async def until(self, holds: Callable[[], bool]) -> None:
        """Until this holds after some news."""
        while not holds():
            self._more.clear()
            await self._more.wait()

    def forget_turns(self) -> None:
        """Those that came while the learner was speaking are taken."""
        while not self.turns.empty():
            self.turns.get_nowait()

    def __call__(self, news: News) -> None:
        self.news.append(news)
        self._more.set()
        if isinstance(news, Asked):
            self._asked = news.move
        elif isinstance(news, YourTurn) and self._asked is not None:
            self.turns.put_nowait(self._asked)
        if self.fails:
            raise ValueError


@dataclass
class Stage:
    """An interview under way."""

    session: Session
    conductor: Conductor
    recogniser: Recogniser
    office: Office
    wire: list[Heard]
    told: Told
    hands: Hands

    @property
    def news(self) -> list[News]:
        return self.told.news

    @property
    def asked(self) -> list[Move]:
        return [news.move for news in self.news if isinstance(news, Asked)]

    async def asked_of(self, count: int) -> None:
        """Until so many moves were begun."""
        await self.told.until(lambda: len(self.asked) >= count)

    async def part(self, name: str) -> None:
        """Until this part of the closing begins."""
        await self.told.until(lambda: any(isinstance(n, PartSaid) and n.name == name for n in self.news))

    @property
    def ready(self) -> list[Ready]:
        return [news for news in self.news if isinstance(news, Ready)]

    @property
    def progress(self) -> Any:
        return self.conductor.checkpoint.progress

    def said(self, kind: str, *, by: str = ">") -> list[dict[str, Any]]:
        events = [json.loads(heard.data) for heard in self.wire if heard.mark == by]
        return [event for event in events if event["type"] == kind]

    async def speak(
        self, words: str | None, *, duration_ms: float | None = None, after_s: float = 0.5
    ) -> None:
        """The learner says this, at four syllables a second. None: something that no recogniser can read."""
        await asyncio.sleep(after_s)
        if duration_ms is None:
            duration_ms = SYLLABLE_MS * max(len((words or "").replace(" ", "")), 4)
        self.recogniser.words.append(words)
        if self.hands is Hands.PUSH_TO_TALK:
            async with self.conductor.push_to_talk() as send:
                await self._sound(send, VOICE, duration_ms)
                self.told.forget_turns()
            return
        await self._sound(self.session.send_audio, VOICE, duration_ms)
        self.told.forget_turns()
        await self._sound(self.session.send_audio, SILENCE, END_OF_TURN_MS)

    async def _sound(
        self, send: Callable[[bytes], Awaitable[None]], frame: bytes, duration_ms: float
    ) -> None:
        for _ in range(max(round(duration_ms / FRAME_MS), 1)):
            await asyncio.sleep(FRAME_MS / 1000)  # it can be sent when it has been spoken
            await send(frame)

    async def turn(self) -> Move:
        """Wait until it is the learner's turn; what was asked."""
        return await self.told.turns.get()

    async def answer(self, *answers: str | None) -> None:
        """Say these, one at each turn."""
        for words in answers:
            await self.turn()
            await self.speak(words)

    async def played_by(self, learner: Learner) -> None:
        """The learner answers whatever is asked, until nobody asks any more."""
        while True:
            move = await self.turn()
            said = learner.hear(move, self.progress.task)
            if said is not None:
                await self.speak_as(said)

    async def speak_as(self, said: TurnEvidence) -> None:
        await self.speak(
            said.text, duration_ms=said.duration_ms or 1000.0, after_s=(said.latency_ms or 0.0) / 1000
        )


def changed(max_s: float | None, slow_speed: float | None) -> Plan:
    """Our plan, perhaps with another limit of time, or another slow voice."""
    usual = plan()
    return dataclasses.replace(
        usual,
        limits=structs.replace(usual.limits, max_s=max_s or usual.limits.max_s),
        answers=structs.replace(usual.answers, slow_speed=slow_speed or usual.answers.slow_speed),
    )


@asynccontextmanager
async def stage(
    *,
    fault: str = "",
    mind: Callable[[], Mind] = Echo,
    manner: Manner = Manner.VERBATIM,
    hands: Hands = Hands.OPEN,
    office: Office | None = None,
    settings: ConductorSettings | None = None,
    line: LineSettings | None = None,
    max_session_s: float = 3600.0,
    syllable_ms: float = 100.0,
    max_s: float | None = None,
    slow_speed: float | None = None,
    **options: Any,
) -> AsyncIterator[Stage]:
    wire: list[Heard] = []
    recogniser, office = Recogniser(), office or Office()
    sound = Embedded(
        mind=mind,
        voice=ToneVoice(syllable_ms=syllable_ms),
        ears=lambda: LocalEars(recognizer=recogniser),
        settings=ServerSettings(max_s=max_session_s),
        tap=wire.append,
    )
    # The faulty line has a seed of its own, so that no two lines call anything the same.
    faulty = replace(sound, faults=Faults.parse(fault, seed=1) if fault else None, seed=1000)
    tuned = SessionSettings(io_thread=False, lag_bound_s=0, seed=1, line=line or LineSettings())
    config = configuration(manner, hands, settings or ConductorSettings())
    async with (
        asyncio.timeout(6 * 3600),
        charye.connect(FirstLine(faulty, sound), settings=tuned, config=config) as session,
    ):
        told = Told()
        conductor = Conductor(
            session,
            changed(max_s, slow_speed),
            assessor=office,
            store=office,
            manner=manner,
            hands=hands,
            tell=told,
            settings=settings,
            **options,
        )
        yield Stage(session, conductor, recogniser, office, wire, told, hands)


async def interviewed(on: Stage, learner: Learner) -> InterviewOutcome:
    """The whole interview."""
    playing = asyncio.ensure_future(on.played_by(learner))
    try:
        return await on.conductor.run()
    finally:
        playing.cancel()
        with suppress(asyncio.CancelledError, LocalProtocolError):
            await playing
