"""Events handed out by the line itself: the same events in the same order, and whose fault is whose."""

import asyncio

import pytest

from charye.errors import ConnectionLost
from charye.transports.base import each
from charye.transports.buffered import BufferedLine
from charye.transports.closing import lost
from charye.transports.in_process import pair


class Wire:
    """Gives what it is told to give, and then waits or is lost."""

    def __init__(self, *, room: int = 10**6) -> None:
        self.coming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.line = BufferedLine(self, max_unread_bytes=room, max_unsent_bytes=10**6, flush_s=1)

    async def write(self, data: bytes) -> None:
        raise NotImplementedError

    async def read(self) -> bytes:
        data = await self.coming.get()
        if data is None:
            raise lost(1001, "gone")
        return data

    async def hang_up(self, code: int, reason: str) -> None:
        return

    def say(self, *events: int) -> None:
        for event in events:
            self.coming.put_nowait(b"%d" % event)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize("room", [1, 10**6], ids=["full", "roomy"])
def test_what_came_before_comes_first(room: int) -> None:
    async def story() -> None:
        wire = Wire(room=room)
        wire.say(*range(10))
        await settle()
        taken: list[bytes] = []
        taking = asyncio.create_task(each(wire.line, taken.append))
        wire.say(*range(10, 20))
        await settle()
        wire.say(*range(20, 30))
        await settle()
        assert taken == [b"%d" % n for n in range(30)]
        taking.cancel()
        await asyncio.wait({taking})
        wire.say(30)
        assert await wire.line.receive() == b"30", "cancelling loses nothing"
        await wire.line.close()

    asyncio.run(story())


def test_a_lost_line_ends_it_after_everything_that_came() -> None:
    async def story() -> None:
        wire = Wire()
        wire.say(1, 2)
        wire.coming.put_nowait(None)
        taken: list[bytes] = []
        with pytest.raises(ConnectionLost) as caught:
            await each(wire.line, taken.append)
        assert caught.value.close_code == 1001
        assert taken == [b"1", b"2"]
        await wire.line.close()

    asyncio.run(story())


@pytest.mark.parametrize("bad", [0, 5], ids=["from the inbox", "by the reader"])
def test_what_the_taker_raises_is_raised_and_nothing_is_taken_after_it(bad: int) -> None:
    async def story() -> None:
        wire = Wire()
        taken: list[int] = []

        def take(data: bytes) -> None:
            if int(data) == bad:
                raise KeyError(bad)
            taken.append(int(data))

        if bad == 0:
            wire.say(0, 1)
            await settle()
        taking = asyncio.create_task(each(wire.line, take))
        await settle()
        wire.say(*range(bad and 1, 10))
        with pytest.raises(KeyError):
            await taking
        await settle()
        assert taken == list(range(1, bad))
        await wire.line.close()

    asyncio.run(story())


def test_a_line_that_only_receives_does_as_well() -> None:
    async def story() -> None:
        near, far = pair()
        await far.send(b"1")
        await far.send(b"2")
        await far.close(1000, "done")
        taken: list[bytes] = []
        with pytest.raises(ConnectionLost):
            await each(near, taken.append)
        assert taken == [b"1", b"2"]

    asyncio.run(story())
