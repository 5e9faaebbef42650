"""What the user said, written down by a model of its own.

These events come at any time after the commit, even after the whole reply, and from some models before it. Match
them by `item_id`, never by their place. Source: API reference, "server events", and recorded sessions.
"""

from typing import TypeAlias

from msgspec import Struct

from charye.protocol.error import ResponseError
from charye.protocol.wire import UNSET, Json, Maybe, ServerEventBase

__all__ = [
    "ConversationItemInputAudioTranscriptionCompleted",
    "ConversationItemInputAudioTranscriptionDelta",
    "ConversationItemInputAudioTranscriptionFailed",
    "ConversationItemInputAudioTranscriptionSegment",
    "KnownTranscriptionEvent",
    "LogProb",
    "TranscriptionDuration",
    "TranscriptionTokens",
]


class LogProb(Struct, frozen=True):
    """How sure the transcription is of one token."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TranscriptionDuration(Struct, frozen=True, tag_field="type", tag="duration"):
    """Transcription paid by time."""

    seconds: float


class TranscriptionTokens(Struct, frozen=True, tag_field="type", tag="tokens"):
    """Transcription paid by tokens."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: Maybe[dict[str, Json]] = UNSET


class ConversationItemInputAudioTranscriptionDelta(
    ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """More of what the user said. Some models send it before the commit."""

    item_id: str
    content_index: int = 0
    delta: Maybe[str] = UNSET
    logprobs: Maybe[tuple[LogProb, ...]] = UNSET


class ConversationItemInputAudioTranscriptionCompleted(
    ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """What the user said, as another model than the one that answers heard it; may be empty.

    Args:
        usage: strict clients require it, so a server should set it.
    """

    item_id: str
    transcript: str
    content_index: int = 0
    usage: Maybe[TranscriptionDuration | TranscriptionTokens] = UNSET
    languages: Maybe[tuple[Json, ...]] = UNSET
    logprobs: Maybe[tuple[LogProb, ...]] = UNSET


class ConversationItemInputAudioTranscriptionFailed(
    ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    """What the user said could not be written down; the session goes on."""

    item_id: str
    content_index: int = 0
    error: ResponseError = ResponseError()


class ConversationItemInputAudioTranscriptionSegment(
    ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.segment"
):
    """Who said what, from diarising models; `start` and `end` in seconds."""

    item_id: str
    text: str
    content_index: int = 0
    id: str = ""
    speaker: str = ""
    start: float = 0.0
    end: float = 0.0


KnownTranscriptionEvent: TypeAlias = (
    ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
    | ConversationItemInputAudioTranscriptionSegment
)
