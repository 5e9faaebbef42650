"""What needs real threads: W9, W10 and the closing chain, in real time and with the engine in its own thread.

All faults at once, each in a session of its own, in one program. Its loop is therefore held up for all of them.
"""

import asyncio
import inspect
import logging
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from charye.core.settings import Patience, Settings
from charye.server.faults import FAULTS
from charye.server.minds import Echo, Mind
from charye.session import io_thread as io_thread_of_charye
from charye.session.settings import SessionSettings
from tests.e2e.elsewhere import Elsewhere
from tests.e2e.laws import violations
from tests.e2e.network import Network
from tests.e2e.playing import usable
from tests.e2e.room import Room
from tests.e2e.scene import ENDS_THE_LINE, EVERYTHING, Scene, connected, nothing_left, served
from tests.e2e.truth import Truth
from tests.e2e.workloads import RESUME, WORKLOADS, scripted

ALL_FAULTS = ("", *FAULTS)

SHORTER: Mapping[str, str] = {
    "created_late": "created_late:s=8",
    "expiry": "expiry:s=2",
    "long_answer": "long_answer:s=3",
    "stall": "stall:s=2",
}
"""As they are by default, some faults take a minute. Here a minute is a minute."""

PATIENCE = Patience(answer_s=7.0, silence_s=7.0, probe_s=3.0, cancel_s=3.0)

_LONGEST_S = 120.0
_OPENING_S = 0.02
"""Forty sessions do not begin in one moment: the machine would be too busy to answer anybody."""


@dataclass
class Played:
    """What came of it, by fault."""

    scenes: dict[str, Scene] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    log: list[logging.LogRecord] = field(default_factory=list)
    blocked_at: str = ""


Story = Callable[[Scene], Awaitable[None]]


async def play_all(
    faults: tuple[str, ...],
    story: Story,
    *,
    mind: Callable[[], Mind],
    ping_timeout_s: float | None = None,
    io_thread: bool = True,
    beside: Callable[[asyncio.Event], Awaitable[None]] | None = None,
) -> Played:
    """The same story through each fault, all at the same time.

    Args:
        beside: what the program does meanwhile; begins when all sessions are open.
    """
    played, trouble = Played(), list[str]()
    io_thread_of_charye.borrow()  # libuv opens a pipe for signals with the first loop of a process, and keeps it
    io_thread_of_charye.give_back()
    all_open, opened = asyncio.Event(), 0
    settings = SessionSettings(io_thread=io_thread, core=Settings(patience=PATIENCE), journal=EVERYTHING)

    async def one(number: int, fault: str) -> None:
        nonlocal opened
        truth, network, room = Truth(), Network(is_gated=False), Room(reports=bool(number % 2))
        wire: list[Any] = []
        server = served(truth, wire, mind=mind, seed=1, ping_timeout_s=ping_timeout_s, syllable_ms=30.0)
        await asyncio.sleep(number * _OPENING_S)
        async with elsewhere.there(server) as address:
            asked = SHORTER.get(fault, fault)
            session = connected(address.base_url, asked, 1, network, room, settings)
            async with session:
                scene = Scene(session, room, truth, network, Random(1), asked, 1, wire)
                played.scenes[fault] = scene
                opened += 1
                if opened == len(faults):
                    all_open.set()
                await story(scene)
                if session.is_open:
                    await usable(scene)
            if session.is_open:
                scene.trouble.append("the session is still open")

    with Elsewhere() as elsewhere:
        async with nothing_left(trouble), asyncio.timeout(_LONGEST_S):
            meanwhile = [beside(all_open)] if beside is not None else []
            told = await asyncio.gather(
                *(one(number, fault) for number, fault in enumerate(faults)),
                *meanwhile,
                return_exceptions=True,
            )
            await asyncio.get_running_loop().shutdown_default_executor()
    for fault, error in zip(faults, told, strict=False):
        scene = played.scenes[fault]
        raised = [f"raised {error!r}"] if error is not None else []
        played.wrong[fault] = [*trouble, *raised, *violations(scene)]
    return played


def expect_nothing_wrong(played: Played, fault: str, workload: str) -> None:
    if wrong := played.wrong[fault]:
        told = "\n  ".join(wrong)
        end = played.scenes[fault].end_of_wire()
        pytest.fail(
            f"{workload}, fault {fault or 'none'}, seed 1:\n  {told}\nthe end of the wire:\n{end}",
            pytrace=False,
        )


every_fault = pytest.mark.parametrize("fault", ALL_FAULTS, ids=lambda fault: fault or "no_fault")


# --- W9: tool results from eight threads in the same millisecond -----------------------------------------------------

_EIGHT = """
[[answer]]
when = "^question"
parallel = true
{calls}

[[answer]]
when = "found"
say = "All there."

[[answer]]
say = "Yes."
""".format(
    calls="\n".join(f'[[answer.call]]\nname = "look_up"\narguments = {{ place = {n} }}' for n in range(8))
)


async def eight_threads(scene: Scene) -> None:
    together = threading.Barrier(8)
    scene.facts["together"] = 0

    @scene.session.tool
    def look_up(place: int) -> str:
        """Look it up."""
        with suppress(threading.BrokenBarrierError):  # with some faults there are fewer calls
            if together.wait(timeout=2) == 0:
                scene.facts["together"] += 1
        return f"found {place}"

    from_outside = scene.session.threads()
    for number in range(2):
        together = threading.Barrier(8)
        handle = scene.session.send_text(f"question {number}", **RESUME)
        await scene.keep(handle)
        said = await asyncio.to_thread(from_outside.say, f"outside {number}", **RESUME)
        await asyncio.to_thread(said.ended, timeout_s=60)


@pytest.fixture(scope="module")
def eight() -> Played:
    return asyncio.run(play_all(ALL_FAULTS, eight_threads, mind=scripted(_EIGHT)))


@every_fault
def test_w9_results_from_eight_threads_are_answered_once(eight: Played, fault: str) -> None:
    expect_nothing_wrong(eight, fault, "W9")
    scene = eight.scenes[fault]
    account = scene.account()
    replies = [asked for asked in account.requests.values() if asked.trigger.startswith("tool:")]
    assert len(replies) <= len({call.response_id for call in scene.truth.calls}), (
        "one reply for eight results"
    )
    if not fault:
        assert scene.facts["together"] == 2
        assert len(replies) == 2


# --- W10: who answers the pings --------------------------------------------------------------------------------------

_JOB_S = 3.0
PING_TIMEOUT_S = 2.0


def fights_for_the_interpreter() -> None:
    """Computes, and gives the interpreter away only when it is made to."""
    until = time.monotonic() + _JOB_S
    while time.monotonic() < until:
        pass


def holds_up_the_loop() -> None:
    time.sleep(_JOB_S)


async def both_jobs(all_open: asyncio.Event) -> None:
    await all_open.wait()
    await asyncio.to_thread(fights_for_the_interpreter)
    holds_up_the_loop()  # wrongly: in the loop itself


async def five_sentences(scene: Scene) -> None:
    for number in range(5):
        scene.say(f"sentence {number}", **RESUME)
        await asyncio.sleep(2)
    await scene.all_ended()


class _Kept(logging.Handler):
    def __init__(self, kept: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record)


@pytest.fixture(scope="module")
def held_up() -> Played:
    kept: list[logging.LogRecord] = []
    handler = _Kept(kept)
    logging.getLogger("charye.session").addHandler(handler)
    try:
        played = asyncio.run(
            play_all(ALL_FAULTS, five_sentences, mind=Echo, ping_timeout_s=PING_TIMEOUT_S, beside=both_jobs)
        )
    finally:
        logging.getLogger("charye.session").removeHandler(handler)
    played.log = kept
    return played


@every_fault
def test_w10_the_line_survives_whoever_computes_or_blocks(held_up: Played, fault: str) -> None:
    expect_nothing_wrong(held_up, fault, "W10")
    if fault not in ENDS_THE_LINE:
        assert held_up.scenes[fault].account().lost == 0


def test_w10_the_log_names_the_blocker(held_up: Played) -> None:
    lines, first = inspect.getsourcelines(holds_up_the_loop)
    at = first + next(number for number, line in enumerate(lines) if "sleep" in line)
    said = [record.getMessage() for record in held_up.log]
    named = re.compile(rf"the event loop is held up: .*test_real_time\.py:{at} in holds_up_the_loop")
    assert sum(bool(named.search(message)) for message in said) >= len(ALL_FAULTS), set(said)


async def says_and_waits(scene: Scene) -> None:
    scene.say("before it", **RESUME)
    await asyncio.sleep(1 + _JOB_S)
    await scene.all_ended()


async def blocks_soon(all_open: asyncio.Event) -> None:
    await all_open.wait()
    await asyncio.sleep(0.5)
    holds_up_the_loop()


async def _held_up(*, io_thread: bool) -> int:
    """How many lines are lost, where a ping comes within the job for certain."""
    played = await play_all(
        ("",), says_and_waits, mind=Echo, ping_timeout_s=0.5, io_thread=io_thread, beside=blocks_soon
    )
    return played.scenes[""].account().lost


def test_w10_it_is_the_thread_of_its_own_that_survives() -> None:
    assert asyncio.run(_held_up(io_thread=True)) == 0
    assert asyncio.run(_held_up(io_thread=False)) > 0


# --- W3, in real time ------------------------------------------------------------------------------------------------


def test_w3_the_closing_chain_in_real_time() -> None:
    workload = WORKLOADS["W3"]
    mind = workload.options["mind"]
    played = asyncio.run(play_all(("",), workload.play, mind=mind, ping_timeout_s=PING_TIMEOUT_S))
    expect_nothing_wrong(played, "", "W3")
    assert list(workload.wrong(played.scenes[""])) == []
