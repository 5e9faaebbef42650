"""One answer, read while the interview goes on: what a policy needs to know to choose its next task.

Facts, and a score for the task's level as a proposal: 2 sustained, 1 partly, 0 broken down. What needs the whole
interview (silence, a second try, being off topic twice, the learner's usual latency) is the policy's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from charye.assessment.anchors import interpolate
from charye.assessment.disfluency import Exclusion
from charye.assessment.features import evidence_in, read_text
from charye.assessment.hesitation import abandoned_in, latin_share
from charye.assessment.lexicon import CONTENT_TAGS
from charye.assessment.morphology import morphemes_of
from charye.assessment.rubric import Level
from charye.assessment.speech import Speaker, Turn
from charye.assessment.sufficiency import Doubt, doubtful_turns
from charye.assessment.units import units_of

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi
    from charye.assessment.units import Speech

__all__ = ["HARD", "NEEDED_EOJEOLS", "SOFT", "Signal", "TurnReading", "score_turn"]

NEEDED_EOJEOLS = {Level.A1: 2, Level.A2: 6, Level.B1: 15, Level.B2: 25, Level.C1: 35, Level.C2: 35}
"""How long an answer to a task of each level should be. Opinion, to be tuned with interviews."""

_LATIN_SHARE = 0.6
_HESITATING_SHARE = 0.15
_ABANDONED = 2
_BELOW_TASK = 0.5
_PARAGRAPH_SENTENCES = 2

# Short answers measure too low: by so many bands of 1.5, the mean of the texts, for so many eojeol. From 25 on measured
# with the anchors of their size; below, carried on from what was measured with those of whole texts: opinion.
_SHORT_EOJEOLS = (6.0, 15.0, 25.0, 40.0, 60.0)
_SHORT_LACK = (0.8, 0.5, 0.28, 0.21, 0.10)
_MEAN_BAND = 1.5
_TOP = 3.0

_DONT_KNOW = re.compile(
    r"(?:잘)?(?:모르겠\w*|몰라요?|모릅니다|못하겠\w*|못해요|할말이없\w*|생각이안나요|기억이안나요)"
)
_NOT_UNDERSTOOD = re.compile(
    r"(?:무슨(?:말|뜻)\w*|이해(?:가안\w*|를?못\w*)|뜻(?:이뭐|을몰라)\w*|한국어로어떻게\w*|단어를(?:몰라|모르)\w*|"
    r"어떻게말해야\w*|못알아들\w*)"
)
_PADDING = re.compile(
    "그건|그거|그것은|저는|저도|제가|좀|아직|그냥|네|아니요|죄송합니다|죄송해요|미안해요|미안합니다|글쎄요"
)


class Signal(StrEnum):
    """What speaks against the answer."""

    NO_KOREAN = "no_korean"
    OTHER_LANGUAGE = "other_language"
    DONT_KNOW_CONTENT = "dont_know_content"
    """`I don't know`, and nothing else."""
    DONT_KNOW_LANGUAGE = "dont_know_language"
    """`I don't understand`, `how do you say that`, and nothing else."""
    SINGLE_WORDS = "single_words"
    """No sentence, where the task needs one: A2 and above."""
    NO_PARAGRAPH = "no_paragraph"
    """A sentence or two, where the task needs connected ones: B2 and above."""
    VERY_SHORT = "very_short"
    """Less than a third of what the task needs. Counts after a follow-up only, so it does not count here."""
    HESITATING = "hesitating"
    ABANDONING = "abandoning"
    ECHO = "echo"
    """Mostly the interviewer's own words."""
    TRANSCRIPT_IN_DOUBT = "transcript_in_doubt"


HARD = frozenset(
    {
        Signal.NO_KOREAN,
        Signal.OTHER_LANGUAGE,
        Signal.DONT_KNOW_CONTENT,
        Signal.DONT_KNOW_LANGUAGE,
        Signal.SINGLE_WORDS,
        Signal.NO_PARAGRAPH,
    }
)
"""One of these is a breakdown."""
SOFT = frozenset({Signal.HESITATING, Signal.ABANDONING})
"""Two of these are one. Others, which need the interview, are the policy's to add."""


@dataclass(frozen=True, slots=True)
class TurnReading:
    """One answer of the learner.

    Args:
        eojeols: of Korean, without fillers, repeats and copies of the question.
        sentences: among them.
        position: 0 for A1 to 3 for B2+, as a text of this length tells it, with what short answers lack on average
            put back. Rough: one band either way is nothing unusual. None without Korean.
        hesitating_share: fillers, repeats and false starts among all words.
        latin_share: of all letters.
        abandoned: sentences broken off.
        shared_words: content words of the question that are used again. None there is no proof of being off topic.
        signals: what speaks against it, for a task of this level.
        doubt: why the transcript is not believed, if so.
        score: 2, 1 or 0, proposed for a task of this level; None without a task, or if the transcript is in doubt.
    """

    eojeols: int
    sentences: int
    position: float | None
    hesitating_share: float
    latin_share: float
    abandoned: int
    shared_words: int
    signals: tuple[Signal, ...]
    doubt: Doubt | None
    score: int | None


def score_turn(turn: Turn, *, question: str = "", level: Level | None = None, kiwi: Kiwi) -> TurnReading:
    """Read one answer. A few milliseconds; on an event loop use `worker.LinguisticAssessor`.

    Args:
        turn: the learner's.
        question: what the interviewer had said.
        level: of the task; without it there is no score.
        kiwi: from `load_kiwi`.
    """
    turns = (Turn(Speaker.INTERVIEWER, question), turn)
    speech = units_of(turns, kiwi)
    text = read_text(speech, evidence_in(speech))
    doubt = doubtful_turns(turns).get(1)
    units = speech.units[0]
    excluded = speech.excluded()
    hesitating = excluded[Exclusion.FILLER] + excluded[Exclusion.REPEAT] + excluded[Exclusion.FRAGMENT]
    share = hesitating / len(units.words) if units.words else 0.0
    abandoned = abandoned_in(units, turn.text)
    position = _put_back(text.position, text.eojeols) if text else None
    signals = tuple(_signals(speech, level, share, abandoned, doubt))
    return TurnReading(
        eojeols=len(speech.eojeols),
        sentences=speech.sentences,
        position=position,
        hesitating_share=round(share, 4),
        latin_share=round(latin_share(turn.text), 4),
        abandoned=abandoned,
        shared_words=_shared(speech, question, kiwi),
        signals=signals,
        doubt=doubt,
        score=_score(signals, len(speech.eojeols), position, level) if level and doubt is None else None,
    )


def _put_back(position: float, eojeols: int) -> float:
    lack = interpolate(eojeols, _SHORT_EOJEOLS, _SHORT_LACK)
    return round(min(position * (1 + lack / _MEAN_BAND), _TOP), 4)


def _signals(
    speech: Speech, level: Level | None, hesitating: float, abandoned: int, doubt: Doubt | None
) -> list[Signal]:
    units = speech.units[0]
    turn = speech.turns[units.turn]
    eojeols = len(speech.eojeols)
    echoed = speech.excluded()[Exclusion.ECHO]
    endings = sum(morpheme.tag == "EF" for _, morpheme in speech.morphemes())
    said = {
        Signal.NO_KOREAN: not eojeols,
        Signal.OTHER_LANGUAGE: latin_share(turn.text) >= _LATIN_SHARE,
        Signal.HESITATING: hesitating > _HESITATING_SHARE and len(units.words) > NEEDED_EOJEOLS[Level.A2],
        Signal.ABANDONING: abandoned >= _ABANDONED,
        Signal.ECHO: echoed > eojeols,
        Signal.TRANSCRIPT_IN_DOUBT: doubt is not None,
    }
    unknown = _dont_know([eojeol.text for eojeol in speech.eojeols])
    found = [signal for signal, present in said.items() if present] + ([unknown] if unknown else [])
    if level is None or not eojeols:
        return found
    asked = {
        Signal.SINGLE_WORDS: level >= Level.A2 and endings == 0 and eojeols < NEEDED_EOJEOLS[Level.A2],
        Signal.NO_PARAGRAPH: level >= Level.B2
        and speech.sentences < _PARAGRAPH_SENTENCES
        and eojeols < NEEDED_EOJEOLS[Level.B1],
        Signal.VERY_SHORT: eojeols * 3 < NEEDED_EOJEOLS[level],
    }
    return found + [signal for signal, present in asked.items() if present]


def _dont_know(words: list[str]) -> Signal | None:
    said = "".join(word for word in words if not _PADDING.fullmatch(word))
    for signal, phrase in (
        (Signal.DONT_KNOW_LANGUAGE, _NOT_UNDERSTOOD),
        (Signal.DONT_KNOW_CONTENT, _DONT_KNOW),
    ):
        found = phrase.search(said)
        # With something else beside it, it is part of an answer.
        if found and len(found[0]) + 2 >= len(said):
            return signal
    return None


def _shared(speech: Speech, question: str, kiwi: Kiwi) -> int:
    asked = {morpheme.form for morpheme in morphemes_of(kiwi, question) if morpheme.tag in CONTENT_TAGS}
    return len(asked & {morpheme.form for _, morpheme in speech.morphemes() if morpheme.tag in CONTENT_TAGS})


def _score(signals: tuple[Signal, ...], eojeols: int, position: float | None, level: Level) -> int:
    if HARD.intersection(signals) or len(SOFT.intersection(signals)) > 1:
        return 0
    # Text cannot tell levels above B2 apart, so a task above it asks no more of the text.
    wanted = min(level.step, _TOP) - _BELOW_TASK
    sustained = eojeols >= NEEDED_EOJEOLS[level] and position is not None and position >= wanted
    return 2 if sustained and Signal.ECHO not in signals else 1
