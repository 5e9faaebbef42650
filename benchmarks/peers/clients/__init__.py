"""One module for each client: `opened(setup)` gives it in a session, as `benchmarks.peers.workloads.Client`.

Each does what the client's documentation tells a user to do, and no more. In words: docs/reference/comparison.md.
"""

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.peers.workloads import Client, Setup

__all__ = ["PEERS", "Peer"]

Opened = Callable[[Setup], AbstractAsyncContextManager[Client]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A client of the comparison.

    Args:
        module, opened: where the driver is, and what it is called there.
        package: whose version is printed.
        not_offered: workloads that cannot be said in its public API, with the reason.
    """

    title: str
    package: str
    module: str
    opened: str = "opened"
    not_offered: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        return importlib.metadata.version(self.package)

    def load(self) -> Opened:
        """Imports the client: only its own process does."""
        found: Opened = getattr(importlib.import_module(f"{__name__}.{self.module}"), self.opened)
        return found


PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        "openai-naive": Peer(
            title="openai, create at once", package="openai", module="openai_sdk", opened="naive"
        ),
        "openai-flag": Peer(title="openai, a flag", package="openai", module="openai_sdk", opened="flag"),
        "openai-fifo": Peer(
            title="openai, FIFO and 100 ms", package="openai", module="openai_sdk", opened="fifo"
        ),
        "openai-agents": Peer(title="openai-agents", package="openai-agents", module="openai_agents"),
        "livekit": Peer(title="LiveKit Agents", package="livekit-agents", module="livekit_agents"),
        "pipecat": Peer(title="Pipecat", package="pipecat-ai", module="pipecat_ai"),
        "charye": Peer(title="charye", package="charye", module="charye_session"),
    }
)
