"""What a report shows besides levels: strengths, corrections, what to learn and to practise, patterns, numbers.

Strengths come from what detectors found, never from the judge: models see weaknesses better than people do, and see
strengths worse (Bannò et al., BEA 2026).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.findings import Kind
from charye.assessment.grades import Grade
from charye.assessment.patterns import load_patterns
from charye.assessment.report import (
    Assessor,
    Correction,
    NextStep,
    Number,
    PatternMark,
    PatternRow,
    Practice,
    Severity,
    Strength,
)
from charye.assessment.rubric import Domain
from charye.assessment.speech import quote_of
from charye.assessment.wording import feature, say, talks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charye.assessment.consensus import Consensus
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.patterns import Pattern
    from charye.assessment.scoring import Score
    from charye.assessment.speech import Quote, Turn

__all__ = ["Shown", "corrections", "next_steps", "numbers", "pattern_rows", "practice", "strengths"]

_MOST_STRENGTHS = 3
_MOST_CORRECTIONS = 6
_MOST_PRACTICE = 3
_MINUTES = 10
_BASIC = 2
_SEVERAL = 3
_LONG_QUOTE = 15
_WIDEST = 60
_SENTENCE_END = re.compile(r"[.?!…]+")
_GREETING = re.compile("안녕|감사|고맙|반갑|죄송")
_MENDED = {Kind.PARTICLE_SHAPE: Severity.SLIP, Kind.HUMBLE_MISMATCH: Severity.SLIP}
_SERIOUS = {Severity.BLOCKS_MEANING: 0, Severity.ERROR: 1, Severity.SLIP: 2}


@dataclass(frozen=True, slots=True)
class Shown:
    """A strength, and of what kind: `pattern`, `words`, `honorific` or `long`."""

    kind: str
    strength: Strength


def _pattern(pattern_id: str) -> Pattern:
    return next(pattern for pattern in load_patterns().patterns if pattern.id == pattern_id)


def strengths(linguistic: LinguisticResult | None, turns: tuple[Turn, ...]) -> tuple[Shown, ...]:
    """What was done well, the best first. Quotes are widened, so that they can be understood by themselves."""
    if linguistic is None:
        return ()
    found: list[Shown] = []
    high = [use for use in linguistic.patterns if use.level >= _BASIC and use.quotes]
    if high:
        name, level = _pattern(high[0].pattern).pattern, Grade.at(high[0].level - 1).value
        found.append(
            Shown(
                "pattern",
                Strength(
                    title=say("strengths", "pattern_title", name=name),
                    text=say("strengths", "pattern", name=name, level=level),
                    quotes=_widened(high[0].quotes, turns),
                ),
            )
        )
    by_domain = {result.domain: result.quotes for result in linguistic.domains}
    honorific = tuple(
        finding.quote
        for finding in linguistic.register.findings
        if finding.kind is Kind.HONORIFIC and not _GREETING.match(finding.quote.text)
    )
    words = tuple(use.quote for use in linguistic.words if not _GREETING.match(use.quote.text))
    if len(words) < _SEVERAL:
        words = ()
    long = tuple(quote for quote in by_domain.get(Domain.COHERENCE, ()) if len(quote.text) >= _LONG_QUOTE)
    for kind, quotes in (("words", words), ("long", long[:1]), ("honorific", honorific)):
        if quotes:
            found.append(
                Shown(
                    kind,
                    Strength(
                        title=say("strengths", f"{kind}_title"),
                        text=say("strengths", kind),
                        quotes=_widened(quotes, turns),
                    ),
                )
            )
    return tuple(found[:_MOST_STRENGTHS])


def _widened(quotes: tuple[Quote, ...], turns: tuple[Turn, ...]) -> tuple[Quote, ...]:
    """The sentences that the quotes are in, or as much of them as can be read at a glance; no words twice."""
    wide: list[Quote] = []
    for quote in quotes:
        one = _widen(quote, turns)
        if not any(
            one.turn == other.turn and one.start < other.end and other.start < one.end for other in wide
        ):
            wide.append(one)
    return tuple(wide[:_MOST_STRENGTHS])


def _widen(quote: Quote, turns: tuple[Turn, ...]) -> Quote:
    text = turns[quote.turn].text
    before = max((match.end() for match in _SENTENCE_END.finditer(text, 0, quote.start)), default=0)
    behind = _SENTENCE_END.search(text, quote.end)
    start, end = before, behind.end() if behind else len(text)
    if end - start > _WIDEST:
        start, end = _some_words(text, quote.start, quote.end)
    taken = text[start:end]
    start += len(taken) - len(taken.lstrip())
    return quote_of(turns, quote.turn, start, start + len(taken.strip()))


def _some_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Word by word to both sides, as long as it stays short."""
    while True:
        wider_start = text.rfind(" ", 0, max(start - 1, 0)) + 1
        wider_end = text.find(" ", end + 1)
        wider_end = len(text) if wider_end < 0 else wider_end
        if wider_end - wider_start > _WIDEST or (wider_start, wider_end) == (start, end):
            return start, end
        start, end = wider_start, wider_end


def corrections(linguistic: LinguisticResult | None, judge: Consensus | None) -> tuple[Correction, ...]:
    """What to say better, what matters most first. Only what is certain: a finding without a better form is none."""
    every = list(judge.corrections) if judge else []
    for finding in (*linguistic.accuracy, *linguistic.register.findings) if linguistic else ():
        if finding.kind in _MENDED and finding.better is not None:
            every.append(
                Correction(
                    quote=finding.quote,
                    better=finding.better,
                    why=say("corrections", finding.kind.value),
                    severity=_MENDED[finding.kind],
                    source=Assessor.LINGUISTIC,
                )
            )
    chosen: list[Correction] = []
    for correction in sorted(every, key=lambda one: _SERIOUS[one.severity]):
        quote = correction.quote
        if not any(
            quote.turn == other.quote.turn and quote.start < other.quote.end and other.quote.start < quote.end
            for other in chosen
        ):
            chosen.append(correction)
    return tuple(chosen[:_MOST_CORRECTIONS])


def next_steps(linguistic: LinguisticResult | None) -> tuple[NextStep, ...]:
    """Patterns to learn next. None without a level."""
    if linguistic is None:
        return ()
    return tuple(
        NextStep(
            pattern=pattern.id,
            name=pattern.pattern,
            level=Grade.at(pattern.level - 1),
            example=pattern.example,
        )
        for pattern in map(_pattern, linguistic.next_patterns)
    )


def practice(score: Score, steps: Sequence[NextStep], judge: Consensus | None) -> tuple[Practice, ...]:
    """What to do: in the judge's words if it has some, else a pattern and two things to talk about, one level up."""
    if judge is not None and judge.practice:
        return judge.practice[:_MOST_PRACTICE]
    made = [
        Practice(
            goal=say("practice", "pattern_goal", name=step.name),
            activity=say("practice", "pattern_activity"),
            minutes=_MINUTES,
            prompt=step.example,
        )
        for step in steps[:1]
    ]
    grade = Grade.A1 if score.level is None else Grade.at(score.level.step + 1)
    made += [
        Practice(
            goal=say("practice", "talk_goal", label=grade.value),
            activity=say("practice", "talk_activity"),
            minutes=_MINUTES,
            prompt=prompt,
        )
        for prompt in talks(grade)
    ]
    return tuple(made[:_MOST_PRACTICE])


def pattern_rows(linguistic: LinguisticResult | None) -> tuple[PatternRow, ...]:
    """The strip: six rows, A1 to C2. The curriculum's levels are those of the framework, one to one."""
    uses = linguistic.patterns if linguistic else ()
    return tuple(
        PatternRow(
            level=Grade.at(level - 1),
            known=sum(pattern.level == level for pattern in load_patterns().patterns),
            used=tuple(
                PatternMark(
                    pattern=use.pattern,
                    name=_pattern(use.pattern).pattern,
                    level=Grade.at(level - 1),
                    count=use.count,
                    quotes=use.quotes,
                )
                for use in uses
                if use.level == level
            ),
        )
        for level in range(1, 7)
    )


def numbers(linguistic: LinguisticResult | None) -> tuple[Number, ...]:
    """What was measured. Features only where there is enough speech for them to mean something."""
    if linguistic is None:
        return ()
    made = [
        _number("words", linguistic.sufficiency.eojeols, "words", 0),
        _number("answers", linguistic.sufficiency.turns, "answers", 0),
    ]
    if linguistic.text is not None:
        made += [
            _feature(reading.name, reading.value, reading.typical_of.value)
            for reading in linguistic.text.readings
        ]
    if linguistic.timing is not None:
        made.append(_number("speaking_s", linguistic.timing.speaking_s, "s", 0))
        made += [_feature(reading.name, reading.value, None) for reading in linguistic.timing.readings]
    if linguistic.hesitation.words:
        made.append(_number("filler_rate", linguistic.hesitation.filler_rate, "per_100", 1))
        made.append(_number("repeat_rate", linguistic.hesitation.repeat_rate, "per_100", 1))
    return tuple(made)


def _number(name: str, value: float, unit: str, digits: int) -> Number:
    return Number(id=name, name=say("numbers", name), value=float(value), unit=unit, digits=digits)


def _feature(name: str, value: float, typical_of: str | None) -> Number:
    known = feature(name)
    return Number(
        id=name, name=known.name, value=value, unit=known.unit, digits=known.digits, typical_of=typical_of
    )
