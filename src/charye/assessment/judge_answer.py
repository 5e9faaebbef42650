"""What a judge answers: its form, the JSON schema of it, and how it becomes a `Run` whose every quote is genuine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from charye.assessment.consensus import CriterionVote, Run
from charye.assessment.grades import Grade
from charye.assessment.quotes import find_quote, is_correction
from charye.assessment.report import Assessor, Bilingual, Correction, Flag, Practice, Severity
from charye.assessment.rubric import Domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charye.assessment.judge_view import View
    from charye.assessment.speech import Quote, Turn

__all__ = ["Answer", "Checked", "answer_schema", "check", "read_answer"]

_LONGEST = 300
_MOST_EVIDENCE = 3
_MOST_COUNTER = 2
_MOST_CORRECTIONS = 6
_MOST_PRACTICE = 3
_LEAST_MINUTES, _MOST_MINUTES = 1, 60
_UNFIT = re.compile(r"https?:|www\.|[<>{}`\[\]\\]|[\x00-\x08\x0b-\x1f\x7f]")


class _Part(Struct, frozen=True, kw_only=True):
    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"  # it holds words of the learner


class Cited(_Part, frozen=True, kw_only=True):
    """A quote as the judge writes it."""

    answer: str
    text: str


class TaskVerdict(_Part, frozen=True, kw_only=True):
    """What came of a task."""

    question: str
    outcome: Literal[0, 1, 2]
    reason: str


class Criterion(_Part, frozen=True, kw_only=True):
    """A domain. The band comes behind its evidence: models argue for what they have said before."""

    domain: Domain
    evidence: tuple[Cited, ...]
    counter: tuple[Cited, ...]
    band: Grade | None
    next_step_ko: str
    next_step_en: str


class Mended(_Part, frozen=True, kw_only=True):
    """A correction."""

    quote: Cited
    corrected: str
    why_ko: str
    why_en: str
    severity: Severity


class Exercise(_Part, frozen=True, kw_only=True):
    """Something to do."""

    goal_ko: str
    goal_en: str
    activity_ko: str
    activity_en: str
    minutes: int
    prompt_ko: str


class Answer(_Part, frozen=True, kw_only=True):
    """All of it, in the order in which it is to be written. There is no overall level: code makes that."""

    tasks: tuple[TaskVerdict, ...]
    criteria: tuple[Criterion, ...]
    corrections: tuple[Mended, ...]
    practice: tuple[Exercise, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer that was checked.

    Args:
        run: what is left of it.
        wrong: quotes that are not genuine, as label and text, each once.
    """

    run: Run
    wrong: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return f"Checked(wrong={len(self.wrong)})"


def answer_schema() -> dict[str, Any]:
    """The JSON schema, as strict structured output wants it: no property may be left out, and there are no others."""
    (reference,), components = msgspec.json.schema_components([Answer], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {**components[reference["$ref"].rpartition("/")[2]]}
    schema["$defs"] = {name: part for name, part in components.items() if name != Answer.__name__}
    for part in (schema, *schema["$defs"].values()):
        part.pop("title", None)
        part.pop("description", None)
        if part.get("type") == "object":
            part["additionalProperties"] = False
            part["required"] = list(part["properties"])
    for part in _parts(schema):
        if "enum" in part:
            part["type"] = "integer" if isinstance(part["enum"][0], int) else "string"
    return schema


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts(value)


def read_answer(text: str) -> Answer | None:
    """The answer in what a model wrote, also between other words or marks of code; None if it is none."""
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        return None
    try:
        return msgspec.json.decode(text[begin : end + 1], type=Answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def check(answer: Answer, view: View, turns: tuple[Turn, ...], *, repaired: bool = False) -> Checked:
    """Take the quotes back to the learner's words, and leave out what rests on none.

    Args:
        answer: of the judge.
        view: what it was shown.
        turns: all of them.
        repaired: it is the second one, after a list of wrong quotes.
    """
    checker = _Checker(view, turns)
    criteria = []
    seen: set[Domain] = set()
    for criterion in answer.criteria:
        if criterion.domain not in seen:
            seen.add(criterion.domain)
            criteria.append(checker.criterion(criterion))
    corrections = [made for mended in answer.corrections if (made := checker.correction(mended))]
    tasks = {block.label: block.task for block in view.blocks}
    run = Run(
        criteria=tuple(criteria),
        tasks=tuple(
            {
                task: verdict.outcome
                for verdict in reversed(answer.tasks)
                if (task := tasks.get(verdict.question)) is not None
            }.items()
        ),
        corrections=tuple(corrections[:_MOST_CORRECTIONS]),
        practice=tuple(_practice(answer.practice)),
        flags=tuple(dict.fromkeys(answer.flags)),
        repaired=repaired,
    )
    return Checked(run, tuple(dict.fromkeys(checker.wrong)))


class _Checker:
    """Looks quotes up, and remembers those that are wrong."""

    def __init__(self, view: View, turns: tuple[Turn, ...]) -> None:
        self._answers = view.answers
        self._turns = turns
        self.wrong: list[tuple[str, str]] = []

    def criterion(self, criterion: Criterion) -> CriterionVote:
        before = len(self.wrong)
        evidence = self._genuine(criterion.evidence)[:_MOST_EVIDENCE]
        counter = self._genuine(criterion.counter)[:_MOST_COUNTER]
        return CriterionVote(
            domain=criterion.domain,
            # A band without a genuine word for or against it is a claim without evidence.
            grade=criterion.band if evidence or counter else None,
            evidence=evidence,
            counter=counter,
            next_step=_both(criterion.next_step_ko, criterion.next_step_en),
            dropped=len(self.wrong) - before,
        )

    def correction(self, mended: Mended) -> Correction | None:
        quote = self._one(mended.quote)
        why, better = _both(mended.why_ko, mended.why_en), _fit(mended.corrected)
        if quote is None or why is None or better is None or not is_correction(quote.text, better):
            return None
        return Correction(
            quote=quote,
            better=better,
            why=Bilingual(*why),
            severity=mended.severity,
            source=Assessor.JUDGE,
        )

    def _genuine(self, cited: Iterable[Cited]) -> tuple[Quote, ...]:
        found = [quote for one in cited if (quote := self._one(one)) is not None]
        return tuple(dict.fromkeys(found))

    def _one(self, cited: Cited) -> Quote | None:
        shown = self._answers.get(cited.answer)
        quote = find_quote(shown, cited.text, self._turns) if shown is not None else None
        if quote is None:
            self.wrong.append((cited.answer[:_LONGEST], cited.text[:_LONGEST]))
        return quote


def _practice(exercises: Iterable[Exercise]) -> Iterable[Practice]:
    made = 0
    for exercise in exercises:
        goal = _both(exercise.goal_ko, exercise.goal_en)
        activity = _both(exercise.activity_ko, exercise.activity_en)
        prompt = _fit(exercise.prompt_ko)
        if goal and activity and prompt and made < _MOST_PRACTICE:
            made += 1
            minutes = min(max(exercise.minutes, _LEAST_MINUTES), _MOST_MINUTES)
            yield Practice(
                goal=Bilingual(*goal), activity=Bilingual(*activity), minutes=minutes, prompt=prompt
            )


def _both(korean: str, english: str) -> tuple[str, str] | None:
    ko, en = _fit(korean), _fit(english)
    return (ko, en) if ko and en else None


def _fit(text: str) -> str | None:
    """A text of the model's as it may stand in a report: on one line, not long, no links or marks. Else None."""
    plain = " ".join(text.split())
    return plain if plain and len(plain) <= _LONGEST and not _UNFIT.search(plain) else None
