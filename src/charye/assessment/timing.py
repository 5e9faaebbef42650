"""Fluency from times: how fast, how many pauses, how long before the answer.

The limits between bands are opinion, because there was no graded Korean speech; so they move fluency by one band at
most. Typed turns have no speech in them and are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from charye.assessment.anchors import load_anchors
from charye.assessment.speech import Source, Speaker
from charye.assessment.units import has_hangul

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charye.assessment.speech import Turn, Word

__all__ = ["Timing", "TimingReading", "read_timing", "spoken_syllables"]

PAUSE_MS = 250.0
LONG_PAUSE_MS = 1000.0
_UNITS = (0, 1, 1, 1)  # 십 백 천 behind a digit
_GROUPS = 4


@dataclass(frozen=True, slots=True)
class TimingReading:
    """One timing feature.

    Args:
        name: as in `anchors.toml`.
        says: what it counts.
        value: in its own unit.
        limits: between A1, A2, B1, B2 and C1.
        position: 0.5, at the lower end, to 3.5.
    """

    name: str
    says: str
    value: float
    limits: tuple[float, float, float, float]
    position: float


@dataclass(frozen=True, slots=True)
class Timing:
    """What the times of the learner's turns say.

    Args:
        turns: that had times.
        speaking_s: from first to last voice, of all of them.
        syllables: spoken in them.
        articulation_rate: syllables a second of voice alone; None where words have no times.
        readings: those that could be measured.
        position: the median of theirs; None if there are none.
    """

    turns: int
    speaking_s: float
    syllables: int
    articulation_rate: float | None
    readings: tuple[TimingReading, ...]
    position: float | None


@dataclass(frozen=True, slots=True)
class _Timed:
    """A turn with times. `gaps_ms` is None where the words have none."""

    length_ms: float
    syllables: int
    gaps_ms: tuple[float, ...] | None


def spoken_syllables(text: str) -> int:
    """How many syllables it takes to say this: hangul blocks, and numbers as they are read, 2024 as 이천이십사."""
    hangul = sum("가" <= character <= "힣" for character in text)
    return hangul + sum(_number_syllables(digits) for digits in re.findall(r"\d+", text))


def _number_syllables(digits: str) -> int:
    """Sino-Korean: a one before 십, 백, 천 is not said, and 만, 억, 조 end groups of four."""
    number = digits.lstrip("0")
    if not number:
        return len(digits)
    if len(digits) > 1 and digits[0] == "0":
        return len(digits)  # a telephone number, said digit by digit
    count = 0
    for at, digit in enumerate(reversed(number)):
        place = at % _GROUPS
        if digit != "0":
            count += _UNITS[place] + (0 if digit == "1" and place else 1)
        if place == 0 and at and set(number[max(0, len(number) - at - _GROUPS) : len(number) - at]) != {"0"}:
            count += 1
    return count


def read_timing(turns: Sequence[Turn], *, leave_out: Iterable[int] = ()) -> Timing | None:
    """Measure the learner's turns. None if none has times."""
    left_out = set(leave_out)
    timed: list[_Timed] = []
    latencies_s: list[float] = []
    asked_until: float | None = None
    for index, turn in enumerate(turns):
        if turn.speaker is Speaker.INTERVIEWER:
            # What was not heard was not waited for.
            asked_until = turn.interrupted_at_ms if turn.interrupted_at_ms is not None else turn.end_ms
            continue
        one = None if index in left_out or turn.source is Source.TYPED else _timed(turn)
        if one is not None:
            timed.append(one)
            if asked_until is not None and turn.start_ms is not None and turn.start_ms >= asked_until:
                latencies_s.append((turn.start_ms - asked_until) / 1000)
        asked_until = None
    return _timing(timed, latencies_s) if timed else None


def _timed(turn: Turn) -> _Timed | None:
    words = [word for word in turn.words if word.end_ms >= word.start_ms]
    start = words[0].start_ms if words else turn.start_ms
    end = words[-1].end_ms if words else turn.end_ms
    syllables = spoken_syllables(turn.text)
    if start is None or end is None or end <= start or not has_hangul(turn.text):
        return None
    return _Timed(end - start, syllables, _gaps(words) if words else None)


def _gaps(words: Sequence[Word]) -> tuple[float, ...]:
    return tuple(
        after.start_ms - here.end_ms
        for here, after in pairwise(words)
        if after.start_ms - here.end_ms >= PAUSE_MS
    )


def _timing(timed: Sequence[_Timed], latencies_s: Sequence[float]) -> Timing:
    length_ms = sum(one.length_ms for one in timed)
    syllables = sum(one.syllables for one in timed)
    values = {"speech_rate": 1000 * syllables / length_ms}
    paused = [one for one in timed if one.gaps_ms is not None]
    articulation_rate = None
    if paused:
        gaps = [gap for one in paused for gap in one.gaps_ms or ()]
        paused_ms = sum(one.length_ms for one in paused)
        said = sum(one.syllables for one in paused)
        values["pause_ratio"] = sum(gaps) / paused_ms
        values["long_pauses"] = 60_000 * sum(gap >= LONG_PAUSE_MS for gap in gaps) / paused_ms
        values["mean_run"] = said / (len(gaps) + len(paused))
        voiced_ms = paused_ms - sum(gaps)
        articulation_rate = round(1000 * said / voiced_ms, 4) if voiced_ms > 0 else None
    if latencies_s:
        values["latency_s"] = median(latencies_s)
    readings = tuple(
        TimingReading(
            limits.name,
            limits.says,
            round(values[limits.name], 4),
            limits.limits,
            round(limits.position(values[limits.name]), 4),
        )
        for limits in load_anchors().timings
        if limits.name in values
    )
    return Timing(
        turns=len(timed),
        speaking_s=round(length_ms / 1000, 3),
        syllables=syllables,
        articulation_rate=articulation_rate,
        readings=readings,
        position=round(median(reading.position for reading in readings), 4),
    )
