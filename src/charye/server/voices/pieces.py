"""Samples and words in, `Spoken` pieces out: of a steady length, and each word in the piece in which it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.audio.pcm import SAMPLE_BYTES, WIRE_RATE_HZ, byte_count
from charye.server.korean import syllables_in
from charye.server.parts import Spoken, WordTime

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FIRST_PIECE_MS", "PIECE_MS", "Pieces", "share"]

FIRST_PIECE_MS = 40.0  # soon heard
PIECE_MS = 100.0  # few events: each costs its base64 and its JSON


def share(words: Sequence[str], *, start_ms: float, end_ms: float) -> list[WordTime]:
    """Share out a time among words by their syllables, for synthesisers that tell no times."""
    weights = [syllables_in(word) for word in words]
    total = sum(weights)
    found: list[WordTime] = []
    said = 0
    for word, weight in zip(words, weights, strict=True):
        begin = start_ms + (end_ms - start_ms) * said / total
        said += weight
        found.append(WordTime(word, begin, start_ms + (end_ms - start_ms) * said / total))
    return found


class Pieces:
    """Collect 24 kHz samples and word times in any order of arrival; a word must be told before its samples are cut."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._words: list[WordTime] = []
        self._cut_bytes = 0

    @property
    def heard_ms(self) -> float:
        """How much has been added, cut or not."""
        return (self._cut_bytes + len(self._rest)) / SAMPLE_BYTES * 1000 / WIRE_RATE_HZ

    def add(self, pcm: bytes, words: Sequence[WordTime] = ()) -> list[Spoken]:
        """The pieces that are now complete."""
        self._rest += pcm
        self._words += words
        found = []
        while len(self._rest) >= (size := self._size()):
            found.append(self._cut(size))
        return found

    def flush(self) -> list[Spoken]:
        """The rest, with all words that are left."""
        if not self._rest and not self._words:
            return []
        piece = self._cut(len(self._rest))
        words, self._words = piece.words + tuple(self._words), []
        return [Spoken(piece.pcm, words)]

    def _size(self) -> int:
        return byte_count(PIECE_MS if self._cut_bytes else FIRST_PIECE_MS, sample_rate_hz=WIRE_RATE_HZ)

    def _cut(self, size: int) -> Spoken:
        pcm = bytes(self._rest[:size])
        del self._rest[:size]
        self._cut_bytes += size
        end_ms = self._cut_bytes / SAMPLE_BYTES * 1000 / WIRE_RATE_HZ
        count = next((n for n, word in enumerate(self._words) if word.start_ms >= end_ms), len(self._words))
        words, self._words = tuple(self._words[:count]), self._words[count:]
        return Spoken(pcm, words)
