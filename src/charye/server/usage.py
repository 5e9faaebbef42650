"""What a response costs, counted as the API counts: an estimate for words, arithmetic for audio.

A token is taken for four bytes of UTF-8. The API's own numbers: a second of the user's audio is 10 tokens, one of
the assistant's 20.
"""

from collections.abc import Iterable

from charye.protocol import (
    CachedTokensDetails,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputText,
    InputTokenDetails,
    MessageItem,
    OutputAudio,
    OutputText,
    OutputTokenDetails,
    RateLimit,
    Usage,
)
from charye.server.conversation import Entry
from charye.server.wire_audio import BYTES_PER_MS

__all__ = ["BYTES_PER_TOKEN", "Budget", "Counter", "input_tokens", "usage"]

BYTES_PER_TOKEN = 4
_INPUT_MS_PER_TOKEN = 100
_OUTPUT_MS_PER_TOKEN = 50


class Counter:
    """Tokens of one response's output, as it grows."""

    __slots__ = ("_audio_bytes", "_text_bytes")

    def __init__(self) -> None:
        self._text_bytes = 0
        self._audio_bytes = 0

    @property
    def text_tokens(self) -> int:
        """Of words and of the arguments of calls."""
        return -(-self._text_bytes // BYTES_PER_TOKEN)

    @property
    def audio_tokens(self) -> int:
        """Of samples."""
        return -(-self._audio_bytes // (_OUTPUT_MS_PER_TOKEN * BYTES_PER_MS))

    @property
    def total(self) -> int:
        """All of them."""
        return self.text_tokens + self.audio_tokens

    def fitting_text(self, text: str, cap: int | None) -> str:
        """As much of `text` as the cap allows; it is counted."""
        data = text.encode("utf-8", "replace")
        if cap is not None:
            room = max((cap - self.audio_tokens) * BYTES_PER_TOKEN - self._text_bytes, 0)
            data = data[:room]
        self._text_bytes += len(data)
        return data.decode("utf-8", "ignore")

    def fitting_audio(self, pcm: bytes, cap: int | None) -> bytes:
        """As much of `pcm` as the cap allows; it is counted."""
        if cap is not None:
            room = (cap - self.text_tokens) * _OUTPUT_MS_PER_TOKEN * BYTES_PER_MS - self._audio_bytes
            pcm = pcm[: max(room, 0)]
        self._audio_bytes += len(pcm)
        return pcm


def input_tokens(instructions: str, entries: Iterable[Entry]) -> tuple[int, int]:
    """Tokens of text and of audio that a mind is given."""
    text_bytes, audio_ms = len(instructions.encode("utf-8", "replace")), 0.0
    for entry in entries:
        audio_ms += entry.audio_ms
        text_bytes += sum(len(text.encode("utf-8", "replace")) for text in _texts(entry))
    return -(-text_bytes // BYTES_PER_TOKEN), -(-int(audio_ms) // _INPUT_MS_PER_TOKEN)


def _texts(entry: Entry) -> list[str]:
    match entry.item:
        case MessageItem(content=content):
            return [part.text for part in content if isinstance(part, InputText | OutputText)] + [
                part.transcript or "" for part in content if isinstance(part, OutputAudio)
            ]
        case FunctionCallItem(name=name, arguments=arguments):
            return [name, arguments]
        case FunctionCallOutputItem(output=output):
            return [output]
        case _:
            return []


def usage(
    read: tuple[int, int],
    written: Counter,
    *,
    input_total: int | None = None,
    output_total: int | None = None,
) -> Usage:
    """The bill.

    Args:
        read: tokens of text and audio that went in.
        input_total, output_total: what a mind says it really spent, instead of the estimate; counted as text.
    """
    text_in, audio_in = read
    text_out, audio_out = written.text_tokens, written.audio_tokens
    if input_total is not None:
        text_in = max(input_total - audio_in, 0)
    if output_total is not None:
        text_out = output_total
    return Usage(
        total_tokens=text_in + audio_in + text_out + audio_out,
        input_tokens=text_in + audio_in,
        output_tokens=text_out + audio_out,
        input_token_details=InputTokenDetails(
            text_tokens=text_in,
            audio_tokens=audio_in,
            image_tokens=0,
            cached_tokens=0,
            cached_tokens_details=CachedTokensDetails(text_tokens=0, audio_tokens=0, image_tokens=0),
        ),
        output_token_details=OutputTokenDetails(text_tokens=text_out, audio_tokens=audio_out),
    )


class Budget:
    """Tokens a minute, for `rate_limits.updated`: filled up evenly, never enforced."""

    __slots__ = ("_at", "_limit", "_spent")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spent = 0.0
        self._at = 0.0

    def spend(self, tokens: int, now: float) -> RateLimit:
        """What is left after this."""
        per_second = self._limit / 60
        self._spent = max(self._spent - (now - self._at) * per_second, 0.0) + tokens
        self._at = now
        return RateLimit(
            name="tokens",
            limit=self._limit,
            remaining=max(int(self._limit - self._spent), 0),
            reset_seconds=round(self._spent / per_second, 3),
        )
