"""What every `Line` must do, as tests that anybody can run over their own.

    class TestMyLine(LineConformance):
        @asynccontextmanager
        async def joined(self) -> AsyncIterator[tuple[Line, FarEnd]]:
            ...
            yield line, far_end

pytest collects the methods that start with `test_`; without pytest, call them. Nothing here is imported by the library.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from charye.errors import ConnectionLost
from charye.transports.base import Line

__all__ = ["FarEnd", "LineConformance"]

_TURNS = 300


class FarEnd(Protocol):
    """The other end, as a test drives it."""

    async def send(self, data: bytes) -> None:
        """Send one event."""
        ...

    async def receive(self) -> bytes:
        """The next event. Whoever does not call it does not read.

        Raises:
            ConnectionLost: the line is closed, with code and reason.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close in order."""
        ...

    async def cut(self) -> None:
        """Break off, without a word."""
        ...


class LineConformance:
    """The promises of `charye.transports.base.Line`, one test each.

    Attributes:
        bound_bytes: so much unread, at the latest, makes `send` wait.
        close_s: `close` comes back within this time, whatever the other end does.
        time_s: a test that takes longer has hung.
        secrets: texts that no error, `repr` or traceback may show.
    """

    bound_bytes = 64 * 1024 * 1024
    close_s = 5.0
    time_s = 30.0
    secrets: tuple[str, ...] = ()

    def joined(self) -> AbstractAsyncContextManager[tuple[Line, FarEnd]]:
        """A line and its other end. Leaving the block closes both, if they are not."""
        raise NotImplementedError

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        """Run it in an event loop: a new one, unless it is overridden."""

        async def main() -> None:
            async with asyncio.timeout(self.time_s):
                await story()

        asyncio.run(main())

    # order

    def test_it_has_the_interface(self) -> None:
        """`send`, `receive`, `close`."""

        async def story() -> None:
            async with self.joined() as (line, _):
                assert isinstance(line, Line)

        self.run(story)

    def test_messages_keep_their_order_both_ways_under_load(self) -> None:
        """Small and large ones mixed, both ways at once."""

        async def story() -> None:
            async with self.joined() as (line, far):
                said = [_message(n) for n in range(_TURNS)]
                there, back, *_ = await asyncio.gather(
                    _all(far.receive, len(said)),
                    _all(line.receive, len(said)),
                    _each(line.send, said),
                    _each(far.send, said),
                )
                assert there == said
                assert back == said

        self.run(story)

    def test_each_of_many_senders_keeps_its_order(self) -> None:
        """Large and small ones mixed."""

        async def story() -> None:
            async with self.joined() as (line, far):
                mine = [[b"%d " % who + _message(n) for n in range(60)] for who in range(4)]
                receiving = asyncio.ensure_future(_all(far.receive, 240))
                await asyncio.gather(*(_each(line.send, said) for said in mine))
                received = await receiving
                for who, said in enumerate(mine):
                    assert [one for one in received if one.startswith(b"%d " % who)] == said

        self.run(story)

    def test_a_message_arrives_whole(self) -> None:
        """Two megabytes, and letters of more than one byte."""

        async def story() -> None:
            async with self.joined() as (line, far):
                for data in (b'"' + b"x" * 2_000_000 + b'"', '{"text": "차례"}'.encode()):
                    there, _ = await asyncio.gather(far.receive(), line.send(data))
                    back, _ = await asyncio.gather(line.receive(), far.send(data))
                    assert (there, back) == (data, data)

        self.run(story)

    # cancelling

    def test_a_cancelled_receive_loses_nothing(self) -> None:
        """Cancelled before, while and after a message arrives."""

        async def story() -> None:
            async with self.joined() as (line, far):
                received: list[bytes] = []
                for n in range(_TURNS):
                    waiting = asyncio.ensure_future(line.receive())
                    await far.send(b"%d" % n)
                    for _ in range(n % 7):
                        await asyncio.sleep(0)
                    waiting.cancel()
                    await asyncio.wait({waiting})
                    if not waiting.cancelled():
                        received.append(waiting.result())
                while len(received) < _TURNS:
                    received.append(await line.receive())
                assert received == [b"%d" % n for n in range(_TURNS)]

        self.run(story)

    def test_send_waits_for_room_and_a_cancelled_one_sent_nothing(self) -> None:
        """The other end does not read; then it does."""

        async def story() -> None:
            async with self.joined() as (line, far):
                taken, waiting = await self._until_full(line)
                waiting.cancel()
                await asyncio.wait({waiting})
                assert waiting.cancelled()
                received = await _all(far.receive, taken)
                await line.send(b"after")
                assert await far.receive() == b"after"
                assert received == [_block(n) for n in range(taken)]

        self.run(story)

    def test_a_send_that_waits_goes_on_when_the_other_end_reads(self) -> None:
        """Nothing of it is lost, nothing comes twice."""

        async def story() -> None:
            async with self.joined() as (line, far):
                taken, waiting = await self._until_full(line)
                received = await _all(far.receive, taken + 1)
                await waiting
                assert received == [_block(n) for n in range(taken + 1)]

        self.run(story)

    def test_a_small_message_does_not_slip_past_one_that_waits(self) -> None:
        """Although there would be room for it."""

        async def story() -> None:
            async with self.joined() as (line, far):
                taken, waiting = await self._until_full(line)
                small = asyncio.ensure_future(line.send(b"small"))
                received = await _all(far.receive, taken + 2)
                await asyncio.gather(waiting, small)
                assert received[-2:] == [_block(taken), b"small"]

        self.run(story)

    # the end

    def test_what_was_sent_before_the_other_end_closed_still_comes(self) -> None:
        """And then the end, with code and reason; every time the same."""

        async def story() -> None:
            async with self.joined() as (line, far):
                await _each(far.send, [b"1", b"2"])
                await far.close(4000, "invalid_request_error.x")
                assert await _all(line.receive, 2) == [b"1", b"2"]
                for _ in range(2):
                    for act in (line.receive, lambda: line.send(b"late")):
                        error = await _lost(act)
                        assert (error.close_code, error.reason) == (4000, "invalid_request_error.x")
                await line.close(1000, "too late to count")
                assert (await _lost(line.receive)).close_code == 4000

        self.run(story)

    def test_what_was_sent_before_our_close_still_arrives(self) -> None:
        """And then the end, with code and reason."""

        async def story() -> None:
            async with self.joined() as (line, far):
                said = [_message(n) for n in range(20)]
                await _each(line.send, said)
                received, _ = await asyncio.gather(_all(far.receive, 20), line.close(1001, "going"))
                assert received == said
                error = await _lost(far.receive)
                assert (error.close_code, error.reason) == (1001, "going")

        self.run(story)

    def test_our_close_ends_a_receive_and_a_send_that_wait(self) -> None:
        """With the code of the close; the first close counts."""

        async def story() -> None:
            async with self.joined() as (line, _):
                receiving = asyncio.ensure_future(_lost(line.receive))
                _, sending = await self._until_full(line)
                await asyncio.gather(line.close(1000, "enough"), line.close(1001, "second"))
                await line.close(1002, "third")
                for error in (await receiving, await _lost(lambda: sending), await _lost(line.receive)):
                    assert (error.close_code, error.reason) == (1000, "enough")

        self.run(story)

    def test_a_line_that_breaks_is_lost(self) -> None:
        """Without a close there is a code of its own for it: 1006 (RFC 6455, 7.4.1)."""

        async def story() -> None:
            async with self.joined() as (line, far):
                await far.send(b"last")
                assert await line.receive() == b"last"
                await far.cut()
                assert (await _lost(line.receive)).close_code == 1006
                assert (await _lost(lambda: line.send(b"late"))).close_code == 1006

        self.run(story)

    def test_close_is_bounded_and_leaves_nothing_behind(self) -> None:
        """The other end neither reads nor answers."""

        async def story() -> None:
            before = asyncio.all_tasks()
            async with self.joined() as (line, _):
                ours = asyncio.all_tasks()
                _, waiting = await self._until_full(line)
                async with asyncio.timeout(self.close_s):
                    await line.close()
                await _lost(lambda: waiting)
                assert asyncio.all_tasks() <= ours
            await asyncio.sleep(0)
            assert asyncio.all_tasks() <= before

        self.run(story)

    def test_a_cancelled_close_closes_all_the_same(self) -> None:
        """It goes on behind the one who gave up."""

        async def story() -> None:
            async with self.joined() as (line, far):
                closing = asyncio.ensure_future(line.close(1001, "going"))
                await asyncio.sleep(0)
                closing.cancel()
                await asyncio.wait({closing})
                assert (await _lost(far.receive)).close_code == 1001
                await line.close()
                assert (await _lost(line.receive)).close_code == 1001

        self.run(story)

    def test_no_secret_is_shown(self) -> None:
        """Not by the line, not by its errors with the variables of their frames."""

        async def story() -> None:
            async with self.joined() as (line, far):
                shown = [repr(line), str(line)]
                await far.close(4000, "no")
                for act in (line.receive, lambda: line.send(b"late")):
                    error = await _lost(act)
                    shown += [repr(error), str(error)]
                    shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
                assert not [secret for secret in self.secrets for text in shown if secret in text]

        self.run(story)

    async def _until_full(self, line: Line) -> tuple[int, asyncio.Future[None]]:
        """Send until one waits: how many were taken, and the one that waits."""
        taken = 0
        while True:
            sending = asyncio.ensure_future(line.send(_block(taken)))
            # A line with room for it takes it within a few turns of the loop; the pause is for the sockets.
            for _ in range(20):
                await asyncio.sleep(0)
            if not sending.done():
                await asyncio.wait({sending}, timeout=0.2)
            if not sending.done():
                return taken, sending
            await sending
            taken += 1
            assert taken * len(_block(0)) <= self.bound_bytes, "nothing holds the sender back"


def _message(n: int) -> bytes:
    """The n-th: most are small, some of the size of audio, few are large."""
    return b'{"n": %d, "audio": "%s"}' % (n, b"A" * (100_000 if n % 50 == 7 else 9_000 if n % 3 == 0 else 10))


def _block(n: int) -> bytes:
    return b"%08d" % n + b"x" * 65_000


async def _all(receive: Callable[[], Awaitable[bytes]], count: int) -> list[bytes]:
    return [await receive() for _ in range(count)]


async def _each(send: Callable[[bytes], Awaitable[None]], messages: list[bytes]) -> None:
    for data in messages:
        await send(data)


async def _lost(act: Callable[[], Awaitable[object]]) -> ConnectionLost:
    """The error that ends this line. For a `send`, the first one or a later one: a library may take one more."""
    while True:
        try:
            await act()
        except ConnectionLost as error:
            return error
        await asyncio.sleep(0)
