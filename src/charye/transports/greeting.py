"""The first event: it alone proves that we are let in.

Recorded sessions: a wrong key still gets its upgrade, then one `error` event, then a close. An open line says nothing
yet. A session begins with `session.created`; a sideband with whatever comes first.
"""

import asyncio
import logging
from dataclasses import replace

import msgspec

from charye.errors import ConnectionLost, NoGreeting, RealtimeError
from charye.protocol import COMPATIBLE, Dialect, ErrorDetail, Shape
from charye.transports.base import Line
from charye.transports.closing import before_greeting, said

__all__ = ["detected", "greet"]

log = logging.getLogger(__name__)

COMPATIBLE_PREVIEW = replace(COMPATIBLE, name="compatible-preview", shape=Shape.PREVIEW, item_added=False)
"""As `COMPATIBLE`, in the older generation."""

_FLAT = ("modalities", "input_audio_format", "output_audio_format", "turn_detection")


async def greet(line: Line, *, patience_s: float) -> bytes:
    """Wait until the server has let us in; give the event that proves it, which the session must hear as well.

    Any event but an `error` proves it. An `error` that by itself means nothing is passed over with a note: what follows
    it decides.

    Cancelling loses what was received, and leaves the line to the caller.

    Raises:
        ConnectionFailed: one of its subclasses; the line is closed. `NoGreeting`: nothing came.
        QuotaExhausted: likewise.
        SessionExpired: the session of a call was already at its end; likewise.
    """
    found = await _awaited(line, patience_s)
    if isinstance(found, bytes):
        return found
    await line.close()
    raise found


async def _awaited(line: Line, patience_s: float) -> bytes | RealtimeError:
    """The event, or why there is none. Returned, not raised: the frame of this holds what the server said."""
    after: ErrorDetail | None = None
    try:
        async with asyncio.timeout(patience_s):
            while True:
                data = await line.receive()
                after = _error_in(data)
                if after is None:
                    return data
                if (refused := said(after)) is not None:
                    return refused
                log.warning(
                    "an error before the session", extra={"code": after.code, "error_type": after.type}
                )
    except TimeoutError:
        return NoGreeting(waited_s=patience_s, code=_word(after))
    except ConnectionLost as close:
        return before_greeting(close, after)


def detected(first: bytes) -> Dialect:
    """How a server speaks of which nothing else is known, by its first event: which generation, weakest promises.

    Source: API reference, session object: GA has `type`, and audio under `audio`; the preview is flat.
    """
    event = _decoded(first)
    session = event.get("session")
    if not isinstance(session, dict):
        return COMPATIBLE
    is_flat = any(name in session for name in _FLAT) and "audio" not in session
    return COMPATIBLE_PREVIEW if is_flat else COMPATIBLE


def _error_in(data: bytes) -> ErrorDetail | None:
    """The inside of an `error` event; None: it is another event, or none at all, which is for the session to judge."""
    event = _decoded(data)
    if event.get("type") != "error":
        return None
    try:
        return msgspec.convert(event.get("error"), ErrorDetail)
    except msgspec.ValidationError:
        return ErrorDetail()


def _decoded(data: bytes) -> dict[str, object]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _word(error: ErrorDetail | None) -> str | None:
    return None if error is None else error.code or error.type or None
