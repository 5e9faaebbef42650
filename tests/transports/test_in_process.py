"""Two ends in one process: order, bounds, and the close."""

from __future__ import annotations

import asyncio

import pytest

from charye.errors import ConnectionLost
from charye.server.clock import run_virtually
from charye.transports.in_process import pair


def test_a_pair_keeps_the_order_and_waits_when_the_other_does_not_read() -> None:
    async def story() -> None:
        here, there = pair(max_bytes=10)
        await here.send(b"12345")
        await here.send(b"67890")
        waiting = asyncio.ensure_future(here.send(b"x"))
        await asyncio.sleep(1)
        assert not waiting.done()
        assert await there.receive() == b"12345"
        await waiting
        assert [await there.receive(), await there.receive()] == [b"67890", b"x"]

    run_virtually(story())


def test_a_closed_pair_gives_what_was_sent_and_then_the_code() -> None:
    async def story() -> None:
        here, there = pair()
        await here.send(b"last")
        await here.close(4000, "invalid_request_error.x")
        await here.close(1000)
        assert await there.receive() == b"last"
        for act in (there.receive, lambda: there.send(b""), here.receive, lambda: here.send(b"")):
            with pytest.raises(ConnectionLost) as caught:
                await act()
            assert (caught.value.close_code, caught.value.reason) == (4000, "invalid_request_error.x")

    run_virtually(story())
