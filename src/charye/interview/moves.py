"""What the interviewer does next. Data: `say` is every word to be spoken, in Korean.

Ask  FollowUp  Repeat  Rephrase  Slower        a question
Encourage  InviteKorean  Redirect  AskAgain    something about the question that stands
MoveOn  WindDown                               another question, and why
CheckMicrophone  ConfirmStop  Pause  Resume    something about the conversation
Listen                                         nothing; go on listening
Close                                          the end
"""

from enum import StrEnum

from msgspec import Struct

__all__ = [
    "Ask",
    "AskAgain",
    "CheckMicrophone",
    "Close",
    "ConfirmStop",
    "Encourage",
    "FollowUp",
    "InviteKorean",
    "Listen",
    "Move",
    "MoveOn",
    "Pause",
    "Reason",
    "Redirect",
    "Repeat",
    "Rephrase",
    "Resume",
    "Slower",
    "WindDown",
    "Wording",
]


class Reason(StrEnum):
    """Why an interview ended; also the `reason` of the tool `trigger_assessment`."""

    CEILING_FOUND = "ceiling_found"
    TOP_REACHED = "top_reached"
    TURN_LIMIT = "turn_limit"
    TIME_LIMIT = "time_limit"
    LEARNER_STOP = "learner_stop"
    INSUFFICIENT_SPEECH = "insufficient_speech"
    TECHNICAL = "technical"


class Wording(StrEnum):
    """Which words of a task are used."""

    FULL = "full"
    SIMPLE = "simple"


class _Move(Struct, frozen=True, kw_only=True, tag_field="move"):
    """What all moves have.

    Args:
        say: the words.
        gloss: what they mean, in the language the learner chose; only up to B1, and only if it is known.
        speed: of the voice; 1.0 unless the learner asked for slower speech.
    """

    say: str
    gloss: str | None = None
    speed: float = 1.0


class _Question(_Move, frozen=True, kw_only=True):
    """A move about a task, which is then waited for.

    Args:
        task: its id.
    """

    task: str


class Ask(_Question, frozen=True, kw_only=True, tag="ask"):
    """A new task."""

    wording: Wording = Wording.FULL


class FollowUp(_Question, frozen=True, kw_only=True, tag="follow_up"):
    """The answer was too short, or sounded learned by heart: ask on."""


class Repeat(_Question, frozen=True, kw_only=True, tag="repeat"):
    """The same question in the same words."""


class Rephrase(_Question, frozen=True, kw_only=True, tag="rephrase"):
    """The same question in simpler words."""


class Slower(_Question, frozen=True, kw_only=True, tag="slower"):
    """The same question, slowly; everything after it is slow too."""


class Encourage(_Question, frozen=True, kw_only=True, tag="encourage"):
    """A kind word; the question stands and is not asked again."""


class InviteKorean(_Question, frozen=True, kw_only=True, tag="invite_korean"):
    """The answer was in another language: ask for Korean, once."""


class Redirect(_Question, frozen=True, kw_only=True, tag="redirect"):
    """The answer was about something else: back to the question, once."""


class AskAgain(_Question, frozen=True, kw_only=True, tag="ask_again"):
    """What arrived cannot be what was said: ask to say it again."""


class MoveOn(_Question, frozen=True, kw_only=True, tag="move_on"):
    """Leave the task in a friendly way, and ask the next."""


class WindDown(_Question, frozen=True, kw_only=True, tag="wind_down"):
    """The last question, an easy one."""


class CheckMicrophone(_Move, frozen=True, kw_only=True, tag="check_microphone"):
    """Two questions met silence: can the learner hear us, and we them?"""


class ConfirmStop(_Move, frozen=True, kw_only=True, tag="confirm_stop"):
    """The learner may want to stop."""


class Pause(_Move, frozen=True, kw_only=True, tag="pause"):
    """Nothing is waited for until the learner resumes or speaks. The caller stops its count of the time."""


class Resume(_Question, frozen=True, kw_only=True, tag="resume"):
    """On after a pause: the question once more."""


class Listen(_Move, frozen=True, kw_only=True, tag="listen"):
    """There is nothing to say yet; `say` is empty."""


class Close(_Move, frozen=True, kw_only=True, tag="close"):
    """The interview is over: say this, assess.

    Args:
        reason: why.
        withhold: the last thing the learner said must not be stored, shown or judged.
    """

    reason: Reason
    withhold: bool = False


Move = (
    Ask
    | FollowUp
    | Repeat
    | Rephrase
    | Slower
    | Encourage
    | InviteKorean
    | Redirect
    | AskAgain
    | MoveOn
    | WindDown
    | CheckMicrophone
    | ConfirmStop
    | Pause
    | Resume
    | Listen
    | Close
)
