"""A response: what is asked for, what the server says about it, how it ended.

Source: API reference, "response object" and `response.create`.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from charye.protocol.error import ResponseError
from charye.protocol.items import Item
from charye.protocol.session import AudioConfig, NamedTool, Prompt, Reasoning, Tool
from charye.protocol.wire import UNSET, Maybe

__all__ = [
    "CachedTokensDetails",
    "InputTokenDetails",
    "OutputTokenDetails",
    "Response",
    "ResponseParams",
    "ResponseStatus",
    "StatusDetails",
    "Usage",
]


class ResponseStatus(StrEnum):
    """The status values we know. The set is open: `Response.status` is a `str`, and these compare equal to it.

    A `response.done` ends the response whatever its status says.
    """

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class StatusDetails(Struct, frozen=True, omit_defaults=True):
    """Why a response ended as it did.

    Args:
        type: the status once more.
        reason: `turn_detected`, `client_cancelled`, `max_output_tokens`, `content_filter`; an open set.
        error: of a failed one.
    """

    type: str | None = None
    reason: str | None = None
    error: ResponseError | None = None


class CachedTokensDetails(Struct, frozen=True):
    """Of the cached tokens, how many were what."""

    text_tokens: Maybe[int] = UNSET
    audio_tokens: Maybe[int] = UNSET
    image_tokens: Maybe[int] = UNSET


class InputTokenDetails(Struct, frozen=True):
    """Of the input tokens, how many were what."""

    text_tokens: Maybe[int] = UNSET
    audio_tokens: Maybe[int] = UNSET
    image_tokens: Maybe[int] = UNSET
    cached_tokens: Maybe[int] = UNSET
    cached_tokens_details: Maybe[CachedTokensDetails] = UNSET


class OutputTokenDetails(Struct, frozen=True):
    """Of the output tokens, how many were what; `reasoning_tokens` on models that reason."""

    text_tokens: Maybe[int] = UNSET
    audio_tokens: Maybe[int] = UNSET
    reasoning_tokens: Maybe[int] = UNSET


class Usage(Struct, frozen=True):
    """What a response cost, in tokens."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: Maybe[InputTokenDetails] = UNSET
    output_token_details: Maybe[OutputTokenDetails] = UNSET


class Response(Struct, frozen=True, kw_only=True):
    """A response, in `response.created` (`in_progress`, nothing in it) and in `response.done` (the whole of it).

    Args:
        id: None only from servers that give none, or gave it in a shape of their own.
        status: see `ResponseStatus`.
        output: the items, never with audio.
        conversation_id: None is an out-of-band response; UNSET: this server does not say.
        metadata: echoed from `response.create`, both in created and in done; None for a response that the server
            began by itself.
    """

    object: str | None = "realtime.response"
    id: str | None = None
    status: str | None = None
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] = ()
    conversation_id: Maybe[str] = UNSET
    output_modalities: Maybe[tuple[str, ...]] = UNSET
    max_output_tokens: Maybe[int | str] = UNSET
    audio: Maybe[AudioConfig] = UNSET
    usage: Usage | None = None
    metadata: dict[str, str] | None = None


class ResponseParams(Struct, frozen=True, kw_only=True):
    """The `response` of a `response.create`. What is set replaces the session's value for this response only.

    Args:
        conversation: `auto`, or `none` for an out-of-band response: it is not written into the conversation.
        input: the context instead of the conversation; empty is an empty context, UNSET the conversation.
        instructions: replace the session's, they are not added to them.
        metadata: echoed in `response.created` and `response.done`; the only tie between those and the create.
    """

    conversation: Maybe[str] = UNSET
    input: Maybe[tuple[Item, ...]] = UNSET
    instructions: Maybe[str] = UNSET
    output_modalities: Maybe[tuple[str, ...]] = UNSET
    audio: Maybe[AudioConfig] = UNSET
    tools: Maybe[tuple[Tool, ...]] = UNSET
    tool_choice: Maybe[str | NamedTool] = UNSET
    max_output_tokens: Maybe[int | str] = UNSET
    metadata: Maybe[dict[str, str]] = UNSET
    prompt: Maybe[Prompt] = UNSET
    parallel_tool_calls: Maybe[bool] = UNSET
    reasoning: Maybe[Reasoning] = UNSET

    def tagged(self, *, metadata: dict[str, str], conversation: str | None = None) -> "ResponseParams":
        """The same with this metadata instead of its own and, unless None, in this conversation."""
        into = self.conversation if conversation is None else conversation
        return replace(self, metadata=metadata, conversation=into)
