"""The server of a run: it answers every mark, each in its own time, and reads what the user says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from benchmarks.peers.journal import Journal
from benchmarks.peers.marks import PARTLY, generation_s, marks_in, read_tones
from charye.protocol import (
    FunctionCallItem,
    FunctionCallOutputItem,
    FunctionTool,
    Item,
    MessageItem,
    Transcription,
)
from charye.server.admission import Door
from charye.server.ears import LocalEars
from charye.server.faults import Faults
from charye.server.parts import Arguments, Call, Context, MindOutput, Text, TranscriptDone, TranscriptResult
from charye.server.serve import ServeSettings, serving
from charye.server.session import SessionParts
from charye.server.voice import ToneVoice

__all__ = ["KEY", "Answering", "Reading", "open_house"]

KEY = "sk-peers"

_SYLLABLE_MS = 20.0
"""The voice speaks faster than it is generated, so who waits until all is heard loses nothing to who does not."""


class Reading:
    """A recogniser that reads tones."""

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        yield TranscriptDone(" ".join(read_tones(pcm)))


class Answering:
    """A mind that does what a model would, and never more.

    Asked with marks in the instructions, it says those. Else it answers what has no answer yet: first with the calls,
    then with words. What is to be said takes its own time, each piece; presses and turns by voice have one reply of
    the usual length, to all the presses, but of the turns by voice only to the last. Asked again when all is answered,
    it answers the last once more.
    """

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        told = _Told(context)
        calls = [] if told.instructed else told.uncalled
        for mark in calls:
            await asyncio.sleep(generation_s(mark))
            for tool in told.tools:
                key = f"{mark} {tool}"
                yield Call(key, tool)
                yield Arguments(key, f'{{"mark": "{mark}"}}')
        if calls:
            return
        says = told.instructed or told.unanswered or told.last
        if aloud := [mark for mark in says if _is_aloud(mark)]:
            yield Text("".join(f"{mark}. " for mark in aloud))
            await asyncio.sleep(generation_s(aloud[0]))
        for mark in says:
            if not _is_aloud(mark):
                yield Text(f"{mark}. ")
                await asyncio.sleep(generation_s(mark.rstrip(PARTLY)))
        if not says:
            yield Text("Hello.")


def _is_aloud(mark: str) -> bool:
    """The user said it aloud."""
    return mark.startswith(("t", "p"))


class _Told:
    """What a mind can read in its context."""

    def __init__(self, context: Context) -> None:
        self.instructed = marks_in(context.instructions)
        self.tools = [tool.name for tool in context.tools if isinstance(tool, FunctionTool)]
        answered: set[str] = set()
        called: set[str] = set()
        heard: dict[str, None] = {}
        results: Counter[str] = Counter()
        for item in context.items:
            found = marks_in(_words(item))
            if isinstance(item, FunctionCallItem):
                called.update(found)
            elif isinstance(item, FunctionCallOutputItem):
                results.update(set(found))
            elif isinstance(item, MessageItem) and item.role == "assistant":
                answered.update(mark.rstrip(PARTLY) for mark in found)
            else:
                heard.update(dict.fromkeys(found))
        waiting = [mark for mark in heard if mark not in answered]
        self.uncalled = [
            mark for mark in waiting if mark.startswith("c") and mark not in called and self.tools
        ]
        aloud = [mark for mark in reversed(waiting) if mark.startswith("p")]
        aloud += [mark for mark in waiting if mark.startswith("t")][-1:]
        written = [self._whole(mark, results) for mark in waiting if not _is_aloud(mark)]
        self.unanswered = [*aloud, *written]
        self.last = [self._whole(mark, results) for mark in list(heard)[-1:]]

    def _whole(self, mark: str, results: Counter[str]) -> str:
        return mark + PARTLY if mark.startswith("c") and results[mark] < len(self.tools) else mark


def _words(item: Item) -> str:
    if isinstance(item, FunctionCallItem):
        return item.arguments
    if isinstance(item, FunctionCallOutputItem):
        return item.output
    if isinstance(item, MessageItem):
        found = (getattr(part, "text", None) or getattr(part, "transcript", None) for part in item.content)
        return " ".join(words for words in found if isinstance(words, str))
    return ""


def open_house(journal: Journal, *, fault: str) -> AbstractAsyncContextManager[Any]:
    """The server on a port of its own, until the block is left. Gives its address."""

    def parts() -> SessionParts:
        return SessionParts(
            mind=Answering(),
            voice=ToneVoice(syllable_ms=_SYLLABLE_MS),
            ears=LocalEars(recognizer=Reading()),
        )

    settings = ServeSettings(
        door=Door(api_keys=frozenset({KEY})),
        seed=1,
        faults=Faults.parse(fault, seed=1),
        observe=journal.observe,
        tap=journal.tap,
    )
    return serving(parts, settings=settings)
