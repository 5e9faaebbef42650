"""`charye serve` at work."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import BinaryIO

import msgspec

from charye.cli import exits
from charye.cli.parts import make_parts
from charye.errors import ConfigurationError
from charye.server.admission import Door
from charye.server.faulting.line import Heard, Tap
from charye.server.faults import Faults
from charye.server.serve import ServeSettings, serving
from charye.server.settings import Bounds, ServerSettings

__all__ = ["Wish", "run", "snippet"]

_ANY_HOST = ("0.0.0.0", "::", "")

_SNIPPET = """\
import asyncio
{imports}
from openai import AsyncOpenAI


async def main() -> None:
    client = AsyncOpenAI(base_url="{base_url}", api_key={key})
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session={{"type": "realtime", "output_modalities": ["text"]}})
        await connection.conversation.item.create(
            item={{
                "type": "message",
                "role": "user",
                "content": [{{"type": "input_text", "text": "Say hello!"}}],
            }}
        )
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_text.delta":
                print(event.delta, end="", flush=True)
            elif event.type == "response.done":
                print()
                break


asyncio.run(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The options of `charye serve`; what they mean is said there."""

    host: str
    port: int
    mind: str
    voice: str
    ears: str
    endpoint_model: str | None
    faults: tuple[str, ...]
    seed: int | None
    faults_on_request: bool
    keys: tuple[str, ...]
    key_from_environment: bool
    max_sessions: int
    max_session_s: float
    max_frame_bytes: int
    max_buffer_s: float
    journal: Path | None
    quiet: bool


def run(wish: Wish) -> None:
    """Serve until Ctrl-C or SIGTERM. Exit codes: see `exits`.

    Raises:
        CharyeError: something that was wished for is not there; nothing was started.
    """
    make = make_parts(mind=wish.mind, voice=wish.voice, ears=wish.ears, model=wish.endpoint_model)
    faults = Faults.parse(
        wish.faults, seed=SystemRandom().randrange(1 << 31) if wish.seed is None else wish.seed
    )
    _log_to_stderr()
    with _journal(wish.journal) as tap:
        settings = ServeSettings(
            door=Door(
                api_keys=frozenset(wish.keys) if wish.keys else None,
                template=ServerSettings(max_s=wish.max_session_s, bounds=Bounds(buffer_s=wish.max_buffer_s)),
            ),
            max_sessions=wish.max_sessions,
            max_frame_bytes=wish.max_frame_bytes,
            seed=wish.seed,
            faults=faults,
            faults_on_request=wish.faults_on_request,
            tap=tap,
        )

        async def main() -> None:
            async with serving(make, settings=settings, host=wish.host, port=wish.port) as address:
                _greet(wish, faults, address.port)
                await _stopped()

        try:
            asyncio.run(main())
        except OSError as error:
            print(f"charye: cannot listen on {wish.host}:{wish.port}: {error.strerror}", file=sys.stderr)
            sys.exit(exits.CANNOT_LISTEN)


async def _stopped() -> None:
    """Wait for Ctrl-C or SIGTERM. A second Ctrl-C, while sessions are being closed, does not wait for them."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    try:
        for one in signals:
            loop.add_signal_handler(one, stop.set)
    except NotImplementedError:  # Windows: Ctrl-C cancels this task instead
        pass
    try:
        await stop.wait()
        for one in signals:
            loop.remove_signal_handler(one)
    except asyncio.CancelledError:
        pass


def _greet(wish: Wish, faults: Faults, port: int) -> None:
    base_url = f"http://{_name(wish.host)}:{port}/v1"
    if wish.quiet:
        print(base_url, flush=True)
        return
    print(f"charye serves at {base_url} (WebSocket: {base_url.replace('http', 'ws', 1)}/realtime)")
    if faults:
        print(f"faults: {faults.text}; the same again with --seed {faults.seed}")
    print("Ctrl-C stops it. To talk to it with the openai SDK:\n\n```python")
    print(snippet(base_url, wish.keys[0] if wish.keys else None, from_environment=wish.key_from_environment))
    print("```", flush=True)


def snippet(base_url: str, key: str | None, *, from_environment: bool = False) -> str:
    """A program for the `openai` SDK that talks to a server at this address.

    Args:
        key: None: any will do.
        from_environment: do not repeat the key; read it from where we had it.
    """
    said = 'os.environ["CHARYE_KEY"].split()[0]' if from_environment else repr(key or "any-key")
    return _SNIPPET.format(base_url=base_url, key=said, imports="import os\n" if from_environment else "")


def _name(host: str) -> str:
    """What a client on this machine calls it."""
    if host in _ANY_HOST:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


# what happened


class _Fields(logging.Formatter):
    """The constant message, then the fields, as `name=value`. Fields with what a person said are left out."""

    _USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        fields = [
            f"{name}={value}"
            for name, value in record.__dict__.items()
            if name not in self._USUAL and not name.startswith("private_")
        ]
        return " ".join((super().format(record), *fields))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("charye")
    log.handlers = [handler]
    log.setLevel(logging.INFO)


@contextmanager
def _journal(path: Path | None) -> Iterator[Callable[[int], Tap] | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("ab")
    except OSError as error:
        raise ConfigurationError("the journal cannot be written", option=str(path)) from error
    with file:
        yield lambda session: _writer(file, session)


def _writer(file: BinaryIO, session: int) -> Tap:
    def write(heard: Heard) -> None:
        line = {
            "session": session,
            "at_s": round(heard.at, 6),
            "mark": heard.mark,
            "event": heard.data.decode(errors="replace"),
        }
        file.write(msgspec.json.encode(line) + b"\n")
        file.flush()

    return write
