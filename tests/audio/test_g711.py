from __future__ import annotations

import hashlib
from array import array

import pytest

from charye.audio import g711, pcm

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = pcm.pack(array("h", range(-32_768, 32_768)))

LAWS = {
    "u": (g711.ulaw_encode, g711.ulaw_decode),
    "a": (g711.alaw_encode, g711.alaw_decode),
}


def test_values_of_the_standard() -> None:
    # G.711, tables 2a/2b: 0xFF is +0, 0x80 is +8031 of 14 bits; tables 1a/1b: 0xD5 is +1 of 13 bits, 0xAA +4032.
    assert list(pcm.samples(g711.ulaw_decode(b"\xff\x7f\x80\x00"))) == [0, 0, 8_031 * 4, -8_031 * 4]
    assert list(pcm.samples(g711.alaw_decode(b"\xd5\x55\xaa\x2a"))) == [8, -8, 4_032 * 8, -4_032 * 8]


@pytest.mark.parametrize("law", LAWS)
def test_a_decoded_code_is_encoded_as_itself(law: str) -> None:
    encode, decode = LAWS[law]
    again = encode(decode(EVERY_CODE))
    different = {code for code, other in zip(EVERY_CODE, again, strict=True) if code != other}
    assert different == ({0x7F} if law == "u" else set())  # µ-law has two zeros


@pytest.mark.parametrize("law", LAWS)
def test_no_code_is_farther_away_than_half_a_step(law: str) -> None:
    encode, decode = LAWS[law]
    for sample, near in zip(range(-32_768, 32_768), pcm.samples(decode(encode(EVERY_SAMPLE))), strict=True):
        # Sixteen steps in each of the segments, and each segment is twice the one before.
        assert abs(sample - near) <= max(16, (abs(sample) + 132) / 16), sample


# Made with CPython's `audioop` (3.11), which is gone from 3.13; all codes and all samples.
@pytest.mark.parametrize(
    ("made", "sha256"),
    [
        (
            lambda: g711.ulaw_decode(EVERY_CODE),
            "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
        ),
        (
            lambda: g711.ulaw_encode(EVERY_SAMPLE),
            "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a",
        ),
        (
            lambda: g711.alaw_decode(EVERY_CODE),
            "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
        ),
        (
            lambda: g711.alaw_encode(EVERY_SAMPLE),
            "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b",
        ),
    ],
    ids=["ulaw-decode", "ulaw-encode", "alaw-decode", "alaw-encode"],
)
def test_the_tables_are_those_of_audioop(made: object, sha256: str) -> None:
    assert callable(made)
    assert hashlib.sha256(made()).hexdigest() == sha256


def test_lengths() -> None:
    assert g711.ulaw_decode(b"") == g711.alaw_encode(b"") == b""
    assert len(g711.ulaw_encode(bytes(320))) == 160
    with pytest.raises(ValueError, match="middle of a sample"):
        g711.ulaw_encode(b"x")
