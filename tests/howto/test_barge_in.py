"""The programs of docs/howto/barge-in.md, run as they stand in the page."""

import asyncio
import math
import wave
from array import array
from pathlib import Path

import pytest

import charye
from charye.audio.pcm import pack
from charye.core.requests import OutcomeKind
from charye.session.events import PlaybackStopped
from charye.testing import run_virtually
from tests.howto.running import loaded, programs
from tests.session.talking import Talk, talk

PAGE = "howto/barge-in.md"
VOICE = pack(array("h", (round(8_000 * math.sin(n / 20)) for n in range(24_000))))
QUIET = bytes(2 * 24_000)


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["story", "choices", "deaf", "half duplex"]


async def speak(t: Talk) -> None:
    """A second of voice, and a second of silence, in one piece: the server's ears go by samples, not by the clock."""
    await t.session.send_audio(VOICE + QUIET)


@pytest.mark.parametrize("barges_in", [True, False])
def test_it_is_known_how_much_was_heard(barges_in: bool) -> None:
    async def story() -> None:
        async with talk(turns="server_vad") as t:
            telling = asyncio.create_task(loaded(PAGE, "story").tell(t.session))
            await asyncio.sleep(1.5)
            if barges_in:
                await speak(t)
            assert await telling == ("cut off after 1.5 s" if barges_in else "heard to its end")
        told = t.session.transcript[0]
        assert told.text.endswith("had a cat.")
        assert told.heard_ms == (pytest.approx(1500, abs=50) if barges_in else None)
        assert len(t.said("conversation.item.truncate")) == barges_in

    run_virtually(story())


def test_each_request_says_what_it_does_about_the_user() -> None:
    async def story() -> None:
        async with talk(turns="server_vad", fault="latency:in_ms=300") as t:
            flight, coffee, minutes = loaded(PAGE, "choices").announce(t.session)
            await flight.speaking()
            await speak(t)
            assert (await coffee).kind is OutcomeKind.CANCELLED
            assert (await coffee).reason == "user spoke"
            assert (await flight).kind is OutcomeKind.HEARD
            assert (await flight).attempts == 2
            assert (await minutes).kind is OutcomeKind.HEARD

    run_virtually(story())


def test_who_is_not_to_be_interrupted_is_heard_to_the_end_and_the_user_is_answered() -> None:
    detection = loaded(PAGE, "deaf").TurnDetection(type="server_vad", interrupt_response=False)

    async def story() -> None:
        async with talk(turns=detection) as t:
            told = t.session.say("Once upon a time there was a king, and the king had a cat.")
            await told.speaking()
            await asyncio.sleep(1)
            stops = t.session.events(PlaybackStopped)
            await speak(t)
            assert (await told).kind is OutcomeKind.HEARD
        assert [event async for event in stops] == []
        assert [said.speaker for said in t.session.transcript] == ["assistant", "user", "assistant"]

    run_virtually(story())


def test_the_program_makes_such_a_session() -> None:
    async def story() -> None:
        async with loaded(PAGE, "deaf").patient(charye.Embedded()) as session:
            await session.say("Hi!").heard()

    asyncio.run(story())


def test_its_own_voice_does_not_interrupt_it(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "loud.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(bytes(38_400) + VOICE)  # in the middle of what is said

    async def story() -> None:
        speakerphone = loaded(PAGE, "half duplex").speakerphone
        here = f"file:{tmp_path / 'loud.wav'}", f"file:{tmp_path / 'heard.wav'}"
        async with speakerphone(charye.Embedded(), *here) as session:
            outcome = await session.say("Good morning, everybody!")
            assert outcome.kind is OutcomeKind.HEARD

    asyncio.run(story())
