"""All clients through all workloads, one after the other: `python -m benchmarks.peers`, with the group `peers`.

There is no bound and no exit status: what other people's clients do is no promise of ours.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError

from benchmarks.core import machine
from benchmarks.peers.clients import PEERS
from benchmarks.peers.referee import Run, run
from benchmarks.peers.report import PAGE, page_with, tables, verdict, versions
from benchmarks.peers.workloads import WORKLOADS

__all__ = ["main"]


async def _run_all(peers: Sequence[str], workloads: Sequence[str]) -> dict[tuple[str, str], Run]:
    runs: dict[tuple[str, str], Run] = {}
    for workload in workloads:
        for peer in peers:
            if workload in PEERS[peer].not_offered:
                continue
            found = runs[peer, workload] = await run(peer, workload)
            unlike = [error for error in sorted(set(found.errors)) if error != "response_cancel_not_active"]
            remarks = f"  errors: {', '.join(unlike)}" if unlike else ""
            line = f"{workload} {peer:14} {found.seconds:5.1f} s  {verdict(found.figures)}{remarks}"
            print(line, file=sys.stderr, flush=True)
            if found.why:
                print(found.why, file=sys.stderr)
    return runs


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and write the page if that is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description="Compare Realtime clients."
    )
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="only this one; may be repeated")
    parser.add_argument(
        "--workload", action="append", choices=list(WORKLOADS), help="only this one; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--write", action="store_true", help=f"write the figures into {PAGE.name}")
    options = parser.parse_args(argv)
    if options.write and (options.peer or options.workload):
        parser.error("--write is for the whole table")
    peers, workloads = options.peer or list(PEERS), options.workload or list(WORKLOADS)
    try:
        found = versions(peers)
    except PackageNotFoundError as error:
        parser.error(
            f"{error.name} is not installed; it comes with: uv run --group peers python -m benchmarks.peers"
        )
    runs = asyncio.run(_run_all(peers, workloads))
    if options.json:
        rows = [
            {"peer": peer, "workload": workload, **asdict(found)} for (peer, workload), found in runs.items()
        ]
        print(json.dumps({"machine": machine(), "versions": found, "runs": rows}, indent=2))
        return 0
    text = tables(runs, peers, workloads)
    print(f"{machine()}; {found}\n\n{text}")
    if options.write:
        today = f"{datetime.now(UTC):%d %B %Y}"
        head = f"{today}, {machine()}; {found}."
        PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), f"{head}\n\n{text}"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
