"""The sound of espeak-ng, measured."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charye.audio import pcm
from charye.errors import ConfigurationError, MissingExtra
from charye.server.korean import syllables_in
from charye.server.parts import Voice
from charye.server.voice import EspeakVoice
from charye.server.voices.espeak_library import EspeakLibrary
from charye.server.voices.text import sentences
from tests.server.voice_suite import KOREAN, MIXED, check, listen, longest_silence_ms


@pytest.fixture(scope="module")
def voice() -> EspeakVoice:
    return EspeakVoice()


@pytest.mark.parametrize(
    "text", [KOREAN, MIXED, "2시 30분에 3명이 왔어요. 국물이 있는 음식을 좋아하세요?", "네.", "Hello there."]
)
@pytest.mark.parametrize("speed", [0.25, 0.7, 1.0, 1.5])
def test_the_sound_and_its_word_times(voice: EspeakVoice, text: str, speed: float) -> None:
    assert isinstance(voice, Voice)
    heard = asyncio.run(listen(voice, text, speed=speed))
    check(heard, text)
    syllable_ms = heard.words[-1].end_ms / syllables_in(text) * speed
    assert 100 < syllable_ms < 500  # people speak at 3 to 7 syllables a second


@pytest.mark.parametrize("text", [KOREAN, MIXED])
def test_each_word_sounds_and_has_no_hole(voice: EspeakVoice, text: str) -> None:
    heard = asyncio.run(listen(voice, text))
    for word in heard.words:
        part = heard.part(word.start_ms, word.end_ms)
        assert pcm.level_dbfs(part) > -40, word
        assert longest_silence_ms(part) <= 200, word


def test_there_is_no_click_where_pieces_meet(voice: EspeakVoice) -> None:
    # A click is a jump. Within speech at this level samples jump too, so compare: at the seams they do not jump more.
    heard = asyncio.run(listen(voice, KOREAN))
    jumps = [abs(a - b) for a, b in pairwise(pcm.samples(heard.pcm))]
    seams, at = [], 0
    for piece in heard.pieces[:-1]:
        at += len(piece.pcm) // 2
        seams.append(jumps[at - 1])
    assert max(seams) <= max(jumps)
    assert sum(seams) / len(seams) < 3 * sum(jumps) / len(jumps)


def test_speed_is_duration(voice: EspeakVoice) -> None:
    # Long words: espeak shortens short sounds less than long ones.
    usual = asyncio.run(listen(voice, KOREAN)).duration_ms
    for speed in (0.25, 0.5, 0.75, 1.25, 1.5):
        slow = asyncio.run(listen(voice, KOREAN, speed=speed)).duration_ms
        assert slow * speed == pytest.approx(usual, rel=0.15), speed


def test_a_pause_between_sentences_and_none_before_the_first(voice: EspeakVoice) -> None:
    heard = asyncio.run(listen(voice, "안녕하세요. 반갑습니다."))
    first, second = heard.words
    assert first.start_ms < 50
    assert 200 < second.start_ms - first.end_ms < 500


def test_korean_is_respelt_for_the_ear_only(voice: EspeakVoice) -> None:
    written, said = (asyncio.run(listen(voice, text)) for text in ("국물이 있어요.", "궁물이 이써요."))
    assert written.duration_ms == pytest.approx(said.duration_ms, rel=0.02)
    assert [word.word for word in written.words] == ["국물이", "있어요."]


@given(st.text(st.characters(codec=None), max_size=40))
@settings(max_examples=60)
def test_any_text_is_spoken_or_left_out_and_harms_nobody(text: str) -> None:
    heard = asyncio.run(listen(EspeakVoice(), text))
    said = [word for sentence in sentences(text) for word in sentence.words]
    assert [word.word for word in heard.words] == said
    assert all(word.start_ms <= word.end_ms <= heard.duration_ms + 0.1 for word in heard.words)


def test_a_zero_does_not_end_the_text(voice: EspeakVoice) -> None:
    heard = asyncio.run(listen(voice, "하나\0 둘 \ud800 셋"))
    assert [word.word for word in heard.words] == ["하나", "둘", "셋"]
    assert heard.words[-1].end_ms > heard.words[-1].start_ms + 100


def test_nothing_to_say_is_nothing(voice: EspeakVoice) -> None:
    for text in ("", "  \n", "...", "😀"):
        assert asyncio.run(listen(voice, text)).pieces == []


@pytest.mark.parametrize("speed", [0.2, 1.6, float("nan")])
def test_other_speeds_are_refused(voice: EspeakVoice, speed: float) -> None:
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(listen(voice, "네", speed=speed))
    assert caught.value.option == "speed"


def test_any_voice_name_and_language_speaks(voice: EspeakVoice) -> None:
    async def with_name(name: str, language: str | None = None) -> bytes:
        return b"".join(
            [piece.pcm async for piece in voice.speak("안녕 hello", voice=name, language=language)]
        )

    default = asyncio.run(with_name("alloy"))
    assert pcm.level_dbfs(default) > -40
    assert pcm.level_dbfs(asyncio.run(with_name("no such voice", "xx-nonsense"))) > -40
    assert asyncio.run(with_name("marin")) != default


def test_the_first_piece_comes_before_the_sentence_is_finished(voice: EspeakVoice) -> None:
    text = "저는 " + "아주 재미있는 " * 20 + "사람입니다."

    async def first() -> float:
        begun = time.perf_counter()
        speech = voice.speak(text)
        await anext(speech)
        waited_ms = (time.perf_counter() - begun) * 1000
        await speech.aclose()  # type: ignore[attr-defined]
        return waited_ms

    asyncio.run(first())  # the library is loaded
    # The promise is 50 ms. The best of five, because this machine does other things too.
    assert min(asyncio.run(first()) for _ in range(5)) < 50


def test_nobody_listening_stops_the_sentence_at_once() -> None:
    library = EspeakLibrary.shared()

    def samples_of(text: str, *, listens: bool) -> int:
        sizes: list[int] = []

        def heard(data: bytes, words: list[tuple[int, int]]) -> bool:
            sizes.append(len(data) // 2)
            return listens

        library.worker.submit(lambda: library.say(text, voice="ko", rate_wpm=150, heard=heard)).result(10)
        return sum(sizes)

    assert samples_of(KOREAN, listens=True) > 2 * library.sample_rate_hz
    assert samples_of(KOREAN, listens=False) <= library.sample_rate_hz // 10


def test_closing_leaves_nothing_behind(voice: EspeakVoice) -> None:
    done: list[str] = []

    async def scenario() -> None:
        speech = voice.speak("가나다라 마바사. " * 500)
        await anext(speech)
        await speech.aclose()  # type: ignore[attr-defined]
        # Behind whatever the closed speech has left in the library's thread.
        library = EspeakLibrary.shared()
        await asyncio.wrap_future(library.worker.submit(lambda: done.append(threading.current_thread().name)))
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())
    assert done[0].startswith("charye-espeak")


def test_cancelling_the_reader_leaves_the_voice_usable(voice: EspeakVoice) -> None:
    async def scenario() -> None:
        task = asyncio.create_task(listen(voice, "가나다라 마바사. " * 500))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        check(await listen(voice, KOREAN), KOREAN)

    asyncio.run(scenario())


def test_many_at_once_each_hear_their_own(voice: EspeakVoice) -> None:
    texts = [KOREAN, MIXED, "하나 둘 셋.", "One two three."] * 4

    async def scenario() -> None:
        for text, heard in zip(texts, await asyncio.gather(*(listen(voice, t) for t in texts)), strict=True):
            check(heard, text)

    asyncio.run(scenario())


def test_an_error_in_the_callback_comes_out(voice: EspeakVoice) -> None:
    def heard(pcm: bytes, words: list[tuple[int, int]]) -> bool:
        raise KeyError("mine")

    library = EspeakLibrary.shared()
    with pytest.raises(KeyError, match="mine"):
        library.worker.submit(lambda: library.say("안녕", voice="ko", rate_wpm=150, heard=heard)).result(10)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(MissingExtra) as caught:
        EspeakLibrary()
    assert caught.value.extra == "voice"
