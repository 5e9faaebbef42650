"""What the assessor's process is told and what it answers: MessagePack, each message behind its length."""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from charye.assessment.linguistic import LinguisticResult
from charye.assessment.live import TurnReading
from charye.assessment.rubric import Level
from charye.assessment.speech import Turn

__all__ = [
    "HEADER_BYTES",
    "Answer",
    "Assess",
    "Assessed",
    "Failed",
    "Ready",
    "Request",
    "ScoreTurn",
    "Scored",
    "decode_answer",
    "decode_request",
    "frame",
    "length_of",
]

_HEADER: Final = struct.Struct(">I")
HEADER_BYTES: Final = _HEADER.size


class Assess(msgspec.Struct, frozen=True, tag="assess"):
    """Assess a conversation."""

    turns: tuple[Turn, ...]


class ScoreTurn(msgspec.Struct, frozen=True, tag="score_turn"):
    """Read one answer."""

    turn: Turn
    question: str
    level: Level | None


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded. Said once, before any request is read.

    Attributes:
        load_s: how long it took.
        resident_mb: memory of the process; None where the system does not tell.
    """

    load_s: float
    resident_mb: float | None


class Assessed(msgspec.Struct, frozen=True, tag="assessed"):
    """The answer to `Assess`."""

    result: LinguisticResult


class Scored(msgspec.Struct, frozen=True, tag="scored"):
    """The answer to `ScoreTurn`."""

    reading: TurnReading


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It cannot be done. Only the type of the exception: its text may repeat what a person said.

    Attributes:
        exception_type: its name.
        extra: that is not installed, if that is it; then the process ends.
    """

    exception_type: str
    extra: str | None = None


Request = Assess | ScoreTurn
Answer = Ready | Assessed | Scored | Failed

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def frame(message: Request | Answer) -> bytes:
    """The message as it is sent."""
    data = _encoder.encode(message)
    return _HEADER.pack(len(data)) + data


def length_of(header: bytes) -> int:
    """How many bytes follow this header."""
    (length,) = _HEADER.unpack(header)
    return int(length)


def decode_request(data: bytes) -> Request:
    """Without its header.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _requests.decode(data)


def decode_answer(data: bytes) -> Answer:
    """Without its header.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _answers.decode(data)
