"""Who waits for the assessor's process, and in which order."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from charye.assessment.frames import ScoreTurn

if TYPE_CHECKING:
    from charye.assessment.frames import Answer, Request

__all__ = ["Job", "Line"]


@dataclass(slots=True)
class Job:
    """A request and who waits for it. Cancelled is whoever's future is."""

    request: Request
    done: asyncio.Future[Answer]
    tries: int = 0


@dataclass(slots=True)
class Line:
    """Who waits. Answers of a running interview go before whole assessments: a person waits for them."""

    urgent: deque[Job] = field(default_factory=deque)
    other: deque[Job] = field(default_factory=deque)
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    def __len__(self) -> int:
        """How many still wait."""
        return sum(not job.done.done() for job in (*self.urgent, *self.other))

    def put(self, job: Job, *, first: bool = False) -> None:
        """At the end of its queue, or at the head."""
        queue = self.urgent if isinstance(job.request, ScoreTurn) else self.other
        (queue.appendleft if first else queue.append)(job)
        self.filled.set()

    async def get(self) -> Job:
        """The next one that somebody still waits for. Safe to cancel: none is taken and lost."""
        while True:
            for queue in (self.urgent, self.other):
                while queue:
                    job = queue.popleft()
                    if not job.done.done():
                        return job
            self.filled.clear()
            await self.filled.wait()
