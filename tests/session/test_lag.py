"""The watch names who blocks an event loop, and nobody who does not. Real threads; every wait ends by an event."""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import json
import logging
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from charye.errors import ConfigurationError, LocalProtocolError
from charye.session.lag import Blocked, Cause, LagWatch, Spot, Unblocked, cause_of, where

PATIENCE_S = 30.0
BOUND_S = 0.05

Reports = queue.Queue[Blocked | Unblocked]


def line_of(function: Callable[..., object], text: str) -> int:
    """Where this stands in the source of the function."""
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


def caught(reports: Reports, function: str) -> Blocked:
    """Wait, without letting anything else run in this thread, until this function is said to block.

    A machine with much to do may hold a loop up at any other place too. That is said as well, and passed over here.
    """
    while True:
        report = reports.get(timeout=PATIENCE_S)
        if (
            isinstance(report, Blocked)
            and report.cause is Cause.BLOCKED
            and report.where.endswith(f" in {function}")
        ):
            return report


class CountedLoop(asyncio.SelectorEventLoop):
    """Tells how often somebody has looked."""

    def __init__(self) -> None:
        self.looks = queue.Queue[None]()
        super().__init__()

    def is_running(self) -> bool:
        self.looks.put_nowait(None)
        return super().is_running()

    def wait_for_looks(self, count: int) -> None:
        """Block until it was looked at so many times more."""
        while not self.looks.empty():
            self.looks.get_nowait()
        for _ in range(count):
            self.looks.get(timeout=PATIENCE_S)


@contextmanager
def watched(*, on_a_loop: bool = False, bound_s: float = BOUND_S) -> Iterator[tuple[LagWatch, Reports]]:
    """A watch of the running loop, from its own thread or from a loop in another thread."""
    reports: Reports = queue.Queue()
    watch = LagWatch(
        asyncio.get_running_loop(), threading.get_ident(), bound_s=bound_s, report=reports.put_nowait
    )
    host, thread = None, None
    if on_a_loop:
        host = asyncio.new_event_loop()
        thread = threading.Thread(target=host.run_forever, name="host")
        thread.start()
        watch.start_on(host)
    else:
        watch.start()
    try:
        yield watch, reports
    finally:
        watch.stop()
        if host is not None and thread is not None:
            host.call_soon_threadsafe(host.stop)
            thread.join()
            host.close()


@pytest.mark.parametrize("on_a_loop", [False, True])
def test_who_blocks_is_named_while_it_blocks(on_a_loop: bool) -> None:
    async def story() -> None:
        with watched(on_a_loop=on_a_loop) as (_, reports):
            await asyncio.sleep(0)
            report = caught(reports, "caught")  # it waits on a lock, in the standard library
            assert report.where == f"test_lag.py:{line_of(caught, 'reports.get')} in caught"
            assert report.since_s >= BOUND_S
            assert report.stack[0].startswith(f"{__file__}:")
            assert f"{__file__}:{line_of(caught, 'reports.get')} in caught: report = rep" in "\n".join(
                report.stack
            )
            assert "threading.py" in report.stack[-1]
            over = await asyncio.to_thread(reports.get, timeout=PATIENCE_S)
            assert isinstance(over, Unblocked)
            assert (over.cause, over.where) == (Cause.BLOCKED, report.where)
            assert over.lasted_s >= report.since_s

    asyncio.run(story())


def test_it_is_said_once_for_each_time() -> None:
    async def story() -> None:
        with watched() as (_, reports):
            for _ in range(2):
                caught(reports, "caught")
                loop.wait_for_looks(5)
                assert reports.empty()
                assert isinstance(await asyncio.to_thread(reports.get, timeout=PATIENCE_S), Unblocked)

    loop = CountedLoop()
    loop.run_until_complete(story())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@contextmanager
def released_when_caught(reports: Reports, function: str) -> Iterator[tuple[threading.Lock, list[Blocked]]]:
    """A lock that is held, until this function is said to block."""
    lock, shown = threading.Lock(), list[Blocked]()

    def wait() -> None:
        shown.append(caught(reports, function))
        lock.release()

    lock.acquire()
    thread = threading.Thread(target=wait)
    thread.start()
    yield lock, shown
    thread.join()


def test_a_function_in_c_is_named_by_the_line_that_calls_it() -> None:
    def waits(lock: threading.Lock) -> None:
        lock.acquire()  # a function in C

    async def story() -> Blocked:
        with watched() as (_, reports), released_when_caught(reports, waits.__qualname__) as (lock, shown):
            waits(lock)
        return shown[0]

    line = line_of(waits, "# a function in C")
    assert asyncio.run(story()).where == f"test_lag.py:{line} in {waits.__qualname__}"


def test_a_function_in_c_that_the_loop_itself_calls_has_no_line_but_is_no_starving() -> None:
    async def story() -> Blocked:
        with watched() as (_, reports), released_when_caught(reports, "Handle._run") as (lock, shown):
            asyncio.get_running_loop().call_soon(lock.acquire)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return shown[0]

    assert asyncio.run(story()).where.startswith("events.py:")


def test_code_that_keeps_the_interpreter_to_itself_is_named_when_it_lets_go() -> None:
    def keeps(reports: Reports) -> Blocked | Unblocked | None:
        for length in range(16, 30):
            re.match(r"(a+)+$", "a" * length + "b")  # each takes twice as long as the one before
            while not reports.empty():
                report = reports.get_nowait()
                is_named = isinstance(report, Blocked) and report.where.endswith(keeps.__qualname__)
                if is_named and report.cause is Cause.BLOCKED:
                    return report
        return None

    async def story() -> Blocked | Unblocked | None:
        with watched() as (_, reports):
            await asyncio.sleep(0)
            return keeps(reports)

    assert asyncio.run(story()) is not None


@pytest.mark.skipif(not hasattr(ctypes, "PyDLL") or sys.platform == "win32", reason="CI cannot: no usleep")
def test_a_loop_that_others_keep_from_running_is_starved() -> None:
    keep = ctypes.PyDLL(None).usleep  # does not let go of the interpreter while it sleeps
    seen = threading.Event()

    def others() -> None:
        while not seen.is_set():
            keep(int(BOUND_S * 3e6))

    async def story() -> None:
        with watched() as (_, reports):
            thread = threading.Thread(target=others)
            thread.start()
            try:
                while (await asyncio.to_thread(reports.get, timeout=PATIENCE_S)).cause is not Cause.STARVED:
                    pass
            finally:
                seen.set()
                thread.join()

    asyncio.run(story())


# --- what it leaves alone --------------------------------------------------------------------------------------------


def test_a_loop_that_works_is_left_alone() -> None:
    async def story() -> None:
        with watched(bound_s=5) as (_, reports):
            for _ in range(1_000):
                await asyncio.sleep(0)
        assert reports.empty()

    asyncio.run(story())


def test_a_loop_that_does_not_run_is_not_late() -> None:
    reports: Reports = queue.Queue()
    loop = CountedLoop()
    watch = LagWatch(loop, threading.get_ident(), bound_s=BOUND_S, report=reports.put_nowait)
    watch.start()
    loop.run_until_complete(asyncio.sleep(0))
    loop.wait_for_looks(5)
    watch.stop()
    loop.close()
    assert reports.empty()


def test_stopping_leaves_no_thread_and_no_timer() -> None:
    async def story() -> None:
        before = threading.enumerate()
        with watched() as (watch, _):
            assert len(threading.enumerate()) == len(before) + 1
            watch.stop()
            watch.stop()
            assert threading.enumerate() == before
        host = asyncio.get_running_loop()
        other = asyncio.new_event_loop()
        watch = LagWatch(other, threading.get_ident(), report=lambda report: None)
        watch.stop()  # before the start too
        watch = LagWatch(other, threading.get_ident(), report=lambda report: None)
        watch.start_on(host)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        watch.stop()
        await asyncio.sleep(0)
        assert all(handle.cancelled() for handle in host._scheduled)  # type: ignore[attr-defined]
        other.close()

    asyncio.run(story())


def test_the_watch_ends_with_the_thread_and_with_the_loop() -> None:
    reports: Reports = queue.Queue()
    started: list[LagWatch] = []

    async def story() -> None:
        watch = LagWatch(
            asyncio.get_running_loop(), threading.get_ident(), bound_s=BOUND_S, report=reports.put
        )
        watch.start()
        started.append(watch)

    thread = threading.Thread(target=asyncio.run, args=(story(),))
    thread.start()
    thread.join()
    for each in threading.enumerate():
        if each.name == "charye lag watch":
            each.join(PATIENCE_S)
            assert not each.is_alive()
    started[0].stop()
    assert reports.empty()


def test_a_report_may_fail_and_may_stop_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        told = threading.Event()

        def report(what: Blocked | Unblocked) -> None:
            watch.stop()
            told.set()
            raise LookupError

        watch = LagWatch(asyncio.get_running_loop(), threading.get_ident(), bound_s=BOUND_S, report=report)
        watch.start()
        await asyncio.sleep(0)
        assert told.wait(PATIENCE_S)
        watch.stop()

    asyncio.run(story())
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_wrong_start_is_refused() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(ConfigurationError):
            LagWatch(loop, threading.get_ident(), bound_s=0, report=print)
        watch = LagWatch(loop, threading.get_ident(), report=print)
        with pytest.raises(LocalProtocolError):
            watch.start_on(loop)
        watch.start()
        with pytest.raises(LocalProtocolError):
            watch.start()
        watch.stop()

    asyncio.run(story())


# --- what a stack says -----------------------------------------------------------------------------------------------


def here() -> None: ...


HERE = Spot(here.__code__, 1)
QUEUE = Spot(queue.Queue.get.__code__, 2)
JSON = Spot(json.dumps.__code__, 2)
PACKAGE = Spot(pytest.fixture.__code__, 3)
OURS = Spot(LocalProtocolError.__init__.__code__, 4)
TASK = Spot(asyncio.sleep.__code__, 5)
HANDLE = Spot(asyncio.Handle._run.__code__, 6)


@pytest.mark.parametrize(
    ("stack", "named"),
    [
        ([HERE], HERE),
        ([HERE, QUEUE], HERE),
        ([HERE, PACKAGE, JSON], HERE),
        ([TASK, HERE, OURS, TASK], HERE),
        ([TASK, PACKAGE, OURS, JSON], PACKAGE),  # the application may be installed as a package
        ([TASK, OURS, TASK], OURS),
        ([TASK, JSON, TASK], JSON),
        ([TASK], TASK),
    ],
)
def test_the_innermost_code_of_the_application_is_named(stack: Sequence[Spot], named: Spot) -> None:
    assert where(stack) is named


@pytest.mark.parametrize(
    ("innermost", "running", "could_work", "cause"),
    [
        (TASK, [], True, Cause.STARVED),  # waits for events
        (TASK, [TASK], True, Cause.STARVED),
        (HANDLE, [], True, Cause.BLOCKED),  # a function in C
        (HERE, [TASK, HERE, TASK], True, Cause.BLOCKED),
        (HERE, [HERE], False, Cause.STARVED),  # would go on, if it were let
    ],
)
def test_blocked_or_starved(innermost: Spot, running: Sequence[Spot], could_work: bool, cause: Cause) -> None:
    assert cause_of(innermost, running, could_work=could_work) is cause
