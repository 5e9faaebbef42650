"""What the interviewer says at the end: the level, one strength with an example, one goal. 40 seconds at most."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from charye.assessment.report import Bilingual, Spoken
from charye.assessment.rubric import Level
from charye.assessment.timing import spoken_syllables
from charye.assessment.wording import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charye.assessment.report import NextStep, Overall
    from charye.assessment.showing import Shown

__all__ = ["LONGEST_S", "spoken_seconds", "write_summary"]

LONGEST_S = 40.0
# A calm voice: four syllables of Korean, two and a half words of English a second, and a breath after a sentence.
_SYLLABLES_S = 4.0
_WORDS_S = 2.5
_BREATH_S = 0.4
_LONGEST_QUOTE = 50


def write_summary(
    overall: Overall | None,
    shown: Sequence[Shown],
    next_steps: Sequence[NextStep],
    *,
    unread: bool,
    language: str | None,
) -> Spoken:
    """The summary.

    Args:
        overall: None: it says kindly that there is no level.
        shown: what was done well, the best first.
        next_steps: patterns, the first to learn first.
        unread: there is no level because nothing could read the speech.
        language: of the learner, as BCP 47.
    """
    if overall is None:
        parts = [say("spoken", "unread" if unread else "none")]
    else:
        unsure = not overall.open_above and overall.low is not overall.high
        goal = [say("spoken", "goal", example=step.example) for step in next_steps[:1]]
        parts = _fitting(
            level=[_level(overall)],
            unsure=[say("spoken", "unsure")] if unsure else [],
            strength=_strength(shown),
            goal=goal,
            end=[say("spoken", "end")],
        )
    spoken_in = _language(overall, language)
    korean, english = _join(parts)
    chosen = korean if spoken_in == "ko" else english
    return Spoken(ko=korean, en=english, language=spoken_in, seconds=round(spoken_seconds(chosen), 1))


def spoken_seconds(text: str) -> float:
    """How long it takes to say this, about; Korean and English may be mixed."""
    words = len(re.findall(r"[A-Za-z']+", text))
    sentences = len(re.findall(r"[.?!]", text))
    return spoken_syllables(text) / _SYLLABLES_S + words / _WORDS_S + sentences * _BREATH_S


def _fitting(**parts: list[Bilingual]) -> list[Bilingual]:
    """What fits, in both languages, in the order given. What is left out first is what the report says as well."""
    for left_out in ((), ("end",), ("end", "unsure"), ("end", "unsure", "strength")):
        chosen = [part for name, some in parts.items() if name not in left_out for part in some]
        if max(map(spoken_seconds, _join(chosen))) <= LONGEST_S:
            return chosen
    return parts["level"]


def _join(parts: Sequence[Bilingual]) -> tuple[str, str]:
    return " ".join(part.ko for part in parts), " ".join(part.en for part in parts)


def _language(overall: Overall | None, language: str | None) -> Literal["ko", "en"]:
    if language is not None and language.split("-")[0].lower() == "ko":
        return "ko"
    return "ko" if overall is not None and overall.level.step >= Level.B2.step else "en"


def _level(overall: Overall) -> Bilingual:
    return say(
        "spoken",
        "open" if overall.open_above else "level",
        level=say("spoken", "levels", overall.level.value),
    )


def _strength(shown: Sequence[Shown]) -> list[Bilingual]:
    """With an example that is short enough to be repeated."""
    for one in shown:
        for quote in one.strength.quotes:
            if 0 < len(quote.text) <= _LONGEST_QUOTE:
                title = say("spoken", f"strength_{one.kind}")
                return [say("spoken", "strength", title=title, quote=quote.text.rstrip(".?!… "))]
    return []
