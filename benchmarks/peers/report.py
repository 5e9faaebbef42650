"""The figures as people read them, on the screen and in docs/reference/comparison.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.clients import PEERS
from benchmarks.peers.counting import Figures
from benchmarks.peers.referee import Run
from benchmarks.peers.workloads import WORKLOADS

__all__ = ["PAGE", "Runs", "details", "overview", "page_with", "tables", "verdict", "versions"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "comparison.md"
_BEGIN, _END = "<!-- figures: written by `python -m benchmarks.peers --write` -->", "<!-- end of figures -->"

Runs = Mapping[tuple[str, str], Run]
"""By client and workload. What is not there was not run."""

_COLUMNS = (
    "asked",
    "lost",
    "told",
    "in part",
    "twice",
    "cut",
    "joined",
    "out of order",
    "refusals",
    "gap ms",
    "p95",
    "x ideal",
    "end",
)


def verdict(figures: Figures) -> str:
    """What a user of the client would say about it, in a few words; in brackets what may be as it should be."""
    found = [
        f"{number} {word}"
        for number, word in (
            (figures.lost, "lost"),
            (figures.partial, "in part"),
            (figures.doubled, "twice"),
            (figures.disordered, "out of order"),
        )
        if number
    ]
    if figures.hung:
        found.append("hangs")
    if figures.crashed:
        found.append("crashed")
    besides = [
        f"{number} {word}" for number, word in ((figures.cut, "cut"), (figures.joined, "joined")) if number
    ]
    return (", ".join(found) or "all") + (f" ({', '.join(besides)})" if besides else "")


def overview(runs: Runs, peers: Sequence[str], workloads: Sequence[str]) -> str:
    """One line for each client, one column for each workload."""
    rows = [[PEERS[peer].title, *(_cell(runs, peer, workload) for workload in workloads)] for peer in peers]
    return _markdown([["", *workloads], *rows])


def _cell(runs: Runs, peer: str, workload: str) -> str:
    if workload in PEERS[peer].not_offered:
        return "not offered"
    found = runs.get((peer, workload))
    return "" if found is None else verdict(found.figures)


def details(runs: Runs, peers: Sequence[str], workload: str) -> str:
    """Everything that was counted in one workload."""
    rows = [
        [PEERS[peer].title, *_figures(runs[peer, workload].figures)]
        for peer in peers
        if (peer, workload) in runs
    ]
    return _markdown([["", *_COLUMNS], *rows])


def _figures(figures: Figures) -> list[str]:
    return [
        str(figures.asked),
        str(figures.lost),
        str(figures.told) if figures.lost else "",
        str(figures.partial),
        str(figures.doubled),
        str(figures.cut),
        str(figures.joined),
        str(figures.disordered),
        str(figures.refusals),
        _number(figures.gap_ms, ".0f"),
        _number(figures.gap_p95_ms, ".0f"),
        _number(figures.times_ideal, ".2f"),
        "hung" if figures.hung else "crashed" if figures.crashed else "",
    ]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def versions(peers: Sequence[str]) -> str:
    """Of the packages that were run."""
    found = {PEERS[peer].package: PEERS[peer].version for peer in peers}
    return ", ".join(f"{package} {version}" for package, version in found.items())


def tables(runs: Runs, peers: Sequence[str], workloads: Sequence[str]) -> str:
    """Everything: the overview, then each workload."""
    parts = [overview(runs, peers, workloads)]
    for workload in workloads:
        parts += [f"### {workload}: {WORKLOADS[workload].title}", details(runs, peers, workload)]
    notes = [
        f"- {PEERS[peer].title}, {workload}: {reason}"
        for peer in peers
        for workload, reason in PEERS[peer].not_offered.items()
        if workload in workloads
    ]
    return "\n\n".join([*parts, "\n".join(["Not offered:", "", *notes])] if notes else parts)


def page_with(page: str, figures: str) -> str:
    """The page with these figures between its two marks; what is written by hand stays.

    Raises:
        ValueError: the page has no such marks.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has no place for the figures")
    return f"{before}{_BEGIN}\n\n{figures}\n\n{_END}{after}"
