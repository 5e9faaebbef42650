"""Audio as the wire has it, to and from the 24 kHz PCM16 that everything else here works with.

Telephone audio (G.711) has 8 kHz. Up goes by linear interpolation, down by the mean of three samples: good enough to
be understood, needs nothing installed, and costs some 10 ms of CPU for a second of audio.
"""

from array import array
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from types import MappingProxyType

from charye.audio.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from charye.audio.pcm import pack, samples
from charye.protocol import audio_length_bytes
from charye.protocol.limits import APPEND_MAX_BYTES, PCM_BYTES_PER_SAMPLE, PCM_SAMPLE_RATE_HZ
from charye.server import refusals

__all__ = ["BYTES_PER_MS", "decoded", "duration_ms", "from_pcm", "pcm_from_base64"]

BYTES_PER_MS = PCM_SAMPLE_RATE_HZ * PCM_BYTES_PER_SAMPLE // 1000
"""Of 24 kHz PCM16."""

_DECODE: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"audio/pcmu": ulaw_decode, "audio/pcma": alaw_decode}
)
_ENCODE: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"audio/pcmu": ulaw_encode, "audio/pcma": alaw_encode}
)
_WANTED = {
    "audio/pcm": "mono PCM16 at 24kHz",
    "audio/pcmu": "mono G.711 mu-law at 8kHz",
    "audio/pcma": "mono G.711 A-law at 8kHz",
}


def decoded(base64_text: object, audio_format: str, path: str) -> bytes:
    """The raw bytes in a field that carries audio.

    Raises:
        Refused: no text, not base64, empty, or more than the limit.
    """
    wanted = _WANTED.get(audio_format, audio_format)
    if not isinstance(base64_text, str):
        raise refusals.audio_invalid(path, wanted, empty=False)
    try:
        data = a2b_base64(base64_text)
        # Strict mode takes twice as long. Without it what is no base64 is skipped, and then there are fewer bytes.
        if len(base64_text) % 4 or len(data) != audio_length_bytes(base64_text):
            data = a2b_base64(base64_text, strict_mode=True)
    except (Base64Error, ValueError):
        raise refusals.audio_invalid(path, wanted, empty=False) from None
    if not data:
        raise refusals.audio_invalid(path, wanted, empty=True)
    if len(data) > APPEND_MAX_BYTES:
        raise refusals.too_long(path, len(data), APPEND_MAX_BYTES)
    return data


def pcm_from_base64(
    base64_text: object, audio_format: str, path: str, odd: bytes = b""
) -> tuple[bytes, bytes]:
    """24 kHz PCM16 of whole samples, and the byte that is left over.

    Args:
        odd: the byte that was left over before: chunks of the wire may end anywhere.
    Raises:
        Refused: as `decoded`.
    """
    data = decoded(base64_text, audio_format, path)
    if (decode := _DECODE.get(audio_format)) is not None:
        return _tripled(samples(decode(data))), b""
    data = odd + data
    return (data[:-1], data[-1:]) if len(data) % PCM_BYTES_PER_SAMPLE else (data, b"")


def from_pcm(pcm: bytes, audio_format: str) -> bytes:
    """Samples in the wire's format; of telephone audio one byte for each three samples, a rest is dropped."""
    encode = _ENCODE.get(audio_format)
    return pcm if encode is None else encode(_third(samples(pcm)))


def duration_ms(pcm: bytes) -> float:
    """Length of 24 kHz PCM16."""
    return len(pcm) / BYTES_PER_MS


def _tripled(slow: "array[int]") -> bytes:
    following = [*slow[1:], *slow[-1:]]
    fast = array("h", bytes(3 * PCM_BYTES_PER_SAMPLE * len(slow)))
    fast[0::3] = slow
    fast[1::3] = array("h", [(2 * one + other) // 3 for one, other in zip(slow, following, strict=True)])
    fast[2::3] = array("h", [(one + 2 * other) // 3 for one, other in zip(slow, following, strict=True)])
    return pack(fast)


def _third(fast: "array[int]") -> bytes:
    whole = fast[: len(fast) // 3 * 3]
    triples = zip(whole[0::3], whole[1::3], whole[2::3], strict=True)
    return pack(array("h", [(one + two + three) // 3 for one, two, three in triples]))
