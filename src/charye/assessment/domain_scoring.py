"""The level of each domain. Profiles may be uneven: a fluent speaker with few formal words is not averaged away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.consensus import lower_median
from charye.assessment.domains import Ungraded as TextUngraded
from charye.assessment.report import Ungraded
from charye.assessment.rubric import Band, Domain, Level
from charye.assessment.weighing import DOMAIN_WEIGHTS, Weighed, share_of_votes, weigh

if TYPE_CHECKING:
    from charye.assessment.consensus import Consensus, DomainConsensus
    from charye.assessment.domains import DomainResult
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.speech import Quote

__all__ = ["DomainScore", "differ", "score_domains", "ungraded_domains"]

_B2 = Level.B2.step
_FAR = 2
_CAP_FAR = 0.4
_CAP_DROPPED = 0.5
_QUOTES = 3

_WHY = {
    TextUngraded.TOO_LITTLE_SPEECH: Ungraded.TOO_LITTLE_SPEECH,
    TextUngraded.NO_TIMES: Ungraded.NO_TIMES,
    TextUngraded.STYLE_IS_NO_LEVEL: Ungraded.STYLE_IS_NO_LEVEL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainScore:
    """One domain.

    Args:
        domain: which.
        step: None without a level.
        open_above: B2, or anything above.
        position: for the radar: the step, with the decimals of the text where only the text speaks.
        confidence: None without a level.
        ungraded: why there is none.
        text: the band that the offline assessor gives.
        judge: the step that the judge gives.
        basis: names of the offline assessor's features.
        quotes: that show it at its best.
        counter: that show what keeps it from the next level.
        next_step: in the judge's words, Korean and English.
    """

    domain: Domain
    step: int | None
    open_above: bool
    position: float | None
    confidence: Weighed | None
    ungraded: Ungraded | None
    text: Band | None
    judge: int | None
    basis: tuple[str, ...]
    quotes: tuple[Quote, ...]
    counter: tuple[Quote, ...]
    next_step: tuple[str, str] | None


def ungraded_domains(linguistic: LinguisticResult | None) -> tuple[DomainScore, ...]:
    """All five without a level, because there was too little speech. Quotes stay: they are what is worth showing."""
    return tuple(_without(domain, _of(linguistic, domain), Ungraded.TOO_LITTLE_SPEECH) for domain in Domain)


def score_domains(
    linguistic: LinguisticResult | None, judge: Consensus | None, *, provisional: bool, split: bool, most: int
) -> tuple[DomainScore, ...]:
    """All five, in the order of `Domain`.

    Args:
        linguistic: of the offline assessor, if it could read the speech.
        judge: if it is followed.
        provisional: there was little speech.
        split: there was an interview, so a judge may tell B2 and above apart.
        most: the step that the judge may lift a domain to: one above the whole.
    """
    read = {} if judge is None else {domain.domain: domain for domain in judge.domains}
    return tuple(
        _score(
            domain,
            _of(linguistic, domain),
            read.get(domain),
            provisional=provisional,
            most=most if split else min(most, _B2),
            split=split,
        )
        for domain in Domain
    )


def _of(linguistic: LinguisticResult | None, domain: Domain) -> DomainResult | None:
    if linguistic is None:
        return None
    return next(result for result in linguistic.domains if result.domain is domain)


def _without(domain: Domain, text: DomainResult | None, why: Ungraded) -> DomainScore:
    return DomainScore(
        domain=domain,
        step=None,
        open_above=False,
        position=None,
        confidence=None,
        ungraded=why,
        text=None,
        judge=None,
        basis=(),
        quotes=text.quotes if text else (),
        counter=(),
        next_step=None,
    )


def _score(
    domain: Domain,
    text: DomainResult | None,
    read: DomainConsensus | None,
    *,
    provisional: bool,
    most: int,
    split: bool,
) -> DomainScore:
    band = text.band if text else None
    votes = list(read.votes) if read is not None and read.step is not None else []
    own = [] if band is None else [band.level.step]
    if not votes and not own:
        known = _WHY[text.ungraded] if text and text.ungraded else Ungraded.NO_EVIDENCE
        return _without(domain, text, known)
    step = min(lower_median([*votes, *own]), max([most, *own])) if votes else own[0]
    evidence = _quotes(text, read if votes else None)
    spread = _spread(band, votes)
    dropped = read is not None and bool(votes) and read.dropped > 0
    caps = [
        *([_CAP_FAR] if spread is not None and spread >= _FAR else []),
        *([_CAP_DROPPED] if dropped else []),
    ]
    return DomainScore(
        domain=domain,
        step=step,
        open_above=step == _B2 and not (votes and split),
        position=_position(step, text, judged=bool(votes)),
        confidence=weigh(
            {
                "sufficiency": 0.5 if provisional else 1.0,
                "agreement": share_of_votes(spread),
                "evidence": min(len(evidence), 2) / 2,
            },
            weights=DOMAIN_WEIGHTS,
            cap=min(caps) if caps else None,
        ),
        ungraded=None,
        text=band,
        judge=read.step if read is not None else None,
        basis=text.basis if text else (),
        quotes=evidence,
        counter=read.counter if read is not None and votes else (),
        next_step=read.next_step if read is not None and votes else None,
    )


def _position(step: int, text: DomainResult | None, *, judged: bool) -> float:
    if judged or text is None or text.position is None:
        return float(step)
    return text.position


def _spread(band: Band | None, votes: list[int]) -> int | None:
    if len(votes) + (band is not None) < _FAR:
        return None
    spread = max(votes) - min(votes)
    if band is None:
        return spread
    return max(spread, *(abs(band.level.step - vote) for vote in votes if differ(band, vote)), 0)


def differ(band: Band, step: int) -> bool:
    """Whether a band of the text and a level of the judge contradict each other. B2+ may be any from B2 on."""
    return step < _B2 if band is Band.B2_PLUS else band.level.step != step


def _quotes(text: DomainResult | None, read: DomainConsensus | None) -> tuple[Quote, ...]:
    """The judge's first: it has read what they say."""
    chosen: list[Quote] = []
    for quote in [*(read.evidence if read else ()), *(text.quotes if text else ())]:
        if not any(
            quote.turn == other.turn and quote.start < other.end and other.start < quote.end
            for other in chosen
        ):
            chosen.append(quote)
    return tuple(chosen[:_QUOTES])
