"""What waits to be written: in order, bounded, and nothing but audio is ever dropped. And who waits for room."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.errors import ConnectionLost
from charye.session.credit import Credit
from charye.session.outbox import MAX_COMMANDS, Outbox
from charye.transports.in_process import pair


def outbox(sent: list[bytes] | None = None, max_audio_bytes: int = 100) -> Outbox:
    return Outbox(max_audio_bytes=max_audio_bytes, sent=(sent if sent is not None else []).append)


def test_everything_is_written_in_order() -> None:
    async def story() -> None:
        line, far = pair()
        sent: list[bytes] = []
        box = outbox(sent)
        box.put(b"one")
        box.put_audio(b"two")
        writing = asyncio.create_task(box.run(line))
        await box.flush()
        box.put(b"three")
        await box.flush()
        assert sent == [b"one", b"two", b"three"]
        assert [await far.receive() for _ in range(3)] == sent
        writing.cancel()
        await asyncio.wait({writing})

    asyncio.run(story())


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=60))
def test_only_the_oldest_audio_gives_way_and_what_is_left_keeps_its_order(
    puts: list[tuple[bool, int]],
) -> None:
    async def story() -> None:
        box = outbox(max_audio_bytes=100)
        gone: list[int] = []
        kept: list[tuple[int, bool, int]] = []
        for n, (is_audio, size) in enumerate(puts):
            kept.append((n, is_audio, size))
            if not is_audio:
                box.put(b"%d" % n)
                continue
            dropped = box.put_audio(b"a" * size, lambda n=n: gone.append(n))  # type: ignore[misc]
            audio = [entry for entry in kept if entry[1]]
            for entry in audio[:dropped]:
                kept.remove(entry)
            held = sum(size for _, is_audio, size in kept if is_audio)
            assert held <= 100
            assert dropped == 0 or held + audio[dropped - 1][2] > 100, "no more than needed"
        line, far = pair()
        writing = asyncio.create_task(box.run(line))
        await box.flush()
        received = [await far.receive() for _ in kept]
        assert received == [b"a" * size if is_audio else b"%d" % n for n, is_audio, size in kept]
        assert len(gone) == sum(is_audio for is_audio, _ in puts), "each frame is accounted for once"
        writing.cancel()
        await asyncio.wait({writing})

    asyncio.run(story())


def test_a_lost_line_ends_the_writing_and_gives_the_room_back() -> None:
    async def story() -> None:
        line, far = pair()
        await far.close(1001, "gone")
        box = outbox()
        gone: list[str] = []
        box.put_audio(b"a", lambda: gone.append("a"))
        box.put_audio(b"b", lambda: gone.append("b"))
        with pytest.raises(ConnectionLost):
            await box.run(line)
        box.discard()
        assert gone == ["a", "b"]

    asyncio.run(story())


def test_too_many_commands_are_noticed() -> None:
    box = outbox()
    for _ in range(MAX_COMMANDS):
        box.put(b"{}")
    assert not box.is_overfull
    box.put(b"{}")
    assert box.is_overfull


def test_credit_is_first_come_first_served() -> None:
    async def story() -> None:
        credit = Credit(100)
        await credit.take(80)
        order: list[str] = []

        async def take(name: str, size: int) -> None:
            await credit.take(size)
            order.append(name)

        large = asyncio.create_task(take("large", 90))
        await asyncio.sleep(0)
        small = asyncio.create_task(take("small", 5))
        await asyncio.sleep(0)
        assert order == [], "the small one does not overtake"
        credit.give_back(80)
        async with asyncio.timeout(5):
            await asyncio.gather(large, small)
        assert order == ["large", "small"]

    asyncio.run(story())


def test_what_is_larger_than_all_room_goes_alone() -> None:
    async def story() -> None:
        credit = Credit(10)
        await credit.take(50)
        waiting = asyncio.create_task(credit.take(1))
        await asyncio.sleep(0)
        assert not waiting.done()
        credit.give_back(50)
        async with asyncio.timeout(5):
            await waiting

    asyncio.run(story())


@given(st.lists(st.integers(1, 120), min_size=1, max_size=12), st.data())
def test_whoever_is_cancelled_takes_nothing_and_blocks_nobody(sizes: list[int], data: st.DataObject) -> None:
    async def story() -> None:
        credit = Credit(100)
        await credit.take(100)
        tasks = [asyncio.create_task(credit.take(size)) for size in sizes]
        await asyncio.sleep(0)
        for task in tasks:
            if data.draw(st.booleans()):
                task.cancel()
        credit.give_back(100)
        for task, size in zip(tasks, sizes, strict=True):
            try:
                async with asyncio.timeout(5):
                    await task
            except asyncio.CancelledError:
                continue
            credit.give_back(size)
        async with asyncio.timeout(5):
            await credit.take(100)

    asyncio.run(story())
