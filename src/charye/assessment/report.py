"""The report: everything that is known after an interview, or after a transcript, in one frozen value.

    report = from_json(data)
    report.overall                     # None: there was too little speech; report.sufficiency says what is missing
    report.overall.label               # "A2", or "B2+" for B2 or anything above it
    report.domains                     # always five, in the order of `Domain`
    to_json(report), json_schema()

It is complete by itself: whoever draws it needs no other file, no database and no clock. Every quote is verbatim, and
is found at `report.transcript[quote.turn].text[quote.start:quote.end]`. Texts for people are in Korean and in English
(`Bilingual`). Those of the judge (in corrections, practice and next steps) are a model's, which had read what the
learner said: short, without marks of HTML and links, and never to be trusted as more than text. The same inputs give
the same bytes.

Levels on a ladder: `Grade.step` is -1 (below A1) to 5 (C2). Positions are on the same scale, with decimals.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from charye.assessment.grades import Grade
from charye.assessment.rubric import Domain
from charye.assessment.speech import Quote, Turn
from charye.assessment.sufficiency import Doubt, Reason, Verdict
from charye.errors import ConfigurationError

__all__ = [
    "VERSION",
    "Agreement",
    "Assessor",
    "Bilingual",
    "Bracket",
    "Confidence",
    "Correction",
    "DomainGrade",
    "Earlier",
    "Ending",
    "Flag",
    "Interview",
    "JudgeVersions",
    "Learner",
    "NextStep",
    "Note",
    "Number",
    "Opinion",
    "Overall",
    "Part",
    "PatternMark",
    "PatternRow",
    "Practice",
    "Report",
    "Severity",
    "Spoken",
    "Strength",
    "Sufficient",
    "TimelineEntry",
    "Trust",
    "Ungraded",
    "Versions",
    "as_earlier",
    "from_json",
    "json_schema",
    "to_json",
]

VERSION = 1

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
When = Annotated[datetime, Meta(tz=True)]


class _Part(Struct, frozen=True, kw_only=True):
    """A part of a report. Its `repr` says only what it is: most parts hold words of the learner."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Bilingual(_Part, frozen=True):
    """The same in Korean and in English. Plain text, to be escaped by whoever puts it into a page."""

    ko: str
    en: str


class Note(_Part, frozen=True, kw_only=True):
    """Something with a name for programs and words for people.

    Args:
        id: stable, such as `too_short`.
        text: what it means.
    """

    id: str
    text: Bilingual


# --- who, when, how it ended -----------------------------------------------------------------------------------------


class Learner(_Part, frozen=True, kw_only=True):
    """Who was assessed.

    Args:
        id: of the learner where the report is stored; None for nobody in particular.
        name: to show; None where none was given. Neither assessor sees it.
        language: of the learner, as BCP 47 (`en`, `vi`); None where it is not known.
    """

    id: str | None = None
    name: str | None = None
    language: str | None = None


class Ending(StrEnum):
    """Why the interview ended. The same words as the `reason` of the tool `trigger_assessment`."""

    CEILING_FOUND = "ceiling_found"
    TOP_REACHED = "top_reached"
    TURN_LIMIT = "turn_limit"
    TIME_LIMIT = "time_limit"
    LEARNER_STOP = "learner_stop"
    INSUFFICIENT_SPEECH = "insufficient_speech"
    TECHNICAL = "technical"


class Flag(StrEnum):
    """Conditions under which the report is to be read."""

    ASR_DOUBT = "asr_doubt"
    WRONG_LANGUAGE = "wrong_language"
    MEMORISED = "memorised"
    ASSISTED = "assisted"
    STOPPED_EARLY = "stopped_early"
    SILENCE = "silence"


class Interview(_Part, frozen=True, kw_only=True):
    """The interview behind the report.

    Args:
        setting: `embedded`, `model` or `hybrid`, or whatever the caller names it.
        started_at: when; None where it is not known.
        duration_s: without pauses.
        ending: why it ended.
        ending_text: the same for people.
    """

    setting: str
    started_at: When | None
    duration_s: float | None
    ending: Ending
    ending_text: Bilingual


class JudgeVersions(_Part, frozen=True, kw_only=True):
    """What the model assessor's part depends on.

    Args:
        model: as the endpoint calls the one that answered.
        prompt: version of the instructions and the rubric.
        runs: how many answers were used.
    """

    model: str
    prompt: str
    runs: int


class Versions(_Part, frozen=True, kw_only=True):
    """Everything that the report depends on, besides the transcript.

    Args:
        charye: of the package.
        scoring: of the rules that make a level from the evidence.
        texts: of the sentences in the report.
        linguistic: of the result of the offline assessor; None, as the next four, if it had no say.
        anchors, patterns, core_words: its data.
        kiwi: the morphological analyser and its model.
        bank: of the tasks; None without an interview.
        judge: None if no model had a say.
    """

    charye: str
    scoring: str
    texts: str
    linguistic: str | None = None
    anchors: str | None = None
    patterns: str | None = None
    core_words: str | None = None
    kiwi: str | None = None
    bank: str | None = None
    judge: JudgeVersions | None = None


# --- the level -------------------------------------------------------------------------------------------------------


class Sufficient(_Part, frozen=True, kw_only=True):
    """Whether there was enough speech for a level.

    Args:
        verdict: `ok`; `provisional`: the range matters more than the level; `insufficient`: no level.
        reasons: why not more, for programs.
        why: the same for people, one sentence each; empty with `ok`.
        eojeols: own Korean words that counted.
        needed_eojeols: for a level at all.
        turns: answers with Korean in them.
        needed_turns: for a level at all.
        doubtful: turns that were left out because a recogniser seems to have made them up: index and why.
        unsettled: the interview ended before the search for the level did.
        unread: no assessor could read the speech, so nothing was counted: ask again, the transcript is here.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    why: tuple[Bilingual, ...]
    eojeols: int
    needed_eojeols: int
    turns: int
    needed_turns: int
    doubtful: tuple[tuple[int, Doubt], ...] = ()
    unsettled: bool = False
    unread: bool = False


class Trust(StrEnum):
    """A confidence in one word."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Part(_Part, frozen=True, kw_only=True):
    """A part of a confidence: `weight * value` is added.

    Args:
        name: `sufficiency`, `agreement`, `bracket` or `transcript`.
        value: 0 to 1.
        weight: in the whole; the weights add up to 1.
        text: what it says.
    """

    name: str
    value: Share
    weight: Share
    text: Bilingual


class Confidence(_Part, frozen=True, kw_only=True):
    """How sure the level is, by a formula; see `docs/reference/assessment-report.md`.

    Args:
        value: 0 to 1.
        word: high from .75, medium from .5.
        parts: what it is made of; with `cap`, their sum may be higher than `value`.
        cap: that a disagreement has put on it; None if there is none.
    """

    value: Share
    word: Trust
    parts: tuple[Part, ...] = ()
    cap: Share | None = None


class Overall(_Part, frozen=True, kw_only=True):
    """The level.

    Args:
        level: the best single estimate. With `open_above` it is B2 and means: B2, or anything above it.
        open_above: only text speaks for what is above B2, and text cannot tell.
        label: to print: `A2`, or `B2+` where it is open above.
        plus: the next level was nearly sustained in the interview. Not in the label: print it in words.
        low, high: the range. The same as `level` where the evidence agrees. With `open_above`, high is C2.
        confidence: how sure it is.
        review: the assessors are so far apart that a person should look.
        held_back: why a higher level that the assessors come to is not said; None if there is none.
        meaning: what somebody of this level can do.
        equivalent: about which level of the tests of Korean that is, with the remark that it is not official.
    """

    level: Grade
    open_above: bool
    label: str
    plus: bool
    low: Grade
    high: Grade
    confidence: Confidence
    review: bool
    held_back: Bilingual | None
    meaning: Bilingual
    equivalent: Bilingual


class Bracket(_Part, frozen=True, kw_only=True):
    """Floor and ceiling of the interview, for the ladder.

    Args:
        floor: highest level that was sustained; `pre-A1` if none was.
        ceiling: lowest level that broke down; None if none did.
        settled: the search came to its end; else the floor is a best guess.
        text: what it says.
    """

    floor: Grade
    ceiling: Grade | None
    settled: bool
    text: Bilingual


class Ungraded(StrEnum):
    """Why a domain has no level."""

    TOO_LITTLE_SPEECH = "too_little_speech"
    NO_TIMES = "no_times"
    STYLE_IS_NO_LEVEL = "style_is_no_level"
    NO_EVIDENCE = "no_evidence"


class DomainGrade(_Part, frozen=True, kw_only=True):
    """One of the five domains: an axis of the radar and a section of the page.

    Args:
        domain: which.
        name: for people.
        level: None if it is not graded; the radar shows it grey.
        label: to print; a dash where there is no level.
        open_above: as in `Overall`.
        position: on the ladder, -1 to 5, for the radar; None without a level.
        confidence: of this domain; None without a level.
        ungraded: why there is no level.
        linguistic: what the offline assessor says of it, as a label; None if nothing.
        judge: what the model says of it; None if it was not asked or had too little evidence.
        comment: two or three sentences.
        quotes: up to three that show it at its best.
        counter: up to two that show what keeps it from the next level.
        next_step: what the next level needs; None without a level, and at C2.
    """

    domain: Domain
    name: Bilingual
    level: Grade | None
    label: str
    open_above: bool
    position: float | None
    confidence: Confidence | None
    ungraded: Ungraded | None
    linguistic: str | None
    judge: Grade | None
    comment: Bilingual
    quotes: tuple[Quote, ...]
    counter: tuple[Quote, ...]
    next_step: Bilingual | None


class Assessor(StrEnum):
    """Who says something about the level."""

    INTERVIEW = "interview"
    """The tasks that were sustained."""
    LINGUISTIC = "linguistic"
    """The text itself: offline, deterministic."""
    JUDGE = "judge"
    """A model with a rubric."""


class Opinion(_Part, frozen=True, kw_only=True):
    """What one of them says, or why it says nothing.

    Args:
        assessor: who.
        name: for people.
        level: None if it says none.
        open_above: as in `Overall`.
        label: to print; a dash without a level.
        low, high: its own range; None without a level.
        votes: of a model, what each of its answers came to.
        status: `ok`, or why there is nothing, such as `timed_out` or `not_asked`.
        text: what it rests on, or what happened.
    """

    assessor: Assessor
    name: Bilingual
    level: Grade | None
    open_above: bool
    label: str
    low: Grade | None
    high: Grade | None
    votes: tuple[Grade, ...] = ()
    status: str = "ok"
    text: Bilingual


class Agreement(_Part, frozen=True, kw_only=True):
    """How far the opinions are apart.

    Args:
        spread: levels between the lowest and the highest; `B2+` is no further from C1 or C2 than from B2.
        text: what that means, and whose word was followed.
    """

    spread: int
    text: Bilingual


# --- what to show and what to learn ----------------------------------------------------------------------------------


class Strength(_Part, frozen=True, kw_only=True):
    """Something done well.

    Args:
        title: in a few words, such as the name of a pattern.
        text: why it counts.
        quotes: one to three.
    """

    title: Bilingual
    text: Bilingual
    quotes: tuple[Quote, ...]


class Severity(StrEnum):
    """How much an error matters."""

    SLIP = "slip"
    ERROR = "error"
    BLOCKS_MEANING = "blocks_meaning"


class Correction(_Part, frozen=True, kw_only=True):
    """Said, better, why. At most six.

    Args:
        quote: what was said.
        better: how it should be. Korean.
        why: the rule.
        severity: how much it matters.
        source: who found it.
    """

    quote: Quote
    better: str
    why: Bilingual
    severity: Severity
    source: Assessor


class NextStep(_Part, frozen=True, kw_only=True):
    """A grammar pattern to learn next.

    Args:
        pattern: its id.
        name: as a textbook writes it.
        level: of the pattern.
        example: a Korean sentence with it, ours.
    """

    pattern: str
    name: str
    level: Grade
    example: str


class Practice(_Part, frozen=True, kw_only=True):
    """Something to do.

    Args:
        goal: for what.
        activity: how.
        minutes: about how long.
        prompt: what to talk about, in Korean; of the level above the learner's.
    """

    goal: Bilingual
    activity: Bilingual
    minutes: int
    prompt: str


class TimelineEntry(_Part, frozen=True, kw_only=True):
    """A task and its answer, in the order of the interview. Without an interview: an answer.

    Args:
        number: counts from 1.
        task: id in the bank; None without an interview.
        phase: `warm_up`, `level_check`, `probe`, `wind_down`; None without an interview.
        function: what the task wanted, such as `narrate`, and in words.
        level: of the task; None if it has none.
        score: 2 sustained, 1 partly, 0 broken down; None if it did not count.
        judged: what the model makes of it, the same way; None if it was not asked.
        breakdown: the score is 0.
        signals: what was noticed.
        question_turn: index in the transcript of what was asked; None if it is not there.
        turns: indexes of the answer.
        duration_ms: of the answer; None without times.
        latency_ms: from the end of the question to the first word; None where it is not known.
        words: own Korean ones.
    """

    number: int
    task: str | None
    phase: str | None
    function: Note | None
    level: Grade | None
    score: Literal[0, 1, 2] | None
    judged: Literal[0, 1, 2] | None
    breakdown: bool
    signals: tuple[Note, ...]
    question_turn: int | None
    turns: tuple[int, ...]
    duration_ms: float | None
    latency_ms: float | None
    words: int


class PatternMark(_Part, frozen=True, kw_only=True):
    """A grammar pattern that was used: a cell of the strip.

    Args:
        pattern: its id.
        name: as a textbook writes it.
        level: of the pattern.
        count: how often.
        quotes: up to three.
    """

    pattern: str
    name: str
    level: Grade
    count: int
    quotes: tuple[Quote, ...]


class PatternRow(_Part, frozen=True, kw_only=True):
    """The patterns of one level: a row of the strip.

    Args:
        level: A1 to C2, all six are there.
        known: how many patterns of it the assessor knows.
        used: those that were used, most frequent first.
    """

    level: Grade
    known: int
    used: tuple[PatternMark, ...]


class Number(_Part, frozen=True, kw_only=True):
    """Something that was measured.

    Args:
        id: stable, such as `speech_rate`.
        name: for people.
        value: in `unit`.
        unit: `words`, `s`, `per_s`, `share`, `per_min`, `syllables`, `per_100`.
        digits: to print behind the point.
        typical_of: label of the level whose speakers measure about this; None where that is not known.
    """

    id: str
    name: Bilingual
    value: float
    unit: str
    digits: int
    typical_of: str | None = None


class Earlier(_Part, frozen=True, kw_only=True):
    """An earlier report of the same learner: a point of the progress line.

    Args:
        report_id: which.
        made_at: when.
        level, label, open_above, low, high: as in its `Overall`; None, and a dash, where there was no level.
        confidence: its value.
    """

    report_id: str
    made_at: When
    level: Grade | None
    label: str
    open_above: bool
    low: Grade | None
    high: Grade | None
    confidence: Share | None


class Spoken(_Part, frozen=True, kw_only=True):
    """What the interviewer says at the end, about 40 seconds at most in either language.

    Args:
        ko, en: the words; no digits and no marks that a voice would stumble over.
        language: in which to say it: Korean from B2 on, below it English, unless the learner's language is Korean.
        seconds: how long the one in `language` takes to say, about.
    """

    ko: str
    en: str
    language: Literal["ko", "en"]
    seconds: float

    @property
    def text(self) -> str:
        """What to say."""
        return self.ko if self.language == "ko" else self.en


# --- the whole -------------------------------------------------------------------------------------------------------


class Report(_Part, frozen=True, kw_only=True):
    """The report. See the top of the module.

    Args:
        version: of this shape.
        id: of the report, as its maker names it.
        made_at: when, as its maker says.
        learner: who.
        interview: None for a transcript that came from elsewhere.
        versions: what it depends on.
        sufficiency: whether there was enough speech, and why there is no level.
        overall: the level; None if there was too little speech. Then `bracket` is None too, and no domain and no
            opinion has a level; the timeline still says how each task went.
        bracket: floor and ceiling; None without an interview.
        domains: five, in the order of `Domain`.
        opinions: of the interview, the linguistic assessor and the judge, in this order, those that apply.
        agreement: None where fewer than two say a level.
        strengths: two or three, with quotes; fewer if there is less to show.
        corrections: at most six, what matters most first.
        next_steps: at most five patterns.
        practice: at most three things to do.
        timeline: what was asked and how it went.
        patterns: six rows, A1 to C2.
        numbers: what was measured.
        flags: conditions to read the report under, with words.
        limits: what the report cannot say; always to be shown.
        earlier: of the same learner, oldest first.
        spoken: what the interviewer says at the end.
        transcript: both speakers; quotes point here. What is withheld is not in it.
    """

    version: int = VERSION
    id: str
    made_at: When
    learner: Learner
    interview: Interview | None
    versions: Versions
    sufficiency: Sufficient
    overall: Overall | None
    bracket: Bracket | None
    domains: tuple[DomainGrade, ...]
    opinions: tuple[Opinion, ...]
    agreement: Agreement | None
    strengths: tuple[Strength, ...]
    corrections: tuple[Correction, ...]
    next_steps: tuple[NextStep, ...]
    practice: tuple[Practice, ...]
    timeline: tuple[TimelineEntry, ...]
    patterns: tuple[PatternRow, ...]
    numbers: tuple[Number, ...]
    flags: tuple[Note, ...]
    limits: tuple[Bilingual, ...]
    earlier: tuple[Earlier, ...]
    spoken: Spoken
    transcript: tuple[Turn, ...]


def as_earlier(report: Report) -> Earlier:
    """What a later report keeps of this one."""
    overall = report.overall
    return Earlier(
        report_id=report.id,
        made_at=report.made_at,
        level=overall.level if overall else None,
        label=overall.label if overall else "–",
        open_above=overall.open_above if overall else False,
        low=overall.low if overall else None,
        high=overall.high if overall else None,
        confidence=overall.confidence.value if overall else None,
    )


def to_json(report: Report) -> bytes:
    """As JSON, by `json_schema`. The same report gives the same bytes."""
    return msgspec.json.encode(report)


def from_json(data: bytes, *, name: str = "report") -> Report:
    """The report in a JSON text.

    Args:
        name: of the file, for errors.
    Raises:
        ConfigurationError: it is none, or of another version; `option` is the name, `place` where in it.
    """
    try:
        # Looked at first: another version would be refused for some missing field, which tells nobody anything.
        version = msgspec.json.decode(data, type=_Versioned).version
        if version != VERSION:
            raise ConfigurationError("this version of reports is not known", option=name, version=version)
        return msgspec.json.decode(data, type=Report)
    except msgspec.ValidationError as error:
        # Its text names a field and a type, and may repeat an invalid value: so only the place goes further.
        _, _, place = str(error).rpartition(" - at ")
        raise ConfigurationError("the file is no report", option=name, place=place.strip("`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigurationError("the file is no valid JSON", option=name) from None


class _Versioned(Struct):
    version: int


def json_schema() -> dict[str, Any]:
    """The JSON schema of a report."""
    return msgspec.json.schema(Report)
