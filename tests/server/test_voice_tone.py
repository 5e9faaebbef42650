from __future__ import annotations

import asyncio

import pytest

from charye.server.parts import Voice
from charye.server.voice import ToneVoice
from tests.server.voice_suite import KOREAN, check, listen


@pytest.mark.parametrize("speed", [0.25, 1.0, 1.5])
def test_it_is_a_voice(speed: float) -> None:
    voice = ToneVoice()
    assert isinstance(voice, Voice)
    check(asyncio.run(listen(voice, KOREAN, speed=speed)), KOREAN)


def test_duration_is_syllables() -> None:
    assert asyncio.run(listen(ToneVoice(), "가나다라 마바")).duration_ms == pytest.approx(1_200, abs=0.2)
    assert asyncio.run(listen(ToneVoice(), "가나", speed=0.5)).duration_ms == pytest.approx(800, abs=0.2)
    assert asyncio.run(listen(ToneVoice(syllable_ms=50), "가나")).duration_ms == pytest.approx(100, abs=0.2)


def test_the_same_text_is_the_same_bytes() -> None:
    assert asyncio.run(listen(ToneVoice(), KOREAN)).pcm == asyncio.run(listen(ToneVoice(), KOREAN)).pcm


def test_nothing_to_say_is_nothing() -> None:
    assert asyncio.run(listen(ToneVoice(), " ... ")).pieces == []
