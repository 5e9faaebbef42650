"""Servers for `benchmarks.server`, each a process of its own: `python -m benchmarks.server_process KIND`.

parrot   our server; what a client says is said back at once, frame by frame, as an endless spoken response
bare     aiohttp alone: a frame comes in and goes out

Prints its address, as `charye serve --quiet` does. `GET /v1/usage` tells what the process has used. Ends on SIGTERM.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from aiohttp import WSMsgType, web

from charye.protocol import Transcription, TurnDetection
from charye.server.ears import LocalEars
from charye.server.parts import Audio, Context, MindOutput, SpeechFact, TranscriptResult
from charye.server.serve import RealtimeServer, ServeSettings
from charye.server.session import SessionParts

__all__ = ["Usage"]

_MAX_SESSIONS = 5_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process since its start."""

    cpu_s: float
    resident_kb: float


class Parrot:
    """Ears and mind of a session: what the ears hear, the mind says. They listen as our ears usually do."""

    def __init__(self) -> None:
        self._ears = LocalEars()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()

    def attune(self, detection: TurnDetection | None) -> None:
        self._ears.attune(detection)

    def hear(self, pcm: bytes) -> tuple[SpeechFact, ...]:
        self._heard.put_nowait(pcm)
        return self._ears.hear(pcm)

    def forget(self) -> None:
        self._ears.forget()

    def transcribe(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        return self._ears.transcribe(pcm, wish)

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        while True:
            yield Audio(await self._heard.get())


def parrot() -> web.Application:
    def parts() -> SessionParts:
        both = Parrot()
        return SessionParts(mind=both, ears=both)

    return RealtimeServer(parts, ServeSettings(max_sessions=_MAX_SESSIONS)).app


def bare() -> web.Application:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, decode_text=False)
        await socket.prepare(request)
        async for message in socket:
            await socket.send_frame(message.data, WSMsgType.TEXT)
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", echo)
    return app


async def _usage(_: web.Request) -> web.Response:
    return web.json_response(asdict(Usage(time.process_time(), _resident_kb())))


def _resident_kb() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1000


async def _serve(app: web.Application) -> None:
    app.router.add_get("/v1/usage", _usage)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await runner.cleanup()


_KINDS: Mapping[str, Callable[[], web.Application]] = MappingProxyType({"parrot": parrot, "bare": bare})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server_process")
    parser.add_argument("kind", choices=sorted(_KINDS))
    asyncio.run(_serve(_KINDS[parser.parse_args().kind]()))


if __name__ == "__main__":
    main()
