"""What comes in by ear: the buffer, turns, interruptions, transcripts."""

from __future__ import annotations

import pytest

from charye.audio.g711 import ulaw_encode
from charye.protocol import (
    AZURE_PREVIEW,
    COMPATIBLE,
    InputAudio,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    MessageItem,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    ResponseOutputAudioDelta,
    audio_base64,
    audio_bytes,
    encode,
)
from charye.server.parts import (
    Audio,
    Finished,
    Text,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
)
from charye.server.settings import Bounds, ServerSettings
from tests.server.bench import Bench, one, pcm, plain, types

WHISPER = {"transcription": {"model": "whisper-1"}}


# the buffer


def test_append_is_never_answered_and_goes_to_the_ears() -> None:
    bench = Bench()
    assert bench.append(200) == []
    assert bench.heard_pcm == [pcm(200)]


@pytest.mark.parametrize(
    ("audio", "got"), [("", "empty bytes"), ("!!!", "an invalid value"), ("AAA", "an invalid value")]
)
def test_bad_or_empty_audio_is_refused(audio: str, got: str) -> None:
    error = Bench().refused("input_audio_buffer.append", audio=audio, event_id="a1")
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "audio", "a1")
    assert error["message"] == (
        f"Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got {got}."
    )


def test_append_without_audio_is_refused() -> None:
    error = Bench().refused("input_audio_buffer.append")
    assert (error["code"], error["param"]) == ("missing_required_parameter", "audio")


def test_a_chunk_may_end_in_the_middle_of_a_sample() -> None:
    bench = Bench()
    bench.listen()
    sound = pcm(150)
    for piece in (sound[:1001], sound[1001:]):
        bench.say("input_audio_buffer.append", audio=audio_base64(piece))
    assert b"".join(bench.heard_pcm) == sound
    bench.say("input_audio_buffer.commit")
    assert bench.transcribing[0].pcm == sound


@pytest.mark.parametrize("ms", [0, 99])
def test_a_commit_of_too_little_is_refused(ms: int) -> None:
    bench = Bench()
    if ms:
        bench.append(ms)
    error = bench.refused("input_audio_buffer.commit", event_id="k1")
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert error["message"] == (
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least 100ms of audio, but buffer only has {ms:.2f}ms of audio."
    )


def test_a_commit_right_after_voice_detection_committed_is_refused() -> None:
    bench = Bench()
    bench.append(900)
    bench.heard(400, 900)
    assert bench.refused("input_audio_buffer.commit")["code"] == "input_audio_buffer_commit_empty"


def test_clear_forgets_what_is_not_committed() -> None:
    bench = Bench()
    bench.append(500)
    assert types(bench.say("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert bench.forgot == 1
    assert bench.refused("input_audio_buffer.commit")["code"] == "input_audio_buffer_commit_empty"


def test_positions_go_on_counting_through_commits_and_clears() -> None:
    bench = Bench()
    bench.append(500)
    bench.say("input_audio_buffer.clear")
    bench.append(500)
    bench.say("input_audio_buffer.commit")
    bench.append(1000)
    assert one(bench.heard(started=1600), InputAudioBufferSpeechStarted).audio_start_ms == 1300


def test_the_buffer_holds_only_so_much_in_push_to_talk() -> None:
    bench = Bench(ServerSettings(bounds=Bounds(buffer_s=0.5)))
    bench.listen()
    bench.append(400)
    assert bench.refused("input_audio_buffer.append", audio=audio_base64(pcm(200)))["param"] == "audio"
    assert types(bench.say("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"


def test_silence_under_voice_detection_is_forgotten() -> None:
    bench = Bench(ServerSettings(bounds=Bounds(buffer_s=2, silence_s=1)))
    for _ in range(50):
        assert bench.append(200) == []
    bench.say("input_audio_buffer.commit")
    assert len(bench.transcribing[0].pcm) == len(pcm(1000))


def test_telephone_audio_goes_in_and_out() -> None:
    bench = Bench()
    law = {"format": {"type": "audio/pcmu"}}
    bench.configure(audio={"input": {**law, "turn_detection": None}, "output": law})
    sound = ulaw_encode(b"\x00\x10" * 1600)
    bench.say("input_audio_buffer.append", audio=audio_base64(sound))
    assert len(bench.heard_pcm[0]) == len(pcm(200))
    bench.say("input_audio_buffer.commit")
    (retrieved,) = bench.say("conversation.item.retrieve", item_id=bench.items()[0])
    assert plain(retrieved)["item"]["content"][0]["audio"] == audio_base64(sound)
    bench.create()
    events = bench.mind(Audio(b"\x00\x10" * 2400), Audio(b"\x00\x10" * 2401), Finished())
    data = b"".join(audio_bytes(event) for event in events if isinstance(event, ResponseOutputAudioDelta))
    assert len(data) == 1601
    assert set(data[:1600]) == set(sound)


def test_audio_is_sent_in_small_frames() -> None:
    bench = Bench()
    bench.create()
    events = bench.mind(Text("A long one."), Audio(pcm(30_000)))
    deltas = [event for event in events if isinstance(event, ResponseOutputAudioDelta)]
    assert max(len(encode(event)) for event in deltas) < 20_000
    assert b"".join(audio_bytes(event) for event in deltas) == pcm(30_000)


def test_audio_in_a_text_response_is_dropped_with_a_note() -> None:
    bench = Bench()
    bench.create(output_modalities=["text"])
    assert bench.mind(Audio(pcm(20))) == []
    assert any("dropped" in note.what for note in bench.notes)


# turns


def test_the_item_of_a_turn_is_what_was_said_with_the_padding_and_the_silence() -> None:
    bench = Bench()
    bench.append(1000)
    events = bench.heard(400, 900)
    assert one(events, InputAudioBufferSpeechStarted).audio_start_ms == 100
    assert one(events, InputAudioBufferSpeechStopped).audio_end_ms == 900
    assert len(bench.transcribing[0].pcm) == len(pcm(800))


def test_the_padding_does_not_reach_into_the_turn_before() -> None:
    bench = Bench()
    bench.listen(type="server_vad", create_response=False)
    bench.append(2000)
    bench.heard(400, 900)
    assert one(bench.heard(started=1000), InputAudioBufferSpeechStarted).audio_start_ms == 900


def test_the_committed_event_names_the_item_before() -> None:
    bench = Bench()
    bench.user()
    bench.append(1000)
    committed = one(bench.heard(400, 900), InputAudioBufferCommitted)
    assert committed.previous_item_id == bench.items()[0]


def test_speech_interrupts_only_when_it_may() -> None:
    for interrupts in (True, False):
        bench = Bench()
        bench.listen(type="server_vad", interrupt_response=interrupts)
        bench.create()
        bench.append(1000)
        bench.heard(started=400)
        assert bool(bench.stopping) is interrupts


def test_an_interrupted_response_is_cancelled_by_the_turn_and_speech_started_comes_first() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("One"), Audio(pcm(100)))
    bench.append(1000)
    before = len(bench.sent)
    bench.heard(started=400)
    bench.stopped()
    kinds = types(bench.sent[before:])
    assert kinds[0] == "input_audio_buffer.speech_started"
    details = plain(one(bench.sent, ResponseDone))["response"]["status_details"]
    assert details == {"type": "cancelled", "reason": "turn_detected"}


def test_a_response_that_is_generated_already_is_not_cancelled_by_speech() -> None:
    bench = Bench()
    bench.create()
    bench.answer(ms=5000)
    bench.append(1000)
    assert types(bench.heard(started=400)) == ["input_audio_buffer.speech_started"]


def test_the_reply_is_skipped_in_silence_while_a_response_runs_that_may_not_be_interrupted() -> None:
    bench = Bench()
    bench.listen(type="server_vad", interrupt_response=False)
    first = bench.create()
    bench.append(1000)
    events = bench.heard(400, 900)
    assert types(events)[-1] == "conversation.item.done"
    assert "error" not in types(bench.sent)
    bench.answer(to=first)
    assert len(bench.started) == 1


def test_the_reply_waits_for_an_interrupted_response_to_stop() -> None:
    bench = Bench()
    first = bench.create()
    bench.mind(Text("One"))
    bench.append(1000)
    events = bench.heard(400, 900)
    assert not [event for event in events if isinstance(event, ResponseCreated)]
    events = bench.stopped(first)
    assert types(events)[-3:] == ["response.done", "rate_limits.updated", "response.created"]
    assert bench.started[1].context.unprompted


def test_new_speech_takes_back_the_reply_that_waits() -> None:
    bench = Bench()
    first = bench.create()
    bench.append(3000)
    bench.heard(400, 900)
    bench.heard(started=1500)
    assert "response.created" not in types(bench.stopped(first))
    assert types(bench.heard(stopped=2500))[-1] == "response.created"


def test_a_clients_create_that_wins_makes_the_auto_reply_not_appear() -> None:
    bench = Bench()
    bench.append(1000)
    bench.heard(started=400)
    bench.create()
    assert types(bench.heard(stopped=900))[-1] == "conversation.item.done"
    assert len(bench.started) == 1


def test_a_commit_by_the_client_ends_the_turn_that_goes_on() -> None:
    bench = Bench()
    bench.append(1000)
    started = one(bench.heard(started=400), InputAudioBufferSpeechStarted)
    committed = one(bench.say("input_audio_buffer.commit"), InputAudioBufferCommitted)
    assert committed.item_id == started.item_id
    assert bench.forgot == 1
    assert bench.heard(stopped=900) == []  # noted: the ears were late
    assert not bench.started


def test_what_the_ears_say_out_of_turn_is_noted() -> None:
    bench = Bench()
    bench.append(1000)
    assert bench.heard(stopped=100) == []
    bench.heard(started=200)
    assert bench.heard(started=300) == []
    bench.listen()
    assert bench.heard(stopped=400) == []
    assert len(bench.notes) == 3


def test_a_new_turn_detection_forgets_the_turn_and_the_same_one_does_not() -> None:
    bench = Bench()
    bench.append(1000)
    bench.heard(started=400)
    bench.configure(instructions="New.")
    assert types(bench.heard(stopped=600))[0] == "input_audio_buffer.speech_stopped"
    assert len(bench.attuned) == 1
    bench.listen(type="semantic_vad")
    assert len(bench.attuned) == 2


def test_a_dialect_whose_server_does_not_reply_does_not_reply() -> None:
    from dataclasses import replace

    bench = Bench(ServerSettings(dialect=replace(COMPATIBLE, server_replies=False)))
    bench.append(1000)
    assert types(bench.heard(400, 900))[-1] == "conversation.item.done"
    assert not bench.started


def test_the_preview_says_items_once() -> None:
    bench = Bench(ServerSettings(dialect=AZURE_PREVIEW))
    bench.append(1000)
    events = bench.heard(400, 900)
    assert types(events) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        "response.created",
    ]
    names = [plain_preview(event) for event in bench.answer(ms=20)]
    assert names == [
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.audio_transcript.delta",
        "response.audio.delta",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]


def plain_preview(event: object) -> str:
    import json

    return str(json.loads(encode(event, AZURE_PREVIEW))["type"])  # type: ignore[arg-type]


# nobody speaks


def idle_bench(**more: object) -> Bench:
    bench = Bench()
    bench.listen(type="server_vad", idle_timeout_ms=5000, **more)
    bench.append(6000)
    return bench


def test_idle_needs_a_response_first_and_voice_detection() -> None:
    bench = idle_bench()
    assert bench.wait(60) == []
    bench.create()
    bench.answer()
    bench.listen()
    assert bench.wait(60) == []


def test_speech_and_a_new_response_put_idle_off() -> None:
    bench = idle_bench(create_response=False)
    bench.create()
    bench.answer()
    bench.heard(started=5500)
    assert bench.wait(60) == []
    bench.heard(stopped=6000)
    bench.create()
    assert bench.wait(60) == []
    bench.answer()
    assert "input_audio_buffer.timeout_triggered" in types(bench.wait(5))


def test_idle_without_audio_still_fires() -> None:
    bench = Bench()
    bench.listen(type="server_vad", idle_timeout_ms=5000)
    bench.create()
    bench.answer()
    assert types(bench.wait(5))[0] == "input_audio_buffer.timeout_triggered"


# transcripts


def turn(bench: Bench) -> str:
    bench.append(1000)
    bench.heard(400, 900)
    return bench.transcribing[-1].item_id


def test_transcription_has_delta_and_completed() -> None:
    bench = Bench()
    bench.configure(audio={"input": WHISPER})
    item_id = turn(bench)
    wish = bench.transcribing[0].wish
    assert wish is not None
    assert wish.model == "whisper-1"
    assert types(bench.transcribed(item_id, TranscriptDelta("안녕"))) == [
        "conversation.item.input_audio_transcription.delta"
    ]
    (event,) = bench.transcribed(item_id, TranscriptDone("안녕하세요"))
    assert event.type == "conversation.item.input_audio_transcription.completed"


def test_a_failed_transcription_is_not_an_error_and_the_session_goes_on() -> None:
    bench = Bench()
    bench.configure(audio={"input": WHISPER})
    item_id = turn(bench)
    error = ResponseError("server_error", "DeploymentNotFound", "Input transcription failed.")
    (event,) = bench.transcribed(item_id, TranscriptFailed(error))
    assert event.type == "conversation.item.input_audio_transcription.failed"
    assert plain(event)["error"]["code"] == "DeploymentNotFound"
    bench.answer()


def test_without_transcription_only_the_mind_learns_the_words() -> None:
    bench = Bench()
    item_id = turn(bench)
    context = bench.started[0].context
    assert bench.peer.unwritten(context)
    assert bench.transcribed(item_id, TranscriptDelta("안")) == []
    assert bench.transcribed(item_id, TranscriptDone("안녕")) == []
    assert not bench.peer.unwritten(context)
    known = bench.peer.context(bench.started[0].response_id)
    assert known is not None
    (item,) = known.items
    assert isinstance(item, MessageItem)
    assert item.content == (InputAudio(transcript="안녕"),)
    # What was said in `added` stays true for later looks at the item, but for retrieve.
    assert plain(bench.say("conversation.item.retrieve", item_id=item_id)[0])["item"]["content"][0][
        "transcript"
    ] == ("안녕")


def test_a_transcript_after_the_item_is_gone_is_told_all_the_same() -> None:
    bench = Bench()
    bench.configure(audio={"input": WHISPER})
    item_id = turn(bench)
    bench.say("conversation.item.delete", item_id=item_id)
    assert len(bench.transcribed(item_id, TranscriptDone("x"))) == 1


def test_a_second_end_of_a_transcript_is_noted() -> None:
    bench = Bench()
    bench.configure(audio={"input": WHISPER})
    item_id = turn(bench)
    bench.transcribed(item_id, TranscriptDone("x"))
    assert bench.transcribed(item_id, TranscriptDone("y")) == []
    assert bench.transcribed("item_x", TranscriptFailed(ResponseError())) == []
    assert len(bench.notes) == 2
