"""What a client may send. An absent field is not written; `event_id` is echoed in an `error`, nowhere else.

Source: API reference, "client events". The names are the same in both generations of the API.
"""

from typing import TypeAlias

from charye.protocol.items import Item
from charye.protocol.response import ResponseParams
from charye.protocol.session import SessionConfig
from charye.protocol.unknown import UnknownEvent
from charye.protocol.wire import UNSET, Maybe, Tagged

__all__ = [
    "ClientEvent",
    "ConversationItemCreate",
    "ConversationItemDelete",
    "ConversationItemRetrieve",
    "ConversationItemTruncate",
    "InputAudioBufferAppend",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "KnownClientEvent",
    "OutputAudioBufferClear",
    "ResponseCancel",
    "ResponseCreate",
    "SessionUpdate",
    "TranscriptionSessionUpdate",
]


class _Event(Tagged, frozen=True, kw_only=True, omit_defaults=True):
    event_id: str | None = None


class SessionUpdate(_Event, frozen=True, kw_only=True, tag="session.update"):
    """Change the session; answered by `session.updated` with the whole of it, or by one error and no change."""

    session: SessionConfig


class InputAudioBufferAppend(_Event, frozen=True, kw_only=True, gc=False, tag="input_audio_buffer.append"):
    """More audio of the user. Never answered.

    Args:
        audio: base64 in the session's input format, not empty, see `limits.APPEND_MAX_BYTES`.
    """

    audio: str


class InputAudioBufferCommit(_Event, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    """The audio so far becomes a user item. It does not start a response."""


class InputAudioBufferClear(_Event, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    """Forget the audio that is not committed."""


class OutputAudioBufferClear(_Event, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    """WebRTC and SIP: stop what is playing. It does not stop the generation: send `ResponseCancel` first."""


class ConversationItemCreate(_Event, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Put an item into the conversation.

    Args:
        previous_item_id: after this one; `root` is the front, absent or None the end.
    """

    item: Item
    previous_item_id: Maybe[str] = UNSET


class ConversationItemRetrieve(_Event, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    """Ask for an item, audio included."""

    item_id: str


class ConversationItemDelete(_Event, frozen=True, kw_only=True, tag="conversation.item.delete"):
    """Take an item out of the conversation."""

    item_id: str


class ConversationItemTruncate(_Event, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    """Cut an assistant's audio at what was heard; its transcript is dropped by the server.

    Args:
        content_index: 0.
        audio_end_ms: within the item's audio as the server counts it, which may be a little less than was received.
    """

    item_id: str
    content_index: int
    audio_end_ms: int


class ResponseCreate(_Event, frozen=True, kw_only=True, tag="response.create"):
    """Ask for a response. Refused while another one runs in the conversation; see `ErrorKind.ACTIVE_RESPONSE`."""

    response: Maybe[ResponseParams] = UNSET


class ResponseCancel(_Event, frozen=True, kw_only=True, tag="response.cancel"):
    """Stop a response; it still ends with `response.done`. Without an id: the conversation's running one."""

    response_id: str | None = None


class TranscriptionSessionUpdate(_Event, frozen=True, kw_only=True, tag="transcription_session.update"):
    """Preview only; elsewhere a `SessionUpdate` of type `transcription`."""

    session: SessionConfig


KnownClientEvent: TypeAlias = (
    SessionUpdate
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | OutputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemDelete
    | ConversationItemTruncate
    | ResponseCreate
    | ResponseCancel
    | TranscriptionSessionUpdate
)

ClientEvent: TypeAlias = KnownClientEvent | UnknownEvent
