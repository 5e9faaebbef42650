"""Items: how they enter, where, and what can be done with them."""

from __future__ import annotations

from typing import Any

import pytest

from charye.protocol import ConversationItemAdded, audio_base64
from charye.server.parts import Arguments, Audio, Call, CallEnd, Finished, Text, TranscriptDone
from charye.server.settings import Bounds, ServerSettings
from tests.server.bench import Bench, one, pcm, plain, types


def add(bench: Bench, item_id: str, **fields: Any) -> Any:
    item = {
        "id": item_id,
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": item_id}],
    }
    return bench.say("conversation.item.create", item=item, **fields)


def test_an_item_without_a_place_goes_to_the_end() -> None:
    bench = Bench()
    for name in "ab":
        add(bench, name)
    events = add(bench, "c", previous_item_id=None)
    assert [plain(event)["previous_item_id"] for event in events] == ["b", "b"]
    assert bench.items() == ["a", "b", "c"]


def test_root_is_the_front() -> None:
    bench = Bench()
    add(bench, "a")
    events = add(bench, "b", previous_item_id="root")
    assert [plain(event)["previous_item_id"] for event in events] == [None, None]
    assert bench.items() == ["b", "a"]


def test_an_id_is_the_place_behind_it() -> None:
    bench = Bench()
    for name in "abc":
        add(bench, name)
    add(bench, "d", previous_item_id="a")
    assert bench.items() == ["a", "d", "b", "c"]


def test_an_unknown_previous_item_is_refused() -> None:
    bench = Bench()
    error = bench.refused(
        "conversation.item.create", previous_item_id="x", item=message("user"), event_id="e"
    )
    assert error["code"] == "item_create_invalid_previous_item_id"
    assert error["message"] == "Error adding item: the previous item with id 'x' does not exist."
    assert error["event_id"] == "e"
    assert bench.items() == []


def test_a_duplicate_id_is_refused() -> None:
    bench = Bench()
    add(bench, "a")
    error = bench.refused("conversation.item.create", item=message("user", id="a"))
    assert error["code"] == "item_create_duplicate_item_id"
    assert bench.items() == ["a"]


def message(role: str, **fields: Any) -> dict[str, Any]:
    part = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": part, "text": "Hi."}]} | fields


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_a_message_is_echoed_completed_with_an_id(role: str) -> None:
    bench = Bench()
    events = bench.say("conversation.item.create", item=message(role, status="in_progress"))
    item = plain(events[0])["item"]
    assert item["id"].startswith("item_")
    assert (item["status"], item["role"]) == ("completed", role)
    assert "object" not in item


def test_the_users_audio_never_comes_back_but_by_retrieve() -> None:
    bench = Bench()
    sound = audio_base64(pcm(100))
    content = [{"type": "input_audio", "audio": sound}]
    events = bench.say("conversation.item.create", item=message("user", id="a", content=content))
    assert plain(events[0])["item"]["content"] == [{"type": "input_audio"}]
    (retrieved,) = bench.say("conversation.item.retrieve", item_id="a")
    assert plain(retrieved)["item"]["content"] == [{"type": "input_audio", "audio": sound}]
    assert plain(retrieved)["item"]["object"] == "realtime.item"
    # The mind should know what was said, although the client did not ask for a transcript.
    assert (bench.transcribing[0].item_id, bench.transcribing[0].wish) == ("a", None)
    assert bench.transcribed("a", TranscriptDone("Hello")) == []
    bench.create()
    assert bench.started[0].context.items[0].content[0].transcript == "Hello"  # type: ignore[union-attr]


def test_audio_too_long_for_a_frame_is_left_out_of_retrieve() -> None:
    bench = Bench()
    bench.listen()
    for _ in range(20):
        bench.append(1000)
    bench.say("input_audio_buffer.commit")
    (retrieved,) = bench.say("conversation.item.retrieve", item_id=bench.items()[0])
    assert "audio" not in plain(retrieved)["item"]["content"][0]
    assert any("too long for a frame" in note.what for note in bench.notes)


def test_only_so_much_of_the_users_audio_is_kept() -> None:
    bench = Bench(ServerSettings(bounds=Bounds(kept_audio_s=0.25)))
    bench.listen()
    for _ in range(2):
        bench.append(200)
        bench.say("input_audio_buffer.commit")
    kept = [
        "audio" in plain(bench.say("conversation.item.retrieve", item_id=item_id)[0])["item"]["content"][0]
        for item_id in bench.items()
    ]
    assert kept == [False, True]


def test_a_function_call_of_the_client_gets_a_call_id_if_it_has_none() -> None:
    bench = Bench()
    call = {"type": "function_call", "name": "f", "arguments": "{}"}
    item = plain(bench.say("conversation.item.create", item=call)[0])["item"]
    assert item["call_id"].startswith("call_")
    assert len(item["call_id"]) == len("call_") + 16


def test_an_output_is_echoed_without_status() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Call("a", "f", call_id="call_1"), Arguments("a", "{}"), CallEnd("a"), Finished())
    output = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
    events = bench.say("conversation.item.create", item=output)
    item = plain(events[0])["item"]
    assert "status" not in item
    assert one(events, ConversationItemAdded).previous_item_id == bench.items()[0]


@pytest.mark.parametrize("deleted", [False, True])
def test_an_output_for_an_unknown_or_deleted_call_is_refused(deleted: bool) -> None:
    bench = Bench()
    if deleted:
        call = {"type": "function_call", "name": "f", "arguments": "", "call_id": "call_9", "id": "a"}
        bench.say("conversation.item.create", item=call)
        bench.say("conversation.item.delete", item_id="a")
    output = {"type": "function_call_output", "call_id": "call_9", "output": "1"}
    error = bench.refused("conversation.item.create", item=output)
    assert error["code"] == "invalid_tool_call_id"
    assert error["message"] == "Tool call ID 'call_9' not found in conversation."


def test_delete_takes_it_out_and_says_so() -> None:
    bench = Bench()
    add(bench, "a")
    (event,) = bench.say("conversation.item.delete", item_id="a")
    assert plain(event)["item_id"] == "a"
    assert bench.items() == []


@pytest.mark.parametrize(
    ("action", "doing"), [("retrieve", "retrieving"), ("delete", "deleting"), ("truncate", "truncating")]
)
def test_an_unknown_item_is_refused_with_the_code_of_the_action(action: str, doing: str) -> None:
    more = {"content_index": 0, "audio_end_ms": 0} if action == "truncate" else {}
    error = Bench().refused(f"conversation.item.{action}", item_id="X", event_id="rci_X", **more)
    assert error["code"] == f"item_{action}_invalid_item_id"
    assert error["message"] == f"Error {doing} item: the item with id 'X' does not exist."
    assert error["event_id"] == "rci_X"


def test_an_assistants_output_audio_without_text_is_refused() -> None:
    content = [{"type": "output_audio", "transcript": "Hi."}]
    error = Bench().refused("conversation.item.create", item=message("assistant", content=content))
    assert (error["code"], error["param"]) == ("missing_required_parameter", "item.content[0].text")


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        (message("user", id="x" * 39), "string_above_max_length", "item.id"),
        (message("user", id="a b"), "invalid_value", "item.id"),
        (message("robot"), "invalid_value", "item.role"),
        ({"type": "message", "content": []}, "missing_required_parameter", "item.role"),
        (message("user", content=[{"type": "output_text", "text": "x"}]), "invalid_value", "item.content[0].type"),
        (message("user", content=[{"type": "input_text"}]), "missing_required_parameter", "item.content[0].text"),
        (message("user", content=[{"type": "input_audio", "audio": "!"}]), "invalid_value", "item.content[0].audio"),
        (message("user", content=[{"type": "input_audio", "audio": ""}]), "invalid_value", "item.content[0].audio"),
        (message("user", mood="good"), "unknown_parameter", "item.mood"),
        ({"type": "function_call", "name": "f", "arguments": {}}, "invalid_type", "item.arguments"),
        ({"type": "letter"}, "invalid_value", "item.type"),
        ({}, "missing_required_parameter", "item.type"),
        ("text", "invalid_type", "item"),
    ],
)  # fmt: skip
def test_a_bad_item_is_refused_by_name(item: Any, code: str, param: str) -> None:
    bench = Bench()
    error = bench.refused("conversation.item.create", item=item)
    assert (error["code"], error["param"]) == (code, param)
    assert bench.items() == []


def test_the_message_about_a_long_id_is_the_recorded_one() -> None:
    error = Bench().refused("conversation.item.create", item=message("user", id="x" * 39))
    assert error["message"] == (
        "Invalid 'item.id': string too long. Expected a string with maximum length 32, "
        "but got a string with length 39 instead."
    )


# truncate


def spoken(ms: float = 500) -> tuple[Bench, str]:
    bench = Bench()
    bench.user()
    bench.create()
    bench.answer("One two three four", ms=ms)
    return bench, bench.items()[-1]


def cut(item_id: str, audio_end_ms: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": audio_end_ms,
        **fields,
    }


def test_truncate_drops_the_transcript_and_says_so() -> None:
    bench, item_id = spoken()
    (event,) = bench.say(cut(item_id, 250))
    assert plain(event)["audio_end_ms"] == 250
    (retrieved,) = bench.say("conversation.item.retrieve", item_id=item_id)
    assert plain(retrieved)["item"]["content"] == [{"type": "output_audio"}]


def test_after_a_truncate_the_mind_knows_about_what_was_heard() -> None:
    bench, item_id = spoken()
    bench.say(cut(item_id, 250))
    bench.create()
    assert bench.started[-1].context.items[-1].content[0].transcript == "One two t"  # type: ignore[union-attr]


def test_truncate_to_the_very_end_is_accepted_and_beyond_it_refused() -> None:
    bench, item_id = spoken()
    error = bench.refused(cut(item_id, 501))
    assert error["message"] == "Audio content of 500ms is already shorter than 501ms"
    assert types(bench.say(cut(item_id, 500))) == ["conversation.item.truncated"]


def test_a_second_truncate_is_refused() -> None:
    bench, item_id = spoken()
    bench.say(cut(item_id, 250))
    assert bench.refused(cut(item_id, 100))["code"] == "item_already_truncated"


@pytest.mark.parametrize("which", ["user", "text", "no audio yet"])
def test_only_the_assistants_audio_can_be_truncated(which: str) -> None:
    bench = Bench()
    if which == "user":
        bench.user()
    else:
        bench.configure(output_modalities=["text" if which == "text" else "audio"])
        bench.create()
        bench.mind(Text("Hi."))
    error = bench.refused(cut(bench.items()[0], 0))
    assert error["code"] == "unsupported_content_type"
    assert error["message"] == "Only model output audio messages can be truncated"


def test_a_negative_position_is_refused() -> None:
    bench, item_id = spoken()
    assert bench.refused(cut(item_id, -1))["code"] == "integer_below_min_value"


def test_truncate_while_the_response_runs() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("One two"), Audio(pcm(200)))
    item_id = bench.items()[0]
    assert types(bench.say(cut(item_id, 100))) == ["conversation.item.truncated"]
    bench.mind(Text(" three"), Audio(pcm(200)), Finished())
    (retrieved,) = bench.say("conversation.item.retrieve", item_id=item_id)
    assert plain(retrieved)["item"]["content"] == [{"type": "output_audio"}]
    assert plain(retrieved)["item"]["status"] == "completed"


def test_an_item_deleted_while_it_is_written_ends_quietly() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("One"))
    bench.say("conversation.item.delete", item_id=bench.items()[0])
    kinds = types(bench.mind(Finished()))
    assert "conversation.item.done" not in kinds
    assert kinds[-2] == "response.done"
    assert bench.items() == []


def test_a_full_conversation_refuses_items_and_lives() -> None:
    bench = Bench(ServerSettings(bounds=Bounds(items=2)))
    add(bench, "a")
    add(bench, "b")
    assert bench.refused("conversation.item.create", item=message("user"))["param"] == "item"
    bench.say("conversation.item.delete", item_id="a")
    assert types(add(bench, "c")) == ["conversation.item.added", "conversation.item.done"]
