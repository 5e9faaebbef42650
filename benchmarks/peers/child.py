"""One client through one workload, in a process of its own: `python -m benchmarks.peers.child PEER WORKLOAD`.

The address and the key are in the environment. Says on standard output, a JSON object a line, what was asked for and
when, what the client says will not be said, that the client says the session has ended, and when nothing is left to
wait for; then it stays until it is ended.
"""

import asyncio
import json
import os
import sys
from typing import Any

from benchmarks.peers.clients import PEERS
from benchmarks.peers.marks import Asked
from benchmarks.peers.workloads import WORKLOADS, Script, Setup

__all__ = ["BASE_URL", "KEY", "SIGN"]

BASE_URL, KEY = "PEERS_BASE_URL", "PEERS_KEY"
SIGN = "@peers "
"""Before each line that is for the referee: clients print too."""


def _tell(**fact: Any) -> None:
    print(SIGN + json.dumps(fact), flush=True)


def _note(asked: Asked) -> None:
    _tell(asked=asked.mark, at=asked.at)


def _lost(mark: str, error: BaseException) -> None:
    _tell(told=mark, why=type(error).__name__)


async def _run(peer: str, workload: str) -> None:
    work = WORKLOADS[workload]
    base_url = os.environ[BASE_URL]
    setup = Setup(
        base_url=base_url,
        websocket_url=f"{base_url.replace('http', 'ws', 1)}/realtime",
        key=os.environ[KEY],
        desk=work.desk(),
        push_to_talk=work.push_to_talk,
        gone=lambda: _tell(gone=True),
    )
    async with PEERS[peer].load()(setup) as client:
        script = Script(client, _note, _lost)
        await work.asks(script)
        await script.over()
        _tell(over=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
