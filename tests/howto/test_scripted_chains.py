"""The programs of docs/howto/scripted-chains.md, run as they stand in the page."""

import asyncio
import math
from array import array
from collections.abc import Awaitable, Callable

import pytest

import charye
from charye.audio.pcm import pack
from charye.core.requests import OutcomeKind
from charye.errors import Interrupted
from charye.server.minds import Script, Scripted
from charye.session.events import Utterance, UtteranceChanged
from charye.testing import run_virtually
from tests.howto.running import loaded, output, programs, said, tidy
from tests.session.talking import Talk, talk

PAGE = "howto/scripted-chains.md"
VOICE = pack(array("h", (round(8_000 * math.sin(n / 20)) for n in range(24_000))))
QUIET = bytes(2 * 24_000)
CLOSING = ["That was all, thank you.", "One moment, please.", "You did well.", "Goodbye!"]

MODEL = b"""
    [[answer]]
    when = "that was all"
    [[answer.call]]
    name = "finish"
    arguments = { reason = "they said so" }
    [[answer]]
    say = "I see."
"""


def model() -> Scripted:
    return Scripted(Script.parse(MODEL))


def assess(transcript: tuple[Utterance, ...]) -> str:
    assert [each.text for each in transcript] == CLOSING[:2]
    return "You did well."


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["closing", "stubborn", "polite"]


def test_the_closing_is_heard_and_then_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(loaded(PAGE, "closing").main(charye.Embedded(mind=model), assess))
    assert tidy(capsys.readouterr().out) == output(PAGE, "closing")


async def nothing(t: Talk) -> None:
    pass


async def the_user_speaks(t: Talk) -> None:
    await t.session.send_audio(VOICE + QUIET)


async def somebody_asks(t: Talk) -> None:
    _ = t.session.respond("from elsewhere", priority=charye.Priority.SCRIPT)


@pytest.mark.parametrize(
    ("between", "fault", "transcript"),
    [
        (nothing, "", CLOSING),
        (nothing, "vad_wins:nth=3", [*CLOSING[:2], "I see.", *CLOSING[2:]]),
        (nothing, "drop:at=created:nth=3", CLOSING),
        (nothing, "drop:at=audio:nth=2", [*CLOSING[:2], CLOSING[1], *CLOSING[2:]]),
        (nothing, "drop:at=created:nth=2", CLOSING),
        (the_user_speaks, "", [*CLOSING[:3], "", CLOSING[3]]),
        (somebody_asks, "", [*CLOSING, "I see."]),
    ],
)
def test_what_comes_between_does_not_break_it(
    between: Callable[[Talk], Awaitable[None]], fault: str, transcript: list[str]
) -> None:
    async def story() -> None:
        async with talk(mind=model, fault=fault, turns="server_vad") as t:
            loaded(PAGE, "closing").add_closing(t.session, lambda _: "You did well.")
            events = t.session.events(UtteranceChanged)
            t.session.send_text(CLOSING[0])
            await said(events, CLOSING[2])
            await between(t)
            await t.session.wait_closed()
        assert [u.text for u in t.session.transcript] == transcript
        assert all(u.heard_ms is None for u in t.session.transcript)

    run_virtually(story())


def test_an_interruption_ends_the_chain_and_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        with pytest.raises(ExceptionGroup):  # noqa: PT012
            async with talk(mind=model) as t:
                loaded(PAGE, "closing").add_closing(t.session, lambda _: "You did well.")
                events = t.session.events(UtteranceChanged)
                t.session.send_text(CLOSING[0])
                await said(events, CLOSING[2])
                t.session.interrupt()
                await t.session.wait_closed()
        assert [u.text for u in t.session.transcript] == CLOSING[:3]

    run_virtually(story())
    (failure,) = [record for record in caplog.records if record.message == "background work failed"]
    assert failure.exc_info is not None
    assert failure.exc_info[0] is Interrupted


def test_each_sentence_is_heard_in_full_on_the_second_try() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            chain = t.session.background(
                loaded(PAGE, "stubborn").summary(t.session, ["One and two.", "Three."])
            )
            await asyncio.sleep(0.3)
            async with t.session.push_to_talk() as microphone:
                await microphone.send(QUIET)
            await chain
            assert (await microphone.reply).kind is OutcomeKind.HEARD
        by_us = [u.text for u in t.session.transcript if u.speaker == "assistant"]
        assert by_us == ["One and two.", "One and two.", "Three.", "Hello."]

    run_virtually(story())


@pytest.mark.parametrize("barges_in", [True, False])
def test_the_first_interruption_ends_it(barges_in: bool) -> None:
    async def story() -> None:
        async with talk(turns="server_vad") as t:
            chain = t.session.background(
                loaded(PAGE, "polite").summary(t.session, ["One and two.", "Three."])
            )
            await asyncio.sleep(0.3)
            if barges_in:
                await the_user_speaks(t)
            assert await chain is not barges_in

    run_virtually(story())
