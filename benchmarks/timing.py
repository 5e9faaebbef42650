"""Two things timed in turns, so that a busy machine slows both and decides nothing."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

__all__ = ["Compared", "compare", "repeat"]

Timed = Callable[[], float]
"""Runs one round and gives the seconds of the part that counts."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The fastest round of each, in microseconds per unit of work. Noise only ever adds time."""

    measured_us: float
    reference_us: float

    @property
    def ratio(self) -> float:
        return self.measured_us / self.reference_us


def compare(measured: Timed, reference: Timed, *, rounds: int, units: int) -> Compared:
    """A/B, B/A, A/B ... without the garbage collector, and after one round each that does not count.

    Args:
        units: pieces of work in a round, so that the result is time per piece.
    """
    best: dict[Timed, float] = {}
    order = [measured, reference]
    collects = gc.isenabled()
    try:
        for each in order:
            each()
        for _ in range(rounds):
            gc.collect()
            gc.disable()
            for each in order:
                seconds = each()
                best[each] = min(seconds, best.get(each, seconds))
            gc.enable()
            order.reverse()
    finally:
        (gc.enable if collects else gc.disable)()
    return Compared(best[measured] / units * 1e6, best[reference] / units * 1e6)


def repeat(work: Callable[[], object], times: int) -> Timed:
    """A round that does the same thing so many times."""

    def timed() -> float:
        start = perf_counter()
        for _ in range(times):
            work()
        return perf_counter() - start

    return timed
