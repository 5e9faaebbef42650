"""Speech levels and honorifics. What they are, how steady, and where they change.

Nothing here counts for the level. Classes from level 3 on write the plain style, so style does predict the level of an
essay; in a conversation it only says how the learner speaks to the interviewer.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from charye.assessment.findings import Finding, Kind

if TYPE_CHECKING:
    from charye.assessment.morphology import Morpheme
    from charye.assessment.units import Speech

__all__ = ["Register", "Style", "read_register"]

_FORMAL = ("습니다", "ᆸ니다", "니다", "습니까", "ᆸ니까", "니까", "십시오", "ᆸ시오", "읍시다", "ᆸ시다")
_POLITE = ("요", "죠")
_PLAIN = ("다", "ᆫ다", "는다")
_ENOUGH = 4

_HONORIFIC_VERBS = re.compile(
    "계시|드시|주무시|잡수시|돌아가시|모시|드리|뵙|뵈|여쭙|여쭈|여쭤보|편찮|모셔다드리|도와드리|알려드리"
)
_HONORIFIC_NOUNS = re.compile("말씀|성함|연세|진지|댁|생신|병환|따님|아드님")
_HONORIFIC_ENDINGS = ("세요", "으세요", "십시오", "으십시오", "셔요")


class Style(StrEnum):
    """A speech level, by how its sentences end."""

    FORMAL = "formal"  # -습니다
    POLITE = "polite"  # -요
    PLAIN = "plain"  # -다
    CASUAL = "casual"  # everything else


@dataclass(frozen=True, slots=True)
class Register:
    """How the learner speaks to the interviewer.

    Args:
        sentences: with a final ending.
        styles: how many of each level, the most first.
        main: the most frequent one; None without sentences.
        steadiness: share of the main one. -요 and -습니다 mix in good speech, and count as one here.
        switches_per_10: changes between polite and not polite, in ten sentences.
        findings: switches, pronouns that do not fit, honorifics.
    """

    sentences: int
    styles: tuple[tuple[Style, int], ...]
    main: Style | None
    steadiness: float | None
    switches_per_10: float | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Ending:
    style: Style
    eojeol: int

    @property
    def courteous(self) -> bool:
        return self.style in (Style.FORMAL, Style.POLITE)


def style_of(form: str) -> Style:
    """The speech level of a final ending."""
    if form.endswith(_FORMAL):
        return Style.FORMAL
    if form.endswith(_POLITE):
        return Style.POLITE
    if form.endswith(_PLAIN):
        return Style.PLAIN
    return Style.CASUAL


def read_register(speech: Speech) -> Register:
    """What there is to say about speech levels and honorifics. Sentences without a final ending have no level."""
    endings = _endings(speech)
    counts = Counter(ending.style for ending in endings)
    styles = tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    courteous = sum(ending.courteous for ending in endings)
    total = len(endings)
    switches = sum(here.courteous != after.courteous for here, after in pairwise(endings))
    polite = courteous * 2 >= total
    findings: list[Finding] = []
    if total >= _ENOUGH:
        findings += _switched(speech, endings, courteous=polite)
        findings += _pronouns(speech, courteous=polite)
    findings += _honorifics(speech)
    return Register(
        sentences=total,
        styles=styles,
        main=styles[0][0] if styles else None,
        steadiness=round(max(courteous, total - courteous) / total, 4) if total else None,
        switches_per_10=round(10 * switches / total, 4) if total else None,
        findings=tuple(findings),
    )


def _endings(speech: Speech) -> list[_Ending]:
    """How each sentence ends, if it ends in an ending at all, or in the 요 that makes anything polite."""
    last: dict[int, tuple[int, Morpheme]] = {}
    for eojeol, morpheme in speech.morphemes():
        last[speech.eojeols[eojeol].sentence] = (eojeol, morpheme)
    return [
        _Ending(style_of(morpheme.form), eojeol)
        for eojeol, morpheme in last.values()
        if morpheme.tag == "EF"
        or (morpheme.tag == "EC" and morpheme.form in _PLAIN)
        or (morpheme.form, morpheme.tag) == ("요", "JX")
    ]


def _switched(speech: Speech, endings: list[_Ending], *, courteous: bool) -> list[Finding]:
    return [
        Finding(Kind.STYLE_SWITCH, speech.quote(ending.eojeol, ending.eojeol), ending.style.value)
        for ending in endings
        if ending.courteous != courteous
    ]


def _pronouns(speech: Speech, *, courteous: bool) -> list[Finding]:
    """나 in courteous speech, 저 in casual speech. 저 as `that over there` has another tag."""
    wrong, right = (("나", "내"), "저") if courteous else (("저", "제"), "나")
    return [
        Finding(Kind.HUMBLE_MISMATCH, speech.quote(eojeol, eojeol), morpheme.form, right)
        for eojeol, morpheme in speech.morphemes()
        if morpheme.tag == "NP" and morpheme.form in wrong
    ]


def _honorifics(speech: Speech) -> list[Finding]:
    return [
        Finding(Kind.HONORIFIC, speech.quote(eojeol, eojeol), morpheme.form)
        for eojeol, morpheme in speech.morphemes()
        if _is_honorific(morpheme)
    ]


def _is_honorific(morpheme: Morpheme) -> bool:
    match morpheme.tag:
        case "JKS":
            return morpheme.form == "께서"
        case "JKB":
            return morpheme.form == "께"
        case "EP":
            return morpheme.form in ("시", "으시")
        case "EF":
            return morpheme.form in _HONORIFIC_ENDINGS
        case "VV" | "VX" | "VA":
            return bool(_HONORIFIC_VERBS.fullmatch(morpheme.form))
        case "NNG":
            return bool(_HONORIFIC_NOUNS.fullmatch(morpheme.form))
        case _:
            return False
