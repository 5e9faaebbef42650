"""What the offline assessor costs: `python -m benchmarks.assessor`. Loads the model, so it takes some seconds.

1  start of the process until the model is loaded
2  its memory then
3  the report of an interview with 15 answers, slowest of 20, asked over the pipe
4  one answer scored for the policy, 95th percentile of 300, asked over the pipe
5  the same while whole interviews are being assessed one after the other
6  how late the event loop was at most, in all this time
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from statistics import quantiles

from charye.assessment.rubric import Level
from charye.assessment.speech import Speaker, Turn
from charye.assessment.worker import LinguisticAssessor

__all__ = ["Figures", "interview", "main", "measure"]

_QUESTION = "기억에 남는 여행 이야기를 처음부터 끝까지 들려주세요."
_ANSWERS = (
    "작년 여름에 친구들하고 같이 바다에 갔어요. 원래는 기차를 타려고 했는데 표가 없어서 버스를 탔어요.",
    "길이 막혀서 다섯 시간이나 걸렸지만 노래를 부르면서 가니까 지루하지 않았어요. 도착하자마자 수영을 했어요.",
    "저녁에는 숙소 앞에서 고기를 구워 먹었어요. 옆방 사람들이 시끄럽다고 해서 조용히 이야기하기로 했어요.",
)
_TICK_S = 0.005


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. The memory is None where the system does not tell."""

    load_s: float
    loaded_mb: float | None
    report_ms: float
    score_p95_ms: float
    score_busy_p95_ms: float
    loop_late_ms: float


def interview(answers: int) -> tuple[Turn, ...]:
    """So many questions with their answers."""
    return tuple(
        turn
        for number in range(answers)
        for turn in (
            Turn(Speaker.INTERVIEWER, _QUESTION),
            Turn(Speaker.LEARNER, _ANSWERS[number % len(_ANSWERS)]),
        )
    )


async def measure(*, reports: int = 20, scores: int = 300) -> Figures:
    """Do the work of the table above."""
    late = 0.0

    async def watch() -> None:
        nonlocal late
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            late = max(late, time.perf_counter() - before - _TICK_S)

    watching = asyncio.create_task(watch())
    started = time.perf_counter()
    async with LinguisticAssessor() as assessor:
        ready = await assessor.wait_ready()
        load_s = time.perf_counter() - started
        turns = interview(15)
        report_s = [await _timed_report(assessor, turns) for _ in range(reports)]
        alone_s = [await _timed_score(assessor, number) for number in range(scores)]
        stopped = asyncio.Event()
        busy = asyncio.create_task(_keep_busy(assessor, turns, stopped))
        busy_s = [await _timed_score(assessor, number) for number in range(scores)]
        stopped.set()
        await busy
    watching.cancel()
    return Figures(
        load_s=load_s,
        loaded_mb=ready.resident_mb,
        report_ms=1000 * max(report_s),
        score_p95_ms=1000 * quantiles(alone_s, n=20)[-1],
        score_busy_p95_ms=1000 * quantiles(busy_s, n=20)[-1],
        loop_late_ms=1000 * late,
    )


async def _timed_report(assessor: LinguisticAssessor, turns: tuple[Turn, ...]) -> float:
    started = time.perf_counter()
    await assessor.assess(turns)
    return time.perf_counter() - started


async def _timed_score(assessor: LinguisticAssessor, number: int) -> float:
    turn = Turn(Speaker.LEARNER, " ".join(_ANSWERS[number % len(_ANSWERS) :]))
    started = time.perf_counter()
    await assessor.score_turn(turn, question=_QUESTION, level=Level.B1)
    return time.perf_counter() - started


async def _keep_busy(assessor: LinguisticAssessor, turns: tuple[Turn, ...], stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        await assessor.assess(turns)


def main(argv: list[str] | None = None) -> int:
    """Print the figures. Returns the exit status: 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description="What the offline assessor costs.")
    parser.add_argument("--quick", action="store_true", help="shows that it runs; its figures mean nothing")
    parser.add_argument("--json", action="store_true", help="the same for programs")
    options = parser.parse_args(argv)
    few = {"reports": 2, "scores": 5} if options.quick else {}
    figures = asyncio.run(measure(**few))
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        memory = f"{figures.loaded_mb:.0f} MB" if figures.loaded_mb is not None else "unknown"
        print(f"start of the process until the model is loaded   {figures.load_s:8.2f} s")
        print(f"memory of the process then                       {memory:>10}")
        print(f"report of 15 answers, slowest                    {figures.report_ms:8.1f} ms (bound 1000)")
        print(f"one answer scored, p95                           {figures.score_p95_ms:8.1f} ms (bound 50)")
        print(f"one answer scored while reports are made, p95    {figures.score_busy_p95_ms:8.1f} ms")
        print(f"event loop late, at most                         {figures.loop_late_ms:8.1f} ms")
    missed = figures.report_ms > 1000 or figures.score_p95_ms > 50
    return 1 if missed and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
