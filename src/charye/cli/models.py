"""`charye models list|get|path`: the models that can be had, and where they are."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["models"]

models = typer.Typer(
    help="Models that listen to Korean or speak it: fetched on request only, kept in a local folder.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Root = Annotated[
    Path | None,
    typer.Option("--folder", envvar="CHARYE_MODELS", help="The folder of all models.", show_default="cache"),
]
Name = Annotated[str, typer.Argument(help="As `charye models list` says it.")]


@models.command("list")
def list_(
    folder: Root = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what there is: task, size, licence, and whether it is here."""
    from charye.server.models import MODELS, is_complete

    here = {model.name: is_complete(model, root=folder) for model in MODELS}
    if as_json:
        import msgspec

        rows = [
            {
                "name": model.name,
                "task": model.task,
                "size_mb": model.size_mb,
                "licence": model.licence,
                "source": model.source,
                "here": here[model.name],
            }
            for model in MODELS
        ]
        typer.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("name", no_wrap=True), "for", "MB", "licence", "here", "about")
    for model in MODELS:
        mark = "yes" if here[model.name] else ""
        table.add_row(model.name, model.task, f"{model.size_mb:,}", model.licence, mark, model.about)
    Console().print(table)


@models.command()
def get(
    name: Name,
    folder: Root = None,
    endpoint: Annotated[
        str | None, typer.Option(envvar="HF_ENDPOINT", help="The hub, or a mirror of it.", show_default="hub")
    ] = None,
) -> None:
    """Fetch what is missing of a model, check it, and say where it is."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

    from charye.server.models import HUB
    from charye.server.models import get as fetch

    # The progress goes to stderr, so that `$(charye models get ...)` is the path.
    with Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(stderr=True)
    ) as progress:
        bars: dict[str, TaskID] = {}

        def show(file: str, so_far: int, in_all: int | None) -> None:
            if file not in bars:
                bars[file] = progress.add_task(file, total=in_all)
            progress.update(bars[file], completed=so_far, total=in_all)

        found = fetch(name, root=folder, endpoint=endpoint or HUB, progress=show)
    typer.echo(str(found))


@models.command()
def path(name: Name, folder: Root = None) -> None:
    """Say where a model is. Exit code 5 if it is not here, or not wholly."""
    from charye.cli import exits
    from charye.errors import ModelMissing
    from charye.server.models import path as find

    try:
        typer.echo(str(find(name, root=folder)))
    except ModelMissing as error:
        typer.echo(f"charye: {error}; run: charye models get {name}", err=True)
        raise typer.Exit(exits.NO_MODEL) from None
