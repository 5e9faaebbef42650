"""`charye serve`: the offline Realtime server on a port. What it does is in `serving`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8600,
    mind: Annotated[
        str, typer.Option(help="echo, a scenario (.toml, .json), or the address of a chat endpoint.")
    ] = "echo",
    voice: Annotated[
        str,
        typer.Option(
            help="auto, espeak, tone, none, a model or its folder, or the address of a speech endpoint."
        ),
    ] = "auto",
    ears: Annotated[
        str,
        typer.Option(
            help="energy (turns, no words), none, a model, or the address of a transcription endpoint."
        ),
    ] = "energy",
    endpoint_model: Annotated[
        str | None, typer.Option(help="Name of the model at those addresses; key in CHARYE_ENDPOINT_KEY.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="What goes wrong, as `charye faults` lists it; again for more.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Makes ids and faults the same each time.", show_default="chance")
    ] = None,
    faults_on_request: Annotated[
        bool, typer.Option(help="Let sessions ask for faults themselves: ?fault=lost_done&seed=7.")
    ] = True,
    key: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CHARYE_KEY", help="An API key that is let in; again for more.", show_default="any"
        ),
    ] = None,
    max_sessions: Annotated[int, typer.Option(min=1, help="More are refused with HTTP 503.")] = 1000,
    max_session_s: Annotated[float, typer.Option(min=1, help="How long one may last.")] = 3600.0,
    max_frame_mb: Annotated[float, typer.Option(min=0.01, help="Of one message of a client.")] = 24.0,
    max_buffer_s: Annotated[float, typer.Option(min=1, help="Of audio that is not committed.")] = 600.0,
    journal: Annotated[
        Path | None,
        typer.Option(help="Write every event, both ways, and every fault into this file, as JSON lines."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the address and nothing else.")] = False,
) -> None:
    """Serve Realtime sessions until Ctrl-C: the protocol of OpenAI and Azure, without either."""
    from charye.cli.serving import Wish, run

    source = context.get_parameter_source("key")
    run(
        Wish(
            host=host,
            port=port,
            mind=mind,
            voice=voice,
            ears=ears,
            endpoint_model=endpoint_model,
            faults=tuple(fault or ()),
            seed=seed,
            faults_on_request=faults_on_request,
            keys=tuple(key or ()),
            key_from_environment=source is not None and source.name == "ENVIRONMENT",
            max_sessions=max_sessions,
            max_session_s=max_session_s,
            max_frame_bytes=int(max_frame_mb * 1024 * 1024),
            max_buffer_s=max_buffer_s,
            journal=journal,
            quiet=quiet,
        )
    )
