"""The orders of events, as recorded. Each test is one recorded story."""

from __future__ import annotations

import json

from charye.protocol import (
    ConversationItemAdded,
    ConversationItemDone,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferTimeoutTriggered,
    MessageItem,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputItemDone,
    ServerEvent,
    audio_bytes,
)
from charye.server.parts import Arguments, Audio, Call, CallEnd, Finished, MessageEnd, Text, TranscriptDone
from tests.protocol.samples import CLIENT_TYPES, FIXTURES
from tests.server.bench import Bench, one, pcm, plain, types

ITEM = ["conversation.item.added", "conversation.item.done"]
BEGIN = ["response.output_item.added", "conversation.item.added"]
END = ["conversation.item.done", "response.output_item.done"]
OVER = ["response.done", "rate_limits.updated"]
AUDIO_END = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    *END,
]
TEXT_END = ["response.output_text.done", "response.content_part.done", *END]


def recorded(name: str) -> list[str]:
    """The server's events of a recorded story, deltas of a kind in a row counted once."""
    lines = [json.loads(line) for line in (FIXTURES / name).read_bytes().splitlines()]
    return in_short([line["type"] for line in lines if line["type"] not in CLIENT_TYPES])


def in_short(kinds: list[str]) -> list[str]:
    return [
        kind
        for at, kind in enumerate(kinds)
        if at == 0 or kind != kinds[at - 1] or not kind.endswith("delta")
    ]


def test_a_session_begins_with_session_created_and_nothing_else() -> None:
    assert types(Bench().opening) == ["session.created"]


def test_a_text_turn() -> None:
    bench = Bench()
    bench.configure(output_modalities=["text"])
    assert types(bench.user()) == ITEM
    bench.create()
    events = bench.mind(Text("Hi "), Text("there."), Finished())
    assert types(events) == [
        *BEGIN,
        "response.content_part.added",
        *["response.output_text.delta"] * 2,
        *TEXT_END,
        *OVER,
    ]
    assert plain(events[2])["part"] == {"type": "text", "text": ""}
    done = one(events, ResponseDone).response
    assert plain(events[-2])["response"]["output"][0]["content"] == [
        {"type": "output_text", "text": "Hi there."}
    ]
    assert (done.status, done.status_details, done.output_modalities) == ("completed", None, ("text",))
    assert plain(events[-2])["response"]["audio"]["output"]["voice"] == "alloy"  # also in a text response


def test_an_audio_turn() -> None:
    bench = Bench()
    bench.user()
    bench.create()
    events = bench.mind(Text("Hi "), Audio(pcm(100)), Text("there."), Audio(pcm(100)), Finished())
    delta, sound = "response.output_audio_transcript.delta", "response.output_audio.delta"
    assert types(events) == [
        *BEGIN,
        "response.content_part.added",
        delta,
        sound,
        delta,
        sound,
        *AUDIO_END,
        *OVER,
    ]
    assert plain(events[2])["part"] == {"type": "audio", "transcript": ""}
    assert plain(events[-2])["response"]["output"][0]["content"] == [
        {"type": "output_audio", "transcript": "Hi there."}
    ]
    heard = b"".join(audio_bytes(event) for event in events if isinstance(event, ResponseOutputAudioDelta))
    assert heard == pcm(100) + pcm(100)


def test_item_done_stands_before_output_item_done() -> None:
    bench = Bench()
    bench.create()
    kinds = types(bench.answer())
    assert kinds.index("conversation.item.done") == kinds.index("response.output_item.done") - 1


def test_the_done_of_the_generated_item_at_position_1_has_no_previous_item_though_added_was_right() -> None:
    bench = Bench()
    first = one(bench.user(), ConversationItemAdded).item
    for position in (1, 2):
        bench.create()
        events = bench.answer()
        added, done = one(events, ConversationItemAdded), one(events, ConversationItemDone)
        assert added.previous_item_id
        assert done.previous_item_id == (None if position == 1 else added.previous_item_id)
    assert isinstance(first, MessageItem)


def test_a_server_vad_turn_with_reply() -> None:
    bench = Bench()
    bench.append(1000)
    assert types(bench.heard(started=400)) == ["input_audio_buffer.speech_started"]
    events = bench.heard(stopped=900)
    assert types(events) == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        *ITEM,
        "response.created",
    ]
    started = one(bench.sent, InputAudioBufferSpeechStarted)
    assert started.audio_start_ms == 100  # the padding of 300 ms is counted in
    assert {plain(event).get("item_id", started.item_id) for event in events} == {started.item_id}
    assert one(events, ResponseCreated).response.metadata is None


def test_a_server_vad_turn_without_reply() -> None:
    bench = Bench()
    bench.listen(type="server_vad", create_response=False)
    bench.append(1000)
    events = bench.heard(400, 900)
    assert types(events)[-1] == "conversation.item.done"
    assert not bench.started


def test_push_to_talk() -> None:
    bench = Bench()
    bench.listen()
    bench.append(150)
    events = bench.say("input_audio_buffer.commit")
    assert types(events) == ["input_audio_buffer.committed", *ITEM]
    assert not bench.started
    bench.create()


def test_one_function_call_as_recorded() -> None:
    bench = Bench()
    bench.user("Weather in London?")
    bench.create("c2", metadata={"token": "t1"})
    bench.mind(
        Call("a", "get_weather", call_id="call_1"), Arguments("a", '{"city":'), Arguments("a", '"London"}')
    )
    bench.mind(CallEnd("a"))
    bench.refused("response.create", event_id="c4")
    bench.mind(Finished())
    output = {"type": "function_call_output", "call_id": "call_1", "output": "12 degrees"}
    bench.say("conversation.item.create", item=output)
    mine = in_short(types(bench.sent[1:]))
    theirs = recorded("tool_call_with_refused_create.jsonl")
    # In the recording the refusal came between the call's arguments and its end; everything else is the same.
    mine.remove("error")
    theirs.remove("error")
    assert mine == theirs
    arguments = one(bench.sent, ResponseFunctionCallArgumentsDone)
    assert (arguments.name, arguments.call_id, arguments.arguments) == (
        "get_weather",
        "call_1",
        '{"city":"London"}',
    )


def test_an_output_may_come_before_the_response_is_done() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Call("a", "f", call_id="call_1"), CallEnd("a"))
    output = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
    assert types(bench.say("conversation.item.create", item=output)) == ITEM
    assert one(bench.mind(Finished()), ResponseDone).response.status == "completed"


def test_several_calls_in_one_response_each_have_their_output_index() -> None:
    bench = Bench()
    bench.create()
    events = bench.mind(
        Call("a", "f"),
        Call("b", "f"),
        Arguments("b", "{}"),
        Arguments("a", "{ }"),
        CallEnd("b"),
        CallEnd("a"),
        Finished(),
    )
    ended = [event for event in events if isinstance(event, ResponseOutputItemDone)]
    assert [event.output_index for event in ended] == [1, 0]
    calls = plain(events[-2])["response"]["output"]
    assert [call["arguments"] for call in calls] == ["{ }", "{}"]
    assert calls[0]["call_id"] != calls[1]["call_id"]


def test_a_call_interleaved_with_a_message_as_recorded() -> None:
    bench = Bench()
    bench.configure(output_modalities=["text"])
    bench.create()
    events = bench.mind(
        Text("Let me look."), Call("a", "f"), Arguments("a", "{}"), MessageEnd(), CallEnd("a"), Finished()
    )
    assert types(events) == [
        *BEGIN,
        "response.content_part.added",
        "response.output_text.delta",
        *BEGIN,
        "response.function_call_arguments.delta",
        *TEXT_END,
        "response.function_call_arguments.done",
        *END,
        *OVER,
    ]


def test_several_messages_in_one_response() -> None:
    bench = Bench()
    bench.create()
    events = bench.mind(Text("One."), MessageEnd(), Text("Two."), Finished())
    output = one(events, ResponseDone).response.output
    assert [item.content[0].transcript for item in output] == ["One.", "Two."]  # type: ignore[union-attr]


def test_barge_in_as_recorded() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("It is twelve"), Audio(pcm(200)))
    bench.append(7000)
    bench.heard(started=5420)
    late = bench.mind(Audio(pcm(20)))  # what was on its way still comes
    assert types(late) == ["response.output_audio.delta"]
    bench.stopped()
    item_id = bench.items()[0]
    bench.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
    bench.heard(stopped=6400)
    sent = [event for event in bench.sent[1:] if event is not late[0]]
    # Not in the recorded piece: the limits, the next response, and a transcript nobody asked for here.
    mine = [kind for kind in types(sent) if kind != "rate_limits.updated"][:-1]
    assert in_short(mine) == recorded("audio_cut_by_speech.jsonl")[:-1]
    assert bench.sent[-1].type == "response.created"


def test_a_client_cancel_flushes_what_is_open_with_what_was_said() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("Once upon"), Audio(pcm(100)), Call("a", "f"), Arguments("a", '{"x'))
    assert bench.say("response.cancel") == []
    events = bench.stopped()
    assert types(events) == [*AUDIO_END, *END, *OVER]  # no `arguments.done` for half of the arguments
    response = plain(events[-2])["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert [item["status"] for item in response["output"]] == ["incomplete", "incomplete"]
    assert response["output"][0]["content"][0]["transcript"] == "Once upon"


def test_a_cancel_before_any_output_leaves_only_response_done() -> None:
    bench = Bench()
    bench.create()
    bench.say("response.cancel")
    events = bench.stopped()
    assert types(events) == OVER
    assert one(events, ResponseDone).response.output == ()


def test_there_is_no_response_cancelled_event() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("x"))
    bench.say("response.cancel")
    bench.stopped()
    assert "response.cancelled" not in types(bench.sent)


def test_an_out_of_band_response_has_no_item_events_and_no_conversation() -> None:
    bench = Bench()
    bench.user()
    bench.create(
        conversation="none",
        metadata={"topic": "classify"},
        output_modalities=["text"],
        input=[],
        instructions="Classify.",
    )
    created = bench.sent[-1]
    events = bench.answer("greeting")
    assert types(events) == [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        *OVER,
    ]
    for event in (created, events[-2]):
        assert plain(event)["response"]["conversation_id"] is None
        assert plain(event)["response"]["metadata"] == {"topic": "classify"}
    assert len(bench.items()) == 1


def test_idle_timeout_as_recorded() -> None:
    bench = Bench()
    bench.configure(
        audio={
            "input": {
                "turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000},
                "transcription": {"model": "whisper-1"},
            }
        }
    )
    bench.append(10_000)
    bench.create()
    bench.answer("Are you there?", ms=2000)
    assert bench.wait(7.9) == []  # the audio takes two seconds to be heard, and then six
    events = bench.wait(0.2)
    assert types(events) == [
        "input_audio_buffer.timeout_triggered",
        *ITEM,
        "input_audio_buffer.committed",
        *ITEM,
        "response.created",
        "conversation.item.input_audio_transcription.completed",
    ]
    fired = one(events, InputAudioBufferTimeoutTriggered)
    assert (fired.audio_start_ms, fired.audio_end_ms) == (4000, 10_000)
    assert plain(events[1])["item"]["role"] == "system"
    assert one(events, InputAudioBufferCommitted).previous_item_id == plain(events[1])["item"]["id"]
    assert plain(events[-1])["usage"] == {"type": "duration", "seconds": 0}
    assert bench.wait(100) == []  # not again while the response runs


def test_transcription_comes_when_it_comes_even_after_the_reply() -> None:
    bench = Bench()
    bench.configure(audio={"input": {"transcription": {"model": "whisper-1"}}})
    bench.append(1000)
    bench.heard(400, 900)
    bench.answer()
    (asked,) = bench.transcribing
    (event,) = bench.transcribed(asked.item_id, TranscriptDone("안녕하세요"))
    assert plain(event)["transcript"] == "안녕하세요"
    assert plain(event)["usage"] == {"type": "duration", "seconds": 0.8}


def test_rate_limits_come_after_done_with_one_entry_of_tokens() -> None:
    bench = Bench()
    bench.create()
    event = bench.answer()[-1]
    (limit,) = plain(event)["rate_limits"]
    assert limit["name"] == "tokens"
    assert limit["remaining"] < limit["limit"]


def test_an_error_is_the_only_answer_to_a_refused_event() -> None:
    bench = Bench()
    bench.create()
    events: list[ServerEvent] = bench.say("response.create", event_id="again")
    assert types(events) == ["error"]
