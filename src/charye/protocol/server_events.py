"""What a server may send, but for responses (`response_events`) and transcription (`transcription_events`).

Real servers leave fields out, so only what an event is about has no default. Where null is a word of its own
(`previous_item_id`: there is none before) the default is `UNSET`: this server does not say.
Source: API reference, "server events".
"""

from typing import TypeAlias

from msgspec import Struct

from charye.protocol.error import ErrorDetail
from charye.protocol.items import Item
from charye.protocol.response_events import KnownResponseEvent
from charye.protocol.session import Session
from charye.protocol.transcription_events import KnownTranscriptionEvent
from charye.protocol.unknown import UnknownEvent
from charye.protocol.wire import UNSET, Maybe, ServerEventBase

__all__ = [
    "Conversation",
    "ConversationCreated",
    "ConversationItemAdded",
    "ConversationItemCreated",
    "ConversationItemDeleted",
    "ConversationItemDone",
    "ConversationItemRetrieved",
    "ConversationItemTruncated",
    "ErrorEvent",
    "InputAudioBufferCleared",
    "InputAudioBufferCommitted",
    "InputAudioBufferDtmfEventReceived",
    "InputAudioBufferSpeechStarted",
    "InputAudioBufferSpeechStopped",
    "InputAudioBufferTimeoutTriggered",
    "KnownServerEvent",
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "OutputAudioBufferCleared",
    "OutputAudioBufferStarted",
    "OutputAudioBufferStopped",
    "RateLimit",
    "RateLimitsUpdated",
    "ServerEvent",
    "SessionCreated",
    "SessionUpdated",
    "TranscriptionSessionUpdated",
]


# --- session and conversation ----------------------------------------------------------------------------------


class ErrorEvent(ServerEventBase, frozen=True, kw_only=True, tag="error"):
    """Something was refused or broke; see `error.kind_of`. The outer `event_id` is the server's own."""

    error: ErrorDetail


class SessionCreated(ServerEventBase, frozen=True, kw_only=True, tag="session.created"):
    """The first event of a session, and the proof that it is usable. A sideband socket does not get it."""

    session: Session


class SessionUpdated(ServerEventBase, frozen=True, kw_only=True, tag="session.updated"):
    """The only answer to `session.update`: the whole session as it is now. It does not echo the event id."""

    session: Session


class TranscriptionSessionUpdated(
    ServerEventBase, frozen=True, kw_only=True, tag="transcription_session.updated"
):
    """Preview only; elsewhere a `SessionUpdated` of type `transcription`."""

    session: Session


class Conversation(Struct, frozen=True):
    """The conversation's id."""

    id: str | None = None
    object: str | None = "realtime.conversation"


class ConversationCreated(ServerEventBase, frozen=True, kw_only=True, tag="conversation.created"):
    """Preview only, after `session.created`. In the published types of GA, but in no recording of it."""

    conversation: Conversation


# --- items -----------------------------------------------------------------------------------------------------


class ConversationItemAdded(ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.added"):
    """An item has entered the conversation, perhaps unfinished. Trust this `previous_item_id`, not that of done."""

    item: Item
    previous_item_id: Maybe[str] = UNSET


class ConversationItemDone(ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.done"):
    """An item is final. It comes before `response.output_item.done` (recorded sessions). Not in the preview."""

    item: Item
    previous_item_id: Maybe[str] = UNSET


class ConversationItemCreated(ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.created"):
    """Preview: an item has entered the conversation; said once."""

    item: Item
    previous_item_id: Maybe[str] = UNSET


class ConversationItemRetrieved(
    ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.retrieved"
):
    """The answer to retrieve; the one place where a user item carries its audio."""

    item: Item


class ConversationItemDeleted(ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    """The answer to delete."""

    item_id: str


class ConversationItemTruncated(
    ServerEventBase, frozen=True, kw_only=True, tag="conversation.item.truncated"
):
    """The answer to truncate. Over WebRTC and SIP perhaps also by the server itself, after an interruption."""

    item_id: str
    content_index: int = 0
    audio_end_ms: int | None = None


# --- the audio that comes in -----------------------------------------------------------------------------------


class InputAudioBufferCommitted(
    ServerEventBase, frozen=True, kw_only=True, tag="input_audio_buffer.committed"
):
    """The user's audio became (or is about to become) the item `item_id`; empty if the server did not say."""

    item_id: str = ""
    previous_item_id: Maybe[str] = UNSET


class InputAudioBufferCleared(ServerEventBase, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    """The answer to clear."""


class InputAudioBufferSpeechStarted(
    ServerEventBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"
):
    """The server hears speech.

    Args:
        audio_start_ms: counts the audio written in this session, and includes the prefix padding.
        item_id: of the user item that will exist; empty if the server did not say.
    """

    audio_start_ms: int | None = None
    item_id: str = ""


class InputAudioBufferSpeechStopped(
    ServerEventBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"
):
    """The server hears no more speech; `audio_end_ms` includes the silence that it waited for."""

    audio_end_ms: int | None = None
    item_id: str = ""


class InputAudioBufferTimeoutTriggered(
    ServerEventBase, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"
):
    """Nobody spoke for `idle_timeout_ms`: the server commits the silence and answers it."""

    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    item_id: str = ""


class InputAudioBufferDtmfEventReceived(
    ServerEventBase,
    frozen=True,
    kw_only=True,
    omit_defaults=True,  # the one server event without `event_id`
    tag="input_audio_buffer.dtmf_event_received",
):
    """SIP: a key of the telephone, at `received_at` (Unix seconds)."""

    event: str
    received_at: int | None = None


# --- the audio that goes out, where the server plays it: WebRTC, SIP, and the sideband of those ----------------


class OutputAudioBufferStarted(ServerEventBase, frozen=True, kw_only=True, tag="output_audio_buffer.started"):
    """The first media of a response went out."""

    response_id: str = ""


class OutputAudioBufferStopped(ServerEventBase, frozen=True, kw_only=True, tag="output_audio_buffer.stopped"):
    """A response has been played to its end, normally seconds after its `response.done`."""

    response_id: str = ""


class OutputAudioBufferCleared(ServerEventBase, frozen=True, kw_only=True, tag="output_audio_buffer.cleared"):
    """A response was cut off while it was playing."""

    response_id: str = ""


# --- the rest --------------------------------------------------------------------------------------------------


class RateLimit(Struct, frozen=True, omit_defaults=True):
    """One limit: `requests` or `tokens`."""

    name: str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


class RateLimitsUpdated(ServerEventBase, frozen=True, kw_only=True, tag="rate_limits.updated"):
    """After `response.done`; often missing, sometimes empty. Never wait for it."""

    rate_limits: tuple[RateLimit, ...] = ()


class McpListToolsInProgress(ServerEventBase, frozen=True, kw_only=True, tag="mcp_list_tools.in_progress"):
    """The API asks an MCP server for its tools."""

    item_id: str = ""


class McpListToolsCompleted(ServerEventBase, frozen=True, kw_only=True, tag="mcp_list_tools.completed"):
    """The tools are in the item."""

    item_id: str = ""


class McpListToolsFailed(ServerEventBase, frozen=True, kw_only=True, tag="mcp_list_tools.failed"):
    """The MCP server did not answer well."""

    item_id: str = ""


KnownServerEvent: TypeAlias = (
    KnownResponseEvent
    | KnownTranscriptionEvent
    | ErrorEvent
    | SessionCreated
    | SessionUpdated
    | TranscriptionSessionUpdated
    | ConversationCreated
    | ConversationItemAdded
    | ConversationItemDone
    | ConversationItemCreated
    | ConversationItemRetrieved
    | ConversationItemDeleted
    | ConversationItemTruncated
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferTimeoutTriggered
    | InputAudioBufferDtmfEventReceived
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
    | OutputAudioBufferCleared
    | RateLimitsUpdated
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
)

ServerEvent: TypeAlias = KnownServerEvent | UnknownEvent
