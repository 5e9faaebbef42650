"""The queue of a loudspeaker: what goes in comes out, once and in order, and what is reported has been heard."""

from __future__ import annotations

import itertools
import threading
from array import array
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.audio import pcm
from charye.audio.playing import FADE_MS, Gaps, Played, Reel

RATE = pcm.WIRE_RATE_HZ
FADE = round(FADE_MS * RATE / 1000)
BLOCK = 480


def numbered(count: int, start: int = 1) -> bytes:
    """Samples that can be told apart, none of them silence."""
    return pcm.pack(array("h", (1 + (start + at - 1) % 32_767 for at in range(count))))


def loud(count: int, level: int = 16_000) -> bytes:
    return pcm.pack(array("h", [level] * count))


def about(item_id: str, content_index: int, played_ms: float) -> tuple[str, int, object]:
    """A `Played`, but for rounding."""
    return (item_id, content_index, pytest.approx(played_ms))


def sound(data: bytes) -> bytes:
    """Without the silence."""
    return pcm.pack(array("h", (value for value in pcm.samples(data) if value)))


def play_out(reel: Reel, *, at_s: float = 0.0) -> tuple[bytes, list[Played]]:
    """Take everything in blocks, without latency, and every report of it."""
    out, said = b"", list[Played]()
    while not reel.is_quiet:
        reel.leaves(reel.position, BLOCK, at_s)
        out += reel.take(BLOCK)
        at_s += BLOCK / RATE
        said += reel.reports(at_s)
    return out, said


# what goes in comes out


@given(st.lists(st.integers(0, 700), max_size=12), st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_deltas_come_out_once_in_order_and_without_a_gap(pieces: list[int], blocks: list[int]) -> None:
    reel, given_, at = Reel(), b"", 1
    for piece in pieces:
        given_ += (data := numbered(piece, at))
        at += piece
        reel.append("r", "i", 0, data)
    out = b"".join(reel.take(block) for block in blocks)
    assert len(out) == 2 * sum(blocks)
    assert out == given_[: len(out)].ljust(len(out), b"\0")
    assert reel.position == sum(blocks)
    assert reel.gaps == Gaps(0, 0.0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 700)), st.tuples(st.just("take"), st.integers(1, 700))
        )
    )
)
def test_late_deltas_lose_nothing_and_each_gap_is_counted(steps: list[tuple[str, int]]) -> None:
    reel, given_, out, at = Reel(), b"", b"", 1
    for step, count in steps:
        if step == "append":
            given_ += (data := numbered(count, at))
            at += count
            reel.append("r", "i", 0, data)
        else:
            out += reel.take(count)
    out += reel.take(len(given_) // 2)
    assert sound(out) == given_
    silences = [
        len(list(run)) for silent, run in itertools.groupby(pcm.samples(out), key=lambda v: v == 0) if silent
    ]
    # Silence before the first sample and behind the last is no gap.
    inner = silences[int(out[:2] == b"\0\0") : len(silences) - int(out[-2:] == b"\0\0")] if given_ else []
    assert reel.gaps.underruns == len(inner)
    assert reel.gaps.silent_ms == pytest.approx(sum(inner) / RATE * 1000)


def test_a_pause_between_two_responses_is_no_gap() -> None:
    reel = Reel()
    reel.append("r1", "i1", 0, loud(100))
    reel.take(BLOCK)
    reel.append("r2", "i2", 0, loud(100))
    reel.take(BLOCK)
    assert reel.gaps == Gaps(0, 0.0)


def test_half_a_sample_is_refused_and_none_is_nothing() -> None:
    reel = Reel()
    with pytest.raises(ValueError, match="middle of a sample"):
        reel.append("r", "i", 0, b"abc")
    reel.append("r", "i", 0, b"")
    assert reel.is_quiet


# cuts


@given(before=st.integers(1, 3 * BLOCK), queued=st.integers(0, 3 * BLOCK), after=st.integers(0, BLOCK))
def test_a_cut_fades_what_sounds_and_lets_others_go_on(before: int, queued: int, after: int) -> None:
    reel = Reel()
    reel.append("cut", "a", 0, loud(before + queued))
    reel.append("other", "b", 0, loud(after, -5))
    head = pcm.samples(reel.take(before))
    reel.drop({"cut"})
    rest = pcm.samples(reel.take(queued + after + BLOCK))
    fade = min(queued, FADE)
    assert set(head) == {16_000}
    assert list(rest[fade : fade + after]) == [-5] * after
    assert not any(rest[fade + after :])
    # From the level that sounded down to silence, in even steps: no sample differs from the next by more than a step.
    ramp = [16_000, *rest[:fade], 0]
    if fade:
        assert max(a - b for a, b in itertools.pairwise(ramp)) <= 16_000 / (fade + 1) + 1
        assert ramp == sorted(ramp, reverse=True)


def test_what_was_not_begun_goes_without_a_fade() -> None:
    reel = Reel()
    reel.append("r1", "i1", 0, loud(BLOCK))
    reel.append("r2", "i2", 0, loud(BLOCK))
    reel.take(10)
    reel.drop({"r2"})
    assert sound(reel.take(3 * BLOCK)) == loud(BLOCK - 10)


def test_after_an_underrun_nothing_sounds_so_nothing_fades() -> None:
    reel = Reel()
    reel.append("r", "i", 0, loud(10))
    reel.take(BLOCK)
    reel.append("r", "i", 0, loud(BLOCK))
    reel.drop({"r"})
    assert not any(reel.take(BLOCK))


def test_a_cut_in_a_fade_changes_nothing() -> None:
    once, twice = Reel(), Reel()
    for reel in (once, twice):
        reel.append("r", "i", 0, loud(BLOCK))
        reel.take(10)
        reel.drop({"r"})
    twice.drop({"r"})
    heads = [reel.take(FADE // 2) for reel in (once, twice)]
    twice.drop({"r"})
    tails = [reel.take(BLOCK) for reel in (once, twice)]
    assert heads[0] == heads[1]
    assert tails[0] == tails[1]


def test_a_cut_of_nobody_changes_nothing() -> None:
    reel = Reel()
    reel.append("r", "i", 0, loud(BLOCK))
    reel.take(10)
    reel.drop(())
    reel.drop({"other"})
    assert reel.take(BLOCK - 10) == loud(BLOCK - 10)


def test_the_fade_has_left_when_it_is_reported() -> None:
    reel = Reel()
    reel.append("r", "i", 0, loud(10 * BLOCK))
    reel.leaves(0, BLOCK, 0.0)
    reel.take(BLOCK)
    reel.drop({"r"})
    out, said = play_out(reel, at_s=BLOCK / RATE)
    assert len(sound(out)) == 2 * FADE
    assert said[-1] == Played("i", 0, (BLOCK + FADE) / RATE * 1000)


# what has been heard


def test_a_block_is_heard_a_latency_after_it_was_taken() -> None:
    reel = Reel(report_every_s=0.0)
    reel.append("r", "i", 2, loud(2 * BLOCK))
    for at in (0.0, 0.02):
        reel.leaves(reel.position, BLOCK, at + 0.05)
        reel.take(BLOCK)
    assert reel.reports(0.05) == []
    assert reel.reports(0.06) == [about("i", 2, 10.0)]
    assert reel.reports(0.06) == []
    assert reel.reports(0.08) == [about("i", 2, 30.0)]
    assert reel.reports(9.0) == [Played("i", 2, 40.0)]
    assert reel.is_quiet


def test_reports_come_ten_times_a_second_and_at_the_end_of_each_part() -> None:
    reel = Reel()
    reel.append("r", "a", 0, loud(RATE))
    reel.append("r", "a", 1, loud(RATE // 100))
    reel.append("r", "b", 0, loud(RATE // 2))
    _, said = play_out(reel)
    assert len(said) == pytest.approx(15.1 + 3, abs=3)
    assert said == sorted(said, key=lambda one: (one.item_id, one.content_index, one.played_ms))
    ends = {(one.item_id, one.content_index): one.played_ms for one in said}
    assert ends == {("a", 0): 1000.0, ("a", 1): 10.0, ("b", 0): 500.0}


def test_a_part_that_grows_after_its_end_is_counted_from_its_start() -> None:
    reel = Reel()
    reel.append("r", "i", 0, loud(BLOCK))
    assert play_out(reel)[1][-1].played_ms == 20.0
    reel.append("r", "i", 0, loud(BLOCK))
    assert play_out(reel, at_s=9.0)[1][-1].played_ms == 40.0


def test_two_parts_in_turns_keep_their_counts() -> None:
    reel = Reel()
    for item in ("a", "b", "a", "b"):
        reel.append(item, item, 0, loud(BLOCK))
    ends = {one.item_id: one.played_ms for one in play_out(reel)[1]}
    assert ends == {"a": 40.0, "b": 40.0}
    assert reel.gaps == Gaps(0, 0.0)


def test_a_driver_that_hangs_has_played_what_it_had_and_no_more() -> None:
    reel = Reel(report_every_s=0.0)
    reel.append("r", "i", 0, loud(2 * BLOCK))
    for leaves_at_s in (0.0, 5.0):
        reel.leaves(reel.position, BLOCK, leaves_at_s)
        reel.take(BLOCK)
    assert reel.reports(4.9) == [about("i", 0, 20.0)]
    assert reel.reports(4.99) == []
    assert reel.reports(5.01) == [about("i", 0, 30.0)]


def test_a_later_saying_corrects_a_time_that_was_too_late() -> None:
    reel = Reel(report_every_s=0.0)
    reel.append("r", "i", 0, loud(2 * BLOCK))
    for _ in range(2):  # a driver that asks twice at once, as at its start
        reel.leaves(reel.position, BLOCK, 1.0)
        reel.take(BLOCK)
    assert reel.reports(1.01) == [about("i", 0, 30.0)]


def test_a_conversation_of_hours_does_not_grow() -> None:
    reel = Reel()
    for number in range(500):
        reel.append("r", f"i{number}", 0, loud(10))
        play_out(reel, at_s=float(number))
    assert len(reel._known) <= 64
    assert len(reel._marks) <= 1
    assert not reel._spans


@dataclass
class Plain:
    """The same as `Reel`, one sample at a time: each is the name of its item, or None for silence."""

    line: list[str] = field(default_factory=list)
    driver: deque[tuple[float, str | None]] = field(default_factory=deque)
    last: str | None = None
    heard: Counter[str] = field(default_factory=Counter)

    def take(self, count: int, leaves_at_s: float) -> int:
        """Gives how many were no silence."""
        taken, self.line = self.line[:count], self.line[count:]
        handed = [*taken, *[None] * (count - len(taken))]
        self.driver.extend((leaves_at_s + at / RATE, item) for at, item in enumerate(handed, 1))
        self.last = handed[-1]
        return len(taken)

    def drop(self, response: str) -> None:
        mine = [item for item in self.line if item.startswith(response)]
        fade = [item for item in mine if item == self.last][:FADE]
        self.line = fade + [item for item in self.line if not item.startswith(response)]

    def hear(self, now: float) -> dict[str, object]:
        while self.driver and self.driver[0][0] <= now + 1e-9:
            _, item = self.driver.popleft()
            if item is not None:
                self.heard[item] += 1
        return {item: pytest.approx(count / RATE * 1000) for item, count in self.heard.items()}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from("xyz"), st.integers(1, 400)),
        st.tuples(st.just("take"), st.just(""), st.integers(1, 400)),
        st.tuples(st.just("drop"), st.sampled_from("xyz"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS, st.integers(0, 100))
def test_no_report_says_more_or_less_than_was_heard(
    steps: list[tuple[str, str, int]], latency_ms: int
) -> None:
    reel, plain, now, drops = Reel(report_every_s=0.0), Plain(), 0.0, Counter[str]()
    said: dict[str, float] = {}
    for step, response, count in [*steps, *[("take", "", 400)] * 45]:
        match step:
            case "append":
                item = f"{response}{drops[response]}"
                reel.append(response, item, 0, loud(count))
                plain.line += [item] * count
            case "drop":
                reel.drop({response})
                plain.drop(response)
                drops[response] += 1
            case _:
                reel.leaves(reel.position, count, now + latency_ms / 1000)
                sounding = plain.take(count, now + latency_ms / 1000)
                out = reel.take(count)
                assert len(out) == 2 * count
                assert len(sound(out)) == 2 * sounding
                now += count / RATE
        said |= {one.item_id: one.played_ms for one in reel.reports(now)}
        assert said == plain.hear(now)
    reel.reports(now + 1)
    assert reel.is_quiet


def test_a_thread_that_takes_and_one_that_queues_and_cuts_lose_nothing() -> None:
    reel, out, ended = Reel(), list[bytes](), threading.Event()

    def drive() -> None:
        while not ended.is_set() or not reel.is_quiet:
            reel.leaves(reel.position, 48, 0.0)
            out.append(reel.take(48))
            reel.reports(1e9)

    driver = threading.Thread(target=drive, daemon=True)
    driver.start()
    for number in range(400):
        reel.append("keep", "k", 0, loud(48, 3))
        reel.append(f"cut{number}", f"c{number}", 0, loud(4_800, 500))
        reel.drop({f"cut{number}"})
    ended.set()
    driver.join(30)
    assert not driver.is_alive()
    # A fade of 500 passes 3 too: one sample of that level for each cut at most.
    assert 400 * 48 <= Counter(pcm.samples(b"".join(out)))[3] <= 400 * 49
