"""What was said in an interview: by whom, when, word by word if that is known, and how we know.

Frozen: each step gives a new transcript, so it can be kept, sent and compared while the talk goes on. Times are
milliseconds since the start of the session. Nothing that a person said shows in a `repr`.
"""

import json
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charye.assessment.rubric import Level
from charye.assessment.speech import Source, Speaker, Turn
from charye.assessment.speech import Task as Wanted
from charye.assessment.speech import Word as TimedWord
from charye.errors import ConfigurationError, LocalProtocolError

__all__ = [
    "Source",
    "Speaker",
    "Transcript",
    "Utterance",
    "Word",
    "from_json",
    "json_schema",
    "to_json",
    "to_turns",
]

VERSION = 1


class Word(Struct, frozen=True, array_like=True):
    """A word and when it was spoken."""

    text: str
    start_ms: float
    end_ms: float

    def __repr__(self) -> str:
        """Without the word."""
        return f"Word({self.start_ms}, {self.end_ms})"


class Utterance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one of them said without a break by the other.

    Args:
        id: of the utterance; the conversation item's where there is one.
        speaker: who.
        text: what was said, as it is to be read: corrected, if somebody corrected it.
        source: where `text` comes from.
        start_ms, end_ms: of the speech as it was heard; None where it is not known, as in typed answers.
        words: with their times, of the recogniser's text.
        interrupted_at_ms: the other one spoke into it here; what follows was not heard.
        original: what the recogniser or the learner wrote first, if it was corrected.
        confidence: of the recogniser, 0 to 1.
        task: that was asked or answered, with its level, function and phase.
        withheld: it was said, but is not kept: `text` is empty.
    """

    id: str
    speaker: Speaker
    text: str
    source: Source = Source.SPEECH
    start_ms: float | None = None
    end_ms: float | None = None
    words: tuple[Word, ...] = ()
    interrupted_at_ms: float | None = None
    original: str | None = None
    confidence: float | None = None
    task: str | None = None
    level: Level | None = None
    function: str | None = None
    phase: str | None = None
    withheld: bool = False

    def __repr__(self) -> str:
        """Without the words."""
        times = f"{self.start_ms}-{self.end_ms} ms"
        said = f"{len(self.text)} characters, {self.source.value}"
        return f"Utterance({self.id!r}, {self.speaker.value}, {said}, {times})"


class Transcript(Struct, frozen=True, kw_only=True):
    """The utterances, in the order in which they began.

    Args:
        language: of the interview.
    """

    version: int = VERSION
    language: str = "ko"
    utterances: tuple[Utterance, ...] = ()

    def __repr__(self) -> str:
        """Without the words."""
        return f"Transcript({len(self.utterances)} utterances)"

    def add(self, utterance: Utterance) -> "Transcript":
        """With one more. One with the same id takes the other's place: a recogniser's later, better text.

        Where both times are known it goes before those that began later: recognisers finish when they finish.
        """
        others = [other for other in self.utterances if other.id != utterance.id]
        if len(others) < len(self.utterances):
            known = tuple(utterance if other.id == utterance.id else other for other in self.utterances)
            return replace(self, utterances=known)
        at = len(others)
        if utterance.start_ms is not None:
            while at and (begin := others[at - 1].start_ms) is not None and begin > utterance.start_ms:
                at -= 1
        return replace(self, utterances=(*others[:at], utterance, *others[at:]))

    def correct(self, utterance_id: str, text: str) -> "Transcript":
        """The learner says what they really said. The first text stays as `original`; word times are its own.

        Raises:
            LocalProtocolError: there is no such utterance of the learner's, or it is withheld.
        """
        old = self._find(utterance_id)
        if old.speaker is not Speaker.LEARNER or old.withheld:
            raise LocalProtocolError("only what the learner said can be corrected", given=utterance_id)
        original = old.text if old.original is None else old.original
        return self.add(replace(old, text=text, original=original, source=Source.CORRECTED))

    def interrupt(self, utterance_id: str, at_ms: float) -> "Transcript":
        """The other one spoke into it.

        Raises:
            LocalProtocolError: there is no such utterance.
        """
        return self.add(replace(self._find(utterance_id), interrupted_at_ms=at_ms))

    def withhold(self, utterance_id: str) -> "Transcript":
        """Forget what was said there; that something was said stays.

        Raises:
            LocalProtocolError: there is no such utterance.
        """
        old = self._find(utterance_id)
        return self.add(replace(old, text="", original=None, words=(), withheld=True))

    def _find(self, utterance_id: str) -> Utterance:
        for utterance in self.utterances:
            if utterance.id == utterance_id:
                return utterance
        raise LocalProtocolError("there is no such utterance", given=utterance_id)


def to_json(transcript: Transcript) -> bytes:
    """As JSON, by `json_schema`."""
    return msgspec.json.encode(transcript)


def from_json(data: bytes, *, name: str = "transcript") -> Transcript:
    """The transcript in a JSON text.

    Args:
        name: of the file, for errors.
    Raises:
        ConfigurationError: it is none, or of another version; `option` names the file, with the line if it is no JSON.
    """
    try:
        transcript = msgspec.json.decode(data, type=Transcript)
    except msgspec.ValidationError as error:
        raise ConfigurationError("the file is no transcript", option=name, problem=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "the file is no valid JSON", option=_place(data, name), problem=str(error)
        ) from error
    if transcript.version != VERSION:
        raise ConfigurationError("this version of transcripts is not known", option=name)
    return transcript


def json_schema() -> dict[str, Any]:
    """The JSON schema of a transcript."""
    return msgspec.json.schema(Transcript)


def to_turns(transcript: Transcript) -> tuple[Turn, ...]:
    """What the assessor reads. What is withheld is left out."""
    return tuple(_turn(utterance) for utterance in transcript.utterances if not utterance.withheld)


def _turn(utterance: Utterance) -> Turn:
    task = None
    if utterance.task is not None or utterance.level is not None:
        task = Wanted(
            level=utterance.level, phase=utterance.phase, function=utterance.function, id=utterance.task
        )
    # The times of words belong to the text that they were recognised in.
    words = () if utterance.source is Source.CORRECTED else utterance.words
    return Turn(
        speaker=utterance.speaker,
        text=utterance.text,
        start_ms=utterance.start_ms,
        end_ms=utterance.end_ms,
        words=tuple(TimedWord(word.text, word.start_ms, word.end_ms) for word in words),
        interrupted_at_ms=utterance.interrupted_at_ms,
        source=utterance.source,
        task=task,
    )


def _place(data: bytes, name: str) -> str:
    """The file, and the line where its JSON breaks: msgspec names bytes, so the standard library looks again."""
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        return f"{name}:{error.lineno}"
    except UnicodeDecodeError as error:
        return f"{name}:{data[: error.start].count(10) + 1}"
    return name
