"""What the assessor is given: the turns of a conversation. It knows nothing of sessions or audio.

Times are milliseconds since the start of the conversation, on any one clock. All of them may be missing: then nothing
is said about what needs them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from charye.assessment.rubric import Level

__all__ = ["Quote", "Source", "Speaker", "Task", "Turn", "Word", "quote_of"]


class Speaker(StrEnum):
    """Who speaks."""

    LEARNER = "learner"
    INTERVIEWER = "interviewer"


class Source(StrEnum):
    """Where the words of a turn come from."""

    SPEECH = "speech"
    """A recogniser wrote them down. It smooths over errors and hesitation."""
    TYPED = "typed"
    """The learner typed them: there is no speech, so its times say nothing."""
    CORRECTED = "corrected"
    """The learner mended what a recogniser wrote."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it was heard. As recognisers give it: with punctuation or without."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Task:
    """What the interviewer wanted at this point; for an interviewer's turn, with it.

    Args:
        level: that the task belongs to.
        phase: of the interview, such as `warm_up` or `probe`.
        function: what language is used for, such as `narrate`.
        id: of the task in its bank.
    """

    level: Level | None = None
    phase: str | None = None
    function: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Something one speaker said without the other.

    Args:
        speaker: who.
        text: what was said. Kept in Unicode's composed form (NFC), so `text` may differ from what was given; quotes
            count its characters.
        start_ms: first voice; for the interviewer, start of playback.
        end_ms: last voice; for the interviewer, the end of *playback*, from which the learner's latency counts.
        words: with their times, if a recogniser gave them.
        interrupted_at_ms: when the other one spoke into it. What an interviewer's turn says behind it was not heard.
        source: where the words come from.
        task: what was wanted, if anything.
    """

    speaker: Speaker
    text: str = field(repr=False)  # what a person said is shown nowhere by accident
    start_ms: float | None = None
    end_ms: float | None = None
    words: tuple[Word, ...] = ()
    interrupted_at_ms: float | None = None
    source: Source = Source.SPEECH
    task: Task | None = None

    def __post_init__(self) -> None:
        # Kiwi and the patterns read whole syllables; a recogniser or a Mac's file name may bring them in parts.
        object.__setattr__(self, "text", unicodedata.normalize("NFC", self.text))


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a learner, verbatim: ``turns[turn].text[start:end] == text``.

    Args:
        turn: index among *all* turns that were given, the interviewer's included.
        start: first character.
        end: behind the last one.
        text: the characters.
    """

    turn: int
    start: int
    end: int
    text: str = field(repr=False)


def quote_of(turns: tuple[Turn, ...], turn: int, start: int, end: int) -> Quote:
    """The quote of these characters."""
    return Quote(turn, start, end, turns[turn].text[start:end])
