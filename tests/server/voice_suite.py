"""What holds for every voice, and how to listen to one in a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.audio import pcm

if TYPE_CHECKING:
    from charye.server.parts import Spoken, Voice, WordTime

KOREAN = "안녕하세요, 오늘은 말하기 시험을 보겠습니다."
MIXED = "평가를 준비하고 있습니다. Your level is B1, well done! 수고하셨습니다."


@dataclass
class Heard:
    """All that a voice gave."""

    pieces: list[Spoken]

    @property
    def pcm(self) -> bytes:
        return b"".join(piece.pcm for piece in self.pieces)

    @property
    def words(self) -> list[WordTime]:
        return [word for piece in self.pieces for word in piece.words]

    @property
    def duration_ms(self) -> float:
        return pcm.duration_ms(self.pcm, sample_rate_hz=24_000)

    def part(self, start_ms: float, end_ms: float) -> bytes:
        start, end = (pcm.byte_count(ms, sample_rate_hz=24_000) for ms in (start_ms, end_ms))
        return self.pcm[start:end]


async def listen(voice: Voice, text: str, *, speed: float = 1.0, language: str | None = None) -> Heard:
    return Heard([piece async for piece in voice.speak(text, speed=speed, language=language)])


def longest_silence_ms(data: bytes) -> float:
    """The longest stretch of frames of 10 ms below -50 dBFS."""
    longest = now = 0
    for at in range(0, len(data) - 479, 480):
        now = now + 1 if pcm.level_dbfs(data[at : at + 480]) < -50 else 0
        longest = max(longest, now)
    return longest * 10.0


def check(heard: Heard, text: str) -> None:
    """The contract of `Spoken` and `WordTime`, and that it can be heard."""
    assert all(len(piece.pcm) % 2 == 0 for piece in heard.pieces)
    assert all(len(piece.pcm) <= 24_000 * 2 // 5 for piece in heard.pieces)  # 200 ms
    assert all(len(piece.pcm) >= 24_000 * 2 // 50 for piece in heard.pieces[:-1])  # 20 ms
    assert [word.word for word in heard.words] == text.split()
    before = 0.0
    for word in heard.words:
        assert before <= word.start_ms <= word.end_ms <= heard.duration_ms + 0.1
        before = word.start_ms
    at_ms = 0.0
    for piece in heard.pieces:
        end_ms = at_ms + pcm.duration_ms(piece.pcm, sample_rate_hz=24_000)
        assert all(word.start_ms < end_ms for word in piece.words)
        assert all(word.start_ms >= at_ms - 0.1 for word in piece.words)
        at_ms = end_ms
    assert -40 < pcm.level_dbfs(heard.pcm) < -10
    assert pcm.peak_dbfs(heard.pcm) < -1.0  # nothing is clipped
