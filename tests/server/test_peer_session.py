"""The session: whole, merged deeply, changed as one or not at all; and how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from charye.protocol import AZURE, AZURE_PREVIEW, Dialect, SessionCreated, encode
from charye.server.refusals import Refused, api_key, beta_disabled
from charye.server.settings import ServerSettings
from tests.server.bench import UNIX_S, Bench, one, plain, types


def session_of(bench: Bench) -> dict[str, Any]:
    session: dict[str, Any] = plain(bench.say("session.update", session={"type": "realtime"})[0])["session"]
    return session


def test_the_defaults_are_complete() -> None:
    bench = Bench()
    session = plain(bench.opening[0])["session"]
    assert session.pop("id").startswith("sess_")
    assert len(session.pop("instructions")) > 20
    assert session == {
        "type": "realtime",
        "object": "realtime.session",
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": int(UNIX_S) + 3600,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 200,
                    "idle_timeout_ms": None,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
        },
        "include": None,
    }


def test_the_silence_of_voice_detection_depends_on_the_model() -> None:
    bench = Bench(ServerSettings(model="gpt-realtime-2.1"))
    assert session_of(bench)["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500


def test_an_update_answers_with_the_whole_session_and_keeps_what_it_does_not_name() -> None:
    bench = Bench()
    before = session_of(bench)
    bench.configure(audio={"output": {"speed": 1.25}})
    after = session_of(bench)
    assert after["audio"]["output"].pop("speed") == 1.25
    before["audio"]["output"].pop("speed")
    assert after == before


def test_a_partial_turn_detection_is_filled_with_defaults() -> None:
    bench = Bench()
    bench.listen(type="server_vad", threshold=0.9)
    bench.listen(type="server_vad", create_response=False)
    found = session_of(bench)["audio"]["input"]["turn_detection"]
    assert (found["threshold"], found["create_response"], found["prefix_padding_ms"]) == (0.5, False, 300)


def test_semantic_vad_has_its_own_fields() -> None:
    bench = Bench()
    bench.listen(type="semantic_vad")
    assert session_of(bench)["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }
    assert bench.attuned[-1].detection is not None


def test_null_clears_where_null_has_a_meaning() -> None:
    bench = Bench()
    bench.configure(
        audio={"input": {"transcription": {"model": "whisper-1"}, "noise_reduction": {"type": "near_field"}}}
    )
    heard = session_of(bench)["audio"]["input"]
    assert heard["transcription"] == {"model": "whisper-1", "language": None, "prompt": None}
    cleared = {"transcription": None, "noise_reduction": None, "turn_detection": None}
    bench.configure(audio={"input": cleared})
    assert {name: session_of(bench)["audio"]["input"][name] for name in cleared} == cleared
    assert bench.attuned[-1].detection is None


def test_null_elsewhere_says_nothing() -> None:
    bench = Bench()
    before = session_of(bench)
    bench.configure(instructions=None, tools=None, max_output_tokens=None)
    assert session_of(bench) == before


def test_instructions_and_tools_are_cleared_by_empty_values() -> None:
    bench = Bench()
    bench.configure(instructions="Be kind.", tools=[{"type": "function", "name": "look"}])
    bench.configure(instructions="", tools=[])
    session = session_of(bench)
    assert (session["instructions"], session["tools"]) == ("", [])


def test_one_bad_field_and_nothing_is_applied() -> None:
    bench = Bench()
    before = session_of(bench)
    error = bench.refused(
        "session.update",
        event_id="u1",
        session={
            "type": "realtime",
            "instructions": "New.",
            "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 7}}},
        },
    )
    assert error["code"] == "decimal_above_max_value" or error["code"] == "integer_above_max_value"
    assert error["param"] == "session.audio.input.turn_detection.threshold"
    assert error["event_id"] == "u1"
    assert session_of(bench) == before


def test_the_type_is_required() -> None:
    error = Bench().refused("session.update", session={"instructions": "x"})
    assert (error["code"], error["param"]) == ("missing_required_parameter", "session.type")
    assert error["message"] == "Missing required parameter: 'session.type'."


def test_the_type_cannot_change() -> None:
    error = Bench().refused("session.update", session={"type": "transcription"})
    assert (error["code"], error["param"]) == ("invalid_value", "session.type")


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"x": 1}, "session.x"),
        ({"voice": "alloy"}, "session.voice"),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}},
         "session.audio.input.turn_detection.threshold"),
        ({"tools": [{"type": "function", "name": "f", "function": {}}]}, "session.tools[0].function"),
    ],
)  # fmt: skip
def test_an_unknown_field_is_refused_by_its_dotted_path(session: dict[str, Any], param: str) -> None:
    error = Bench().refused("session.update", session={"type": "realtime", **session})
    assert (error["code"], error["param"]) == ("unknown_parameter", param)
    assert error["message"] == f"Unknown parameter: '{param}'."


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"output_modalities": ["smell"]}, "invalid_value", "session.output_modalities[0]"),
        ({"max_output_tokens": 0}, "integer_below_min_value", "session.max_output_tokens"),
        ({"max_output_tokens": 4097}, "integer_above_max_value", "session.max_output_tokens"),
        ({"max_output_tokens": "many"}, "invalid_value", "session.max_output_tokens"),
        ({"instructions": 5}, "invalid_type", "session.instructions"),
        ({"tools": [{"type": "function", "name": "a b"}]}, "invalid_value", "session.tools[0].name"),
        ({"tools": [{"type": "function", "name": "f", "parameters": {"type": "string"}}]},
         "invalid_function_parameters", "session.tools[0].parameters"),
        ({"tools": [{"type": "hammer"}]}, "invalid_value", "session.tools[0].type"),
        ({"audio": {"output": {"speed": 9}}}, "integer_above_max_value", "session.audio.output.speed"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
         "integer_below_min_value", "session.audio.input.format.rate"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 1}}}},
         "integer_below_min_value", "session.audio.input.turn_detection.idle_timeout_ms"),
        ({"model": "another"}, "invalid_value", "session.model"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_name(session: dict[str, Any], code: str, param: str) -> None:
    error = Bench().refused("session.update", session={"type": "realtime", **session})
    assert (error["code"], error["param"]) == (code, param)


def test_read_only_fields_and_the_same_model_may_be_sent_back() -> None:
    bench = Bench()
    mine = session_of(bench)
    assert session_of(bench) == plain(bench.say("session.update", session=mine)[0])["session"]


@pytest.mark.parametrize(
    ("dialect", "update"),
    [(AZURE, {"type": "realtime", "model": "gpt-realtime"}), (AZURE_PREVIEW, {"model": "gpt-4o"})],
)
def test_where_the_url_names_a_deployment_an_update_may_name_a_model(
    dialect: Dialect, update: dict[str, Any]
) -> None:
    # May have any name, but the published types of the preview know only those of models.
    bench = Bench(ServerSettings(dialect=dialect, model="gpt-4o-realtime-preview"))
    (event,) = bench.say("session.update", session=update)
    assert plain(event)["session"]["model"] == "gpt-4o-realtime-preview"


def test_the_voice_is_fixed_once_there_was_audio() -> None:
    bench = Bench()
    bench.configure(audio={"output": {"voice": "marin"}})
    bench.create()
    bench.answer(ms=100)
    change = {"type": "realtime", "instructions": "New.", "audio": {"output": {"voice": "cedar"}}}
    error = bench.refused("session.update", session=change)
    assert (error["code"], error["param"]) == ("cannot_update_voice", "session.audio.output.voice")
    assert session_of(bench)["instructions"] != "New."
    bench.configure(audio={"output": {"voice": "marin", "speed": 1.1}})


def test_the_preview_names_the_voice_where_it_stands_there() -> None:
    bench = Bench(ServerSettings(dialect=AZURE_PREVIEW))
    bench.create()
    bench.answer(ms=100)
    assert bench.refused("session.update", session={"voice": "shimmer"})["param"] == "session.voice"


def test_the_voice_may_change_after_words_without_audio() -> None:
    bench = Bench()
    bench.configure(output_modalities=["text"])
    bench.create()
    bench.answer()
    bench.configure(audio={"output": {"voice": "cedar"}})


def test_tracing_cannot_change_once_it_is_set_but_can_be_turned_off() -> None:
    bench = Bench()
    bench.configure(tracing={"workflow_name": "w"})
    bench.configure(tracing={"workflow_name": "w"})
    error = bench.refused("session.update", session={"type": "realtime", "tracing": "auto"})
    assert error["param"] == "session.tracing"
    bench.configure(tracing=None)


def test_an_update_during_a_response_does_not_change_that_response() -> None:
    bench = Bench()
    bench.create()
    bench.configure(output_modalities=["text"], max_output_tokens=1)
    done = plain(bench.answer("Still spoken.", ms=100)[-2])["response"]
    assert (done["output_modalities"], done["status"]) == (["audio"], "completed")


def test_what_a_client_secret_sets_is_there_from_the_begin_on() -> None:
    session = {"type": "realtime", "model": "gpt-realtime", "audio": {"output": {"voice": "marin"}}}
    bench = Bench(ServerSettings(session=session))
    opened = one(bench.opening, SessionCreated)
    assert b'"voice":"marin"' in encode(opened)


def test_the_session_expires_with_an_error_and_a_close() -> None:
    bench = Bench()
    bench.create()
    assert bench.wait(3599) == []
    (event,) = bench.wait(1)
    error = plain(event)["error"]
    assert (error["code"], error["event_id"]) == ("session_expired", None)
    assert error["message"] == "Your session hit the maximum duration of 60 minutes."
    assert bench.closed is not None
    assert (bench.closed.code, bench.closed.reason) == (1001, error["message"])
    assert bench.stopping == [bench.started[0].response_id]


def test_after_the_close_nothing_is_sent_whatever_comes() -> None:
    bench = Bench(ServerSettings(max_s=10))
    response_id = bench.create()
    bench.wait(11)
    assert bench.say("response.create") == []
    assert bench.mind(to=response_id) == []
    assert bench.stopped(response_id) == []
    assert bench.heard(1, 2) == []
    assert bench.peer.next_deadline is None
    assert bench.peer.tick(1e9) == []


def test_a_wrong_key_and_the_old_shape_have_their_words() -> None:
    assert api_key("sk-secret-1234").detail(None).message == "Incorrect API key provided: ********1234."
    assert "1234" not in str(api_key("1234"))  # a short one is not given away
    assert beta_disabled().code == "beta_api_shape_disabled"
    assert isinstance(beta_disabled(), Refused)


def test_a_transcription_session_has_only_ears() -> None:
    bench = Bench(ServerSettings(session={"type": "transcription"}))
    session = plain(bench.opening[0])["session"]
    assert session["object"] == "realtime.transcription_session"
    assert "instructions" not in session
    heard = {"transcription": {"model": "whisper-1"}}
    (event,) = bench.say("session.update", session={"type": "transcription", "audio": {"input": heard}})
    assert event.type == "session.updated"
    bench.append(1000)
    assert types(bench.heard(400, 900))[-1] == "conversation.item.done"
    assert not bench.started
    error = bench.refused("response.create")
    assert error["code"] == "invalid_value"
    assert "session.update" in error["message"]
    assert bench.refused("session.update", session={"type": "transcription", "tools": []})["param"] == (
        "session.tools"
    )


def test_the_preview_has_a_flat_session_and_a_conversation() -> None:
    bench = Bench(ServerSettings(dialect=AZURE_PREVIEW))
    assert types(bench.opening) == ["session.created", "conversation.created"]
    assert b"idle_timeout_ms" not in encode(bench.opening[0], AZURE_PREVIEW)
    idle = {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000}}
    assert bench.refused("session.update", session=idle)["param"] == "session.turn_detection.idle_timeout_ms"
    (event,) = bench.say(
        "session.update", session={"voice": "shimmer", "modalities": ["text", "audio"], "temperature": 0.7}
    )
    assert b'"voice":"shimmer"' in encode(event, AZURE_PREVIEW)
    assert b'"modalities":["audio","text"]' in encode(event, AZURE_PREVIEW)
    error = bench.refused("session.update", session={"output_modalities": ["text"]})
    assert (error["code"], error["param"]) == ("unknown_parameter", "session.output_modalities")
    error = bench.refused("response.create", response={"output_modalities": ["text"]})
    assert error["param"] == "response.output_modalities"
