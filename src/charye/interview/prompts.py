"""What a model that speaks for itself is told: instructions, and the two tools. The words: `data/prompts.toml`."""

from functools import cache
from importlib import resources

from msgspec import Struct, convert

from charye.interview import toml_lines
from charye.interview.moves import Reason

__all__ = [
    "ASSESSMENT_TOOL",
    "GUIDANCE_TOOL",
    "already",
    "instructions",
    "reminder",
    "too_early",
    "tools",
]

GUIDANCE_TOOL = "interview_guidance"
ASSESSMENT_TOOL = "trigger_assessment"

SHORT_WORDS = 8
LONG_WORDS = 20


class _Prompts(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    instructions: str
    guidance_tool: str
    assessment_tool: str
    reminder: str
    too_early: str
    already: str


@cache
def _prompts() -> _Prompts:
    text = resources.files("charye.interview").joinpath("data", "prompts.toml").read_text(encoding="utf-8")
    return convert(toml_lines.parse(text, name="prompts.toml").data, _Prompts)


def instructions() -> str:
    """The instructions of the session."""
    return _prompts().instructions.format(short=SHORT_WORDS, long=LONG_WORDS).strip()


def tools() -> list[dict[str, object]]:
    """The two function tools, as the API wants them in `session.tools`."""
    nothing = {"type": "object", "properties": {}, "additionalProperties": False}
    why = {"type": "string", "enum": [reason.value for reason in Reason]}
    reasoned = {
        "type": "object",
        "properties": {"reason": why},
        "required": ["reason"],
        "additionalProperties": False,
    }
    return [
        _function(GUIDANCE_TOOL, _prompts().guidance_tool, nothing),
        _function(ASSESSMENT_TOOL, _prompts().assessment_tool, reasoned),
    ]


def reminder(say: str) -> str:
    """Instructions of one response for a model that did not ask for guidance."""
    return _prompts().reminder.format(say=say).strip()


def too_early(say: str) -> str:
    """What a call of `trigger_assessment` that comes too early is answered with."""
    return _prompts().too_early.format(say=say).strip()


def already() -> str:
    """What a second call of `trigger_assessment` is answered with."""
    return _prompts().already.strip()


def _function(name: str, description: str, parameters: dict[str, object]) -> dict[str, object]:
    return {
        "type": "function",
        "name": name,
        "description": " ".join(description.split()),
        "parameters": parameters,
    }
