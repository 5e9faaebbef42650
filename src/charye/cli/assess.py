"""`charye assess`: a level and a report for any transcript. What it does is in `assessing`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["assess"]


class _Language(StrEnum):
    EN = "en"
    KO = "ko"


def assess(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Transcripts: .json, .srt, .vtt, or text with labels such as Learner: and Interviewer:.",
        ),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", help="Write the report: .html, .md, .json or .csv; again for more."),
    ] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            help="Label of the learner in the file, such as a name; all others ask.", metavar="LABEL"
        ),
    ] = None,
    monologue: Annotated[
        bool, typer.Option("--monologue", help="What has no label is said by the learner.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Of the learner, to stand in the report.")] = None,
    language: Annotated[
        _Language | None, typer.Option(help="Of the summary and the report.", show_default="en")
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(help="An earlier report (.json) of the same learner, for the progress; again for more."),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(help="Address of an OpenAI-compatible endpoint whose model reads the answers too."),
    ] = None,
    endpoint_model: Annotated[
        str | None, typer.Option(help="Name of the model at that address; key in CHARYE_ENDPOINT_KEY.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report, for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Assess the Korean of a learner in a transcript, offline, and write a report."""
    from charye.cli.assessing import Wish, run

    run(
        Wish(
            files=tuple(files),
            out=tuple(out or ()),
            learner=learner,
            monologue=monologue,
            name=name,
            language=language.value if language else None,
            earlier=tuple(earlier or ()),
            judge=judge,
            endpoint_model=endpoint_model,
            as_json=as_json,
            quiet=quiet,
        )
    )
