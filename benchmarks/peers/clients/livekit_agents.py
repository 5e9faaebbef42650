"""LiveKit Agents with its OpenAI plugin: an `AgentSession` without a room, which has a queue of speech handles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.voice.io import AudioInput
from livekit.plugins.openai.realtime import RealtimeModel
from openai.types.realtime.realtime_audio_input_turn_detection import ServerVad

from benchmarks.peers.workloads import SILENCE_MS, NotSaid, Setup

__all__ = ["opened"]


class _Microphone(AudioInput):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(label="benchmark")
        self._frames: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, pcm: bytes) -> None:
        samples = len(pcm) // 2
        self._frames.put_nowait(
            rtc.AudioFrame(data=pcm, sample_rate=24_000, num_channels=1, samples_per_channel=samples)
        )

    async def __anext__(self) -> Any:
        return await self._frames.get()


class _Client:
    def __init__(self, session: Any, microphone: _Microphone) -> None:
        self._session = session
        self._microphone = microphone

    async def say(self, mark: str) -> None:
        await _spoken(self._session.generate_reply(instructions=f"Say exactly: {mark}"))

    async def write(self, mark: str) -> None:
        await _spoken(self._session.generate_reply(user_input=mark))

    async def hear(self, pcm: bytes) -> None:
        self._microphone.put(pcm)

    async def press(self, pcm: bytes) -> None:
        """As in the push-to-talk recipe: a press interrupts and clears, letting go commits."""
        self._session.interrupt()
        self._session.clear_user_turn()
        self._microphone.put(pcm)
        await asyncio.sleep(0.02)  # the session reads its microphone in a task of its own
        self._session.commit_user_turn()

    async def finish(self) -> None:
        """`commit_user_turn` hands out no speech handle; idle is when nothing is queued."""
        await self._session.wait_for_idle()


async def _spoken(handle: Any) -> None:
    await handle  # never raises
    if (error := handle.exception()) is not None:
        raise NotSaid(str(error))


def _tool(setup: Setup, name: str) -> Any:
    async def look(mark: str) -> str:
        """Look one thing up.

        Args:
            mark: which.
        """
        return await setup.desk.look(mark)

    return function_tool(look, name=name)


@asynccontextmanager
async def opened(setup: Setup) -> AsyncIterator[_Client]:
    detection = None if setup.push_to_talk else ServerVad(type="server_vad", silence_duration_ms=SILENCE_MS)
    model = RealtimeModel(base_url=setup.base_url, api_key=setup.key, turn_detection=detection)
    agent = Agent(instructions="Be kind.", tools=[_tool(setup, name) for name in setup.desk.names])
    options = {"turn_detection": "manual"} if setup.push_to_talk else {}
    microphone = _Microphone()
    async with AgentSession(llm=model, **options) as session:
        session.input.audio = microphone
        await session.start(agent, record=False)
        await asyncio.sleep(0.2)  # until the session is configured
        yield _Client(session, microphone)
