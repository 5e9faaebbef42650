"""The programs of docs/howto/threads.md, run as they stand in the page."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import charye
from charye.errors import LocalProtocolError
from charye.server.minds import Script, Scripted
from tests.howto.running import loaded, output, programs, run, tidy

PAGE = "howto/threads.md"

MODEL = b"""
    [[answer]]
    when = "find"
    [[answer.call]]
    name = "find"
    arguments = { query = "cats" }
    [[answer]]
    say = "Two."
"""


def model() -> Scripted:
    return Scripted(Script.parse(MODEL))


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["threads", "tool"]


def test_eight_threads_are_heard(capsys: pytest.CaptureFixture[str]) -> None:
    run(PAGE, "threads")
    assert tidy(capsys.readouterr().out) == output(PAGE, "threads")


def test_a_plain_tool_may_speak_from_its_thread() -> None:
    ran_in: list[threading.Thread] = []

    def search(query: str) -> list[str]:
        ran_in.append(threading.current_thread())
        return [query, query]

    async def story() -> list[str]:
        async with charye.connect(charye.Embedded(mind=model)) as session:
            loaded(PAGE, "tool").add_search(session, search)
            session.send_text("Find cats!")
        return [said.text for said in session.transcript]

    assert asyncio.run(story()) == ["Find cats!", "Let me look.", "Two."]
    assert ran_in[0] is not threading.main_thread()


def test_the_traps_are_as_the_page_says() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with charye.connect(charye.Embedded()) as session:
            threads = session.threads()
            with pytest.raises(LocalProtocolError):
                threads.say("Hi!").heard()

            def too_short() -> None:
                with pytest.raises(TimeoutError):
                    threads.say("Hello there!").heard(timeout_s=0.01)

            def in_another_loop() -> None:
                with pytest.raises(LocalProtocolError, match="threads"):
                    asyncio.run(wait_for_it())

            async def wait_for_it() -> None:
                await session.say("Hi!").heard()

            with ThreadPoolExecutor(1) as pool:
                await loop.run_in_executor(pool, too_short)
                await loop.run_in_executor(pool, in_another_loop)
        assert [said.text for said in session.transcript] == ["Hi!", "Hello there!", "Hi!"]

        def too_late() -> None:
            with pytest.raises(LocalProtocolError):
                threads.say("Hi!")

        await asyncio.to_thread(too_late)

    asyncio.run(story())
