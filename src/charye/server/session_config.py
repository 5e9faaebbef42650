"""The session in force: its defaults, and how an update changes it as a whole or not at all.

It is kept as the JSON object it is on the wire, because only that tells "absent" from "null", and is read through
`Session`. Source: API reference, "session object" and `session.update`; defaults: recorded sessions.
"""

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import convert

from charye.protocol import (
    AZURE,
    AZURE_PREVIEW,
    AudioConfig,
    AudioInputConfig,
    AudioOutputConfig,
    CustomVoice,
    Session,
    Shape,
    Transcription,
    TurnDetection,
)
from charye.protocol.salvage import wrap_unknown
from charye.protocol.wire import Json
from charye.server import refusals
from charye.server.settings import DEFAULT_INSTRUCTIONS, ServerSettings

__all__ = ["Configuration", "check_modalities", "check_tools", "voice_name"]

JsonObject = dict[str, Json]

# Objects that are merged field by field. Every other value replaces the one that was there.
_MERGED = frozenset({"session", "session.audio", "session.audio.input", "session.audio.output"})
# Where null is a word of its own. Elsewhere it says as much as leaving the field out.
_CLEARED_BY_NULL = frozenset(
    {
        "session.include",
        "session.prompt",
        "session.tracing",
        "session.audio.input.noise_reduction",
        "session.audio.input.transcription",
        "session.audio.input.turn_detection",
    }
)
_READ_ONLY = frozenset({"id", "object", "expires_at", "model"})
# Here the URL names a deployment, which may have any name. LiveKit's `with_azure` sends the name of a model in each
# update all the same, and Microsoft's examples did; so it is accepted, and changes nothing.
_DEPLOYS = frozenset({AZURE.name, AZURE_PREVIEW.name})

_PCM: JsonObject = {"type": "audio/pcm", "rate": 24_000}
_OF_TYPE: Mapping[str, JsonObject] = MappingProxyType(
    {
        "server_vad": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
            "idle_timeout_ms": None,
            "create_response": True,
            "interrupt_response": True,
        },
        "semantic_vad": {
            "type": "semantic_vad",
            "eagerness": "auto",
            "create_response": True,
            "interrupt_response": True,
        },
    }
)
# Recorded: `gpt-realtime` answers with 200 where the specification says 500, later models with 500.
_SILENCE_MS = {"gpt-realtime": 200}
_VOICE = {"gpt-realtime-2.1-mini": "marin"}


class Configuration:
    """One session's settings.

    Args:
        settings: the model, and what is merged into the defaults before the session begins.
    Raises:
        Refused: `settings.session` is not what a `session.update` may hold.
    """

    __slots__ = ("_deployed", "_model", "_preview", "_raw", "session")

    def __init__(self, settings: ServerSettings, *, session_id: str, expires_at: int) -> None:
        kind = settings.session.get("type", "realtime")
        self._model = settings.model
        self._deployed = settings.dialect.name in _DEPLOYS
        self._preview = settings.dialect.shape is Shape.PREVIEW
        self._raw = self._defaults(transcription=kind == "transcription")
        self._raw |= {"id": session_id, "expires_at": expires_at}
        self.session: Session = self._read(self._raw)
        if settings.session:
            patch = {name: value for name, value in settings.session.items() if name != "model"}
            self.update({**patch, "type": kind}, spoken=False)

    @property
    def transcribes_only(self) -> bool:
        """A session of type `transcription`: it never responds."""
        return self.session.type == "transcription"

    @property
    def detection(self) -> TurnDetection | None:
        """The turn detection in force, complete; None is push-to-talk."""
        found = self.session.turn_detection
        return found if isinstance(found, TurnDetection) else None

    @property
    def transcription(self) -> Transcription | None:
        """Whether and how what the user says is written down."""
        found = self._input().transcription
        return found if isinstance(found, Transcription) else None

    @property
    def input_format(self) -> str:
        """`audio/pcm`, `audio/pcmu` or `audio/pcma`."""
        found = self._input().format
        return getattr(found, "type", "audio/pcm")

    @property
    def output(self) -> AudioOutputConfig:
        """How the assistant sounds; empty in a transcription session."""
        audio = self.session.audio
        found = audio.output if isinstance(audio, AudioConfig) else None
        return found if isinstance(found, AudioOutputConfig) else AudioOutputConfig()

    def update(self, patch: Mapping[str, Json], *, spoken: bool) -> None:
        """Apply an update that passed the checks of `shapes`, in the GA shape; all of it or, when it raises, nothing.

        Args:
            spoken: the assistant has produced audio, so the voice is fixed.
        Raises:
            Refused: it contradicts the session or itself.
        """
        asked_type = patch.get("type", self.session.type)
        if asked_type != self.session.type:
            raise refusals.unsupported_value("session.type", str(asked_type), (self.session.type,))
        asked_model = patch.get("model")
        if asked_model is not None and asked_model != self._model and not self._deployed:
            raise refusals.unsupported_value("session.model", str(asked_model), (self._model,))
        check_modalities(patch.get("output_modalities"), "session.output_modalities")
        check_tools(patch.get("tools"), "session.tools")
        wanted = {name: value for name, value in patch.items() if name not in _READ_ONLY}
        merged = self._merge(self._raw, wanted, "session")
        before, after = self._raw.get("tracing"), merged.get("tracing")
        if before is not None and after is not None and before != after:
            raise refusals.Refused(
                "invalid_value",
                "The tracing configuration cannot be changed once it is set.",
                "session.tracing",
            )
        session = self._read(merged)
        if spoken and _voice(session) != _voice(self.session):
            raise refusals.voice_fixed("session.voice" if self._preview else "session.audio.output.voice")
        self._raw, self.session = merged, session

    def _defaults(self, *, transcription: bool) -> JsonObject:
        heard: JsonObject = {
            "format": dict(_PCM),
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": _turn_detection({}, self._model),
        }
        if transcription:
            return {
                "type": "transcription",
                "object": "realtime.transcription_session",
                "audio": {"input": heard},
                "include": None,
            }
        spoken: JsonObject = {"format": dict(_PCM), "voice": _VOICE.get(self._model, "alloy"), "speed": 1.0}
        return {
            "type": "realtime",
            "object": "realtime.session",
            "model": self._model,
            "output_modalities": ["audio"],
            "instructions": DEFAULT_INSTRUCTIONS,
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "audio": {"input": heard, "output": spoken},
            "include": None,
        }

    def _merge(self, old: JsonObject, patch: Mapping[str, Json], path: str) -> JsonObject:
        merged = dict(old)
        for name, value in patch.items():
            at = f"{path}.{name}"
            if value is None:
                if at in _CLEARED_BY_NULL:
                    merged[name] = None
            elif at in _MERGED and isinstance(value, dict):
                inner = old.get(name)
                merged[name] = self._merge(inner if isinstance(inner, dict) else {}, value, at)
            else:
                fill = _FILLS.get(at)
                merged[name] = (
                    fill(value, self._model) if fill and isinstance(value, dict) else copy.deepcopy(value)
                )
        return merged

    def _read(self, raw: JsonObject) -> Session:
        if self._preview:
            raw = _without_idle_timeout(raw)
        wrapped = wrap_unknown({"session": raw})["session"]
        session: Session = convert(wrapped, Session)
        return session

    def _input(self) -> AudioInputConfig:
        audio = self.session.audio
        found = audio.input if isinstance(audio, AudioConfig) else None
        return found if isinstance(found, AudioInputConfig) else AudioInputConfig()


def _without_idle_timeout(raw: JsonObject) -> JsonObject:
    """The preview does not know it, and has no event for it."""
    raw = copy.deepcopy(raw)
    audio = raw.get("audio")
    heard = audio.get("input") if isinstance(audio, dict) else None
    detection = heard.get("turn_detection") if isinstance(heard, dict) else None
    if isinstance(detection, dict):
        detection.pop("idle_timeout_ms", None)
    return raw


def _turn_detection(given: JsonObject, model: str) -> JsonObject:
    # Recorded: an object with only `type` comes back with all its other fields at their defaults.
    kind = str(given.get("type") or "server_vad")
    filled = dict(_OF_TYPE[kind])
    if "silence_duration_ms" in filled:
        filled["silence_duration_ms"] = _SILENCE_MS.get(model, 500)
    return filled | {name: value for name, value in given.items() if value is not None}


def _transcription(given: JsonObject, model: str) -> JsonObject:
    return {"model": None, "language": None, "prompt": None} | given


def _format(given: JsonObject, model: str) -> JsonObject:
    return dict(_PCM) if given.get("type") == "audio/pcm" else {"type": given.get("type")}


_FILLS: Mapping[str, Callable[[JsonObject, str], JsonObject]] = MappingProxyType(
    {
        "session.audio.input.turn_detection": _turn_detection,
        "session.audio.input.transcription": _transcription,
        "session.audio.input.format": _format,
        "session.audio.output.format": _format,
    }
)
"""Objects that are replaced, and completed with what was left out. Given: the object and the model."""


def check_modalities(value: Json, path: str) -> None:
    """Exactly one of audio and text. Source: API reference: never both in GA.

    Raises:
        Refused: none, or both.
    """
    if value is not None and value not in (["audio"], ["text"]):
        shown = ", ".join(f"'{one}'" for one in value) if isinstance(value, list) else str(value)
        raise refusals.Refused(
            "invalid_value",
            f"Invalid modalities: [{shown}]. Supported combinations are: ['text'] and ['audio'].",
            path,
        )


def check_tools(tools: Json, path: str) -> None:
    """The parameters of every function are the schema of an object.

    Raises:
        Refused: one is not.
    """
    for index, tool in enumerate(tools if isinstance(tools, list) else []):
        parameters = tool.get("parameters") if isinstance(tool, dict) else None
        if parameters is None:
            continue
        kind = parameters.get("type", "object") if isinstance(parameters, dict) else None
        if kind != "object":
            got = f"'type: \"{kind}\"'" if isinstance(kind, str) else "something else"
            name = str(tool.get("name", ""))
            raise refusals.function_parameters(f"{path}[{index}].parameters", name, got)


def voice_name(voice: Json) -> str:
    """The voice as one word."""
    return voice.id if isinstance(voice, CustomVoice) else str(voice or "")


def _voice(session: Session) -> Json:
    output = session.audio.output if isinstance(session.audio, AudioConfig) else None
    return output.voice if isinstance(output, AudioOutputConfig) else None
