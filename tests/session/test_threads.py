"""The session from other threads, the thread of its engine, and an end that leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import charye
from charye.core.requests import OutcomeKind
from charye.errors import AuthenticationFailed, LocalProtocolError, RealtimeError
from charye.session.settings import LineSettings, SessionSettings
from charye.testing import offline_server


def test_eight_threads_speak_and_wait() -> None:
    async def story() -> None:
        async with charye.connect(charye.Embedded()) as session:
            threads = session.threads()
            ready = threading.Barrier(8)

            def speak(n: int) -> OutcomeKind:
                ready.wait(10)
                handle = threads.say(f"{n}")
                handle.generated(timeout_s=30)
                return handle.ended(timeout_s=30).kind

            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(8) as pool:
                kinds = await asyncio.gather(*(loop.run_in_executor(pool, speak, n) for n in range(8)))
            assert kinds == [OutcomeKind.HEARD] * 8
            assert sorted(u.text for u in session.transcript) == [str(n) for n in range(8)]

    asyncio.run(story())


def test_waiting_on_the_sessions_own_loop_is_an_error_and_not_a_deadlock() -> None:
    async def story() -> None:
        async with charye.connect(charye.Embedded()) as session:
            handle = session.threads().say("hello")
            with pytest.raises(LocalProtocolError):
                handle.heard()

    asyncio.run(story())


def test_a_wait_in_a_thread_can_time_out_and_what_was_asked_for_goes_on() -> None:
    async def story() -> None:
        async with charye.connect(charye.Embedded()) as session:
            handle = session.threads().say("a sentence of some length")

            def wait() -> None:
                with pytest.raises(TimeoutError):
                    handle.heard(timeout_s=0.01)

            await asyncio.to_thread(wait)
            assert handle.outcome is None

    asyncio.run(story())


@pytest.mark.skipif(sys.platform == "win32", reason="CI cannot: there is no uvloop for Windows")
def test_both_halves_run_on_uvloop_too() -> None:
    import uvloop

    async def story(*, io_thread: bool) -> None:
        async with charye.connect(
            charye.Embedded(), settings=SessionSettings(io_thread=io_thread)
        ) as session:
            handles = [session.say(f"{n}") for n in range(5)]
            assert [(await handle).kind for handle in handles] == [OutcomeKind.HEARD] * 5

    for io_thread in (False, True):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(story(io_thread=io_thread))


def test_a_session_leaves_no_task_and_no_thread() -> None:
    async def story() -> None:
        async with charye.connect(charye.Embedded()) as session:
            session.say("hello")
            session.background(asyncio.sleep(0))
            await session.close(drain=False)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = set(threading.enumerate())
    asyncio.run(story())
    assert set(threading.enumerate()) <= before


def test_a_session_that_cannot_begin_leaves_nothing_either() -> None:
    async def story(url: str) -> None:
        endpoint = charye.Compatible(url=url, model="m", api_key="wrong", dialect="openai")
        with pytest.raises(AuthenticationFailed):
            async with charye.connect(endpoint):
                pass
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with offline_server() as server:
        before = set(threading.enumerate())
        asyncio.run(story(server.url))
        assert set(threading.enumerate()) <= before


def test_a_line_that_cannot_be_had_again_ends_the_session_with_its_error() -> None:
    async def story(endpoint: charye.Compatible) -> None:
        settings = SessionSettings(line=LineSettings(give_up_s=0))
        async with charye.connect(endpoint, settings=settings) as session:
            handle = session.say("hello")
            assert (await handle).kind is not OutcomeKind.HEARD
            with pytest.raises(RealtimeError):
                _ = [event async for event in session.events()]

    with offline_server(fault="drop:at=any") as server:
        endpoint = charye.Compatible(url=server.url, model="m", api_key=server.key, dialect="openai")
        with pytest.raises(RealtimeError):
            asyncio.run(story(endpoint))


PROGRAM = textwrap.dedent(
    """
    import asyncio, sys, time
    import charye

    async def main():
        async with charye.connect(charye.Embedded()) as session:
            @session.tool
            def stuck() -> str:
                "Hangs."
                time.sleep(60)
                return ""
            session.say("a sentence that takes a while to say, and then some more of it")
            session.background(asyncio.sleep(60))
            blocked = session.background(session.run_blocking(time.sleep, 60))
            print("ready", flush=True)
            await asyncio.sleep(60)

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(42)
    """
)


@pytest.mark.skipif(sys.platform == "win32", reason="CI cannot: signals of this kind are POSIX's")
def test_ctrl_c_ends_a_program_within_a_second() -> None:
    program = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    pressed = time.monotonic()
    os.kill(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=20)
    took_s = time.monotonic() - pressed
    assert program.returncode == 42, errors
    assert "never retrieved" not in errors
    assert "was destroyed" not in errors
    # Waiting for the user's patience, not for speed: ten times that is a machine with much else to do.
    assert took_s < 10
