"""Speaks as the assessor's process does, without a model, and misbehaves on request: `fake_process.py MODE STARTS`.

STARTS is a file to which each start adds a line. What a turn says decides too: `죽어` ends the process, `멈춰` hangs
it, `틀려` is answered with a failure. Modes: `well`, `no_extra`, `mute`, `broken`, `nonsense`, `idle_end`, and
`dies_first`, which is well from the second start on.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from charye.assessment.frames import (
    HEADER_BYTES,
    Answer,
    Assess,
    Assessed,
    Failed,
    Ready,
    Scored,
    ScoreTurn,
    decode_request,
    frame,
    length_of,
)
from charye.assessment.linguistic import assess
from charye.assessment.live import TurnReading


class NoKiwi:
    """Finds nothing."""

    def tokenize(self, text: str, *, typos: str | None = None) -> Any:
        return []


def say(answer: Answer) -> None:
    sys.stdout.buffer.write(frame(answer))
    sys.stdout.buffer.flush()


def reading(words: int) -> TurnReading:
    return TurnReading(words, 1, None, 0.0, 0.0, 0, 0, (), None, None)


def answer(request: Assess | ScoreTurn) -> Answer:
    if isinstance(request, Assess):
        return Assessed(assess(request.turns, kiwi=NoKiwi()))
    match request.turn.text:
        case "죽어":
            os._exit(7)
        case "멈춰":
            threading.Event().wait()
        case "틀려":
            return Failed("ValueError")
    return Scored(reading(len(request.turn.text.split())))


def main(mode: str, starts: Path) -> int:
    with starts.open("a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    match mode:
        case "no_extra":
            say(Failed("MissingExtra", extra="korean"))
            return 1
        case "broken":
            return 3
        case "mute":
            threading.Event().wait()
        case "nonsense":
            sys.stdout.buffer.write(b"\x00\x00\x00\x03abc")
            sys.stdout.buffer.flush()
        case "dies_first" if len(starts.read_text(encoding="ascii").splitlines()) == 1:
            return 4
    say(Ready(0.0, None))
    if mode == "idle_end":
        return 5
    while header := sys.stdin.buffer.read(HEADER_BYTES):
        say(answer(decode_request(sys.stdin.buffer.read(length_of(header)))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
