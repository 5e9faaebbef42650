"""What a conversation is made of: items, and the parts of their content.

Whatever the server may add later becomes an `UnknownItem` or `UnknownPart`, never a lost event.
Source: API reference, "conversation items" and "content parts".
"""

from typing import TypeAlias

from charye.protocol.wire import UNKNOWN_TAG, Json, Tagged, Unknown

__all__ = [
    "AudioPart",
    "FunctionCallItem",
    "FunctionCallOutputItem",
    "InputAudio",
    "InputImage",
    "InputText",
    "Item",
    "ItemReference",
    "McpApprovalRequestItem",
    "McpApprovalResponseItem",
    "McpCallItem",
    "McpListToolsItem",
    "MessageItem",
    "OutputAudio",
    "OutputText",
    "Part",
    "TextPart",
    "UnknownItem",
    "UnknownPart",
]


class InputText(Tagged, frozen=True, tag="input_text"):
    """Text from the user or the system."""

    text: str


class InputAudio(Tagged, frozen=True, omit_defaults=True, tag="input_audio"):
    """What the user said.

    Args:
        audio: base64; sent by clients, and by the server only in `conversation.item.retrieved`.
        transcript: stays None in `conversation.item.added` and `done`; the text comes with the events of
            `conversation.item.input_audio_transcription`, perhaps after the whole reply (recorded sessions).
    """

    audio: str | None = None
    transcript: str | None = None


class InputImage(Tagged, frozen=True, omit_defaults=True, tag="input_image"):
    """A picture from the user; `image_url` is a data URI of a PNG or JPEG."""

    image_url: str
    detail: str | None = None


class OutputText(Tagged, frozen=True, tag="output_text"):
    """Text of the assistant. To replay an assistant's turn use this one, not `OutputAudio`."""

    text: str


class OutputAudio(Tagged, frozen=True, omit_defaults=True, tag="output_audio"):
    """Speech of the assistant: echoed with the transcript only, never with the audio."""

    transcript: str | None = None
    audio: str | None = None


class TextPart(Tagged, frozen=True, tag="text"):
    """Text, as `response.content_part.added` and `done` call it, and as the preview calls it everywhere."""

    text: str


class AudioPart(Tagged, frozen=True, omit_defaults=True, tag="audio"):
    """Speech, as `response.content_part.added` and `done` call it, and as the preview calls it everywhere."""

    transcript: str | None = None
    audio: str | None = None


class UnknownPart(Unknown, frozen=True, tag=UNKNOWN_TAG):
    """A content part of a type that we do not know; kept and written again as it came."""


Part: TypeAlias = (
    InputText | InputAudio | InputImage | OutputText | OutputAudio | TextPart | AudioPart | UnknownPart
)


class MessageItem(Tagged, frozen=True, omit_defaults=True, tag="message"):
    """Something said or written.

    Args:
        role: `system`, `user` or `assistant`.
        id: chosen by the client if it likes (see `limits.ITEM_ID_MAX_CHARS`), else by the server.
        status: `in_progress`, `completed` or `incomplete`; ignored when a client sends it.
        phase: `commentary` or `final_answer`, on models that reason.
    """

    role: str
    content: tuple[Part, ...]
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    object: str | None = None


class FunctionCallItem(Tagged, frozen=True, omit_defaults=True, tag="function_call"):
    """The model asks for a function.

    Args:
        arguments: a JSON text as the model wrote it: perhaps empty, perhaps not valid.
        call_id: what `FunctionCallOutputItem` answers to; empty if it was not given.
    """

    name: str
    arguments: str
    call_id: str = ""
    id: str | None = None
    status: str | None = None
    object: str | None = None


class FunctionCallOutputItem(Tagged, frozen=True, omit_defaults=True, tag="function_call_output"):
    """The answer to a `FunctionCallItem`. The server echoes it without `status`."""

    call_id: str
    output: str
    id: str | None = None
    status: str | None = None
    object: str | None = None


class McpListToolsItem(Tagged, frozen=True, omit_defaults=True, tag="mcp_list_tools"):
    """The tools that an MCP server offers, each as it was described."""

    server_label: str
    tools: tuple[dict[str, Json], ...]
    id: str | None = None


class McpCallItem(Tagged, frozen=True, omit_defaults=True, tag="mcp_call"):
    """A tool call that the API makes by itself; `error` is an object of an open set of types."""

    server_label: str
    name: str
    arguments: str
    output: str | None = None
    error: Json = None
    approval_request_id: str | None = None
    id: str | None = None


class McpApprovalRequestItem(Tagged, frozen=True, omit_defaults=True, tag="mcp_approval_request"):
    """The API asks whether it may make this call; the response ends with it."""

    server_label: str
    name: str
    arguments: str
    id: str | None = None


class McpApprovalResponseItem(Tagged, frozen=True, omit_defaults=True, tag="mcp_approval_response"):
    """The client's answer to a `McpApprovalRequestItem`."""

    approval_request_id: str
    approve: bool
    reason: str | None = None
    id: str | None = None


class ItemReference(Tagged, frozen=True, tag="item_reference"):
    """Names an item of the conversation; only inside `response.create`, as part of its `input`."""

    id: str


class UnknownItem(Unknown, frozen=True, tag=UNKNOWN_TAG):
    """An item of a type that we do not know, or without what its type promises; kept as it came."""


Item: TypeAlias = (
    MessageItem
    | FunctionCallItem
    | FunctionCallOutputItem
    | McpListToolsItem
    | McpCallItem
    | McpApprovalRequestItem
    | McpApprovalResponseItem
    | ItemReference
    | UnknownItem
)
