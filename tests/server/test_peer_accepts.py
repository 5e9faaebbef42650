"""No field that the published types have is refused as unknown: clients send what their SDK has."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from openai.types import realtime as ga
from openai.types.beta import realtime as preview

from charye.protocol import AZURE_PREVIEW
from charye.server.settings import ServerSettings
from tests.server.bench import Bench, plain, types


def all_null(params: Any) -> dict[str, Any]:
    """Every field of a published type, as null: known fields take that for absent."""
    return dict.fromkeys(get_type_hints(params))


@pytest.mark.parametrize(
    ("where", "params"),
    [
        ("session", ga.realtime_session_create_request_param.RealtimeSessionCreateRequestParam),
        ("audio", ga.realtime_audio_config_param.RealtimeAudioConfigParam),
        ("input", ga.realtime_audio_config_input_param.RealtimeAudioConfigInputParam),
        ("output", ga.realtime_audio_config_output_param.RealtimeAudioConfigOutputParam),
        ("transcription", ga.audio_transcription_param.AudioTranscriptionParam),
    ],
)
def test_every_published_field_of_a_session_is_known(where: str, params: Any) -> None:
    fields = all_null(params)
    session: dict[str, Any] = {
        "session": {**fields, "type": "realtime"},
        "audio": {"type": "realtime", "audio": fields},
        "input": {"type": "realtime", "audio": {"input": fields}},
        "output": {"type": "realtime", "audio": {"output": fields}},
        "transcription": {"type": "realtime", "audio": {"input": {"transcription": fields}}},
    }[where]
    assert types(Bench().say("session.update", session=session)) == ["session.updated"]


@pytest.mark.parametrize("kind", ["ServerVad", "SemanticVad"])
def test_every_published_field_of_turn_detection_is_known(kind: str) -> None:
    params = getattr(ga.realtime_audio_input_turn_detection_param, kind)
    detection = {**all_null(params), "type": "server_vad" if kind == "ServerVad" else "semantic_vad"}
    Bench().listen(**detection)


def test_every_published_field_of_a_create_is_known() -> None:
    fields = all_null(ga.realtime_response_create_params_param.RealtimeResponseCreateParamsParam)
    assert types(Bench().say("response.create", response=fields)) == ["response.created"]


ITEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "RealtimeConversationItemSystemMessageParam": ("message", {"role": "system", "content": []}),
    "RealtimeConversationItemUserMessageParam": ("message", {"role": "user", "content": []}),
    "RealtimeConversationItemAssistantMessageParam": ("message", {"role": "assistant", "content": []}),
    "RealtimeConversationItemFunctionCallParam": ("function_call", {"name": "f", "arguments": "{}"}),
    "RealtimeMcpListToolsParam": ("mcp_list_tools", {"server_label": "s", "tools": []}),
    "RealtimeMcpToolCallParam": ("mcp_call", {"server_label": "s", "name": "f", "arguments": "{}"}),
    "RealtimeMcpApprovalRequestParam": (
        "mcp_approval_request",
        {"server_label": "s", "name": "f", "arguments": "{}"},
    ),
    "RealtimeMcpApprovalResponseParam": (
        "mcp_approval_response",
        {"approval_request_id": "x", "approve": True},
    ),
}


@pytest.mark.parametrize("name", ITEMS)
def test_every_published_kind_of_item_is_taken_with_all_its_fields_and_can_be_retrieved(name: str) -> None:
    kind, needs = ITEMS[name]
    params = getattr(ga.conversation_item_param, name)
    item = {**all_null(params), **needs, "type": kind, "id": "a"}
    bench = Bench()
    events = bench.say("conversation.item.create", item=item)
    assert types(events) == ["conversation.item.added", "conversation.item.done"]
    assert plain(events[0])["item"]["type"] == kind
    assert types(bench.say("conversation.item.retrieve", item_id="a")) == ["conversation.item.retrieved"]


def test_every_published_field_of_the_preview_is_known() -> None:
    bench = Bench(ServerSettings(dialect=AZURE_PREVIEW))
    session = all_null(preview.session_update_event_param.Session)
    assert types(bench.say("session.update", session=session)) == ["session.updated"]
    response = all_null(preview.response_create_event_param.Response)
    assert types(bench.say("response.create", response=response)) == ["response.created"]


def test_the_parts_of_the_preview_are_taken() -> None:
    bench = Bench(ServerSettings(dialect=AZURE_PREVIEW))
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]}
    events = bench.say("conversation.item.create", item=item)
    assert types(events) == ["conversation.item.created"]
    assert plain(events[0])["item"]["content"] == [{"type": "output_text", "text": "Hi."}]


def test_an_assistants_audio_part_with_text_becomes_its_text() -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "text": "Hi."}]}
    events = Bench().say("conversation.item.create", item=item)
    assert plain(events[0])["item"]["content"] == [{"type": "output_text", "text": "Hi."}]
