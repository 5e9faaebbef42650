"""A session at work, in one process and on a virtual clock: nothing here waits in real time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from charye.errors import ConnectionLost
from charye.protocol import (
    AZURE_PREVIEW,
    ResponseError,
    Transcription,
    TurnDetection,
    audio_base64,
    decode_server_event,
)
from charye.server.clock import LoopClock, run_virtually
from charye.server.effects import Effect, Send
from charye.server.ids import Ids
from charye.server.minds import Echo, Script, Scripted
from charye.server.parts import (
    Audio,
    Context,
    Failed,
    MessageEnd,
    MindOutput,
    SpeechFact,
    SpeechStarted,
    SpeechStopped,
    Spoken,
    Text,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
    TranscriptResult,
)
from charye.server.sentences import Sentences
from charye.server.session import Pace, ServerSession, SessionParts, embedded
from charye.server.settings import ServerSettings
from charye.server.voice import ToneVoice
from charye.transports.in_process import End, pair
from tests.server.bench import checked, pcm


def check_sent(effect: Effect) -> None:
    """On the outgoing path of every session here: the published types must know the event."""
    if isinstance(effect, Send):
        checked(effect.event)


@dataclass
class Client:
    """A client of few words: what came in is kept, and can be waited for."""

    end: End
    received: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, kind: str, **fields: Any) -> None:
        await self.end.send(json.dumps({"type": kind, **fields}).encode())

    async def next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(await self.end.receive())
        self.received.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def hang_up(self) -> ConnectionLost:
        """Read to the end."""
        while True:
            try:
                await self.next()
            except ConnectionLost as lost:
                return lost

    async def create(self, **response: Any) -> dict[str, Any]:
        await self.say("response.create", response=response)
        return await self.until("response.created")

    async def user(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.say("conversation.item.create", item=item)

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.received]

    def transcript(self) -> str:
        return "".join(
            event["delta"]
            for event in self.received
            if event["type"] == "response.output_audio_transcript.delta"
        )


@asynccontextmanager
async def client(mind: Any, voice: Any = None, ears: Any = None, **options: Any) -> AsyncIterator[Client]:
    options.setdefault("observe", check_sent)
    async with embedded(SessionParts(mind=mind, voice=voice, ears=ears), **options) as end:
        yield Client(end)


def virtually(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    run_virtually(main())


class Outputs:
    """A mind that gives these outputs; a number is a pause in seconds, an exception is raised."""

    def __init__(self, *steps: MindOutput | float | Exception) -> None:
        self.steps = steps
        self.contexts: list[Context] = []
        self.closed = 0

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        self.contexts.append(context)
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1


class ScriptedEars:
    """Ears that find speech where a test says so."""

    def __init__(
        self, *facts: SpeechFact, result: TranscriptResult | Exception | None = None, takes_s: float = 0
    ) -> None:
        self.facts = list(facts)
        self.heard_ms = 0
        self.result = result
        self.takes_s = takes_s
        self.attuned: list[TurnDetection | None] = []
        self.forgot = 0

    def attune(self, detection: TurnDetection | None) -> None:
        self.attuned.append(detection)

    def hear(self, samples: bytes) -> tuple[SpeechFact, ...]:
        self.heard_ms += len(samples) // 48
        found = [fact for fact in self.facts if fact.at_ms <= self.heard_ms]
        self.facts = [fact for fact in self.facts if fact.at_ms > self.heard_ms]
        return tuple(found)

    def forget(self) -> None:
        self.forgot += 1

    async def transcribe(self, samples: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        await asyncio.sleep(self.takes_s)
        if isinstance(self.result, Exception):
            raise self.result
        if self.result is not None:
            yield TranscriptDelta("안")
            yield self.result


def test_a_spoken_turn_with_words_and_sound() -> None:
    async def story() -> None:
        async with client(Echo(), ToneVoice()) as one:
            await one.user("Hello there. How are you?")
            await one.create()
            done = await one.until("response.done")
            assert done["response"]["status"] == "completed"
            assert one.transcript() == "Hello there. How are you?"
            kinds = one.kinds()
            assert kinds.count("response.output_audio.delta") > 3
            assert kinds.index("response.output_audio_transcript.delta") < kinds.index(
                "response.output_audio.delta"
            )

    virtually(story)


def test_a_text_response_is_not_spoken() -> None:
    async def story() -> None:
        async with client(Echo(), ToneVoice()) as one:
            await one.create(output_modalities=["text"])
            await one.until("response.done")
            assert "response.output_audio.delta" not in one.kinds()

    virtually(story)


def test_without_a_voice_there_are_words_only() -> None:
    async def story() -> None:
        async with client(Echo()) as one:
            await one.create()
            await one.until("response.done")
            assert one.transcript() == "Hello."
            assert "response.output_audio.delta" not in one.kinds()

    virtually(story)


def test_a_mind_with_a_voice_of_its_own_is_not_given_another() -> None:
    async def story() -> None:
        async with client(Outputs(Audio(b""), Text("Hi."), Audio(pcm(20))), ToneVoice()) as one:
            await one.create()
            await one.until("response.done")
            assert one.kinds().count("response.output_audio.delta") == 1

    virtually(story)


def test_the_first_sentence_is_heard_before_the_second_is_thought() -> None:
    async def story() -> None:
        mind = Outputs(Text("First sentence. "), 5.0, Text("Second."))
        async with client(mind, ToneVoice()) as one:
            clock = LoopClock()
            begun = clock.now()
            await one.create()
            await one.until("response.output_audio.delta")
            assert clock.now() - begun < 1
            await one.until("response.done")
            assert clock.now() - begun >= 5

    virtually(story)


def test_the_end_of_a_message_waits_for_its_sound() -> None:
    async def story() -> None:
        mind = Outputs(Text("One."), MessageEnd(), Text("Two."))
        async with client(mind, ToneVoice()) as one:
            await one.create()
            await one.until("response.done")
            kinds = [
                kind
                for kind in one.kinds()
                if kind in ("response.output_audio.done", "response.output_audio.delta")
            ]
            first = kinds.index("response.output_audio.done")
            assert "response.output_audio.delta" in kinds[:first]
            assert "response.output_audio.delta" in kinds[first:]

    virtually(story)


def test_a_cancel_takes_effect_in_the_middle_and_stops_the_mind() -> None:
    async def story() -> None:
        mind = Outputs(Text("One. "), 3600.0, Text("never"))
        async with client(mind, ToneVoice()) as one:
            await one.create()
            await one.until("response.output_audio.delta")
            await one.say("response.cancel")
            done = await one.until("response.done")
            assert done["response"]["status"] == "cancelled"
            assert mind.closed == 1
            assert LoopClock().now() < 60
            await one.create()

    virtually(story)


def test_a_create_right_behind_a_cancel_is_refused() -> None:
    async def story() -> None:
        async with client(Outputs(Text("One. "), 3600.0), ToneVoice()) as one:
            await one.create()
            await one.until("response.output_audio_transcript.delta")
            await one.say("response.cancel")
            await one.say("response.create", event_id="c2")
            error = await one.until("error")
            assert error["error"]["code"] == "conversation_already_has_active_response"
            assert error["error"]["event_id"] == "c2"

    virtually(story)


def test_a_response_that_is_cancelled_before_its_mind_began_ends_too() -> None:
    async def story() -> None:
        here, there = pair()
        parts = SessionParts(mind=Outputs(3600.0))
        for kind in ("response.create", "response.cancel", "response.create"):
            await here.send(json.dumps({"type": kind}).encode())

        class Hasty(End):
            """Gives everything at once, without a turn for anybody else."""

            async def receive(self) -> bytes:
                if self._incoming.messages:
                    return self._incoming.messages.popleft()
                return await super().receive()

        line = Hasty(there._outgoing, there._incoming)
        session = ServerSession(
            line, parts, settings=ServerSettings(), ids=Ids(Random(1)), observe=check_sent
        )
        serving = asyncio.ensure_future(session.run())
        one = Client(here)
        assert (await one.until("error"))["error"]["code"] == "conversation_already_has_active_response"
        assert (await one.until("response.done"))["response"]["status"] == "cancelled"
        assert LoopClock().now() < 1  # not by the patience with minds that do not stop
        await here.close()
        await serving

    virtually(story)


def test_out_of_band_responses_run_beside_a_long_one() -> None:
    async def story() -> None:
        async with client(Outputs(1.0, Text("Done."))) as one:
            for conversation in ("auto", "none", "none"):
                await one.create(conversation=conversation)
            for _ in range(3):
                await one.until("response.done")
            assert LoopClock().now() < 1.5

    virtually(story)


@pytest.mark.parametrize("where", ["mind", "voice"])
def test_a_part_that_breaks_fails_its_response_and_the_session_lives(where: str) -> None:
    class BrokenVoice:
        async def speak(self, text: str, **_: Any) -> AsyncIterator[Spoken]:
            yield Spoken(pcm(20))
            raise RuntimeError("no voice")

    async def story() -> None:
        broken: Any = Outputs(Text("Hm. "), RuntimeError("private words")) if where == "mind" else Echo()
        async with client(broken, BrokenVoice() if where == "voice" else None) as one:
            for _ in range(2):
                await one.create()
                done = await one.until("response.done")
                assert done["response"]["status"] == "failed"
                assert done["response"]["status_details"]["error"]["type"] == "server_error"
                assert "private" not in json.dumps(done)

    virtually(story)


def test_a_mind_that_says_it_failed() -> None:
    async def story() -> None:
        async with client(Outputs(Failed(ResponseError("x", "y", "z")))) as one:
            await one.create()
            done = await one.until("response.done")
            assert done["response"]["status_details"]["error"]["code"] == "y"

    virtually(story)


# ears


def vad(**options: Any) -> ScriptedEars:
    return ScriptedEars(SpeechStarted(400), SpeechStopped(900), **options)


async def speak(one: Client) -> None:
    for _ in range(10):
        await one.say("input_audio_buffer.append", audio=audio_base64(pcm(100)))


def test_a_spoken_turn_of_the_user_is_answered_with_its_words() -> None:
    async def story() -> None:
        ears = vad(result=TranscriptDone("안녕하세요"), takes_s=2)
        async with client(Echo(), ears=ears) as one:
            transcription = {"model": "whisper-1"}
            session = {"type": "realtime", "audio": {"input": {"transcription": transcription}}}
            await one.say("session.update", session=session)
            await speak(one)
            await one.until("response.done")
            assert one.transcript() == "안녕하세요"
            assert "conversation.item.input_audio_transcription.completed" in one.kinds()
            assert ears.attuned[0] is not None

    virtually(story)


def test_a_mind_does_not_wait_for_a_transcript_for_ever() -> None:
    async def story() -> None:
        async with client(Echo("What?"), ears=vad(takes_s=1e6), pace=Pace(transcript_s=3)) as one:
            await speak(one)
            await one.until("response.done")
            assert one.transcript() == "What?"
            assert LoopClock().now() == pytest.approx(3)

    virtually(story)


@pytest.mark.parametrize(
    "result", [RuntimeError("private"), None, TranscriptFailed(ResponseError(code="no_model"))]
)
def test_a_transcription_that_fails_is_told_and_the_reply_comes(result: Any) -> None:
    async def story() -> None:
        async with client(Echo("What?"), ears=vad(result=result)) as one:
            session = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
            await one.say("session.update", session=session)
            await speak(one)
            await one.until("response.done")
            if "conversation.item.input_audio_transcription.failed" not in one.kinds():
                await one.until("conversation.item.input_audio_transcription.failed")
            failed = next(event for event in one.received if event["type"].endswith("transcription.failed"))
            assert failed["error"]["message"].startswith("Input transcription failed")

    virtually(story)


def test_speech_stops_the_reply_in_its_middle() -> None:
    async def story() -> None:
        mind = Outputs(Text("A long story. "), 3600.0)
        async with client(mind, ToneVoice(), vad()) as one:
            await one.create()
            await one.until("response.output_audio.delta")
            await speak(one)
            done = await one.until("response.done")
            assert done["response"]["status_details"]["reason"] == "turn_detected"
            await one.until("response.created")
            assert mind.contexts[1].unprompted

    virtually(story)


def test_ears_that_break_leave_the_session_alive_and_deaf() -> None:
    class Broken(ScriptedEars):
        def hear(self, samples: bytes) -> tuple[SpeechFact, ...]:
            raise RuntimeError("deaf")

        def attune(self, detection: TurnDetection | None) -> None:
            raise RuntimeError("deaf")

    async def story() -> None:
        async with client(Echo(), ears=Broken()) as one:
            await speak(one)
            await one.create()
            await one.until("response.done")

    virtually(story)


# time and the line


def test_a_session_of_an_hour_expires_in_no_time() -> None:
    async def story() -> None:
        async with client(Echo()) as one:
            lost = await one.hang_up()
            assert (lost.close_code, lost.reason) == (
                1001,
                "Your session hit the maximum duration of 60 minutes.",
            )
            assert one.received[-1]["error"]["code"] == "session_expired"
            assert LoopClock().now() == pytest.approx(3600)

    virtually(story)


def test_nobody_speaks_and_the_server_does() -> None:
    async def story() -> None:
        async with client(Echo("Are you there?")) as one:
            detection = {"type": "server_vad", "idle_timeout_ms": 5000}
            session = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
            await one.say("session.update", session=session)
            await one.create()
            await one.until("input_audio_buffer.timeout_triggered")
            await one.until("response.done")
            assert LoopClock().now() == pytest.approx(5)

    virtually(story)


def test_a_client_that_leaves_stops_everything() -> None:
    async def story() -> None:
        mind = Outputs(3600.0)
        async with client(mind) as one:
            await one.create()
            await asyncio.sleep(0)
        assert mind.closed == 1
        assert LoopClock().now() < 10

    virtually(story)


def test_a_slow_reader_makes_the_mind_pause_and_then_is_given_up() -> None:
    async def story() -> None:
        mind = Outputs(*[Audio(pcm(1000))] * 600)  # ten minutes of sound
        pace = Pace(high_water_bytes=100_000, stall_s=30)
        async with client(mind, pace=pace) as one:
            await one.create()
            await asyncio.sleep(29)
            await asyncio.sleep(5)
            lost = await one.hang_up()
            assert lost.close_code == 1008
            assert lost.reason.startswith("slow_reader")
            sound = one.kinds().count("response.output_audio.delta")
            assert 20 < sound < 200  # what fits on the way, and no more

    virtually(story)


def test_a_client_that_asks_and_never_reads_is_bounded_in_bytes() -> None:
    async def story() -> None:
        async with client(Echo(), pace=Pace(max_bytes=200_000)) as one:
            lost: ConnectionLost | None = None
            for _ in range(100_000):
                try:
                    await one.say("response.cancel", event_id="x" * 500)
                except ConnectionLost as error:
                    lost = error
                    break
            assert lost is not None
            assert lost.close_code == 1008

    virtually(story)


def test_a_reader_that_catches_up_gets_everything() -> None:
    async def story() -> None:
        mind = Outputs(*[Audio(pcm(1000))] * 60)
        async with client(mind, pace=Pace(high_water_bytes=50_000)) as one:
            await one.create()
            while one.received[-1]["type"] != "response.done":
                await asyncio.sleep(0.01)
                await one.next()
            sound = [event for event in one.received if event["type"] == "response.output_audio.delta"]
            assert sum(len(event["delta"]) for event in sound) == 60 * 24_000 * 2 // 3 * 4

    virtually(story)


def test_a_fault_of_ours_is_raised_and_closes_with_1011() -> None:
    async def story() -> None:
        here, there = pair()

        def broken(effect: Effect) -> None:
            if isinstance(effect, Send) and effect.event.type == "error":
                raise ZeroDivisionError

        session = ServerSession(
            there, SessionParts(mind=Echo()), settings=ServerSettings(), ids=Ids(Random(1)), observe=broken
        )
        serving = asyncio.ensure_future(session.run())
        one = Client(here)
        await one.say("nonsense")
        assert (await one.hang_up()).close_code == 1011
        with pytest.raises(ZeroDivisionError):
            await serving

    virtually(story)


def test_the_preview_is_spoken_where_it_is_asked_for() -> None:
    async def story() -> None:
        settings = ServerSettings(dialect=AZURE_PREVIEW)
        async with client(Echo(), ToneVoice(), settings=settings) as one:
            await one.say("response.create")
            await one.until("response.done")
            assert one.kinds()[:3] == ["session.created", "conversation.created", "response.created"]
            assert "response.audio.delta" in one.kinds()
            assert "conversation.item.done" not in one.kinds()

    virtually(story)


def test_the_same_seed_gives_the_same_run() -> None:
    def run() -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = []

        async def story() -> None:
            async with client(Scripted(Script.parse(b'[[answer]]\nsay = "Hi."')), ToneVoice(), seed=7) as one:
                await one.create()
                await one.until("response.done")
                one.received[0]["session"].pop("expires_at")
                runs.extend(one.received)

        virtually(story)
        return runs

    assert run() == run()


def test_everything_received_can_be_read_by_our_own_client() -> None:
    async def story() -> None:
        async with client(Echo(), ToneVoice()) as one:
            await one.create()
            await one.until("response.done")
            for event in one.received:
                assert decode_server_event(json.dumps(event)).type == event["type"]

    virtually(story)


def test_a_virtual_world_in_which_everybody_waits_says_so() -> None:
    from charye.server import clock

    async def main() -> None:
        await asyncio.Event().wait()

    patience, clock._REAL_PATIENCE_S = clock._REAL_PATIENCE_S, 0.01
    try:
        with pytest.raises(RuntimeError, match="nothing will ever happen"):
            run_virtually(main())
    finally:
        clock._REAL_PATIENCE_S = patience


# sentences


@pytest.mark.parametrize(
    ("pieces", "sentences"),
    [
        (["Hello there. How", " are you?"], ["Hello there. ", "How are you?"]),
        (["It is 3.5 at example.org ", "now."], ["It is 3.5 at example.org now."]),
        (["안녕하세요! 반갑습니다. ", "네"], ["안녕하세요! ", "반갑습니다. ", "네"]),
        (["はい。いいえ。"], ["はい。", "いいえ。"]),
        (["one\ntwo"], ["one\n", "two"]),
        (["  \n ", ""], []),
        (["word, " * 60], ["word, " * 60]),
    ],
)
def test_sentences(pieces: list[str], sentences: list[str]) -> None:
    cutter = Sentences()
    found = [sentence for piece in pieces for sentence in cutter.feed(piece)] + cutter.rest()
    assert found == sentences
