"""Half duplex: the microphone hears nothing that the loudspeaker says."""

from __future__ import annotations

import asyncio
import math
import wave
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charye.audio import pcm
from charye.audio.devices import FileCapture, FileLoudspeaker
from charye.audio.duplex import PATIENCE_S, HalfDuplex
from charye.audio.sound import Capture, Loudspeaker
from charye.errors import DeviceError
from charye.testing import run_virtually

if TYPE_CHECKING:
    from charye.audio.sound import Fail, Give, Report

MS = 2 * pcm.WIRE_RATE_HZ // 1000
FRAME = b"\5\0" * 480


@dataclass
class Hands:
    """A microphone and a loudspeaker that the test moves, and its clock."""

    now: float = 100.0
    give: list[Give] = field(default_factory=list)
    report: list[Report] = field(default_factory=list)
    fail: list[Fail | None] = field(default_factory=list)
    did: list[object] = field(default_factory=list)

    def pair(self, *, gives_silence: bool = True) -> HalfDuplex:
        return HalfDuplex(_Mic(self), _Speaker(self), gives_silence=gives_silence, clock=lambda: self.now)


@dataclass
class _Mic:
    hands: Hands

    def start(self, give: Give, *, fail: Fail | None = None) -> None:
        self.hands.give.append(give)
        self.hands.fail.append(fail)

    def close(self) -> None:
        self.hands.did.append("microphone closed")


@dataclass
class _Speaker:
    hands: Hands

    def start(self, report: Report, *, fail: Fail | None = None) -> None:
        self.hands.report.append(report)
        self.hands.fail.append(fail)

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        self.hands.did.append((response_id, item_id, content_index, pcm))

    def stop(self, response_ids: tuple[str, ...]) -> None:
        self.hands.did.append(response_ids)

    def close(self) -> None:
        self.hands.did.append("loudspeaker closed")


def running(*, gives_silence: bool = True) -> tuple[Hands, HalfDuplex, list[bytes]]:
    hands, frames = Hands(), list[bytes]()
    both = hands.pair(gives_silence=gives_silence)
    both.microphone.start(frames.append)
    both.loudspeaker.start(lambda *_: None)
    return hands, both, frames


def test_shut_from_the_first_sample_to_a_tail_after_the_last() -> None:
    hands, both, frames = running()
    hands.give[0](FRAME)
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))
    hands.give[0](FRAME)
    hands.now += 0.1
    hands.report[0]("i", 0, 100.0)
    hands.now += 0.249
    hands.give[0](FRAME)
    hands.now += 0.001
    hands.give[0](FRAME)
    assert frames == [FRAME, bytes(960), bytes(960), FRAME]


def test_for_push_to_talk_nothing_is_given_while_it_is_shut() -> None:
    hands, both, frames = running(gives_silence=False)
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))
    hands.give[0](FRAME)
    assert frames == []


def test_a_part_that_goes_on_keeps_it_shut() -> None:
    hands, both, _ = running()
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))
    hands.report[0]("i", 0, 100.0)
    hands.now += 0.2
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))  # late, but within the tail
    hands.now += 0.2
    assert not both.is_open
    hands.report[0]("i", 0, 150.0)
    hands.now += 0.3
    assert not both.is_open
    hands.report[0]("i", 0, 199.5)  # a resampler may round
    hands.now += 0.25
    assert both.is_open


def test_two_responses_are_both_waited_for() -> None:
    hands, both, _ = running()
    both.loudspeaker.play("r1", "i", 0, bytes(100 * MS))
    both.loudspeaker.play("r2", "j", 0, bytes(100 * MS))
    hands.report[0]("i", 0, 100.0)
    hands.now += 0.5
    assert not both.is_open
    both.loudspeaker.stop(("r2",))
    assert not both.is_open
    hands.now += 0.25
    assert both.is_open


def test_a_stop_of_what_does_not_sound_opens_nothing_and_shuts_nothing() -> None:
    hands, both, _ = running()
    both.loudspeaker.stop(("r",))
    assert both.is_open
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))
    both.loudspeaker.stop(("other",))
    hands.now += 0.5
    assert not both.is_open


def test_the_tail_begins_when_the_driver_has_played_what_it_had() -> None:
    hands, both, _ = running()
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))
    both.loudspeaker.stop(("r",))
    hands.now += 0.06
    hands.report[0]("i", 0, 40.0)
    hands.now += 0.2
    assert not both.is_open
    hands.now += 0.05
    assert both.is_open


def test_a_loudspeaker_that_never_reports_does_not_mute_for_ever() -> None:
    hands, both, _ = running()
    both.loudspeaker.play("r", "i", 0, bytes(100 * MS))
    hands.now += 0.1 + PATIENCE_S - 0.01
    assert not both.is_open
    hands.now += 0.02
    assert both.is_open


def test_a_conversation_of_hours_does_not_grow() -> None:
    hands, both, _ = running()
    for number in range(500):
        both.loudspeaker.play("r", f"i{number}", 0, bytes(20 * MS))
        hands.report[0](f"i{number}", 0, 20.0)
    assert len(both._gate._parts) <= 64
    hands.now += 0.25
    assert both.is_open


def test_nothing_that_is_asked_or_said_is_lost_on_the_way() -> None:
    hands, said, told = Hands(), list[object](), list[DeviceError]()
    both = hands.pair()
    both.microphone.start(lambda _: None, fail=told.append)
    both.loudspeaker.start(lambda *played: said.append(played), fail=told.append)
    both.loudspeaker.play("r", "i", 3, b"\1\0")
    both.loudspeaker.stop(("r", "s"))
    hands.report[0]("i", 3, 1.5)
    error = DeviceError("gone")
    for fail in hands.fail:
        assert fail is not None
        fail(error)
    both.microphone.close()
    both.loudspeaker.close()
    assert hands.did == [("r", "i", 3, b"\1\0"), ("r", "s"), "microphone closed", "loudspeaker closed"]
    assert said == [("i", 3, 1.5)]
    assert told == [error, error]
    assert isinstance(both.microphone, Capture)
    assert isinstance(both.loudspeaker, Loudspeaker)


@settings(max_examples=50)  # each is six seconds of sound
@given(
    plays=st.lists(st.tuples(st.integers(0, 2_000), st.integers(1, 500), st.sampled_from("abc")), max_size=6),
    stops=st.lists(st.tuples(st.integers(0, 4_000), st.sampled_from("abc")), max_size=3),
)
def test_no_frame_is_heard_while_anything_sounds(
    plays: list[tuple[int, int, str]], stops: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against what really sounded: the file that the loudspeaker wrote."""
    folder = tmp_path_factory.mktemp("duplex")
    frames: list[tuple[float, bytes]] = []
    room = folder / "room.wav"
    with wave.open(str(room), "wb") as file:
        file.setparams((1, 2, pcm.WIRE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(FRAME * 310)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        both = HalfDuplex(FileCapture(room), FileLoudspeaker(folder / "out.wav"), clock=loop.time)
        both.microphone.start(lambda frame: frames.append((loop.time(), frame)))
        both.loudspeaker.start(lambda *_: None)
        for at_ms, ms, name in plays:
            loop.call_at(at_ms / 1000, both.loudspeaker.play, name, name, 0, b"\7\0" * (MS // 2 * ms))
        for at_ms, name in stops:
            loop.call_at(at_ms / 1000, both.loudspeaker.stop, (name,))
        await asyncio.sleep(6)
        both.microphone.close()
        both.loudspeaker.close()

    run_virtually(story())
    with wave.open(str(folder / "out.wav"), "rb") as written:
        heard = written.readframes(written.getnframes())
    sounding = [any(heard[at : at + MS]) for at in range(0, len(heard), MS)]
    for at_s, frame in frames:
        tail = sounding[max(0, math.floor(at_s * 1000 - 250)) : math.ceil(at_s * 1000)]
        assert frame == bytes(960) or not any(tail)
    assert frames[-1][1] == FRAME
