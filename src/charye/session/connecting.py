"""`charye.connect`: from a program's plain words to a session."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import UNSET

from charye.audio.sound import Capture, Loudspeaker
from charye.core.playout import Reporting
from charye.errors import ConfigurationError
from charye.protocol import (
    AudioConfig,
    AudioFormat,
    AudioInputConfig,
    AudioOutputConfig,
    SessionConfig,
    Transcription,
    TurnDetection,
)
from charye.session.configuration import merged
from charye.session.engine import Plan
from charye.session.session import Session
from charye.session.settings import SessionSettings
from charye.session.tool_runner import ToolRunner
from charye.transports.base import Endpoint

__all__ = ["connect"]

_TURNS: dict[str, TurnDetection | None] = {
    "server_vad": TurnDetection(type="server_vad"),
    "semantic_vad": TurnDetection(type="semantic_vad"),
    "push_to_talk": None,
}

_PLAYOUT = {"clock": Reporting.CLOCK, "device": Reporting.DEVICE, "server": Reporting.SERVER}


def connect(
    endpoint: Endpoint | None = None,
    *,
    instructions: str | None = None,
    voice: str | None = None,
    tools: Iterable[Callable[..., Any]] = (),
    turns: str | TurnDetection | None = None,
    transcribe: str | Transcription | None = None,
    config: SessionConfig | None = None,
    microphone: Capture | None = None,
    loudspeaker: Loudspeaker | None = None,
    playout: str | None = None,
    settings: SessionSettings | None = None,
) -> Session:
    """A session with a Realtime server. It is opened, and closed, by `async with`.

    Args:
        endpoint: `OpenAI(...)`, `Azure(...)`, `Compatible(...)`, `Embedded(...)`, ... None: what the environment or
            `charye.toml` says.
        instructions, voice: as in the API.
        tools: functions that the model may call; more with `Session.tool`.
        turns: who decides that the user has finished: `server_vad`, `semantic_vad`, `push_to_talk`, or a
            `TurnDetection`. None: as the server does by default.
        transcribe: have the user's words written down, by this model.
        config: everything else that the API knows; the arguments above come on top of it.
        microphone, loudspeaker: of this machine, see `charye.audio.devices`; or send and play by yourself.
        playout: who knows what was heard. `device`: the loudspeaker, or you, by `Session.played`. `server`: it plays
            (WebRTC, SIP). `clock`: nobody, so it is reckoned. By default `device` with a loudspeaker, else `clock`.
        settings: everything else.
    Raises:
        ConfigurationError: something is missing, or contradicts itself.
    """
    if endpoint is None:
        from charye.transports.settings import endpoint as from_environment

        endpoint = from_environment()
    settings = settings or SessionSettings()
    wish = config or SessionConfig()
    heard = AudioInputConfig(
        turn_detection=_detection(turns),
        transcription=Transcription(model=transcribe) if isinstance(transcribe, str) else transcribe or UNSET,
    )
    spoken = AudioOutputConfig(voice=UNSET if voice is None else voice)
    given = SessionConfig(
        instructions=UNSET if instructions is None else instructions,
        audio=AudioConfig(
            input=UNSET if heard == AudioInputConfig() else heard,
            output=UNSET if spoken == AudioOutputConfig() else spoken,
        ),
    )
    if given.audio == AudioConfig():
        given = SessionConfig(instructions=given.instructions)
    runner = ToolRunner(
        max_running=settings.tools.max_running, result_max_bytes=settings.tools.result_max_bytes
    )
    for tool in tools:
        runner.add(tool)
    wish = merged(wish, given)
    if microphone is not None:
        _check_format(wish.audio, "input", "microphone")
    if loudspeaker is not None:
        _check_format(wish.audio, "output", "loudspeaker")
    plan = Plan(
        endpoint=endpoint,
        wish=wish,
        settings=settings,
        reporting=_reporting(playout, loudspeaker),
        loudspeaker=loudspeaker,
        microphone=microphone,
    )
    return Session(plan, runner)


def _detection(turns: str | TurnDetection | None) -> Any:
    if turns is None:
        return UNSET
    if isinstance(turns, TurnDetection):
        return turns
    try:
        return _TURNS[turns]
    except KeyError:
        raise ConfigurationError(
            f"turns is one of {', '.join(_TURNS)}, or a TurnDetection", option="turns"
        ) from None


def _check_format(audio: object, side: str, device: str) -> None:
    form = getattr(getattr(audio, side, None), "format", None)
    if isinstance(form, AudioFormat) and form != AudioFormat(type="audio/pcm", rate=24_000):
        raise ConfigurationError(
            f"a {device} of this machine needs audio/pcm at 24 kHz", option=f"audio.{side}.format"
        )


def _reporting(playout: str | None, loudspeaker: Loudspeaker | None) -> Reporting:
    if playout is None:
        return Reporting.CLOCK if loudspeaker is None else Reporting.DEVICE
    try:
        return _PLAYOUT[playout]
    except KeyError:
        raise ConfigurationError(f"playout is one of {', '.join(_PLAYOUT)}", option="playout") from None
