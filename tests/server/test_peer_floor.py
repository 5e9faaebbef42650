"""Who may speak: one response at a time writes into the conversation, whoever asks, whatever happens."""

from __future__ import annotations

import pytest

from charye.errors import LocalProtocolError
from charye.protocol import (
    CODE_IN_TYPE,
    COMPATIBLE,
    NO_EVENT_ID,
    NO_METADATA,
    SUPERSEDES,
    ErrorDetail,
    ErrorKind,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    kind_of,
    named_response,
)
from charye.server.parts import Arguments, Audio, Call, CallEnd, Failed, Finished, MindOutput, Text
from charye.server.running import TRANSITIONS, Input, Phase
from charye.server.settings import Bounds, ServerSettings
from tests.server.bench import Bench, one, pcm, plain, types


def test_busy_from_accepting_a_create_until_its_done() -> None:
    bench = Bench()
    response_id = bench.create()
    for output in (None, Text("Hi."), Audio(pcm(20)), Call("a", "f"), CallEnd("a")):
        if output:
            bench.mind(output)
        assert bench.refused("response.create")["code"] == "conversation_already_has_active_response"
    bench.mind(Finished())
    assert bench.create() != response_id


def test_the_refusal_has_the_exact_words_and_echoes_the_event_id() -> None:
    bench = Bench()
    response_id = bench.create()
    error = bench.refused("response.create", event_id="c9")
    assert error == {
        "type": "invalid_request_error",
        "code": "conversation_already_has_active_response",
        "message": f"Conversation already has an active response in progress: {response_id}. "
        "Wait until the response is finished before creating a new one.",
        "param": None,
        "event_id": "c9",
    }


def test_an_event_without_id_is_refused_with_null() -> None:
    bench = Bench()
    bench.create()
    assert bench.refused("response.create")["event_id"] is None


def test_a_refused_create_is_dropped_not_queued() -> None:
    bench = Bench()
    bench.create()
    bench.refused("response.create")
    bench.answer()
    bench.wait(60)
    assert len(bench.started) == 1


def test_a_create_is_accepted_between_done_and_the_limits_and_at_any_later_time() -> None:
    bench = Bench()
    for _ in range(3):
        bench.create()
        assert types(bench.answer())[-2:] == ["response.done", "rate_limits.updated"]


def test_a_create_without_any_item_is_legal() -> None:
    bench = Bench()
    bench.create()
    assert bench.started[0].context.items == ()


@pytest.mark.parametrize("response", [{}, None, "absent"])
def test_an_empty_and_an_absent_response_are_the_same(response: object) -> None:
    bench = Bench()
    more = {} if response == "absent" else {"response": response}
    assert types(bench.say("response.create", **more)) == ["response.created"]


def test_items_commits_and_truncates_are_accepted_while_a_response_runs() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("Hi."), Audio(pcm(200)))
    bench.user("And another thing.")
    bench.append(200)
    assert types(bench.say("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"
    assert len(bench.items()) == 3


# what a create may say


def test_what_a_create_says_replaces_the_session_for_this_response_only() -> None:
    bench = Bench()
    bench.configure(instructions="Session.", tools=[{"type": "function", "name": "f"}])
    bench.create(
        instructions="Mine.",
        tools=[],
        tool_choice="none",
        output_modalities=["text"],
        max_output_tokens=7,
        audio={"output": {"voice": "cedar", "format": {"type": "audio/pcmu"}}},
    )
    context = bench.started[0].context
    assert (context.instructions, context.tools, context.tool_choice) == ("Mine.", (), "none")
    assert (context.output_modalities, context.max_output_tokens) == (("text",), 7)
    created = plain(bench.sent[-1])["response"]
    assert created["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "cedar"}
    assert (created["max_output_tokens"], created["output_modalities"]) == (7, ["text"])
    bench.answer()
    bench.create()
    assert bench.started[1].context.instructions == "Session."
    assert len(bench.started[1].context.tools) == 1


def test_empty_instructions_are_instructions() -> None:
    bench = Bench()
    bench.create(instructions="")
    assert bench.started[0].context.instructions == ""


def test_metadata_is_echoed_in_created_and_done() -> None:
    bench = Bench()
    bench.create(metadata={"token": "t1", "client_event_id": "x"})
    events = [bench.sent[-1], one(bench.answer(), ResponseDone)]
    assert [plain(event)["response"]["metadata"] for event in events] == [
        {"token": "t1", "client_event_id": "x"}
    ] * 2


def test_in_created_everything_but_output_and_usage_is_final() -> None:
    bench = Bench()
    bench.create(metadata={"a": "b"})
    created = plain(bench.sent[-1])["response"]
    done = plain(one(bench.answer(), ResponseDone))["response"]
    assert (created["status"], created["output"], created["usage"]) == ("in_progress", [], None)
    for changed in ("status", "output", "usage"):
        created.pop(changed)
        done.pop(changed)
    assert created == done


def test_input_is_the_context_and_the_output_still_goes_into_the_conversation() -> None:
    bench = Bench()
    bench.user("Not this.")
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "This."}]}
    bench.create(input=[item, {"type": "item_reference", "id": bench.items()[0]}])
    texts = [found.content[0].text for found in bench.started[0].context.items]  # type: ignore[union-attr]
    assert texts == ["This.", "Not this."]
    bench.answer()
    assert len(bench.items()) == 2


def test_a_reference_to_nothing_is_refused() -> None:
    bench = Bench()
    error = bench.refused("response.create", response={"input": [{"type": "item_reference", "id": "x"}]})
    assert error["param"] == "response.input[0].id"
    bench.create()


def test_usage_counts_what_went_in_and_came_out() -> None:
    bench = Bench()
    bench.configure(instructions="x" * 40)
    bench.user("y" * 40)
    bench.create()
    usage = plain(one(bench.answer("z" * 40, ms=1000), ResponseDone))["response"]["usage"]
    assert usage["input_tokens"] == 20
    assert usage["output_token_details"] == {"text_tokens": 10, "audio_tokens": 20}
    assert usage["total_tokens"] == 50
    assert usage["input_token_details"]["cached_tokens_details"] == {
        "text_tokens": 0,
        "audio_tokens": 0,
        "image_tokens": 0,
    }


def test_usage_is_the_minds_own_where_it_knows() -> None:
    bench = Bench()
    bench.create()
    events = bench.mind(Text("Hi."), Finished(input_tokens=123, output_tokens=45))
    usage = plain(one(events, ResponseDone))["response"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (123, 45, 168)


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_max_output_tokens_ends_it_incomplete(modality: str) -> None:
    bench = Bench()
    response_id = bench.create(max_output_tokens=2, output_modalities=[modality])
    events = bench.mind(Text("Twelve chars and more"))
    response = plain(one(events, ResponseDone))["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"
    part = response["output"][0]["content"][0]
    assert part.get("text", part.get("transcript")) == "Twelve c"
    assert bench.stopping == [response_id]
    assert bench.mind(Text("late")) == []  # noted, not said
    assert bench.stopped(response_id) == []


def test_the_arguments_of_calls_count_against_the_cap() -> None:
    bench = Bench()
    bench.create(max_output_tokens=1)
    events = bench.mind(Call("a", "f"), Arguments("a", '{"long": "argument"}'))
    assert plain(one(events, ResponseDone))["response"]["output"][0]["arguments"] == '{"lo'


def test_a_mind_may_say_that_it_is_incomplete() -> None:
    bench = Bench()
    bench.create()
    events = bench.mind(Text("I will not"), Finished(incomplete="content_filter"))
    details = plain(one(events, ResponseDone))["response"]["status_details"]
    assert details == {"type": "incomplete", "reason": "content_filter"}


def test_a_failed_response_is_a_done_without_an_error_event_and_the_session_lives() -> None:
    bench = Bench()
    bench.create()
    events = bench.mind(
        Text("Well"), Failed(ResponseError("insufficient_quota", "insufficient_quota", "Pay."))
    )
    assert "error" not in types(events)
    response = plain(one(events, ResponseDone))["response"]
    assert response["status_details"]["error"]["code"] == "insufficient_quota"
    assert response["output"][0]["status"] == "incomplete"
    bench.create()


def test_a_mind_that_breaks_its_contract_fails_its_response_only() -> None:
    broken: tuple[tuple[MindOutput, ...], ...] = (
        (Arguments("a", "{}"),),
        (CallEnd("a"),),
        (Call("a", "f"), Call("a", "f")),
    )
    bench = Bench()
    for outputs in broken:
        bench.create()
        response = plain(one(bench.mind(*outputs), ResponseDone))["response"]
        assert response["status_details"]["error"]["type"] == "server_error"


def test_a_mind_that_stops_without_a_word_is_finished() -> None:
    bench = Bench()
    response_id = bench.create()
    assert one(bench.stopped(response_id), ResponseDone).response.status == "completed"


# cancel at every moment

MOMENTS: dict[str, tuple[MindOutput, ...]] = {
    "before any output": (),
    "in the words": (Text("One"),),
    "in the audio": (Text("One"), Audio(pcm(50))),
    "in a call": (Call("a", "f"), Arguments("a", "{")),
    "behind a call": (Call("a", "f"), CallEnd("a")),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_cancel_at_any_moment_ends_with_one_done(moment: str) -> None:
    bench = Bench()
    bench.create()
    bench.mind(*MOMENTS[moment])
    assert bench.say("response.cancel") == []
    assert bench.refused("response.create")["code"] == "conversation_already_has_active_response"
    events = bench.stopped()
    assert one(events, ResponseDone).response.status == "cancelled"
    bench.create()


def test_a_cancel_is_not_an_end_so_a_create_behind_it_is_refused() -> None:
    bench = Bench()
    bench.create()
    bench.say("response.cancel")
    assert bench.refused("response.create", event_id="c2")["event_id"] == "c2"


def test_what_a_mind_says_between_cancel_and_stop_still_counts_and_it_is_cancelled_all_the_same() -> None:
    bench = Bench()
    bench.create()
    bench.mind(Text("One"))
    bench.say("response.cancel")
    assert types(bench.mind(Text(" two"))) == ["response.output_audio_transcript.delta"]
    events = bench.mind(Finished())
    assert one(events, ResponseDone).response.status == "cancelled"
    assert bench.stopped() == []


def test_a_mind_that_does_not_stop_is_not_waited_for_for_ever() -> None:
    bench = Bench()
    bench.create()
    bench.say("response.cancel")
    assert bench.wait(4.9) == []
    assert one(bench.wait(0.2), ResponseDone).response.status == "cancelled"
    assert any("did not stop in time" in note.what for note in bench.notes)


@pytest.mark.parametrize("response_id", [None, "resp_unknown"])
def test_a_cancel_with_nothing_to_cancel_is_refused(response_id: str | None) -> None:
    bench = Bench()
    error = bench.refused("response.cancel", response_id=response_id, event_id="c9")
    assert error == {
        "type": "invalid_request_error",
        "code": "response_cancel_not_active",
        "message": "Cancellation failed: no active response found",
        "param": None,
        "event_id": "c9",
    }


def test_a_second_cancel_and_a_cancel_after_the_end_are_refused() -> None:
    bench = Bench()
    response_id = bench.create()
    bench.say("response.cancel")
    assert bench.refused("response.cancel")["code"] == "response_cancel_not_active"
    bench.stopped()
    assert bench.refused("response.cancel", response_id=response_id)["code"] == "response_cancel_not_active"


@pytest.mark.parametrize("given", Input)
@pytest.mark.parametrize("phase", Phase)
def test_the_table_of_a_response_is_what_it_says_and_everything_else_raises(
    phase: Phase, given: Input
) -> None:
    bench = Bench()
    bench.create()
    running = bench.peer._responses._running[bench.peer.responses[0]]
    running.phase = phase
    row = TRANSITIONS.get((phase, given))
    if row is None:
        with pytest.raises(LocalProtocolError):
            running.step(given)
    else:
        assert running.step(given) == row[1]
    assert running.phase == (row[0] if row else phase)


# out of band


def test_out_of_band_responses_run_beside_the_conversations_and_beside_each_other() -> None:
    bench = Bench()
    main = bench.create()
    others = [bench.create(conversation="none", metadata={"n": str(n)}) for n in range(3)]
    assert bench.peer.floor == main
    bench.answer("one", to=others[1])
    assert bench.refused("response.create")["code"] == "conversation_already_has_active_response"
    bench.answer("main", to=main)
    assert not bench.peer.floor
    bench.create()
    assert len(bench.peer.responses) == 3


def test_a_cancel_without_id_reaches_only_the_conversations_response() -> None:
    bench = Bench()
    aside = bench.create(conversation="none")
    assert bench.refused("response.cancel")["code"] == "response_cancel_not_active"
    main = bench.create()
    bench.say("response.cancel")
    assert bench.stopping == [main]
    bench.say("response.cancel", response_id=aside)
    assert bench.stopping == [main, aside]
    assert one(bench.stopped(aside), ResponseDone).response.id == aside


def test_speech_does_not_interrupt_what_is_out_of_band() -> None:
    bench = Bench()
    bench.create(conversation="none")
    bench.append(1000)
    bench.heard(started=500)
    assert bench.stopping == []


def test_only_so_many_run_out_of_band() -> None:
    bench = Bench(ServerSettings(bounds=Bounds(out_of_band=2)))
    first = bench.create(conversation="none")
    bench.create(conversation="none")
    assert (
        bench.refused("response.create", response={"conversation": "none"})["code"] == "rate_limit_exceeded"
    )
    bench.create()
    bench.answer(to=first)
    bench.create(conversation="none")


# dialects


def refusal_in(bench: Bench) -> ErrorDetail:
    bench.create()
    return ErrorDetail(**bench.refused("response.create", event_id="c2"))


def test_every_dialect_refuses_in_its_own_words_and_all_of_them_are_understood() -> None:
    for dialect in (CODE_IN_TYPE, COMPATIBLE, NO_EVENT_ID, NO_METADATA):
        error = refusal_in(Bench(ServerSettings(dialect=dialect)))
        assert kind_of(error) is ErrorKind.ACTIVE_RESPONSE
        assert (named_response(error) is not None) is dialect.names_active_response
        assert (error.event_id == "c2") is (dialect.echoes_event_id is not False)
    assert refusal_in(Bench(ServerSettings(dialect=CODE_IN_TYPE))).code is None


def test_a_dialect_without_metadata_does_not_echo_it() -> None:
    bench = Bench(ServerSettings(dialect=NO_METADATA))
    bench.create(metadata={"a": "b"})
    assert plain(bench.sent[-1])["response"]["metadata"] is None


def test_a_superseding_dialect_ends_the_running_response_instead_of_refusing() -> None:
    bench = Bench(ServerSettings(dialect=SUPERSEDES))
    first = bench.create()
    bench.mind(Text("One"))
    events = bench.say("response.create")
    assert types(events)[-3:] == ["response.done", "rate_limits.updated", "response.created"]
    assert one(events, ResponseDone).response.status == "cancelled"
    assert bench.stopping == [first]
    assert bench.peer.floor == one(events, ResponseCreated).response.id


def test_a_create_that_supersedes_an_interrupted_response_supersedes_the_reply_that_waits_too() -> None:
    bench = Bench(ServerSettings(dialect=SUPERSEDES))
    bench.create()
    bench.append(1000)
    bench.heard(400, 900)
    assert types(bench.say("response.create")).count("response.created") == 1


def test_where_out_of_band_is_not_known_it_is_in_band() -> None:
    bench = Bench(ServerSettings(dialect=COMPATIBLE))
    bench.create(conversation="none")
    assert plain(bench.sent[-1])["response"]["conversation_id"] is not None
    assert kind_of(ErrorDetail(**bench.refused("response.create"))) is ErrorKind.ACTIVE_RESPONSE
    assert "rate_limits.updated" not in types(bench.answer())
