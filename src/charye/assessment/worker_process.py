"""The assessor's process: ``python -m charye.assessment.worker_process``. Started and spoken to by `worker`.

Loads Kiwi, says `Ready`, then answers one request after the other, until its input ends. So it ends with whoever
started it, however that ends. Nothing a person said leaves it except in an answer: exceptions are reduced to their
type, and nobody reads its standard error.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, BinaryIO

from charye.assessment.frames import (
    HEADER_BYTES,
    Answer,
    Assess,
    Assessed,
    Failed,
    Ready,
    Request,
    Scored,
    decode_request,
    frame,
    length_of,
)
from charye.assessment.linguistic import assess
from charye.assessment.live import score_turn
from charye.assessment.morphology import load_kiwi
from charye.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.assessment.morphology import Kiwi

__all__ = ["answer", "main", "serve"]


def answer(request: Request, kiwi: Kiwi) -> Answer:
    """Do it."""
    try:
        if isinstance(request, Assess):
            return Assessed(assess(request.turns, kiwi=kiwi))
        return Scored(score_turn(request.turn, question=request.question, level=request.level, kiwi=kiwi))
    except Exception as error:  # noqa: BLE001  # one speech that cannot be read must not end the process of all
        return Failed(type(error).__name__)


def serve(requests: BinaryIO, answers: BinaryIO, *, load: Callable[[], Kiwi] = load_kiwi) -> int:
    """Answer until there are no more requests. Returns the exit status."""
    started = time.perf_counter()
    try:
        kiwi = load()
    except MissingExtra as error:
        _write(answers, Failed(type(error).__name__, extra=error.extra))
        return 1
    _write(answers, Ready(time.perf_counter() - started, _resident_mb()))
    while len(header := requests.read(HEADER_BYTES)) == HEADER_BYTES:
        data = requests.read(length_of(header))
        if len(data) < length_of(header):
            break  # whoever sent it ended in the middle
        _write(answers, answer(decode_request(data), kiwi))
    return 0


def _write(answers: BinaryIO, message: Answer) -> None:
    answers.write(frame(message))
    answers.flush()


def _resident_mb() -> float | None:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, AttributeError):  # no /proc, or no sysconf: not Linux
        return None


def main() -> int:
    """Serve on standard input and output."""
    # Control-C at a terminal reaches all its processes; whoever started this one stops it in an orderly way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The answers keep the real output to themselves: a library that prints must not break a frame.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        try:
            return serve(sys.stdin.buffer, answers)
        except BrokenPipeError:  # nobody listens any more
            return 0


if __name__ == "__main__":
    sys.exit(main())
