"""The events of a response, from `response.created` to `response.done`.

Created and done have no `response_id` of their own, it is `response.id`; the item events have no `item_id`, it is
`item.id`. Items of one response may overlap: keep everything by `item_id`, nothing by "the current item".
Source: API reference, "server events", and recorded sessions.
"""

from typing import TypeAlias

from charye.protocol.items import Item, Part
from charye.protocol.response import Response
from charye.protocol.wire import ServerEventBase

__all__ = [
    "KnownResponseEvent",
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseFunctionCallArgumentsDelta",
    "ResponseFunctionCallArgumentsDone",
    "ResponseMcpCallArgumentsDelta",
    "ResponseMcpCallArgumentsDone",
    "ResponseMcpCallCompleted",
    "ResponseMcpCallFailed",
    "ResponseMcpCallInProgress",
    "ResponseOutputAudioDelta",
    "ResponseOutputAudioDone",
    "ResponseOutputAudioTranscriptDelta",
    "ResponseOutputAudioTranscriptDone",
    "ResponseOutputItemAdded",
    "ResponseOutputItemDone",
    "ResponseOutputTextDelta",
    "ResponseOutputTextDone",
]


class ResponseCreated(ServerEventBase, frozen=True, kw_only=True, tag="response.created"):
    """A response began, asked for or not; `response.metadata` tells whose it is."""

    response: Response


class ResponseDone(ServerEventBase, frozen=True, kw_only=True, tag="response.done"):
    """A response is over, whatever its status. Over for the server: most of its audio may still be unplayed."""

    response: Response


class ResponseOutputItemAdded(ServerEventBase, frozen=True, kw_only=True, tag="response.output_item.added"):
    """The response begins an item."""

    response_id: str
    item: Item
    output_index: int = 0


class ResponseOutputItemDone(ServerEventBase, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item of the response is final."""

    response_id: str
    item: Item
    output_index: int = 0


class _OfPart(ServerEventBase, frozen=True, kw_only=True):
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


class ResponseContentPartAdded(_OfPart, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A message begins a part: a `TextPart` or `AudioPart`, also in GA (recorded sessions)."""

    part: Part


class ResponseContentPartDone(_OfPart, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part is final."""

    part: Part


class ResponseOutputTextDelta(_OfPart, frozen=True, kw_only=True, gc=False, tag="response.output_text.delta"):
    """More text."""

    delta: str


class ResponseOutputTextDone(_OfPart, frozen=True, kw_only=True, gc=False, tag="response.output_text.done"):
    """The whole text."""

    text: str


class ResponseOutputAudioDelta(
    _OfPart, frozen=True, kw_only=True, gc=False, tag="response.output_audio.delta"
):
    """More audio: base64 of raw samples in the session's output format, of no fixed size.

    Use `codec.audio_bytes` and `codec.audio_length_bytes`.
    """

    delta: str


class ResponseOutputAudioDone(_OfPart, frozen=True, kw_only=True, gc=False, tag="response.output_audio.done"):
    """No more audio for this part. The response itself is not over before its `response.done`."""


class ResponseOutputAudioTranscriptDelta(
    _OfPart, frozen=True, kw_only=True, gc=False, tag="response.output_audio_transcript.delta"
):
    """More of the words of the audio; they run ahead of it."""

    delta: str


class ResponseOutputAudioTranscriptDone(
    _OfPart, frozen=True, kw_only=True, gc=False, tag="response.output_audio_transcript.done"
):
    """All words of the audio, also those that nobody will hear."""

    transcript: str


class _OfItem(ServerEventBase, frozen=True, kw_only=True):
    response_id: str
    item_id: str
    output_index: int = 0


class ResponseFunctionCallArgumentsDelta(
    _OfItem, frozen=True, kw_only=True, gc=False, tag="response.function_call_arguments.delta"
):
    """More of the arguments of a call."""

    delta: str
    call_id: str = ""


class ResponseFunctionCallArgumentsDone(
    _OfItem, frozen=True, kw_only=True, gc=False, tag="response.function_call_arguments.done"
):
    """The whole arguments: a JSON text, perhaps with blanks, perhaps empty, perhaps not valid.

    Args:
        name: empty from servers that do not send it; the item has it too.
    """

    arguments: str
    call_id: str = ""
    name: str = ""


class ResponseMcpCallArgumentsDelta(
    _OfItem, frozen=True, kw_only=True, gc=False, tag="response.mcp_call_arguments.delta"
):
    """More of the arguments of an MCP call."""

    delta: str


class ResponseMcpCallArgumentsDone(
    _OfItem, frozen=True, kw_only=True, gc=False, tag="response.mcp_call_arguments.done"
):
    """The whole arguments of an MCP call."""

    arguments: str


class ResponseMcpCallInProgress(
    ServerEventBase, frozen=True, kw_only=True, tag="response.mcp_call.in_progress"
):
    """The API is calling the MCP server."""

    item_id: str = ""
    output_index: int = 0


class ResponseMcpCallCompleted(ServerEventBase, frozen=True, kw_only=True, tag="response.mcp_call.completed"):
    """The MCP call succeeded."""

    item_id: str = ""
    output_index: int = 0


class ResponseMcpCallFailed(ServerEventBase, frozen=True, kw_only=True, tag="response.mcp_call.failed"):
    """The MCP call failed."""

    item_id: str = ""
    output_index: int = 0


KnownResponseEvent: TypeAlias = (
    ResponseCreated
    | ResponseDone
    | ResponseOutputItemAdded
    | ResponseOutputItemDone
    | ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioDelta
    | ResponseOutputAudioDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
    | ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone
    | ResponseMcpCallInProgress
    | ResponseMcpCallCompleted
    | ResponseMcpCallFailed
)
