"""The pure parts of the conductor: what the learner says, piece by piece; two clocks; the transcript as it grows."""

from __future__ import annotations

import pytest

from charye.interview.listening import Listening, Patience, Said
from charye.interview.policy import start
from charye.interview.record import Record
from charye.interview.timekeeping import SilenceClock, Stopwatch
from charye.interview.transcript import Source, Speaker
from charye.protocol import (
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
)
from charye.session.events import LineLost, Utterance, UtteranceChanged
from tests.interview.talk import plan

PATIENCE = Patience(end_of_turn_s=1.5, transcript_s=10.0, speech_s=180.0)


def started(item: str) -> object:
    return InputAudioBufferSpeechStarted(event_id="e", audio_start_ms=0, item_id=item)


def stopped(item: str) -> object:
    return InputAudioBufferSpeechStopped(event_id="e", audio_end_ms=0, item_id=item)


def committed(item: str) -> object:
    return InputAudioBufferCommitted(event_id="e", item_id=item)


def written(item: str, text: str) -> object:
    return UtteranceChanged(Utterance(item, "user", text, ended_s=1.0, is_final=True))


def typed(item: str, text: str) -> object:
    return UtteranceChanged(Utterance(item, "user", text, began_s=1.0, ended_s=1.0, is_final=True))


def heard(*events: tuple[object, float]) -> Listening:
    listening = Listening(PATIENCE)
    for event, at_s in events:
        listening.hear(event, at_s)
    return listening


def turn(listening: Listening) -> Said:
    said = listening.take()
    assert said is not None
    return said


def test_a_turn_is_taken_once_when_its_words_are_there() -> None:
    listening = heard((started("a"), 2.0), (stopped("a"), 7.5), (committed("a"), 7.5))
    assert listening.take() is None
    listening.hear(written("a", "네, 좋아요."), 8.0)
    said = turn(listening)
    assert (said.text, said.source, said.began_s, said.duration_ms) == (
        "네, 좋아요.",
        Source.SPEECH,
        2.0,
        4000.0,
    )
    assert not listening.is_busy
    assert listening.take() is None


def test_pieces_are_taken_together_in_the_order_in_which_they_were_said() -> None:
    listening = heard(
        (started("a"), 0.0),
        (stopped("a"), 3.5),
        (committed("a"), 3.5),
        (started("b"), 4.0),
        (written("a", "하나"), 4.5),
    )
    assert listening.take() is None, "they are speaking"
    for event, at_s in ((stopped("b"), 6.5), (committed("b"), 6.5), (written("b", "둘"), 7.0)):
        listening.hear(event, at_s)
    said = turn(listening)
    assert said.text == "하나 둘"
    assert said.duration_ms == 3000.0
    assert [piece.item_id for piece in said.pieces] == ["a", "b"]


@pytest.mark.parametrize(
    "events",
    [
        [(started("a"), 0.0), (stopped("a"), 2.0), (committed("a"), 2.0)],  # the words are lost
        [(started("a"), 0.0), (stopped("a"), 2.0)],  # the commit is lost too
        [(committed("a"), 2.0)],  # nothing was announced
    ],
)
def test_what_never_comes_is_given_up(events: list[tuple[object, float]]) -> None:
    listening = heard(*events)
    assert listening.deadline_s == 12.0
    listening.give_up(11.9)
    assert listening.take() is None
    listening.give_up(12.0)
    assert turn(listening).text == ""
    listening.hear(written("a", "늦은 말"), 30.0)
    assert listening.take() is None, "the conversation has gone on"


def test_a_speech_without_an_end_is_given_up() -> None:
    listening = heard((started("a"), 0.0))
    assert listening.deadline_s == 180.0
    listening.give_up(180.0)
    assert turn(listening).text == ""


@pytest.mark.parametrize("until", [1, 2, 3])
def test_a_lost_line_takes_with_it_what_was_not_written_down(until: int) -> None:
    events = [(started("a"), 0.0), (stopped("a"), 2.0), (committed("a"), 2.0)][:until]
    listening = heard(*events, (LineLost("lost"), 3.0))
    assert not listening.is_speaking
    assert turn(listening).text == ""


def test_a_lost_line_while_nobody_speaks_is_no_turn() -> None:
    assert heard((LineLost("lost"), 3.0)).take() is None


def test_words_may_come_before_they_are_announced() -> None:
    listening = heard((written("a", "네."), 1.0), (committed("a"), 1.1))
    said = turn(listening)
    assert (said.text, said.source, said.duration_ms) == ("네.", Source.SPEECH, None)


def test_what_is_typed_has_no_times() -> None:
    said = turn(heard((typed("a", " 네, 좋아요. "), 1.0)))
    assert (said.text, said.source, said.began_s, said.duration_ms) == (
        "네, 좋아요.",
        Source.TYPED,
        None,
        None,
    )


def test_a_press_counts_from_its_beginning_to_its_end() -> None:
    listening = Listening(PATIENCE)
    listening.press(1.0)
    assert listening.is_speaking
    listening.release(4.0, kept=True)
    assert listening.is_busy
    listening.hear(committed("a"), 4.1)
    listening.hear(written("a", "네."), 4.5)
    assert turn(listening).duration_ms == 3000.0


def test_a_press_that_the_server_never_takes_is_given_up() -> None:
    listening = Listening(PATIENCE)
    listening.press(1.0)
    listening.release(4.0, kept=True)
    listening.give_up(14.0)
    assert turn(listening).text == ""


def test_a_press_that_is_not_kept_is_no_turn() -> None:
    listening = Listening(PATIENCE)
    listening.press(1.0)
    listening.release(4.0, kept=False)
    assert not listening.is_busy


def test_nothing_that_was_said_shows_in_a_repr() -> None:
    said = turn(heard((typed("a", "비밀"), 1.0)))
    assert "비밀" not in repr(said)
    assert "비밀" not in repr(said.pieces[0])


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_pauses_are_left_out_of_the_time() -> None:
    watch = Stopwatch(100.0, before_s=60.0)
    assert watch.elapsed_s(110.0) == 70.0
    assert watch.at_s(90.0) == 130.0
    watch.pause(110.0)
    watch.pause(500.0)
    assert watch.elapsed_s(1000.0) == 70.0
    assert watch.at_s(90.0) is None
    watch.resume(1000.0)
    watch.resume(2000.0)
    assert watch.elapsed_s(1010.0) == 80.0


def test_a_kind_word_does_not_break_the_silence() -> None:
    clock = SilenceClock()
    clock.start(0.0)
    assert clock.at_s(6000) == 6.0
    clock.stop(6.0, broken=False)
    assert clock.at_s(12_000) is None
    clock.start(9.0)
    assert clock.silent_ms(10.0) == 7000.0
    assert clock.at_s(12_000) == 15.0
    clock.stop(10.0, broken=True)
    clock.start(20.0)
    assert clock.silent_ms(21.0) == 1000.0


# --- the transcript ---------------------------------------------------------------------------------------------------


def test_the_transcript_goes_on_where_it_was_broken_off() -> None:
    progress, _ = start(plan(), seed=1)
    first = Record(100.0)
    first.interviewer(Utterance("x", "assistant", "안녕하세요.", response_id="r"), 101.0, progress)
    first.quiet(103.0)
    second = Record(7.0, first.transcript)
    second.interviewer(Utterance("x", "assistant", "다시 시작할게요.", response_id="r"), 8.0, progress)
    before, after = second.transcript.utterances
    assert (before.start_ms, before.end_ms, before.text) == (1000.0, 3000.0, "안녕하세요.")
    assert (after.start_ms, after.end_ms) == (4000.0, None)


def test_what_was_cut_off_says_where() -> None:
    progress, _ = start(plan(), seed=1)
    record = Record(0.0)
    record.interviewer(Utterance("x", "assistant", "안녕"), 1.0, progress)
    record.interviewer(Utterance("x", "assistant", "안녕하세요.", heard_ms=300.0), 2.0, progress)
    record.quiet(5.0)
    (said,) = record.transcript.utterances
    assert (said.text, said.end_ms, said.interrupted_at_ms) == ("안녕하세요.", 1300.0, 1300.0)


def test_the_last_words_can_be_forgotten() -> None:
    progress, _ = start(plan(), seed=1)
    record = Record(0.0)
    record.learner(turn(heard((typed("a", "비밀"), 1.0))), progress)
    record.withhold_last()
    (said,) = record.transcript.utterances
    assert (said.speaker, said.text, said.withheld) == (Speaker.LEARNER, "", True)
