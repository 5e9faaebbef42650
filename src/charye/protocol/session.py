"""The session: what a client asks for, and what the server says is in force.

Clients send a `SessionConfig`; whatever is `UNSET` in it stays as it is. The server answers with the whole
effective `Session`. Every field may be absent: servers leave out what they do not implement.

Fields that are not here are not lost, but they are not in these structs either: who needs them keeps the bytes
of the event, and `codec.re_encode` changes single fields of those and leaves the rest as it came.
Source: API reference, "session object".
"""

from typing import TypeAlias

from msgspec import Struct

from charye.protocol.wire import UNKNOWN_TAG, UNSET, Json, Maybe, Tagged, Unknown

__all__ = [
    "AudioConfig",
    "AudioFormat",
    "AudioInputConfig",
    "AudioOutputConfig",
    "CustomVoice",
    "FunctionTool",
    "McpTool",
    "NamedTool",
    "NoiseReduction",
    "Prompt",
    "Reasoning",
    "Session",
    "SessionConfig",
    "Tool",
    "Tracing",
    "Transcription",
    "Truncation",
    "TurnDetection",
    "UnknownTool",
]


class AudioFormat(Struct, frozen=True):
    """`audio/pcm` (with `rate`, samples per second), `audio/pcmu` or `audio/pcma`."""

    type: str
    rate: Maybe[int] = UNSET

    @property
    def bytes_per_ms(self) -> float:
        """PCM has 2 bytes a sample, 24,000 samples a second unless told otherwise; G.711 one byte, always 8,000."""
        if self.type in ("audio/pcmu", "audio/pcma"):
            return 8.0
        return (self.rate if isinstance(self.rate, int) else 24_000) * 2 / 1000


class Transcription(Struct, frozen=True):
    """What the user says is also written down, by a model of its own. On Azure `model` names a deployment."""

    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET
    prompt: Maybe[str] = UNSET
    delay: Maybe[str] = UNSET
    keywords: Maybe[tuple[str, ...]] = UNSET
    languages: Maybe[tuple[str, ...]] = UNSET


class NoiseReduction(Struct, frozen=True):
    """`near_field` or `far_field`; applied before voice detection and the model."""

    type: Maybe[str] = UNSET
    strength: Maybe[float] = UNSET


class TurnDetection(Struct, frozen=True):
    """Who decides that the user has finished: `server_vad`, `semantic_vad`, or a type yet to come.

    One struct for all types, so that a new type is data and not an error.

    Args:
        type: decides which of the other fields count.
        threshold: 0 to 1; server_vad.
        prefix_padding_ms: server_vad.
        silence_duration_ms: server_vad. The default differs from model to model: say it.
        idle_timeout_ms: server_vad; see `limits`.
        eagerness: `auto`, `low`, `medium`, `high`; semantic_vad.
        create_response: the server answers by itself when the user has finished. Absent means yes.
        interrupt_response: speech cancels the running response. Absent means yes.
    """

    type: str = "server_vad"
    threshold: Maybe[float] = UNSET
    prefix_padding_ms: Maybe[int] = UNSET
    silence_duration_ms: Maybe[int] = UNSET
    idle_timeout_ms: Maybe[int] = UNSET
    eagerness: Maybe[str] = UNSET
    create_response: Maybe[bool] = UNSET
    interrupt_response: Maybe[bool] = UNSET

    @property
    def replies(self) -> bool:
        """Whether the server answers by itself, the default counted in."""
        return self.create_response is not False

    @property
    def interrupts(self) -> bool:
        """Whether speech cancels the running response, the default counted in."""
        return self.interrupt_response is not False


class CustomVoice(Struct, frozen=True):
    """A voice of one's own, by its id."""

    id: str


class AudioInputConfig(Struct, frozen=True):
    """How the user is listened to. `turn_detection=None` is push-to-talk."""

    format: Maybe[AudioFormat] = UNSET
    transcription: Maybe[Transcription] = UNSET
    noise_reduction: Maybe[NoiseReduction] = UNSET
    turn_detection: Maybe[TurnDetection] = UNSET


class AudioOutputConfig(Struct, frozen=True):
    """How the assistant speaks. The voice cannot change once the session has produced audio."""

    format: Maybe[AudioFormat] = UNSET
    voice: Maybe[str | CustomVoice] = UNSET
    speed: Maybe[float] = UNSET


class AudioConfig(Struct, frozen=True):
    """The audio of a session (both) or of one response (`output` only)."""

    input: Maybe[AudioInputConfig] = UNSET
    output: Maybe[AudioOutputConfig] = UNSET


class FunctionTool(Tagged, frozen=True, omit_defaults=True, tag="function"):
    """A function that the model may call; `parameters` is its JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Json] | None = None


class McpTool(Tagged, frozen=True, omit_defaults=True, tag="mcp"):
    """An MCP server that the API itself calls.

    Args:
        allowed_tools: names, or a filter object.
        require_approval: `always`, `never`, or a filter object.
    """

    server_label: str
    server_url: str | None = None
    connector_id: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: Json = None
    require_approval: Json = None
    server_description: str | None = None
    allowed_callers: tuple[str, ...] | None = None
    defer_loading: bool | None = None
    tunnel_id: str | None = None


class UnknownTool(Unknown, frozen=True, tag=UNKNOWN_TAG):
    """A tool of a type that we do not know; kept and written again as it came."""


Tool: TypeAlias = FunctionTool | McpTool | UnknownTool


class NamedTool(Struct, frozen=True, omit_defaults=True):
    """A `tool_choice` that names one tool: of type `function` by `name`, or `mcp` by `server_label`."""

    type: str
    name: str | None = None
    server_label: str | None = None


class Tracing(Struct, frozen=True, omit_defaults=True):
    """Where the provider files this session; cannot be changed once it is set."""

    workflow_name: str | None = None
    group_id: str | None = None
    metadata: Json = None


class Truncation(Struct, frozen=True, omit_defaults=True):
    """How a context that became too long is trimmed. Not to be mixed up with `conversation.item.truncate`."""

    type: str
    retention_ratio: float | None = None
    token_limits: dict[str, Json] | None = None


class Prompt(Struct, frozen=True, omit_defaults=True):
    """A prompt stored with the provider."""

    id: str
    version: str | None = None
    variables: dict[str, Json] | None = None


class Reasoning(Struct, frozen=True):
    """How hard a reasoning model thinks: `minimal`, `low`, `medium`, `high`, `xhigh`."""

    effort: Maybe[str] = UNSET


class SessionConfig(Struct, frozen=True, kw_only=True):
    """What a client asks for in `session.update`: absent stays, `None` clears where null has a meaning.

    Args:
        type: `realtime` or `transcription`; required by the server in every update, so it is always written.
        output_modalities: `("audio",)` or `("text",)`, never both; audio implies a transcript.
        max_output_tokens: 1 to 4096, or `inf`; counts the tokens of tool calls too.
        tool_choice: `auto`, `none`, `required`, or one tool.
    """

    type: str = "realtime"
    model: Maybe[str] = UNSET
    output_modalities: Maybe[tuple[str, ...]] = UNSET
    instructions: Maybe[str] = UNSET
    tools: Maybe[tuple[Tool, ...]] = UNSET
    tool_choice: Maybe[str | NamedTool] = UNSET
    parallel_tool_calls: Maybe[bool] = UNSET
    reasoning: Maybe[Reasoning] = UNSET
    max_output_tokens: Maybe[int | str] = UNSET
    tracing: Maybe[str | Tracing] = UNSET
    truncation: Maybe[str | Truncation] = UNSET
    prompt: Maybe[Prompt] = UNSET
    audio: Maybe[AudioConfig] = UNSET
    include: Maybe[tuple[str, ...]] = UNSET

    @property
    def turn_detection(self) -> Maybe[TurnDetection]:
        """`audio.input.turn_detection`: None is push-to-talk, `UNSET` is not said."""
        heard = self.audio.input if isinstance(self.audio, AudioConfig) else UNSET
        return heard.turn_detection if isinstance(heard, AudioInputConfig) else UNSET


class Session(SessionConfig, frozen=True, kw_only=True):
    """The session in force, as the server says it.

    Args:
        expires_at: Unix time in seconds, fixed at creation; 0 in a client secret that no session uses yet.
    """

    id: Maybe[str] = UNSET
    object: Maybe[str] = UNSET
    expires_at: Maybe[int] = UNSET
