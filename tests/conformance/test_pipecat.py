"""Pipecat with its Realtime service, as installed, given an address and a key. Most errors of a server end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.conformance.house import House, house, in_time, need, speech, told

need("pipecat.services.openai.realtime.llm", package="pipecat-ai")
need("pipecat.workers.runner", package="pipecat-ai")

from pipecat.frames.frames import (
    EndFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

LONG = "One word more. " * 100
Frame = Any


class Tap(FrameProcessor):
    """Lets every frame pass, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()

    async def process_frame(self, frame: Frame, direction: Any) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        self.frames.put_nowait(frame)

    async def until(self, wanted: Callable[[Frame], bool]) -> list[Frame]:
        """Frames up to this one."""
        frames = [await self.frames.get()]
        while not wanted(frames[-1]):
            frames.append(await self.frames.get())
        return frames


async def get_weather(params: FunctionCallParams, city: str) -> None:
    """The weather in a city.

    Args:
        city: its name.
    """
    await params.result_callback({"weather": f"rain in {city}"})


@asynccontextmanager
async def piped(host: House, context: Any, **session: Any) -> AsyncIterator[tuple[Any, Any, Tap]]:
    """A pipeline around the service, without a transport. Its errors fail the test."""
    service = OpenAIRealtimeLLMService(
        api_key="sk-any",
        base_url=host.websocket_url,
        settings=OpenAIRealtimeLLMService.Settings(
            system_instruction="Be kind.", session_properties=events.SessionProperties(**session)
        ),
    )
    pair = LLMContextAggregatorPair(context)
    tap = Tap()
    worker = PipelineWorker(
        Pipeline([pair.user(), service, tap, pair.assistant()]),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
    )
    errors: list[Any] = []
    started = asyncio.Event()

    @worker.event_handler("on_pipeline_error")
    async def on_error(worker: Any, frame: Frame) -> None:
        errors.append(frame)

    @worker.event_handler("on_pipeline_started")
    async def on_started(worker: Any, frame: Frame) -> None:
        started.set()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.ensure_future(runner.run())
    try:
        await started.wait()
        yield worker, service, tap
        await worker.queue_frame(EndFrame())
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert errors == []


def is_a(kind: Any) -> Callable[[Frame], bool]:
    return lambda frame: isinstance(frame, kind)


def text(frames: list[Frame]) -> str:
    return "".join(frame.text for frame in frames if isinstance(frame, TTSTextFrame))


def sound(frames: list[Frame]) -> bytes:
    return b"".join(frame.audio for frame in frames if isinstance(frame, TTSAudioRawFrame))


def microphone(pcm: bytes) -> Frame:
    return InputAudioRawFrame(audio=pcm, sample_rate=24_000, num_channels=1)


WEATHER = """
    [[answer]]
    when = "weather in"
    [[answer.call]]
    name = "get_weather"
    arguments = { city = "Seoul" }
    [[answer]]
    when = "rain in Seoul"
    say = "Take an umbrella."
    [[answer]]
    say = "Hello."
"""


def test_a_greeting_and_a_spoken_turn_with_a_tool() -> None:
    async def story() -> None:
        context = LLMContext([{"role": "user", "content": "Greet me."}], tools=[get_weather])
        heard = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
        async with (
            house(WEATHER, hears="How is the weather in Seoul?") as host,
            piped(host, context, audio=heard) as (worker, _, tap),
        ):
            await worker.queue_frame(LLMRunFrame())
            frames = await tap.until(is_a(TTSStoppedFrame))
            assert text(frames) == "Hello."
            assert sound(frames) == await speech("Hello.")
            # The output of a tool is not answered while Pipecat thinks that the user speaks.
            host.may_answer.clear()
            await worker.queue_frame(microphone(await speech("How is the weather", quiet_ms=1000)))
            await tap.until(is_a(UserStoppedSpeakingFrame))
            host.may_answer.set()
            frames = await tap.until(is_a(TTSStoppedFrame))
            assert text(frames) == "Take an umbrella."
            assert [context.instructions for context in host.contexts] == ["Be kind."] * 3
            assert told(host.contexts[0]) == [("user", "Greet me.")]
            assert told(host.contexts[2])[-1] == ("user", "How is the weather in Seoul?")
            assert [getattr(tool, "name", "") for tool in host.contexts[1].tools] == ["get_weather"]

    in_time(story)


def test_what_was_said_before_is_told_and_text_may_be_added() -> None:
    async def story() -> None:
        context = LLMContext(
            [
                {"role": "user", "content": "I am Kim."},
                {"role": "assistant", "content": "Hello, Kim."},
                {"role": "user", "content": "Who am I?"},
            ]
        )
        async with (
            house("""answer = [{say = "You are Kim."}, {say = "Goodbye, Kim."}]""") as host,
            piped(host, context) as (worker, service, tap),
        ):
            await worker.queue_frame(LLMRunFrame())
            assert text(await tap.until(is_a(TTSStoppedFrame))) == "You are Kim."
            assert "I am Kim." in str(told(host.contexts[0]))
            goodbye: Any = {"role": "user", "content": "Say goodbye."}
            await service.queue_frame(LLMMessagesAppendFrame([goodbye], run_llm=True))
            assert text(await tap.until(is_a(TTSStoppedFrame))) == "Goodbye, Kim."
            assert "Say goodbye." in str(told(host.contexts[1]))

    in_time(story)


def test_a_barge_in() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 200}}, {{say = "Yes?"}}]"""
        context = LLMContext([{"role": "user", "content": "Tell me a story."}])
        async with house(script, hears="Stop!") as host, piped(host, context) as (worker, _, tap):
            await worker.queue_frame(LLMRunFrame())
            await tap.until(is_a(TTSAudioRawFrame))
            await worker.queue_frame(microphone(await speech("Stop it", quiet_ms=1000)))
            await tap.until(is_a(InterruptionFrame))
            await tap.until(lambda frame: isinstance(frame, TTSTextFrame) and "Yes?" in frame.text)
            assert host.all("response.done")[0].response.status == "cancelled"
            await host.until("conversation.item.truncated")

    in_time(story)


def test_push_to_talk() -> None:
    async def story() -> None:
        script = """answer = [{say = "Hello."}, {when = "weather", say = "It rains."}]"""
        context = LLMContext([{"role": "user", "content": "Greet me."}])
        # It interrupts without asking whether there is anything to interrupt.
        async with (
            house(script, hears="How is the weather?", errors=["response_cancel_not_active"]) as host,
            piped(host, context, audio={"input": {"turn_detection": False}}) as (worker, service, tap),
        ):
            await worker.queue_frame(LLMRunFrame())
            await tap.until(is_a(TTSStoppedFrame))
            assert host.all("session.updated")[-1].session.audio.input.turn_detection is None
            await service.queue_frame(microphone(await speech("How is the weather")))
            await service.queue_frame(InterruptionFrame())
            await service.queue_frame(UserStoppedSpeakingFrame())
            frames = await tap.until(lambda frame: isinstance(frame, TTSTextFrame) and "rains" in frame.text)
            assert text(frames).endswith("It rains.")
            await tap.until(is_a(TTSStoppedFrame))

    in_time(story)


def test_items_are_retrieved_and_an_unknown_one_is_no_end() -> None:
    async def story() -> None:
        context = LLMContext([{"role": "user", "content": "Greet me."}])
        async with (
            house("""answer = [{say = "Hello."}]""", errors=["item_retrieve_invalid_item_id"]) as host,
            piped(host, context) as (worker, service, tap),
        ):
            await worker.queue_frame(LLMRunFrame())
            await tap.until(is_a(TTSStoppedFrame))
            (known,) = host.all("response.done")[0].response.output
            found = await service.retrieve_conversation_item(known.id)
            assert found.content[0].transcript == "Hello."
            with pytest.raises(Exception, match="item_unknown"):
                await service.retrieve_conversation_item("item_unknown")
            assert await service.retrieve_conversation_item(known.id)

    in_time(story)
