"""The five domains: which features speak for each, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from charye.assessment.anchors import load_anchors
from charye.assessment.features import position_of
from charye.assessment.lexicon import MISREAD_PARTICLES
from charye.assessment.rubric import Band, Domain
from charye.assessment.speech import Quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.assessment.features import Evidence, Text
    from charye.assessment.timing import Timing
    from charye.assessment.units import Speech

__all__ = ["DomainResult", "Ungraded", "read_domains"]

_QUOTES = 3
_INFLUENCE = 1.0
_CEILING = 3.0


class Ungraded(StrEnum):
    """Why a domain has no band."""

    TOO_LITTLE_SPEECH = "too_little_speech"
    NO_TIMES = "no_times"
    STYLE_IS_NO_LEVEL = "style_is_no_level"
    """How polite somebody speaks says nothing about a level. What was found is in `register`, for people to judge."""


@dataclass(frozen=True, slots=True)
class DomainResult:
    """One domain.

    Args:
        domain: which.
        position: as for the whole, 0 for A1 to 3 for B2+; None without a band.
        band: the nearest.
        basis: names of the features it was made from.
        ungraded: why there is no band.
        quotes: up to three that show it at its best.
    """

    domain: Domain
    position: float | None
    band: Band | None
    basis: tuple[str, ...]
    ungraded: Ungraded | None
    quotes: tuple[Quote, ...]


def read_domains(
    speech: Speech, evidence: Evidence, text: Text | None, timing: Timing | None
) -> tuple[DomainResult, ...]:
    """All five, in the order of `Domain`. Without `text`, none has a band."""
    return tuple(_domain(domain, speech, evidence, text, timing) for domain in Domain)


def _domain(
    domain: Domain, speech: Speech, evidence: Evidence, text: Text | None, timing: Timing | None
) -> DomainResult:
    quotes = _QUOTES_OF[domain](speech, evidence)
    if text is None:
        return DomainResult(domain, None, None, (), Ungraded.TOO_LITTLE_SPEECH, quotes)
    if domain is Domain.PRAGMATICS:
        return DomainResult(domain, None, None, (), Ungraded.STYLE_IS_NO_LEVEL, quotes)
    if domain is Domain.FLUENCY:
        return _fluency(text, timing, quotes)
    readings = [reading for reading in text.readings if reading.domain is domain]
    position = (position_of(readings) or 0.0) + load_anchors().shrinkage
    return _graded(domain, position, tuple(reading.name for reading in readings), quotes)


def _fluency(text: Text, timing: Timing | None, quotes: tuple[Quote, ...]) -> DomainResult:
    """The times, but no further from the text than one band: their limits are opinion."""
    if timing is None or timing.position is None:
        return DomainResult(Domain.FLUENCY, None, None, (), Ungraded.NO_TIMES, quotes)
    position = min(max(timing.position, text.position - _INFLUENCE), text.position + _INFLUENCE)
    basis = tuple(reading.name for reading in timing.readings)
    return _graded(Domain.FLUENCY, position, basis, quotes)


def _graded(
    domain: Domain, position: float, basis: tuple[str, ...], quotes: tuple[Quote, ...]
) -> DomainResult:
    shown = round(min(max(position, 0.0), _CEILING), 6)
    return DomainResult(domain, shown, Band.near(shown), basis, None, quotes)


def _no_quotes(_speech: Speech, _evidence: Evidence) -> tuple[Quote, ...]:
    return ()


def _highest_patterns(_speech: Speech, evidence: Evidence) -> tuple[Quote, ...]:
    best = sorted(evidence.hits, key=lambda hit: (-hit.level, hit.eojeol))
    return _different(tuple(hit.quote for hit in best))


def _words_beyond(speech: Speech, evidence: Evidence) -> tuple[Quote, ...]:
    beyond = [word.eojeol for word in evidence.words if not word.core and word.form not in MISREAD_PARTICLES]
    return _different(tuple(speech.quote(eojeol, eojeol) for eojeol in beyond))


def _longest_sentences(speech: Speech, _evidence: Evidence) -> tuple[Quote, ...]:
    spans: dict[int, tuple[int, int]] = {}
    for index, eojeol in enumerate(speech.eojeols):
        spans[eojeol.sentence] = (spans.get(eojeol.sentence, (index, index))[0], index)
    longest = sorted(spans.values(), key=lambda span: (span[0] - span[1], span[0]))
    return _different(tuple(speech.quote(*span) for span in longest[:_QUOTES]))


def _honorific_words(speech: Speech, _evidence: Evidence) -> tuple[Quote, ...]:
    return _different(
        tuple(
            speech.quote(eojeol, eojeol)
            for eojeol, morpheme in speech.morphemes()
            if (morpheme.form, morpheme.tag) in (("께서", "JKS"), ("시", "EP"), ("으시", "EP"))
        )
    )


def _different(quotes: tuple[Quote, ...]) -> tuple[Quote, ...]:
    return tuple({quote.text: quote for quote in reversed(quotes)}.values())[::-1][:_QUOTES]


_QUOTES_OF: dict[Domain, Callable[[Speech, Evidence], tuple[Quote, ...]]] = {
    Domain.FLUENCY: _no_quotes,
    Domain.GRAMMAR: _highest_patterns,
    Domain.LEXIS: _words_beyond,
    Domain.COHERENCE: _longest_sentences,
    Domain.PRAGMATICS: _honorific_words,
}
