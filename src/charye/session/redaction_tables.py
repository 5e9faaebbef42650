"""What is structure, and so shown, and what are words: the tables of `redaction`.

A list of what is shown, not of what is hidden: a field of text that is not named here is hidden, also one that is added
tomorrow. `tests/session/test_redaction.py` has the list a second time.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from charye.core.effects import AbandonTool, Reconnect, RunTool
from charye.core.requests import Outcome, Progress
from charye.protocol import (
    AudioPart,
    ConversationItemInputAudioTranscriptionCompleted,
    FunctionCallItem,
    FunctionTool,
    InputAudio,
    InputAudioBufferAppend,
    LogProb,
    McpApprovalRequestItem,
    McpCallItem,
    McpTool,
    NamedTool,
    OutputAudio,
    RateLimit,
    Response,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseParams,
    StatusDetails,
    Tracing,
    Transcription,
)

__all__ = ["Rule", "rule_of"]


class Rule(Enum):
    """What is done with a field."""

    SHOWN = "shown"
    HIDDEN = "hidden"  # texts and objects; numbers are not, and what has fields of its own goes by those
    FREE = "free"  # hidden, numbers too
    TOKEN = "token"  # hidden, but for our token
    AUDIO = "audio"
    LEFT_OUT = "left out"


# Names that mean the same wherever they stand.
_SHOWN = frozenset(
    {
        # ids
        "approval_request_id",
        "call_id",
        "conversation_id",
        "event_id",
        "id",
        "item_id",
        "previous_item_id",
        "request_id",
        "response_id",
        "response_ids",
        # words of the API
        "code",
        "conversation",
        "delay",
        "detail",
        "eagerness",
        "effort",
        "include",
        "max_output_tokens",
        "model",
        "object",
        "output_modalities",
        "param",
        "phase",
        "role",
        "status",
        "tool_choice",
        "truncation",
        "type",
        "version",
        "voice",
        # words of the core
        "about",
        "coalesce_key",
        "hold",
        "trigger",
        "what",
    }
)

# Names that mean words elsewhere.
_SHOWN_OF: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        **{
            kind: frozenset({"name"})
            for kind in (
                FunctionCallItem,
                FunctionTool,
                McpApprovalRequestItem,
                McpCallItem,
                NamedTool,
                RateLimit,
                ResponseFunctionCallArgumentsDone,
                RunTool,
            )
        },
        **{
            kind: frozenset({"reason"}) for kind in (AbandonTool, Outcome, Progress, Reconnect, StatusDetails)
        },
        Transcription: frozenset({"language", "languages"}),
    }
)

_OTHERWISE: Mapping[tuple[type, str], Rule] = MappingProxyType(
    {
        (AudioPart, "audio"): Rule.AUDIO,
        (InputAudio, "audio"): Rule.AUDIO,
        (InputAudioBufferAppend, "audio"): Rule.AUDIO,
        (OutputAudio, "audio"): Rule.AUDIO,
        (ResponseOutputAudioDelta, "delta"): Rule.AUDIO,
        # The token of a create comes back in the metadata, and decides whose a response is.
        (Response, "metadata"): Rule.TOKEN,
        (ResponseParams, "metadata"): Rule.TOKEN,
        # Any JSON may stand here, and its numbers may tell as much as its texts.
        (ConversationItemInputAudioTranscriptionCompleted, "languages"): Rule.FREE,
        (McpCallItem, "error"): Rule.FREE,
        (McpTool, "allowed_tools"): Rule.FREE,
        (McpTool, "require_approval"): Rule.FREE,
        (Tracing, "metadata"): Rule.FREE,
        (LogProb, "bytes"): Rule.LEFT_OUT,  # numbers that spell the token
    }
)


def rule_of(kind: type, name: str) -> Rule:
    """What is done with this field of this class."""
    otherwise = _OTHERWISE.get((kind, name))
    if otherwise is not None:
        return otherwise
    return Rule.SHOWN if name in _SHOWN or name in _SHOWN_OF.get(kind, ()) else Rule.HIDDEN
