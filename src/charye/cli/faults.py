"""`charye faults`: what can go wrong on request."""

__all__ = ["faults"]


def faults() -> None:
    """List the faults that `charye serve --fault` and `?fault=` take, with their options."""
    from rich.console import Console
    from rich.table import Table

    from charye.server.faults import SCENARIOS, catalogue

    table = Table("fault", "what the server does", "options, and what they are if not set", show_lines=True)
    for entry in catalogue():
        options = "\n".join(
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in entry.options.items()
        )
        table.add_row(
            f"[bold]{entry.name}[/]" if entry.name in SCENARIOS else entry.name, entry.about, options
        )
    console = Console()
    console.print(table)
    console.print(
        "Bold: seen in the field, against several clients. All take nth (1: the first occasion), times (1; 0: all) and "
        "chance (1). For instance: charye serve --fault lost_done:nth=2,latency:out_ms=200 --seed 7",
        soft_wrap=True,
    )
