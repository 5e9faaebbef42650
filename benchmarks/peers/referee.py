"""Runs one client through one workload: the server in this process, the client in a process of its own.

A run is over when the script's waiting is over, or there was nothing to wait for, and the wire has been quiet for a
while. A client that is still waiting when its time is up hangs; one whose process has ended by itself has crashed.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.child import BASE_URL, SIGN
from benchmarks.peers.child import KEY as KEY_NAME
from benchmarks.peers.counting import Figures, count
from benchmarks.peers.house import KEY, open_house
from benchmarks.peers.journal import Journal
from benchmarks.peers.marks import Asked, ideal_s
from benchmarks.peers.workloads import WORKLOADS

__all__ = ["Run", "Said", "allowed_s", "run"]

_ROOT = Path(__file__).resolve().parents[2]
_START_S = 60.0
_POLL_S = 0.05
# How long nothing may be on the wire: when all was said, to see what comes twice; else, to see whether it still comes.
_QUIET_S, _QUIET_MISSING_S = 1.5, 6.0


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it. `why`: what the client's process said last, if it crashed."""

    figures: Figures
    strikes: tuple[str, ...]
    errors: tuple[str, ...]
    connections: int
    seconds: float
    why: str = ""


@dataclass(slots=True)
class Said:
    """What the client's process has said so far.

    Args:
        told: the marks that the client says will not be said.
        gone: the client says that the session has ended.
        over: the script has nothing left to wait for.
        noise: the last lines that were not for us.
    """

    asked: list[Asked] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    gone: bool = False
    over: bool = False
    noise: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """One line of its output."""
        if not line.startswith(SIGN):
            self.noise = [*self.noise[-20:], line]
            return
        fact = json.loads(line.removeprefix(SIGN))
        if "asked" in fact:
            self.asked.append(Asked(fact["asked"], fact["at"]))
        elif "told" in fact:
            self.told.add(fact["told"])
        self.gone = self.gone or "gone" in fact
        self.over = self.over or "over" in fact


def allowed_s(asked: Iterable[Asked]) -> float:
    """How long the script's waiting may take, from the first asking on."""
    return 5 * ideal_s(asked) + 10


async def run(peer: str, workload: str) -> Run:
    """Serve, start the client, watch, end it, count."""
    began = time.monotonic()
    journal, said = Journal(), Said()
    async with open_house(journal, fault=WORKLOADS[workload].fault) as address:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.peers.child", peer, workload),
            cwd=_ROOT,
            env={**os.environ, BASE_URL: address.base_url, KEY_NAME: KEY},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        listening = asyncio.create_task(_listen(child, said))
        try:
            await _watch(child, journal, said)
            crashed = child.returncode is not None
        finally:
            if child.returncode is None:
                child.kill()
            await child.wait()
            await listening
    figures = count(
        said.asked,
        journal.responses.values(),
        told={one.mark for one in said.asked} if said.gone else said.told,
        refusals=journal.refusals,
        hung=not said.over and not crashed,
        crashed=crashed,
    )
    seconds = time.monotonic() - began
    return Run(
        figures,
        tuple(journal.strikes),
        tuple(journal.errors),
        journal.connections,
        seconds,
        "".join(said.noise) if crashed else "",
    )


async def _listen(child: asyncio.subprocess.Process, said: Said) -> None:
    assert child.stdout is not None
    while line := await child.stdout.readline():
        said.hear(line.decode(errors="replace"))


async def _watch(child: asyncio.subprocess.Process, journal: Journal, said: Said) -> None:
    started = time.monotonic()
    while child.returncode is None:
        await asyncio.sleep(_POLL_S)
        now = time.monotonic()
        if not said.asked:
            if now - started > _START_S:
                return
            continue
        if now - said.asked[0].at > allowed_s(said.asked):
            return
        missing = {one.mark for one in said.asked} - {
            mark for one in journal.responses.values() if one.status == "completed" for mark in one.marks
        }
        quiet_s = _QUIET_MISSING_S if missing else _QUIET_S
        if said.over and now - journal.moved_at > quiet_s:
            return
