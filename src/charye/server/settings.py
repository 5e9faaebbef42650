"""What can be set about a server session, resolved once, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from charye.protocol import OPENAI, Dialect
from charye.protocol.limits import SESSION_MAX_S
from charye.protocol.wire import Json

__all__ = ["DEFAULT_INSTRUCTIONS", "Bounds", "ServerSettings"]

DEFAULT_INSTRUCTIONS = (
    "You are a helpful voice assistant. Speak like a person: short sentences, one thought at a time. "
    "Answer in the language you are spoken to, and stop when you are interrupted."
)
"""What a session says when nobody set instructions. Clients show it; the API has a text of its own here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one session may take. Chosen so that an honest client never meets them.

    Args:
        buffer_s: audio that is not committed.
        silence_s: of audio without speech under voice detection, how much is kept for a commit by hand.
        kept_audio_s: of committed user audio, for `conversation.item.retrieve`; the oldest is dropped first.
        items: in the conversation.
        out_of_band: such responses at once; how many the API allows is not published.
        stop_s: how long a mind may take to stop before its response is ended without it.
        audio_delta_bytes: samples in one event. Recorded ones are a few KiB to 20 KiB of base64.
    """

    buffer_s: float = 600.0
    silence_s: float = 30.0
    kept_audio_s: float = 600.0
    items: int = 10_000
    out_of_band: int = 32
    stop_s: float = 5.0
    audio_delta_bytes: int = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything a server peer needs to know before the session begins.

    Args:
        model: as the client asked; shown in the session and fixed from then on.
        session: what a client secret or a configuration sets, as a GA `session.update` would; merged into the
            defaults. Its `type` may be `transcription`.
        max_s: how long a session lasts.
        tokens_per_minute: shown in `rate_limits.updated`. Nothing is ever refused for it.
    """

    dialect: Dialect = OPENAI
    model: str = "gpt-realtime"
    session: Mapping[str, Json] = field(default_factory=dict)
    max_s: float = SESSION_MAX_S
    tokens_per_minute: int = 15_000_000
    bounds: Bounds = field(default_factory=Bounds)
