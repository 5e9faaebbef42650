"""What `charye assess` does: read, assess, write, and say it in the terminal."""

import asyncio
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charye.assessment.compose import make_report
from charye.assessment.judge import Endpoint, Judge
from charye.assessment.judge_outcome import NOT_ASKED, JudgeOutcome
from charye.assessment.linguistic import assess
from charye.assessment.morphology import Kiwi, load_kiwi
from charye.assessment.render import as_file, csv, kind_of
from charye.assessment.render.opening import advice, range_in_words
from charye.assessment.render.texts import Words, language_for, words_of
from charye.assessment.report import Earlier, Learner, Report, as_earlier, from_json, to_json
from charye.assessment.speech import Speaker, Turn
from charye.errors import ConfigurationError
from charye.interview.transcript import Transcript, to_turns
from charye.interview.transcript_files import Naming, read

__all__ = ["Wish", "run"]

_KEY = "CHARYE_ENDPOINT_KEY"
"""The environment variable with the key for endpoints elsewhere."""
_NO_KEY = "none"
_CORRECTIONS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """The options, as they were given; what they mean is in the help of `assess`."""

    files: tuple[Path, ...]
    out: tuple[Path, ...]
    learner: str | None
    monologue: bool
    name: str | None
    language: Literal["en", "ko"] | None
    earlier: tuple[Path, ...]
    judge: str | None
    endpoint_model: str | None
    as_json: bool
    quiet: bool


def run(wish: Wish) -> None:
    """Assess the files and write what was asked for.

    What can be wrong with the command line or a file is found before the model is loaded, which takes seconds.

    Raises:
        ConfigurationError: a file cannot be read, understood or written; `option` names it, with the line.
        MissingExtra: `korean`, or with a judge `judge`, is not installed.
    """
    _check(wish)
    transcripts = [_read(path, wish) for path in wish.files]
    learner, earlier = _history(wish)
    endpoint = _endpoint(wish)
    console = Console(stderr=True)
    if wish.quiet or wish.as_json or not console.is_terminal:
        kiwi = load_kiwi()
    else:
        with console.status("Loading the Korean model"):
            kiwi = load_kiwi()
    reports = [_assess(transcript, kiwi, endpoint, learner, earlier) for transcript in transcripts]
    for path in wish.out:
        _write(path, reports, wish)
    _print(reports, wish)


def _check(wish: Wish) -> None:
    kinds = [kind_of(str(path)) for path in wish.out]
    if len(wish.files) > 1:
        if any(kind != "csv" for kind in kinds):
            raise ConfigurationError("several transcripts go into one .csv only", option="--out")
        if wish.name or wish.earlier:
            raise ConfigurationError("--name and --earlier are for one transcript", option="FILE")
    for path in wish.out:
        if not path.parent.is_dir():
            raise ConfigurationError("the folder does not exist", option=str(path))
    if (wish.judge is None) != (wish.endpoint_model is None):
        raise ConfigurationError(
            "an address needs --endpoint-model, the name of the model there", option="--judge"
        )
    if wish.judge is not None and not wish.judge.startswith(("http://", "https://")):
        raise ConfigurationError("the judge is an address such as http://127.0.0.1:8000/v1", option="--judge")


def _read(path: Path, wish: Wish) -> Transcript:
    unlabelled = Speaker.LEARNER if wish.monologue else None
    transcript = read(path, naming=Naming(learner=wish.learner, unlabelled=unlabelled))
    if not any(said.speaker is Speaker.LEARNER for said in transcript.utterances):
        raise ConfigurationError("nobody in the file is the learner", option=str(path))
    return transcript


def _history(wish: Wish) -> tuple[Learner, tuple[Earlier, ...]]:
    """Who it is, and all that is known from before: each report brings those before it."""
    reports = [_report(path) for path in wish.earlier]
    known = {one.report_id: one for report in reports for one in (*report.earlier, as_earlier(report))}
    last = max(reports, key=lambda report: report.made_at, default=None)
    learner = last.learner if last else Learner()
    return msgspec.structs.replace(learner, name=wish.name or learner.name), tuple(known.values())


def _report(path: Path) -> Report:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "the file cannot be read", option=str(path), problem=error.strerror
        ) from error
    return from_json(data, name=str(path))


def _endpoint(wish: Wish) -> Endpoint | None:
    if wish.judge is None or wish.endpoint_model is None:
        return None
    # A local endpoint asks for no key, but the header needs something to hold.
    key = os.environ.get(_KEY) or _NO_KEY
    return Endpoint(model=wish.endpoint_model, base_url=wish.judge, api_key=key)


def _assess(
    transcript: Transcript,
    kiwi: Kiwi,
    endpoint: Endpoint | None,
    learner: Learner,
    earlier: tuple[Earlier, ...],
) -> Report:
    turns = to_turns(transcript)
    # The same transcript has the same id, so a report that is made again does not count as progress.
    digest = sha256(msgspec.json.encode(transcript)).hexdigest()[:16]
    outcome = asyncio.run(_ask(endpoint, turns, learner)) if endpoint else NOT_ASKED
    return make_report(
        id=digest,
        made_at=datetime.now().astimezone(),
        turns=turns,
        linguistic=assess(turns, kiwi=kiwi),
        judge=outcome,
        learner=learner,
        earlier=tuple(one for one in earlier if one.report_id != digest),
    )


async def _ask(endpoint: Endpoint, turns: tuple[Turn, ...], learner: Learner) -> JudgeOutcome:
    async with Judge(endpoint) as judge:
        return await judge.assess(turns, names=(learner.name,) if learner.name else ())


def _write(path: Path, reports: Sequence[Report], wish: Wish) -> None:
    name = str(path)
    data = csv(reports) if kind_of(name) == "csv" else as_file(reports[0], name, language=wish.language)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigurationError(
            "the file cannot be written", option=str(path), problem=error.strerror
        ) from error


# --- in the terminal -------------------------------------------------------------------------------------------------


def _print(reports: Sequence[Report], wish: Wish) -> None:
    if wish.as_json:
        # One JSON text in each line.
        Console().file.write("".join(f"{to_json(report).decode()}\n" for report in reports))
        return
    if wish.quiet:
        return
    console = Console()
    for path, report in zip(wish.files, reports, strict=True):
        words = words_of(wish.language or language_for(report))
        if len(reports) > 1:
            console.print(Text(_shown(str(path)), style="bold"))
        _summary(console, report, words)
    for path in wish.out:
        console.print(Text(_shown(str(path)), style="dim"), soft_wrap=True)


def _summary(console: Console, report: Report, words: Words) -> None:
    overall = report.overall
    if overall is None:
        console.print(
            words("none.unread_heading" if report.sufficiency.unread else "none.heading"), style="bold"
        )
        lines = [words.of(why) for why in report.sufficiency.why]
        lines += [] if report.sufficiency.unread else advice(report, words)
        for line in lines:
            console.print(Text(f"- {_shown(line)}"))
        return
    facts = Table.grid(padding=(0, 2))
    trust = words(f"trust.{overall.confidence.word}")
    share = words.number(overall.confidence.value, "share", 0)
    facts.add_row(words("level.heading"), Text(overall.label, style="bold"))
    facts.add_row(words("level.range"), range_in_words(overall, words))
    facts.add_row(words("level.confidence"), words("level.confidence_is", word=trust, share=share))
    facts.add_row("", words.of(overall.meaning))
    for one in report.domains:
        facts.add_row(words(f"domain.{one.domain}"), one.label)
    console.print(facts)
    for opinion in report.opinions:
        if opinion.status != "ok":
            console.print(words.of(opinion.text), style="yellow")
    if overall.review:
        console.print(words("level.review"), style="yellow")
    for mended in report.corrections[:_CORRECTIONS]:
        console.print(Text(f"{_shown(mended.quote.text)} → {_shown(mended.better)}"))


def _shown(text: str) -> str:
    """A text from a file without what would steer the terminal."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cf") else char for char in text)
