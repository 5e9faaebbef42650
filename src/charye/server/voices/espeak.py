"""The voice that is always there: espeak-ng, Korean and English, 20 MB and no model.

It sounds like a robot, and it is quick: the first samples exist a millisecond after the call. What it lacks in Korean
is put right before it (`charye.server.korean`), what it lacks in slowness behind it: it does not go below 80 words a
minute, so slower speech gets a rest after each word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from contextlib import aclosing
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from charye.audio.pcm import SAMPLE_BYTES, WIRE_RATE_HZ, pack, samples
from charye.audio.resample import Resampler
from charye.server.korean import respell
from charye.server.offload import Outlet, off_loop
from charye.server.parts import Spoken, WordTime
from charye.server.voices.checks import check_speed
from charye.server.voices.espeak_library import MIN_RATE_WPM, EspeakLibrary
from charye.server.voices.pieces import Pieces, share
from charye.server.voices.text import Sentence, sentences

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

__all__ = ["EspeakVoice"]

# Samples, and the words that begin in them.
_Batch: TypeAlias = tuple[bytes, list[WordTime]]

# Of speed 1.0, for each language. Korean "words" of espeak are long: 150 is about 4.3 syllables a second here.
_RATE_WPM = {"ko": 150, "en": 165}
_USUAL_RATE_WPM = 165

# espeak's names where they are not the language itself.
_LANGUAGE_VOICE = {"en": "en-us"}

# The API's voices that are heard as a woman get one of espeak's female variants, so that two agents can be told apart.
_VARIANTS = {
    "coral": "f2",
    "marin": "f2",
    "nova": "f3",
    "sage": "f4",
    "shimmer": "f5",
    "ash": "m1",
    "echo": "m3",
    "onyx": "m7",
}
_OWN_VARIANTS = frozenset([f"f{n}" for n in range(1, 6)] + [f"m{n}" for n in range(1, 9)])

_PAUSE_MS = 280.0  # between two sentences, at speed 1.0
_FADE_MS = 5.0  # at both sides of a rest inside a sentence: a cut is a click
_SILENT = 100  # samples smaller than this are no part of a word


class EspeakVoice:
    """Speak with espeak-ng. One object serves any number of sessions.

    The first piece leaves as soon as its first word is complete, not the sentence. Closing the iterator, or cancelling
    its reader, stops the synthesis within 60 ms of audio, that is, at once.

    Raises:
        MissingExtra: the extra `voice` is not installed.
        ConfigurationError: espeak-ng cannot be used here.
    """

    def __init__(self) -> None:
        self._library = EspeakLibrary.shared()
        Resampler(
            from_hz=self._library.sample_rate_hz, to_hz=WIRE_RATE_HZ
        )  # is it there? Better now than in a session

    async def speak(
        self, text: str, *, voice: str = "alloy", speed: float = 1.0, language: str | None = None
    ) -> AsyncIterator[Spoken]:
        """See `charye.server.parts.Voice`. Each sentence in its own language, so a mixed answer is spoken right.

        Raises:
            ConfigurationError: `speed` is not within 0.25 to 1.5.
        """
        check_speed(speed)
        variant = _VARIANTS.get(voice) or (voice if voice in _OWN_VARIANTS else None)
        rate_hz = self._library.sample_rate_hz
        pieces = Pieces()
        resampler = Resampler(from_hz=rate_hz, to_hz=WIRE_RATE_HZ)
        start = 0
        for sentence in sentences(text, language=language):
            reading = _Reading(sentence, speed=speed, start=start, rate_hz=rate_hz)
            # Asked for one by one: between two sentences of ours another session has its turn.
            async with aclosing(self._read(reading, variant, resampler)) as batches:
                async for batch in batches:
                    for piece in pieces.add(*batch):
                        yield piece
            start = reading.end
        for piece in [*pieces.add(resampler.flush()), *pieces.flush()]:
            yield piece

    def _read(
        self, reading: _Reading, variant: str | None, resampler: Resampler
    ) -> AsyncGenerator[_Batch, None]:
        """Let the library's thread read a sentence."""

        def work(outlet: Outlet[_Batch]) -> None:
            def heard(pcm: bytes, begun: list[tuple[int, int]]) -> bool:
                made, words = reading.heard(pcm, begun)
                return outlet.give((resampler.feed(made), words)) if made else outlet.wanted

            self._library.say(
                reading.text, voice=reading.voice(variant), rate_wpm=reading.rate_wpm, heard=heard
            )
            if outlet.wanted:
                made, words = reading.finish()
                outlet.give((resampler.feed(made), words))

        return off_loop(self._library.worker, work)


class _Reading:
    """One sentence on its way through espeak-ng: what is said, and which samples are which word. In samples of espeak.

    Args:
        start: samples of the sentences before.
    """

    def __init__(self, sentence: Sentence, *, speed: float, start: int, rate_hz: int) -> None:
        self._sentence = sentence
        self._rate_hz = rate_hz
        wanted_wpm = _RATE_WPM.get(sentence.language, _USUAL_RATE_WPM) * speed
        self.rate_wpm = max(MIN_RATE_WPM, round(wanted_wpm))
        self._slower = max(1.0, MIN_RATE_WPM / wanted_wpm)
        self._pause = round(_PAUSE_MS / speed * rate_hz / 1000) if sentence.ends else 0
        spoken = respell(list(sentence.words)) if sentence.language == "ko" else list(sentence.words)
        self.text = " ".join(spoken)
        # Where each word begins in `text`.
        self._begins = [0, *accumulate(len(word) + 1 for word in spoken[:-1])]
        self._held = bytearray()  # samples of words whose end is not known yet
        self._held_at = 0  # their place in what espeak makes
        self._word = 0  # the first of those words
        self._ahead: deque[tuple[int, int]] = (
            deque()
        )  # (sample, word) that is known before its samples are here
        self.end = start

    def voice(self, variant: str | None) -> str:
        """What espeak calls it."""
        name = _LANGUAGE_VOICE.get(self._sentence.language, self._sentence.language)
        return f"{name}+{variant}" if variant else name

    def heard(self, pcm: bytes, begun: list[tuple[int, int]]) -> _Batch:
        """More samples, and the (character, sample) at which words begin. Gives the words that are complete."""
        self._held += pcm
        self._ahead += [(sample, bisect_right(self._begins, character) - 1) for character, sample in begun]
        made = bytearray()
        words: list[WordTime] = []
        while self._ahead and self._ahead[0][0] * SAMPLE_BYTES <= self._held_at + len(self._held):
            sample, word = self._ahead.popleft()
            # A number or a name is several words to espeak, and it does not tell each of ours.
            if word > self._word and sample * SAMPLE_BYTES > self._held_at:
                pcm, times = self._release(sample * SAMPLE_BYTES - self._held_at, word)
                made += pcm
                words += times
        return bytes(made), words

    def finish(self) -> _Batch:
        """The last words, and the pause behind the sentence."""
        pcm, words = self._release(len(self._held), len(self._sentence.words))
        self.end += self._pause
        return pcm + bytes(self._pause * SAMPLE_BYTES), words

    def _release(self, size: int, until_word: int) -> _Batch:
        pcm = bytes(self._held[:size])
        del self._held[:size]
        self._held_at += size
        words = self._sentence.words[self._word : until_word]
        self._word = until_word
        start_ms = self.end * 1000 / self._rate_hz
        sounding = _sounding(pcm)
        if self._slower > 1.0:
            pcm = _faded(pcm, round(_FADE_MS * self._rate_hz / 1000))
            pcm += bytes(round(size / SAMPLE_BYTES * (self._slower - 1)) * SAMPLE_BYTES)
        self.end += len(pcm) // SAMPLE_BYTES
        return pcm, share(words, start_ms=start_ms, end_ms=start_ms + sounding * 1000 / self._rate_hz)


def _sounding(pcm: bytes) -> int:
    """How many samples until the last that can be heard: the pause at a comma is no part of the word before it."""
    values = samples(pcm)
    return next((at + 1 for at in range(len(values) - 1, -1, -1) if abs(values[at]) >= _SILENT), len(values))


def _faded(pcm: bytes, length: int) -> bytes:
    values = samples(pcm)
    length = min(length, len(values) // 2)
    for at in range(length):
        values[at] = values[at] * at // length
        values[-1 - at] = values[-1 - at] * at // length
    return pack(values)
