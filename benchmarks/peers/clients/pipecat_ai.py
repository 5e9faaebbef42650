"""Pipecat: its OpenAI Realtime service between the two context aggregators, in a pipeline without a transport."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pipecat.frames.frames import (
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
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

from benchmarks.peers.workloads import SILENCE_MS, Setup

__all__ = ["opened"]


class _Greeted(FrameProcessor):  # type: ignore[misc]
    """Notes the end of the first response."""

    def __init__(self) -> None:
        super().__init__()
        self.once = asyncio.Event()

    async def process_frame(self, frame: Any, direction: Any) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, LLMFullResponseEndFrame):
            self.once.set()


class _Client:
    def __init__(self, worker: Any, service: Any) -> None:
        self._worker = worker
        self._service = service

    async def say(self, mark: str) -> None:
        await self._append("developer", f"Say exactly: {mark}")

    async def write(self, mark: str) -> None:
        await self._append("user", mark)

    async def hear(self, pcm: bytes) -> None:
        await self._worker.queue_frame(InputAudioRawFrame(audio=pcm, sample_rate=24_000, num_channels=1))

    async def press(self, pcm: bytes) -> None:
        """A press interrupts; letting go commits and creates."""
        await self._service.queue_frame(InterruptionFrame())
        await self._service.queue_frame(InputAudioRawFrame(audio=pcm, sample_rate=24_000, num_channels=1))
        await self._service.queue_frame(UserStoppedSpeakingFrame())

    async def finish(self) -> None:
        pass

    async def _append(self, role: str, text: str) -> None:
        message: Any = {"role": role, "content": text}
        # To the service, not to the head of the pipeline: there the user's aggregator would keep it to itself.
        await self._service.queue_frame(LLMMessagesAppendFrame([message], run_llm=True))


def _tool(setup: Setup, name: str) -> Any:
    async def look(params: FunctionCallParams, mark: str) -> None:
        """Look one thing up.

        Args:
            mark: which.
        """
        await params.result_callback({"found": await setup.desk.look(mark)})

    look.__name__ = name
    return look


@asynccontextmanager
async def opened(setup: Setup) -> AsyncIterator[_Client]:
    detection = (
        False
        if setup.push_to_talk
        else events.TurnDetection(type="server_vad", silence_duration_ms=SILENCE_MS)
    )
    properties = events.SessionProperties(
        audio=events.AudioConfiguration(input=events.AudioInput(turn_detection=detection))
    )
    service = OpenAIRealtimeLLMService(
        api_key=setup.key,
        base_url=setup.websocket_url,
        user_audio_preroll_secs=0.001,  # here the key says when speech begins, no detector that needs time to be sure
        settings=OpenAIRealtimeLLMService.Settings(
            system_instruction="Be kind.", session_properties=properties
        ),
    )
    tools = [_tool(setup, name) for name in setup.desk.names]
    messages: Any = [{"role": "user", "content": "Greet me."}]
    pair = LLMContextAggregatorPair(LLMContext(messages, tools=tools) if tools else LLMContext(messages))
    greeted = _Greeted()
    worker = PipelineWorker(
        Pipeline([pair.user(), service, greeted, pair.assistant()]),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
    )

    @worker.event_handler("on_pipeline_error")  # type: ignore[untyped-decorator]
    async def on_error(worker: Any, frame: Any) -> None:
        setup.gone()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.ensure_future(runner.run())
    await worker.queue_frame(LLMRunFrame())
    await greeted.once.wait()  # its conversation begins with the first response
    try:
        yield _Client(worker, service)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
