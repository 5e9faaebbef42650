"""What is written down of an event: the structure that the core decides by, and nothing that anybody said."""

import json
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Struct

from charye.core.effects import AbandonTool, Effect, Note, Play, Reconnect, RunTool, Send, StopPlayback, Tell
from charye.core.requests import TOKEN_KEY, Outcome, Progress, ResponseRequest
from charye.core.tools import Answer
from charye.protocol import (
    ConversationItemAdded,
    ConversationItemInputAudioTranscriptionDelta,
    ErrorDetail,
    InputText,
    LogProb,
    McpCallItem,
    MessageItem,
    OutputText,
    Response,
    ResponseDone,
    ResponseOutputAudioDelta,
    UnknownEvent,
    decode_server_event,
    kind_of,
    named_response,
)
from charye.protocol.client_events import KnownClientEvent
from charye.protocol.items import Item, Part
from charye.protocol.server_events import KnownServerEvent
from charye.protocol.session import Tool
from charye.session.redaction import How, Redaction, same_but_for_lengths, shown
from charye.session.redaction_tables import Rule, rule_of
from tests.protocol.samples import SERVER_EVENTS, server_lines

SERVER: Any = KnownServerEvent
CLIENT: Any = KnownClientEvent
EVENTS: tuple[type[Struct], ...] = (*get_args(SERVER), *get_args(CLIENT))
CORE = (
    AbandonTool,
    Answer,
    Note,
    Outcome,
    Play,
    Progress,
    Reconnect,
    ResponseRequest,
    RunTool,
    StopPlayback,
    Tell,
)
OPEN = How(private=Redaction.NOTHING)
HIDING = How()


# --- which fields there are ----------------------------------------------------------------------------------------


def hints(kind: type) -> dict[str, Any]:
    """The fields of a class with their types, resolved."""
    if issubclass(kind, Struct):
        return {field.name: field.type for field in msgspec.structs.fields(kind)}
    made: Any = kind
    resolved = get_type_hints(kind)
    return {field.name: resolved[field.name] for field in fields(made)}


def inside(wanted: Any) -> Iterator[Any]:
    """The type, and every type in it: of unions, of elements, of values."""
    if hasattr(wanted, "__supertype__"):
        yield wanted.__supertype__
    elif get_args(wanted) and get_origin(wanted) is not None:
        if get_origin(wanted) is dict:
            yield dict
        for part in get_args(wanted):
            yield from inside(part)
    else:
        yield wanted


def holds_fields(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, Struct) or is_dataclass(kind))


def classes() -> set[type]:
    """Every class of which something may be written down."""
    found: set[type] = set()
    left: list[type] = [*EVENTS, *CORE, *get_args(Item), *get_args(Part), *get_args(Tool)]
    while left:
        kind = left.pop()
        if kind not in found:
            found.add(kind)
            left += [part for wanted in hints(kind).values() for part in inside(wanted) if holds_fields(part)]
    return found


def may_hold_words(wanted: Any) -> bool:
    """Whether a text may be in it that is not in a class of its own."""
    return any(part in (str, dict, object) for part in inside(wanted)) or "Literal" in str(wanted)


SHOWN = """
    AbandonTool: call_id reason
    AudioFormat: type
    AudioOutputConfig: voice
    Conversation: id object
    ConversationItemAdded: event_id previous_item_id
    ConversationItemCreate: event_id previous_item_id
    ConversationItemCreated: event_id previous_item_id
    ConversationItemDone: event_id previous_item_id
    CustomVoice: id
    ErrorDetail: code event_id param type
    FunctionCallItem: call_id id name object status
    FunctionCallOutputItem: call_id id object status
    FunctionTool: name
    InputAudioBufferCommitted: event_id item_id previous_item_id
    InputImage: detail
    ItemReference: id
    McpApprovalRequestItem: id name
    McpApprovalResponseItem: approval_request_id id
    McpCallItem: approval_request_id id name
    McpListToolsItem: id
    MessageItem: id object phase role status
    NamedTool: name type
    NoiseReduction: type
    Note: about what
    Outcome: code reason
    Progress: reason response_id trigger
    Prompt: id version
    RateLimit: name
    Reasoning: effort
    Reconnect: reason
    Response: conversation_id id max_output_tokens object output_modalities status
    ResponseCancel: event_id response_id
    ResponseError: code param type
    ResponseFunctionCallArgumentsDelta: call_id event_id item_id response_id
    ResponseFunctionCallArgumentsDone: call_id event_id item_id name response_id
    ResponseParams: conversation max_output_tokens output_modalities tool_choice
    ResponseRequest: coalesce_key conversation hold id trigger
    RunTool: call_id name response_id
    Session: id include max_output_tokens model object output_modalities tool_choice truncation type
    SessionConfig: include max_output_tokens model output_modalities tool_choice truncation type
    StatusDetails: reason type
    StopPlayback: response_ids
    Tell: request_id
    Transcription: delay language languages model
    Truncation: type
    TurnDetection: eagerness type
"""
"""A second time, by hand: which texts are structure. Of every other event that is `event_id`, `item_id`, `response_id`,
and the `id` of a segment."""

IDS = {"event_id", "item_id", "response_id", "id"}


def test_the_texts_that_are_shown_are_these_and_no_others() -> None:
    listed = {
        name.strip(): set(names.split())
        for name, names in (line.split(":") for line in SHOWN.strip().splitlines())
    }
    found: dict[str, set[str]] = {}
    for kind in classes():
        names = {
            name
            for name, wanted in hints(kind).items()
            if may_hold_words(wanted) and rule_of(kind, name) is Rule.SHOWN
        }
        if names and not (names <= IDS and kind.__name__ not in listed):
            found[kind.__name__] = names
    assert found == listed


# --- no word gets through ------------------------------------------------------------------------------------------


def filled(wanted: Any, word: str, *, shows: bool, turn: int) -> Any:
    """A value of this type with the word wherever it fits, but for fields that are shown. `turn`: which of a union."""
    if get_origin(wanted) in (Union, types.UnionType):
        options = [option for option in get_args(wanted) if option not in (type(None), msgspec.UnsetType)]
        return filled(options[turn % len(options)], word, shows=shows, turn=turn)
    if get_origin(wanted) is tuple:
        element = get_args(wanted)[0]
        several = range(len(get_args(element)) or 1)
        return tuple(filled(element, word, shows=shows, turn=number) for number in several)
    if get_origin(wanted) is dict:
        _, value = get_args(wanted)
        return {word: filled(value, word, shows=False, turn=turn)}
    if holds_fields(wanted):
        return wanted(
            **{
                name: filled(part, word, shows=rule_of(wanted, name) is Rule.SHOWN, turn=turn)
                for name, part in hints(wanted).items()
            }
        )
    if wanted is str:
        return "id" if shows else word
    if wanted is object:
        return {word: [word, {word: word}]} if turn % 2 else word
    if wanted in (int, float, bool):
        return wanted(1)
    raise AssertionError(wanted)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


# Every one begins with a letter of its own, so that not even a piece of it is taken for something else.
secrets = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: f"Ω{text}")


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__struct_config__.tag)
@given(word=secrets)
def test_a_word_in_any_private_place_of_any_event_is_not_written(kind: type[Struct], word: str) -> None:
    for turn in range(4):
        event = filled(kind, word, shows=False, turn=turn)
        written = json.loads(msgspec.json.encode(shown(event, HIDING)))
        assert not [text for text in texts(written) if "Ω" in text], turn


@given(word=secrets)
def test_nor_in_an_event_of_a_type_that_is_not_known(word: str) -> None:
    event = decode_server_event(
        json.dumps({"type": "new.event", "response_id": "r1", word: word, "says": word})
    )
    assert isinstance(event, UnknownEvent)
    assert shown(event, HIDING) == {"type": "new.event", "unknown": True, "response_id": "r1"}


@given(word=secrets)
def test_nor_in_an_item_or_a_part_that_is_not_known(word: str) -> None:
    part = {"type": "new_part", word: word}
    for item in (
        {"type": "new_item", "id": "i1", word: word},
        {"type": "message", "role": "user", "content": [part]},
    ):
        event = decode_server_event(json.dumps({"type": "conversation.item.added", "item": item}))
        assert not [text for text in texts(shown(event, HIDING)) if "Ω" in text]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (RunTool("c1", "look", '{"at": "Ω"}', "r1"), {"call_id": "c1", "name": "look", "response_id": "r1"}),
        (Answer("Ω", words="Ω"), {}),
    ],
)
def test_nor_in_what_the_core_gives_and_takes(value: object, written: dict[str, str]) -> None:
    found = shown(value, HIDING)
    assert {name: text for name, text in found.items() if not text.startswith("<")} == written


def test_audio_is_apart_from_words() -> None:
    event = ResponseOutputAudioDelta(response_id="r1", item_id="i1", delta="AAAA")
    assert shown(event, OPEN)["audio_bytes"] == 3
    assert "delta" not in shown(event, OPEN)
    assert shown(event, How(audio=True))["delta"] == "AAAA"


# --- what the core decides by stays --------------------------------------------------------------------------------


def hidden(error: ErrorDetail) -> ErrorDetail:
    return msgspec.convert(shown(error, HIDING), ErrorDetail)


words_in_errors = st.sampled_from(
    (
        "Conversation already has an active response",
        " in progress: ",
        "resp_1",
        "'resp.2.'",
        ". Wait",
        "Cancellation failed",
        "Error retrieving item: the item with id ",
        "Error truncating item: the previous item with id ",
        "Error committing input audio buffer",
        "Only model output audio messages can be truncated",
        "Audio content of 90ms is already shorter",
        "Your session hit the maximum duration",
        "The Realtime Beta API is no longer supported",
        "probe_1",
        "probe_12",
        "Ω",
        " ",
        ":",
    )
)
errors = st.builds(
    ErrorDetail,
    message=st.lists(words_in_errors | st.text(max_size=4), max_size=5).map("".join),
    code=st.sampled_from((None, "x", "conversation_already_has_active_response", "session_expired")),
    param=st.sampled_from((None, "audio_end_ms")),
)


@given(errors)
@example(ErrorDetail(message="Conversation already has an active response in progress: 'resp.2.'."))
@example(ErrorDetail(message="Error retrieving item: the item with id 'probe_12' does not exist."))
def test_an_error_says_the_same_to_the_core(error: ErrorDetail) -> None:
    kept = hidden(error)
    assert kind_of(kept) is kind_of(error)
    assert named_response(kept) == named_response(error)
    for number in range(10):
        assert (f"probe_{number}" in kept.message) is (f"probe_{number}" in error.message)
    assert (kept.code, kept.param) == (error.code, error.param)


@given(errors)
def test_of_an_errors_text_nothing_else_is_left(error: ErrorDetail) -> None:
    named = named_response(error) or ""
    assert "Ω" not in hidden(error).message.replace(named, "")


def events() -> Iterator[tuple[str, Any]]:
    for name, (least, full) in SERVER_EVENTS.items():
        yield f"{name}, least", decode_server_event(json.dumps({"type": name, **least}))
        yield f"{name}, full", decode_server_event(json.dumps({"type": name, "event_id": "e1", **full}))
    for number, line in enumerate(server_lines()):
        yield f"recorded {number}", decode_server_event(line)


KNOWN = [pytest.param(event, id=name) for name, event in events() if not isinstance(event, UnknownEvent)]
SILENT = [each for each in KNOWN if not isinstance(each.values[0], ResponseOutputAudioDelta)]
"""Audio that is not kept is made anew by the replay: test_replay.py."""


@pytest.mark.parametrize("event", SILENT)
def test_what_is_left_of_an_event_is_one_and_hiding_it_again_changes_nothing(event: Any) -> None:
    once = shown(event, HIDING)
    again = msgspec.convert(once, SERVER)
    assert type(again) is type(event)
    assert same_but_for_lengths(shown(again, HIDING), once)


@pytest.mark.parametrize("event", KNOWN)
def test_an_event_of_which_nothing_is_hidden_comes_back_whole(event: Any) -> None:
    written = json.loads(msgspec.json.encode(shown(event, How(private=Redaction.NOTHING, audio=True))))
    assert msgspec.convert(written, SERVER) == event


@pytest.mark.parametrize("text", ["", "안녕"])
def test_a_text_stays_empty_or_not(text: str) -> None:
    item = MessageItem("assistant", (OutputText(text), InputText(text)), id="i1")
    written = shown(ConversationItemAdded(item=item), HIDING)
    assert [bool(part["text"]) for part in written["item"]["content"]] == [bool(text)] * 2


def test_our_token_stays_in_the_metadata_and_nothing_else() -> None:
    response = Response(metadata={"who": "Kim", TOKEN_KEY: "c.1.1.1", "where": "Seoul"})
    written = shown(ResponseDone(response=response), HIDING)
    assert written["response"]["metadata"] == {
        "<key 1>": "<3 chars>",
        TOKEN_KEY: "c.1.1.1",
        "<key 3>": "<5 chars>",
    }


def test_numbers_that_are_words_are_hidden_too() -> None:
    logprobs = (LogProb("Kim", -0.5, (75, 105, 109)),)
    event = ConversationItemInputAudioTranscriptionDelta(item_id="i1", delta="Kim", logprobs=logprobs)
    assert shown(event, HIDING)["logprobs"] == [{"token": "<3 chars>", "logprob": -0.5}]
    free = shown(McpCallItem("s", "look", "{}", error=[75, 105, 109]), HIDING)
    assert free["error"] == ["<hidden>"] * 3
    assert shown(McpCallItem("s", "look", "{}", error=42), HIDING)["error"] == "<hidden>"


def test_null_and_absent_are_told_apart() -> None:
    assert shown(Response(conversation_id=None), HIDING) == {"conversation_id": None}
    assert shown(Response(conversation_id=UNSET), HIDING) == {}


@pytest.mark.parametrize(
    ("one", "other", "are_the_same"),
    [
        ({"text": "<3 chars>"}, {"text": "<12 chars>"}, True),
        ({"text": "<3 chars>"}, {"text": "<3 bytes>"}, False),
        ({"text": "<3 chars>"}, {"text": ""}, False),
        ({"text": "<3 chars>"}, {"text": "<3 chars>", "id": "a"}, False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1], False),
        (1.0, 1.5, False),
        ("a", None, False),
    ],
)
def test_only_the_lengths_of_hidden_texts_do_not_count(one: Any, other: Any, are_the_same: bool) -> None:
    assert same_but_for_lengths(one, other) is are_the_same


def test_a_class_that_nobody_knows_is_told_by_its_name() -> None:
    given_by_mistake: Any = object()
    effect: Effect = Send(given_by_mistake)
    assert shown(effect, HIDING) == {"event": "<object>"}
    assert shown(effect, OPEN) == {"event": "<object>"}
