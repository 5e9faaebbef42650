"""The programs of docs/howto/push-to-talk.md, run as they stand in the page, on a virtual clock."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from charye.core.requests import OnInterruption, OutcomeKind
from charye.session.events import Audio, PlaybackStopped
from charye.testing import run_virtually
from tests.howto.running import loaded, programs
from tests.session.talking import talk

PAGE = "howto/push-to-talk.md"
SECOND = bytes(2 * 24_000)


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["press", "quick", "take back", "browser"]


async def of(frames: list[bytes]) -> AsyncIterator[bytes]:
    for frame in frames:
        yield frame


def test_one_press() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            outcome = await loaded(PAGE, "press").press(t.session, of([SECOND[:960]] * 50))
            assert outcome.kind is OutcomeKind.HEARD
        sent = {"clear": 1, "append": 50, "commit": 1}
        assert {kind: len(t.said(f"input_audio_buffer.{kind}")) for kind in sent} == sent
        assert len(t.said("response.create")) == 1

    run_virtually(story())


def test_quick_presses_have_one_answer() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk", fault="latency:in_ms=300") as t:
            outcomes = await loaded(PAGE, "quick").three(t.session, [SECOND[:9600]] * 3)
            assert outcomes[1] == outcomes[2]
            assert outcomes[2].kind is OutcomeKind.HEARD
        assert len(t.said("input_audio_buffer.commit")) == 3

    run_virtually(story())


@pytest.mark.parametrize(
    ("recording", "slides_off", "said"),
    [
        (SECOND, False, "heard "),
        (SECOND[:960], False, "denied pressed for too short a time"),
        (SECOND, True, "taken back"),
    ],
)
def test_a_press_is_a_turn_or_none(recording: bytes, slides_off: bool, said: str) -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            press = loaded(PAGE, "take back").press
            assert await press(t.session, recording, slides_off=slides_off) == said
        assert len(t.said("response.create")) == (said == "heard ")

    run_virtually(story())


def test_an_answer_to_each_press() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            press = partial(t.session.push_to_talk, coalesce_key=None, on_interruption=OnInterruption.RESUME)
            replies = []
            for _ in range(3):
                async with press() as microphone:
                    await microphone.send(SECOND)
                await microphone.reply.speaking()
                replies.append(microphone.reply)
            assert [(await reply).kind for reply in replies] == [OutcomeKind.HEARD] * 3
            # The second was generated while the first was still being heard, so the third press cut both.
            assert [(await reply).attempts for reply in replies] == [3, 2, 1]

    run_virtually(story())


class Page:
    """Plays at half the speed, and says so."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.is_stopped = False
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, message: dict[str, Any]) -> None:
        if "stop" in message:
            self.is_stopped = True
            self._heard = asyncio.Queue()
        else:
            self._heard.put_nowait(message)

    async def play(self) -> None:
        played_ms: dict[str, float] = {}
        while True:
            message = await self._heard.get()
            length_ms, item_id = len(message["pcm"]) / 48, message["play"]
            await asyncio.sleep(2 * length_ms / 1000)
            played_ms[item_id] = played_ms.get(item_id, 0.0) + length_ms
            self.says.put_nowait({"played": item_id, "part": message["part"], "ms": played_ms[item_id]})

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        while (message := await self.says.get()) is not None:
            yield message


def test_a_browser_plays_and_says_what_was_played() -> None:
    async def story() -> None:
        program, page = loaded(PAGE, "browser"), Page()
        async with talk(turns="push_to_talk", playout="device") as t:
            playing = asyncio.create_task(page.play())
            _ = t.session.background(program.to_browser(t.session.events(Audio, PlaybackStopped), page.send))
            _ = t.session.background(program.from_browser(t.session, page.messages()))

            began = asyncio.get_running_loop().time()
            whole = await t.session.say("one two three four")  # a second of beeps, played in two
            assert whole.kind is OutcomeKind.HEARD
            assert not whole.uncertain
            assert asyncio.get_running_loop().time() - began == pytest.approx(2.0, abs=0.1)

            cut = t.session.say("five six seven eight nine ten")
            await cut.generated()
            await asyncio.sleep(1)
            for message in ({"pressed": True}, {"pcm": SECOND}, {"released": True}, None):
                page.says.put_nowait(message)
            outcome = await cut
            assert outcome.kind is OutcomeKind.INTERRUPTED
            assert outcome.heard_ms == pytest.approx(500, abs=110)
        playing.cancel()
        assert page.is_stopped
        assert len(t.said("input_audio_buffer.commit")) == 1

    run_virtually(story())
