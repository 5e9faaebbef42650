"""The commands, put together. Imports typer and nothing heavier, so `charye --help` is quick."""

from typing import Annotated

import typer

from charye import __version__
from charye.cli import exits
from charye.cli.assess import assess
from charye.cli.faults import faults
from charye.cli.models import models
from charye.cli.serve import serve

__all__ = ["app"]

app = typer.Typer(
    help="Turn-taking for realtime voice.",
    epilog="\b\nExit codes:\n" + (exits.__doc__ or "").partition("\n\n")[2].rstrip(),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: drawing it with rich would take longer than all the rest.
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(assess)
app.command()(faults)
app.add_typer(models, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"charye {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and stop.")
    ] = False,
) -> None:
    pass
