"""The offline assessor: from the turns of a conversation to a level, with everything it rests on.

    result = assess(turns, kiwi=load_kiwi())
    if result.estimate is None:
        ...                                # too little speech: result.sufficiency says what is missing
    result.estimate.band                   # A1, A2, B1 or B2+; never more, text cannot tell it
    result.text.readings                   # the eight features: value, anchors, position
    result.patterns[0].quotes[0]           # verbatim, and where

Deterministic: the same turns and the same versions give the same result, to the byte. No network, no clock, no chance.
What it can and cannot tell is written in `docs/reference/assessment-linguistic.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment import accuracy
from charye.assessment.anchors import load_anchors
from charye.assessment.domains import DomainResult, read_domains
from charye.assessment.features import Text, evidence_in, read_text
from charye.assessment.findings import Finding
from charye.assessment.hesitation import Hesitation, read_hesitation
from charye.assessment.lexicon import core_version
from charye.assessment.morphology import kiwi_version
from charye.assessment.patterns import load_patterns, next_patterns
from charye.assessment.register import Register, read_register
from charye.assessment.rubric import Band, Level
from charye.assessment.speech import Speaker, Turn
from charye.assessment.sufficiency import Sufficiency, Verdict, doubtful_turns, judge_sufficiency
from charye.assessment.timing import Timing, read_timing
from charye.assessment.units import units_of
from charye.assessment.usage import (
    PatternUse,
    TurnCount,
    WordUse,
    count_turns,
    pattern_uses,
    words_beyond_core,
)

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi
    from charye.assessment.units import Speech

__all__ = ["Estimate", "LinguisticResult", "Versions", "assess", "estimate_text"]

RESULT_VERSION = "1"
_CEILING = 2.5
_NEXT = 5


@dataclass(frozen=True, slots=True)
class Versions:
    """What the result depends on, besides the turns.

    Args:
        result: of the shape of `LinguisticResult`.
        anchors: of `anchors.toml`.
        patterns: of `patterns.toml`.
        core_words: of `core_words.txt`.
        kiwi: of the morphological analyser and its model.
    """

    result: str
    anchors: str
    patterns: str
    core_words: str
    kiwi: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The level of a text, as far as a text can tell.

    Args:
        position: 0 for A1, 1 for A2, 2 for B1, 3 for B2+; a little more than 3 is possible.
        band: the nearest.
        low: the band that it may be as well, by the margin.
        high: and upwards.
        margin: how many bands the position may be off, from halves of the same texts.
        at_ceiling: the band is B2+: whether B2, C1 or C2 must be told by something else.
    """

    position: float
    band: Band
    low: Band
    high: Band
    margin: float
    at_ceiling: bool


@dataclass(frozen=True, slots=True)
class LinguisticResult:
    """Everything the offline assessor has found. Frozen, and plain data: `msgspec` writes and reads it.

    Every quote is verbatim and points into the turns that were given, by index and characters.

    Args:
        versions: what it depends on.
        sufficiency: whether there was enough speech; if not, `estimate`, `text` and the domains' bands are None.
        estimate: the level.
        text: the eight features it was made from, by windows.
        domains: the five, in the order of `Domain`; a band is None where there is no evidence for one.
        patterns: the grammar that was used, highest level first, each with up to three quotes.
        next_patterns: ids of patterns worth learning next. Empty without an estimate.
        words: vocabulary beyond the core list, most frequent first.
        accuracy: errors found for certain. Few, not a rate: see `accuracy`.
        register: speech levels and honorifics. Never a reason for a level.
        hesitation: fillers, repeats, false starts, other languages.
        timing: fluency in numbers; None without times.
        turns: how much the learner said in each.
    """

    versions: Versions
    sufficiency: Sufficiency
    estimate: Estimate | None
    text: Text | None
    domains: tuple[DomainResult, ...]
    patterns: tuple[PatternUse, ...]
    next_patterns: tuple[str, ...]
    words: tuple[WordUse, ...]
    accuracy: tuple[Finding, ...]
    register: Register
    hesitation: Hesitation
    timing: Timing | None
    turns: tuple[TurnCount, ...]


def assess(turns: tuple[Turn, ...], *, kiwi: Kiwi) -> LinguisticResult:
    """Assess a conversation. Blocks for some hundredths of a second: on an event loop use `worker.LinguisticAssessor`.

    Args:
        turns: of both speakers, in order. The interviewer's are needed to tell what is only repeated, and for latency.
        kiwi: from `morphology.load_kiwi`.
    """
    doubtful = doubtful_turns(turns)
    speech = units_of(turns, kiwi, leave_out=doubtful)
    evidence = evidence_in(speech)
    sufficiency = judge_sufficiency(speech, doubtful)
    enough = sufficiency.verdict is not Verdict.INSUFFICIENT
    text = read_text(speech, evidence) if enough else None
    estimate = _estimate(text) if text else None
    timing = read_timing(turns, leave_out=doubtful)
    used = pattern_uses(evidence.hits)
    return LinguisticResult(
        versions=_versions(),
        sufficiency=sufficiency,
        estimate=estimate,
        text=text,
        domains=read_domains(speech, evidence, text, timing),
        patterns=used,
        next_patterns=_next(estimate, used),
        words=words_beyond_core(speech, evidence.words),
        accuracy=_accuracy(speech, kiwi, estimate),
        register=read_register(speech),
        hesitation=read_hesitation(speech),
        timing=timing,
        turns=count_turns(speech),
    )


def estimate_text(text: str, *, kiwi: Kiwi) -> Estimate | None:
    """The level of one graded text, however short: for evaluation. None if there is no word of Korean in it."""
    speech = units_of((Turn(Speaker.LEARNER, text),), kiwi)
    read = read_text(speech, evidence_in(speech))
    return _estimate(read) if read else None


def _versions() -> Versions:
    return Versions(
        result=RESULT_VERSION,
        anchors=load_anchors().version,
        patterns=load_patterns().version,
        core_words=core_version(),
        kiwi=kiwi_version(),
    )


def _estimate(text: Text) -> Estimate:
    margin = load_anchors().margin(text.eojeols)
    return Estimate(
        position=text.position,
        band=Band.near(text.position),
        low=Band.near(text.position - margin),
        high=Band.near(text.position + margin),
        margin=margin,
        at_ceiling=text.position >= _CEILING,
    )


def _next(estimate: Estimate | None, used: tuple[PatternUse, ...]) -> tuple[str, ...]:
    if estimate is None:
        return ()
    # The curriculum's levels are those of the framework, one to one.
    level = estimate.band.level.step + 1
    return tuple(pattern.id for pattern in next_patterns({use.pattern for use in used}, level, _NEXT))


def _accuracy(speech: Speech, kiwi: Kiwi, estimate: Estimate | None) -> tuple[Finding, ...]:
    found = accuracy.particle_shapes(speech, kiwi) + accuracy.regular_for_irregular(speech)
    if estimate is not None and estimate.band.level < Level.B1:
        found += accuracy.missing_particles(speech)
    return tuple(sorted(found, key=lambda finding: (finding.quote.turn, finding.quote.start, finding.kind)))
