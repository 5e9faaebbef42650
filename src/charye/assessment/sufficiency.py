"""Is there enough speech to say a level? And can the transcript be trusted to be the speech?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from charye.assessment.anchors import load_anchors
from charye.assessment.speech import Source, Speaker
from charye.assessment.timing import spoken_syllables
from charye.assessment.units import has_hangul

if TYPE_CHECKING:
    from charye.assessment.speech import Turn
    from charye.assessment.units import Speech

__all__ = ["Doubt", "Reason", "Sufficiency", "Verdict", "doubtful_turns", "judge_sufficiency"]

_FASTEST_SYLLABLES_S = 8.0
_SHORTEST_MS = 1000.0
# What recognisers write when nobody speaks: they were trained on subtitles.
_STOCK = re.compile(
    r"(?:시청해주셔서감사합니다|수고하셨습니다|구독과좋아요부탁드립니다|다음영상에서만나요|"
    r"MBC뉴스\w*입니다|감사합니다시청해주셔서감사합니다|자막\w*|한글자막\w*)+"
)
_LETTER = re.compile(r"[^\W\d_]")
_OURS = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣA-Za-z]")


class Verdict(StrEnum):
    """How much may be said."""

    OK = "ok"
    PROVISIONAL = "provisional"
    """A level is given, but the range matters more than the level."""
    INSUFFICIENT = "insufficient"
    """No level."""


class Reason(StrEnum):
    """Why not more may be said."""

    NO_KOREAN = "no_korean"
    FEW_WORDS = "few_words"
    FEW_TURNS = "few_turns"
    TRANSCRIPT_IN_DOUBT = "transcript_in_doubt"
    """Too many turns look like a recogniser's invention. Not a reason against a level by itself, but to ask again."""


class Doubt(StrEnum):
    """Why a turn is not believed to be what was said. It counts for nothing."""

    STOCK_PHRASE = "stock_phrase"
    OTHER_SCRIPT = "other_script"
    TOO_FAST = "too_fast"


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """How much there was.

    Args:
        verdict: what may be said.
        reasons: why not more.
        eojeols: the learner's own Korean words.
        needed_eojeols: for a level at all.
        turns: of the learner, with Korean in them.
        needed_turns: for a level at all.
        doubtful: turns that were left out, and why.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    eojeols: int
    needed_eojeols: int
    turns: int
    needed_turns: int
    doubtful: tuple[tuple[int, Doubt], ...]


def doubtful_turns(turns: tuple[Turn, ...]) -> dict[int, Doubt]:
    """Turns of the learner, by index, that a recogniser seems to have made up or misread."""
    found = {}
    for index, turn in enumerate(turns):
        if turn.speaker is Speaker.LEARNER and turn.source is Source.SPEECH:
            doubt = _doubt(turn)
            if doubt is not None:
                found[index] = doubt
    return found


def _doubt(turn: Turn) -> Doubt | None:
    letters = _LETTER.findall(turn.text)
    if letters and sum(_OURS.match(letter) is None for letter in letters) * 2 > len(letters):
        return Doubt.OTHER_SCRIPT
    if _STOCK.fullmatch(re.sub(r"\W+", "", turn.text)):
        return Doubt.STOCK_PHRASE
    if turn.start_ms is not None and turn.end_ms is not None and turn.end_ms - turn.start_ms >= _SHORTEST_MS:
        rate = 1000 * spoken_syllables(turn.text) / (turn.end_ms - turn.start_ms)
        if rate > _FASTEST_SYLLABLES_S:
            return Doubt.TOO_FAST
    return None


def judge_sufficiency(speech: Speech, doubtful: dict[int, Doubt]) -> Sufficiency:
    """What may be said after this much speech."""
    limits = load_anchors().sufficiency
    eojeols = len(speech.eojeols)
    turns = sum(has_hangul(units.text) for units in speech.units)
    learner_turns = len(speech.units) + len(doubtful)
    reasons = []
    if turns == 0:
        reasons.append(Reason.NO_KOREAN)
    if eojeols < limits.provisional_below:
        reasons.append(Reason.FEW_WORDS)
    if turns < limits.least_turns:
        reasons.append(Reason.FEW_TURNS)
    if len(doubtful) > limits.doubtful_share * learner_turns:
        reasons.append(Reason.TRANSCRIPT_IN_DOUBT)
    if eojeols < limits.least_eojeol or turns < limits.least_turns:
        verdict = Verdict.INSUFFICIENT
    elif reasons:
        verdict = Verdict.PROVISIONAL
    else:
        verdict = Verdict.OK
    return Sufficiency(
        verdict=verdict,
        reasons=tuple(reasons),
        eojeols=eojeols,
        needed_eojeols=limits.least_eojeol,
        turns=turns,
        needed_turns=limits.least_turns,
        doubtful=tuple(sorted(doubtful.items())),
    )
