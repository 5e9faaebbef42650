"""What a session has to be for an interview: who speaks, how the learner is heard, and when they have finished."""

from dataclasses import dataclass, field
from enum import StrEnum

from charye.interview import prompts
from charye.interview.closing import ClosingSettings
from charye.interview.listening import Patience
from charye.protocol import AudioConfig, AudioInputConfig, SessionConfig, Transcription, TurnDetection

__all__ = ["ConductorSettings", "Hands", "Manner", "configuration"]

# Recognisers smooth over what an assessor has to see, unless they are asked not to.
_VERBATIM_HANGUL = "한국어 학습자의 말을 고치지 말고 들리는 대로 적으세요. 어, 음, 그 같은 말도 적으세요."


class Manner(StrEnum):
    """Who speaks for the interviewer."""

    VERBATIM = "verbatim"
    """We do, word for word. Needs no model that thinks; runs with our own server, offline."""
    MODEL = "model"
    """The model of the session, guided."""


class Hands(StrEnum):
    """Who says that the learner has finished."""

    OPEN = "open"
    """An open microphone: the server's ears, after a patient silence."""
    PUSH_TO_TALK = "push_to_talk"
    """The learner's hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductorSettings:
    """How an interview is conducted. Seconds, unless the name says otherwise.

    Args:
        transcription: of the learner's speech: model, language, and a prompt that asks for what was really said.
        patience: of the listener.
        closing: of the end.
        reading_s: for the assessor's reading of one answer, before the interviewer goes on without it.
        pause_s: of a pause, after which the interview is suspended.
        unheard_ms: a move that was cut off before so much of it was heard was not heard: who speaks then goes on with
            their last answer.
        noise_ms: a sound without words, no longer than this, is nobody's turn.
        listen_again_s: after a move that was cut off by nobody, before it is said again.
    """

    transcription: Transcription = field(
        default_factory=lambda: Transcription(
            model="gpt-4o-transcribe", language="ko", prompt=_VERBATIM_HANGUL
        )
    )
    patience: Patience = field(default_factory=Patience)
    closing: ClosingSettings = field(default_factory=ClosingSettings)
    reading_s: float = 0.25
    pause_s: float = 1800.0
    unheard_ms: float = 700.0
    noise_ms: float = 400.0
    listen_again_s: float = 1.0


def configuration(manner: Manner, hands: Hands, settings: ConductorSettings) -> SessionConfig:
    """The session's configuration. The server answers no turn by itself: the conductor asks, once it knows what."""
    detection = None
    if hands is Hands.OPEN:
        detection = TurnDetection(
            type="server_vad",
            silence_duration_ms=round(settings.patience.end_of_turn_s * 1000),
            create_response=False,
            interrupt_response=True,
        )
    heard = AudioInputConfig(transcription=settings.transcription, turn_detection=detection)
    config = SessionConfig(audio=AudioConfig(input=heard))
    if manner is Manner.MODEL:
        # The tools are put into the session by `Session.tool`.
        return SessionConfig(instructions=prompts.instructions(), audio=config.audio)
    return config
