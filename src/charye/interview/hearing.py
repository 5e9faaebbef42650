"""What arrived from the learner, and what kind of thing it is: an answer, or something else that must be handled.

Only the words and the facts beside them are looked at. The phrases are in `data/phrases.toml`.
"""

import unicodedata
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cache
from importlib import resources
from re import Pattern

from msgspec import Struct, convert

from charye.assessment.disfluency import written_words
from charye.assessment.speech import Source
from charye.interview import toml_lines
from charye.interview.hangul import compile_pattern, decompose, foreign_share, has_hangul, syllables

__all__ = ["Control", "Kind", "TurnEvidence", "kind_of", "says"]

FOREIGN_SHARE = 0.6
"""From this share of letters on, an answer is not in Korean."""
IMPLAUSIBLE_RATE = 8.0
"""Syllables a second that nobody speaks: the recogniser made them up."""
_RATED_SYLLABLES = 10
DOUBTFUL_CONFIDENCE = 0.3
_LOOP = 5


class Control(StrEnum):
    """A button, where the learner has some. It goes before what was said."""

    REPEAT = "repeat"
    SLOWER = "slower"
    REPHRASE = "rephrase"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class Kind(Enum):
    """What arrived."""

    ANSWER = "answer"
    SILENCE = "silence"
    UNCLEAR = "unclear"  # no words, or words that cannot have been said
    FOREIGN = "foreign"
    DONT_KNOW = "dont_know"  # the content, or nobody can tell
    LANGUAGE_GAP = "language_gap"
    REPEAT = "repeat"
    SLOWER = "slower"
    REPHRASE = "rephrase"
    WAIT = "wait"
    CORRECTION = "correction"
    HELP = "help"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    DISTRESS = "distress"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TurnEvidence:
    """One thing that arrived: words, a button, or silence. Only `text` is needed for words.

    Args:
        text: what the recogniser heard, or what was typed. Empty for silence and for buttons.
        silence_ms: nothing has been said for so long since the question was heard to its end.
        duration_ms: of the speech.
        latency_ms: from the end of the question, as heard, to the first voice.
        at_s: seconds since the interview began, pauses left out. Never goes back; None keeps the last.
        source: where the words come from.
        confidence: of the recogniser, 0 to 1.
        linguistic: where the assessor's linguistic part sees the answer as far as it has come, 0.0 (A1) to 3.0 (B2 or
            above): `TurnReading.position` in `assessment.live`.
        judged: what a model that judges says of the answer: 0, 1 or 2. It moves the score by one at most.
        on_topic: what a model, or a person, says of that.
        control: a button.
    """

    text: str = ""
    silence_ms: float = 0.0
    duration_ms: float | None = None
    latency_ms: float | None = None
    at_s: float | None = None
    source: Source = Source.SPEECH
    confidence: float | None = None
    linguistic: float | None = None
    judged: int | None = None
    on_topic: bool | None = None
    control: Control | None = None

    def __repr__(self) -> str:
        """Without the words."""
        said = f"{len(self.text)} characters" if self.text else "nothing"
        return f"TurnEvidence({said}, silence_ms={self.silence_ms}, control={self.control})"


class _Phrase(Struct, frozen=True, forbid_unknown_fields=True):
    patterns: tuple[str, ...]
    rest: int | None = None


# Small words that say nothing beside a phrase.
# fmt: off
_SMALL = frozenset({
    "저", "저는", "전", "제가", "좀", "조금", "잘", "네", "예", "아니요", "아뇨", "음", "어", "아", "그", "이",
    "그건", "그거", "이건", "이거", "글쎄", "글쎄요", "정말", "진짜",
})
# fmt: on
_SORRY = ("죄송", "미안", "선생님")

# Asked in this order. A request in another language is a request all the same, so these go before `FOREIGN`.
_REQUESTS = (
    Kind.STOP,
    Kind.PAUSE,
    Kind.SLOWER,
    Kind.REPEAT,
    Kind.REPHRASE,
    Kind.WAIT,
    Kind.HELP,
    Kind.CORRECTION,
)
_GAPS = (Kind.LANGUAGE_GAP, Kind.DONT_KNOW)


def kind_of(evidence: TurnEvidence) -> Kind:
    """What kind of thing arrived."""
    if evidence.control is not None:
        return Kind[evidence.control.name]
    text = evidence.text.strip()
    if not text:
        return Kind.SILENCE if evidence.silence_ms > 0 else Kind.UNCLEAR
    if says("distress", text):
        return Kind.DISTRESS
    if _cannot_have_been_said(evidence):
        return Kind.UNCLEAR
    for kind in _REQUESTS:
        if says(kind.value, text):
            return kind
    if foreign_share(text) >= FOREIGN_SHARE:
        return Kind.FOREIGN
    if not has_hangul(text):
        return Kind.UNCLEAR  # digits and marks
    return next((kind for kind in _GAPS if says(kind.value, text)), Kind.ANSWER)


def says(name: str, text: str) -> bool:
    """Whether a phrase of this name is in the text, with no more beside it than it may have."""
    patterns, rest = _phrases()[name]
    plain = decompose(text.lower())
    left, found = plain, False
    for pattern in patterns:
        while (match := pattern.search(left)) is not None:
            found = True
            left = f"{left[: match.start()]} {left[match.end() :]}"
    if not found:
        return False
    return rest is None or len([word for word in left.split() if _counts(word)]) <= rest


def _counts(decomposed: str) -> bool:
    word = unicodedata.normalize("NFC", decomposed)
    return word not in _SMALL and not word.startswith(_SORRY)


def _cannot_have_been_said(evidence: TurnEvidence) -> bool:
    if evidence.source is not Source.SPEECH:
        return False
    if evidence.confidence is not None and evidence.confidence < DOUBTFUL_CONFIDENCE:
        return True
    spoken = syllables(evidence.text)
    rated = evidence.duration_ms and spoken >= _RATED_SYLLABLES
    if rated and spoken > IMPLAUSIBLE_RATE * (evidence.duration_ms or 0.0) / 1000:
        return True
    words = [word.text for word in written_words(evidence.text)]
    loops = any(len(set(words[at : at + _LOOP])) == 1 for at in range(len(words) - _LOOP + 1))
    return loops or says("invented", evidence.text)


@cache
def _phrases() -> dict[str, tuple[tuple[Pattern[str], ...], int | None]]:
    text = resources.files("charye.interview").joinpath("data", "phrases.toml").read_text(encoding="utf-8")
    raw = convert(toml_lines.parse(text, name="phrases.toml").data["phrase"], dict[str, _Phrase])
    return {
        name: (tuple(compile_pattern(pattern) for pattern in phrase.patterns), phrase.rest)
        for name, phrase in raw.items()
    }
