"""Between two loops: in order, without waiting, without losing anything."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from charye.errors import LocalProtocolError
from charye.session import io_thread
from charye.session.crossing import Crossing, Mailbox


@pytest.fixture
def engine() -> Iterator[Mailbox]:
    yield io_thread.borrow()
    io_thread.give_back()


def crossing(there: Mailbox) -> Crossing:
    return Crossing(here=Mailbox(asyncio.get_running_loop(), threading.get_ident()), there=there)


def test_calls_are_made_in_the_order_in_which_they_were_posted(engine: Mailbox) -> None:
    async def story() -> None:
        calls: list[int] = []
        way = crossing(engine)
        for n in range(1000):
            way.post(calls.append, n)
        await way.ask(lambda: None)
        assert calls == list(range(1000))

    asyncio.run(story())


def test_each_of_many_threads_keeps_its_order(engine: Mailbox) -> None:
    calls: list[tuple[int, int]] = []
    with ThreadPoolExecutor(8) as pool:
        for thread in range(8):
            pool.submit(lambda thread: [engine.post(calls.append, (thread, n)) for n in range(500)], thread)
    done = threading.Event()
    engine.post(done.set)
    assert done.wait(10)
    for thread in range(8):
        assert [n for who, n in calls if who == thread] == list(range(500))


def test_a_post_from_the_loop_itself_is_made_later_not_inside() -> None:
    async def story() -> None:
        mailbox = Mailbox(asyncio.get_running_loop(), threading.get_ident())
        calls: list[str] = []
        mailbox.post(calls.append, "posted")
        calls.append("went on")
        await asyncio.sleep(0)
        assert calls == ["went on", "posted"]

    asyncio.run(story())


def test_an_answer_and_an_error_come_back(engine: Mailbox) -> None:
    async def story() -> None:
        way = crossing(engine)
        assert await way.ask(lambda a, b: a + b, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            await way.ask(lambda: 1 // 0)

        async def slowly(fails: bool) -> str:
            assert threading.get_ident() == engine.thread_id
            await asyncio.sleep(0)
            if fails:
                raise KeyError("planted")
            return "done"

        assert await way.ask(slowly, False) == "done"
        with pytest.raises(KeyError):
            await way.ask(slowly, True)

    asyncio.run(story())


def test_cancelling_the_wait_cancels_the_work(engine: Mailbox) -> None:
    async def story() -> None:
        way = crossing(engine)
        began, ended = threading.Event(), asyncio.Event()

        async def for_ever() -> None:
            try:
                began.set()
                await asyncio.get_running_loop().create_future()
            finally:
                way.here.post(ended.set)

        asking = asyncio.create_task(way.ask(for_ever))
        await asyncio.to_thread(began.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(10):
            await ended.wait()

    asyncio.run(story())


def test_one_bad_call_does_not_eat_those_behind_it() -> None:
    async def story() -> None:
        told: list[dict[str, object]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        mailbox = Mailbox(loop, threading.get_ident())
        calls: list[str] = []
        mailbox.post(lambda: 1 // 0)
        mailbox.post(calls.append, "behind it")
        await asyncio.sleep(0)
        assert calls == ["behind it"]
        assert isinstance(told[0]["exception"], ZeroDivisionError)

    asyncio.run(story())


def test_a_loop_that_is_closed_is_told_so() -> None:
    loop = asyncio.new_event_loop()
    mailbox = Mailbox(loop, -1)
    loop.close()
    assert not mailbox.post(lambda: None)
    assert not mailbox.post(lambda: None), "nor the next one"

    async def story() -> None:
        with pytest.raises(LocalProtocolError):
            await crossing(mailbox).ask(lambda: None)

    asyncio.run(story())


def test_the_io_thread_is_shared_and_ends_with_its_last_user() -> None:
    def threads() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "charye-io"]

    assert threads() == []
    first, second = io_thread.borrow(), io_thread.borrow()
    assert first is second
    io_thread.give_back()
    assert len(threads()) == 1
    io_thread.give_back()
    assert threads() == []
