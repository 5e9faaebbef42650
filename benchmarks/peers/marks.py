"""What is said in a run: short marks, each once, so that the server's journal shows what was lost, doubled or early.

    u007   an utterance that the program asks for          c007   a message whose answer needs tools
    t007   a turn of the user's voice, found by the VAD    p007   a push-to-talk press

A spoken mark is a tone whose pitch is its number, so the server's ears can read it. A mark with `?` behind it is an
answer that was given on some of the results only.
"""

import math
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from charye.audio.pcm import WIRE_RATE_HZ, pack, samples, silence

__all__ = ["PARTLY", "Asked", "generation_s", "ideal_s", "mark", "marks_in", "read_tones", "tone"]

PARTLY = "?"
"""Behind a mark: the answer is built on some of the results only."""

_MARK = re.compile(r"\b([utpc]\d{3})\b(\??)")

_BASE_HZ = {"t": 200.0, "p": 800.0}
_STEP_HZ = 20.0
_LEVEL = 12_000
# Rising zero crossings further apart than this belong to two tones; a period of the lowest tone is a quarter of it.
_APART = 480
_FEWEST = 8  # crossings, below which it is no tone


def mark(kind: str, number: int) -> str:
    """The mark of this number."""
    return f"{kind}{number:03d}"


def marks_in(text: str) -> list[str]:
    """The marks in a text, in order, with their `?`."""
    return ["".join(found) for found in _MARK.findall(text)]


def generation_s(mark: str) -> float:
    """How long the server generates what answers a mark: 150 to 300 ms, the same for every client."""
    return 0.150 + crc32(mark.encode()) % 151 / 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """The script asked for this. `at`: seconds of the machine's monotonic clock."""

    mark: str
    at: float


def ideal_s(asked: Iterable[Asked]) -> float:
    """How long it takes one after the other, without a pause where something waits, from the first asking on.

    A message that needs tools takes two responses: the calls, and what is said about their results.
    """
    begun: float | None = None
    free_at = 0.0
    for one in sorted(asked, key=lambda one: one.at):
        begun = one.at if begun is None else begun
        responses = 2 if one.mark.startswith("c") else 1
        free_at = max(free_at, one.at) + responses * generation_s(one.mark)
    return 0.0 if begun is None else free_at - begun


def tone(mark: str, ms: float, *, quiet_ms: float = 0.0) -> bytes:
    """The user says this mark: PCM16 at the rate of the wire, with a silence behind it."""
    hz = _BASE_HZ[mark[0]] + _STEP_HZ * int(mark[1:])
    count = round(ms * WIRE_RATE_HZ / 1000)
    wave = array("h", (round(_LEVEL * math.sin(2 * math.pi * hz * at / WIRE_RATE_HZ)) for at in range(count)))
    return pack(wave) + silence(quiet_ms, sample_rate_hz=WIRE_RATE_HZ)


def read_tones(pcm: bytes) -> list[str]:
    """The marks that were said in these samples, in order."""
    values = samples(pcm)
    rising = [at for at in range(1, len(values)) if values[at - 1] <= 0 < values[at]]
    found: list[str] = []
    begin = 0
    for at in range(1, len(rising) + 1):
        if at == len(rising) or rising[at] - rising[at - 1] > _APART:
            found += _read(rising[begin:at])
            begin = at
    return found


def _read(rising: list[int]) -> list[str]:
    if len(rising) < _FEWEST:
        return []
    hz = (len(rising) - 1) * WIRE_RATE_HZ / (rising[-1] - rising[0])
    kind = "p" if hz >= _BASE_HZ["p"] - _STEP_HZ / 2 else "t"
    return [mark(kind, round((hz - _BASE_HZ[kind]) / _STEP_HZ))]
