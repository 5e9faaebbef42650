"""The ledger of tool calls, and the one reply that the calls of a response earn."""

import json
from itertools import product

import pytest

from charye.core.conversation import Conversation
from charye.core.effects import AbandonTool, Effect, Note, RunTool, Send
from charye.core.requests import Priority, RequestId, ResponseRequest
from charye.core.settings import ToolPolicy
from charye.core.tools import CALLS, Answer, CallInput, CallState, Reply, Tools
from charye.protocol import ConversationItemCreate, FunctionCallItem, FunctionCallOutputItem, ResponseParams
from tests.core.bench import notes, sent

ORDINARY = Answer("42")
SILENT = Answer("42", reply=Reply.SILENT)
FAILED = Answer("no", failed=True)


def now_say(words: str) -> Answer:
    return Answer("{}", reply=Reply.SAY_NOW, words=words)


class Ledger:
    """Tools with their effects and the mirror."""

    def __init__(self, *, online: bool = True, **policy: float | str) -> None:
        self.out: list[Effect] = []
        self.mirror = Conversation(bound=100)
        settings = ToolPolicy(**{"timeout_s": 60.0, "cap_s": 8.0, **policy})  # type: ignore[arg-type]
        self.tools = Tools(settings, self.mirror, self.out)
        if online:
            self.tools.connected()

    def called(self, *call_ids: str, response_id: str = "r1", now: float = 0.0) -> None:
        for call_id in call_ids:
            self.tools.asked(response_id, call_id, f"tool_{call_id}", '{"x": 1}', now)

    def finish(self, call_id: str, answer: Answer = ORDINARY, now: float = 0.0) -> list[Effect]:
        before = len(self.out)
        self.tools.finished(call_id, answer, now)
        return self.out[before:]

    def over(self, response_id: str = "r1", *, wanted: bool = True, now: float = 0.0) -> None:
        self.tools.response_over(response_id, now, wanted=wanted)

    def wanted(self) -> list[ResponseRequest]:
        """The follow-ups that are wanted now; they are taken, as the machines take them."""
        wanted, self.tools.wanted = self.tools.wanted, []
        return wanted

    def wanted_ids(self) -> list[str]:
        return [request.id for request in self.wanted()]

    def outputs(self) -> list[tuple[str, str]]:
        """Every output that was sent: call id and text."""
        items = [event.item for event in sent(self.out) if isinstance(event, ConversationItemCreate)]
        return [(item.call_id, item.output) for item in items if isinstance(item, FunctionCallOutputItem)]

    def abandoned(self) -> list[tuple[str, str]]:
        return [(each.call_id, each.reason) for each in self.out if isinstance(each, AbandonTool)]


def test_the_table_of_a_call_is_this_and_no_other() -> None:
    assert CALLS == {
        (CallState.RUNNING, CallInput.ANSWER): CallState.ANSWERED,
        (CallState.RUNNING, CallInput.FAIL): CallState.FAILED,
        (CallState.RUNNING, CallInput.TIME_OUT): CallState.TIMED_OUT,
        (CallState.RUNNING, CallInput.ABANDON): CallState.ABANDONED,
    }


# a call


def test_a_call_runs_as_soon_as_its_arguments_are_complete() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    assert ledger.out == [
        RunTool("c1", "tool_c1", '{"x": 1}', "r1"),
        RunTool("c2", "tool_c2", '{"x": 1}', "r1"),
    ]


def test_a_call_that_is_told_several_times_runs_once() -> None:
    ledger = Ledger()
    ledger.called("c1", "c1")
    ledger.finish("c1")
    ledger.called("c1")
    assert [effect for effect in ledger.out if isinstance(effect, RunTool)] == [
        RunTool("c1", "tool_c1", '{"x": 1}', "r1")
    ]


def test_no_call_comes_from_a_response_that_is_over() -> None:
    ledger = Ledger()
    ledger.called("c1")
    ledger.over()
    ledger.called("c2")
    assert ledger.out == [RunTool("c1", "tool_c1", '{"x": 1}', "r1")]


@pytest.mark.parametrize("answer", [ORDINARY, SILENT, FAILED, now_say("one moment")])
def test_an_output_goes_to_the_server_at_once(answer: Answer) -> None:
    ledger = Ledger()
    ledger.called("c1")
    item = FunctionCallOutputItem(id="out_c1", call_id="c1", output=answer.output)
    assert ledger.finish("c1", answer) == [Send(ConversationItemCreate(item=item, event_id="item.out_c1"))]
    assert [entry.item for entry in ledger.mirror.entries()] == [item], "and into the mirror"
    assert ledger.wanted() == []


def test_the_id_of_an_output_is_as_long_as_the_server_allows() -> None:
    ledger = Ledger()
    call_id = "call_" + "x" * 27
    ledger.called(call_id)
    (effect,) = ledger.finish(call_id)
    assert isinstance(effect, Send)
    assert isinstance(effect.event, ConversationItemCreate)
    assert isinstance(effect.event.item, FunctionCallOutputItem)
    assert effect.event.item.id == "out_" + call_id[-28:]
    assert len(effect.event.item.id) == 32
    assert effect.event.item.call_id == call_id


@pytest.mark.parametrize("first", [ORDINARY, FAILED])
@pytest.mark.parametrize("second", [ORDINARY, FAILED])
def test_a_second_answer_is_noted_and_dropped(first: Answer, second: Answer) -> None:
    ledger = Ledger()
    ledger.called("c1")
    ledger.finish("c1", first)
    assert ledger.finish("c1", second) == [Note("a tool's answer that nobody waits for", about="c1")]
    assert len(ledger.outputs()) == 1


def test_an_answer_of_an_unknown_call_is_noted_and_dropped() -> None:
    ledger = Ledger()
    assert ledger.finish("c1") == [Note("a tool's answer that nobody waits for", about="c1")]


# the follow-up


@pytest.mark.parametrize(
    ("count", "over_after"), [(count, after) for count in (1, 2, 3) for after in range(count + 1)]
)
def test_one_follow_up_when_all_is_answered_and_the_response_is_over(count: int, over_after: int) -> None:
    """The response ends before, between and after the answers."""
    ledger = Ledger()
    calls = [f"c{number}" for number in range(count)]
    ledger.called(*calls)
    for number, call_id in enumerate(calls):
        if number == over_after:
            ledger.over()
        assert ledger.wanted() == []
        ledger.finish(call_id)
    if over_after == count:
        assert ledger.wanted() == []
        ledger.over()
    assert ledger.wanted() == [
        ResponseRequest(
            id=RequestId("tool.r1.1"),
            trigger="tool:" + ",".join(f"tool_{call_id}" for call_id in calls),
            priority=Priority.TOOL,
            parameters=ResponseParams(),
            coalesce_key="tool",
        )
    ]
    assert [call for call, _ in ledger.outputs()] == calls
    assert ledger.tools.awaited() == ["tool.r1.1"]


def test_a_response_without_calls_earns_nothing() -> None:
    ledger = Ledger()
    ledger.tools.spoke("r1")
    ledger.over()
    ledger.over("unknown")
    assert ledger.wanted() == []
    assert ledger.out == []
    assert ledger.tools.next_deadline() is None


def test_the_end_of_a_response_is_told_once() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over(now=0.0)
    ledger.finish("c1", now=0.0)
    ledger.over(now=9.0)
    assert ledger.wanted() == []


def test_each_response_earns_its_own() -> None:
    ledger = Ledger()
    ledger.called("c1", response_id="r1")
    ledger.called("c2", response_id="r2")
    ledger.over("r1")
    ledger.over("r2")
    ledger.finish("c2")
    assert ledger.wanted_ids() == ["tool.r2.1"]
    ledger.finish("c1")
    assert ledger.wanted_ids() == ["tool.r1.1"]
    assert ledger.tools.awaited() == ["tool.r1.1", "tool.r2.1"]


@pytest.mark.parametrize(
    ("answers", "spoke", "policy", "instructions"),
    [
        *(
            ((ORDINARY,), spoke, policy, "shorten" if spoke and policy == "shorten" else "plain")
            for spoke, policy in product([False, True], ["speak", "shorten"])
        ),
        ((ORDINARY,), False, "skip", "plain"),
        ((ORDINARY,), True, "skip", "none"),
        *(
            ((SILENT, SILENT), spoke, policy, "none")
            for spoke in (False, True)
            for policy in ("speak", "skip")
        ),
        ((SILENT, ORDINARY), False, "speak", "plain"),
        ((FAILED,), False, "speak", "plain"),
        ((SILENT, FAILED), False, "speak", "plain"),
        ((now_say("one"), now_say("two")), False, "speak", "one two"),
        ((now_say("one"), ORDINARY), True, "skip", "one"),
        ((now_say("one"), SILENT), True, "shorten", "one"),
    ],
)
def test_what_the_follow_up_says(
    answers: tuple[Answer, ...], spoke: bool, policy: str, instructions: str
) -> None:
    ledger = Ledger(after_message=policy)
    calls = [f"c{number}" for number in range(len(answers))]
    ledger.called(*calls)
    if spoke:
        ledger.tools.spoke("r1")
    for call_id, answer in zip(calls, answers, strict=True):
        ledger.finish(call_id, answer)
    ledger.over()
    wanted = ledger.wanted()
    if instructions == "none":
        assert wanted == []
        assert ledger.tools.awaited() == []
        return
    (request,) = wanted
    expected = {
        "plain": ResponseParams(),
        "shorten": ResponseParams(
            instructions="You have already begun to answer aloud. Add only what the tool results make new;"
            " repeat nothing."
        ),
    }.get(
        instructions,
        ResponseParams(instructions=f"Say exactly this, and nothing else: {instructions}"),
    )
    assert request.parameters == expected
    assert request.coalesce_key == (None if instructions in ("one", "one two") else "tool")


def test_another_policy_is_refused() -> None:
    for policy in ("speak", "shorten", "skip"):
        assert ToolPolicy(after_message=policy).after_message == policy
    with pytest.raises(ValueError, match=r"^after_message is one of speak, shorten, skip$"):
        ToolPolicy(after_message="whisper")


@pytest.mark.parametrize("answer", [SILENT, ORDINARY])
def test_once_all_is_said_nothing_is_remembered(answer: Answer) -> None:
    ledger = Ledger()
    ledger.called("c1")
    ledger.finish("c1", answer)
    ledger.over()
    for request in ledger.wanted():
        ledger.tools.told(request.id)
    assert notes(ledger.finish("c1")) == ["a tool's answer that nobody waits for"]
    ledger.called("c1")
    assert isinstance(ledger.out[-1], RunTool), "not known any more, so it would run again"


# slow calls


def test_the_slowest_is_not_waited_for_longer_than_the_cap() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over(now=1.0)
    assert ledger.tools.next_deadline() == 60.0
    ledger.finish("c1", now=3.0)
    assert ledger.tools.next_deadline() == 11.0
    ledger.tools.tick(10.999)
    assert ledger.wanted() == []
    ledger.tools.tick(11.0)
    (request,) = ledger.wanted()
    assert (request.id, request.trigger) == ("tool.r1.1", "tool:tool_c1")
    assert ledger.tools.next_deadline() == 60.0


def test_the_cap_counts_from_the_first_answer_after_the_response_is_over() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2", "c3")
    ledger.finish("c1", now=1.0)
    ledger.over(now=5.0)
    assert ledger.tools.next_deadline() == 13.0
    ledger.finish("c2", now=12.0)
    assert ledger.tools.next_deadline() == 13.0
    ledger.tools.tick(13.0)
    (request,) = ledger.wanted()
    assert request.trigger == "tool:tool_c1,tool_c2"


def test_what_comes_after_the_cap_earns_one_more() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.tools.told(RequestId("tool.r1.1"))
    ledger.finish("c2", now=20.0)
    (request,) = ledger.wanted()
    assert (request.id, request.trigger) == ("tool.r1.2", "tool:tool_c2")


def test_what_comes_while_the_follow_up_waits_joins_it() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.finish("c2", now=9.0)
    assert ledger.wanted_ids() == []
    assert ledger.tools.awaited() == ["tool.r1.1"]
    ledger.tools.told(RequestId("tool.r1.1"))
    assert ledger.tools.awaited() == []


def test_what_comes_when_the_follow_ups_create_is_sent_earns_one_more() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.tools.on_their_way = {RequestId("tool.r1.1")}
    ledger.finish("c2", now=9.0)
    assert ledger.wanted_ids() == ["tool.r1.2"]
    assert ledger.tools.awaited() == ["tool.r1.1", "tool.r1.2"]
    ledger.tools.told(RequestId("tool.r1.1"))
    assert ledger.tools.awaited() == ["tool.r1.2"]


def test_words_are_never_joined_to_something_else() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.finish("c2", now_say("one moment"), now=9.0)
    (request,) = ledger.wanted()
    assert (request.id, request.coalesce_key) == ("tool.r1.2", None)


def test_nothing_joins_words() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now_say("one moment"), now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.finish("c2", now=9.0)
    assert ledger.wanted_ids() == ["tool.r1.2"]


def test_silent_answers_under_a_running_call_earn_nothing_and_wait_for_the_rest() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", SILENT, now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted() == []
    ledger.finish("c2", now=9.0)
    (request,) = ledger.wanted()
    assert request.trigger == "tool:tool_c2"


def test_a_call_that_takes_too_long_fails_with_words_that_the_model_can_read() -> None:
    ledger = Ledger(timeout_s=5.0)
    ledger.called("c1", now=100.0)
    ledger.over(now=100.0)
    assert ledger.tools.next_deadline() == 105.0
    ledger.tools.tick(104.999)
    assert ledger.abandoned() == []
    ledger.tools.tick(105.0)
    assert ledger.abandoned() == [("c1", "timed out")]
    ((call_id, output),) = ledger.outputs()
    assert call_id == "c1"
    assert json.loads(output) == {"error": {"type": "timed_out", "message": "the tool took too long"}}
    assert ledger.wanted_ids() == ["tool.r1.1"]
    assert ledger.tools.next_deadline() is None
    assert notes(ledger.finish("c1", now=106.0)) == ["a tool's answer that nobody waits for"]
    ledger.tools.tick(200.0)
    assert len(ledger.outputs()) == 1


@pytest.mark.parametrize("policy", ["speak", "shorten", "skip"])
@pytest.mark.parametrize("spoke", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_calls_that_time_out_together_earn_one_follow_up_at_most(
    policy: str, spoke: bool, count: int
) -> None:
    ledger = Ledger(timeout_s=5.0, after_message=policy)
    ledger.called(*(f"c{number}" for number in range(count)))
    if spoke:
        ledger.tools.spoke("r1")
    ledger.over()
    ledger.tools.tick(5.0)
    assert len(ledger.outputs()) == count
    assert len(ledger.wanted()) == (0 if spoke and policy == "skip" else 1)
    assert ledger.tools.next_deadline() is None


def test_a_time_out_before_the_response_is_over_waits_for_its_end() -> None:
    ledger = Ledger(timeout_s=5.0)
    ledger.called("c1")
    ledger.tools.tick(5.0)
    assert ledger.wanted() == []
    ledger.over(now=6.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]


def test_the_next_deadline_is_the_first_of_all() -> None:
    ledger = Ledger(timeout_s=5.0, cap_s=1.0)
    assert ledger.tools.next_deadline() is None
    ledger.called("c1", now=10.0)
    ledger.called("c2", now=8.0, response_id="r2")
    assert ledger.tools.next_deadline() == 13.0
    ledger.called("c3", now=11.0)
    ledger.over(now=11.0)
    ledger.finish("c1", now=11.0)
    assert ledger.tools.next_deadline() == 12.0


# responses that are not wanted


def test_the_calls_of_a_response_that_is_not_wanted_are_abandoned() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.finish("c1")
    ledger.over(wanted=False)
    assert ledger.abandoned() == [("c2", "its response is not wanted")]
    assert ledger.wanted() == []
    assert notes(ledger.finish("c2")) == ["a tool's answer that nobody waits for"]
    assert ledger.tools.next_deadline() is None


# another response tells it


def asked_ledger(answer: Answer = ORDINARY) -> Ledger:
    ledger = Ledger()
    ledger.called("c1")
    ledger.over()
    ledger.finish("c1", answer)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    return ledger


def told_by_another(ledger: Ledger, *, completed: bool = True) -> list[RequestId]:
    """A reply to the user begins, and ends; gives the follow-ups that are not needed any more."""
    ledger.tools.may_tell("r9")
    return ledger.tools.told_by("r9", completed=completed)


def test_a_reply_that_has_the_outputs_before_it_tells_them_when_it_is_completed() -> None:
    ledger = asked_ledger()
    ledger.tools.seen("out_c1")
    ledger.tools.may_tell("r9")
    assert ledger.tools.awaited() == ["tool.r1.1"], "it may fail yet"
    assert ledger.tools.told_by("r9", completed=True) == ["tool.r1.1"]
    assert ledger.tools.awaited() == []
    assert ledger.tools.is_idle
    assert told_by_another(ledger) == []


def test_a_reply_that_was_not_completed_tells_nothing_and_the_next_one_may() -> None:
    ledger = asked_ledger()
    ledger.tools.seen("out_c1")
    assert told_by_another(ledger, completed=False) == []
    assert ledger.tools.awaited() == ["tool.r1.1"]
    assert ledger.tools.told_by("r9", completed=True) == [], "its end was told already"
    assert told_by_another(ledger) == ["tool.r1.1"]


def test_the_end_of_somebody_else_tells_nothing() -> None:
    ledger = asked_ledger()
    ledger.tools.seen("out_c1")
    assert ledger.tools.told_by("r9", completed=True) == []
    ledger.tools.may_tell("r9")
    assert ledger.tools.told_by("r8", completed=True) == []
    assert ledger.tools.told_by("r9", completed=True) == ["tool.r1.1"]


def test_a_reply_whose_end_was_lost_has_told_nothing() -> None:
    ledger = asked_ledger()
    ledger.tools.seen("out_c1")
    ledger.tools.may_tell("r8")
    ledger.tools.may_tell("r9")
    assert ledger.tools.told_by("r8", completed=True) == []
    assert ledger.tools.awaited() == ["tool.r1.1"]


def test_a_reply_ends_with_its_connection() -> None:
    ledger = asked_ledger()
    ledger.tools.seen("out_c1")
    ledger.tools.may_tell("r9")
    ledger.tools.lose(1.0)
    ledger.tools.connected()
    assert ledger.tools.told_by("r9", completed=True) == []
    assert ledger.tools.awaited() == ["tool.r1.1"]


def test_a_reply_that_may_not_have_them_tells_nothing() -> None:
    ledger = asked_ledger()
    ledger.tools.seen("another item")
    ledger.tools.may_tell("r9")
    ledger.tools.seen("out_c1")  # it had begun by then
    assert ledger.tools.told_by("r9", completed=True) == []
    assert ledger.tools.awaited() == ["tool.r1.1"]


def test_words_that_were_given_are_said_whoever_else_speaks() -> None:
    ledger = asked_ledger(now_say("one moment"))
    ledger.tools.seen("out_c1")
    assert told_by_another(ledger) == []
    assert ledger.tools.awaited() == ["tool.r1.1"]


def test_without_a_follow_up_there_is_nothing_to_take_back() -> None:
    ledger = Ledger()
    ledger.called("c1")
    assert told_by_another(ledger) == []
    ledger.over()
    ledger.finish("c1")
    assert ledger.wanted_ids() == ["tool.r1.1"], "the round lives on"


def test_calls_that_still_run_earn_one_more_after_it() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.tools.seen("out_c1")
    assert told_by_another(ledger) == ["tool.r1.1"]
    ledger.finish("c2", now=9.0)
    assert ledger.wanted_ids() == ["tool.r1.2"]


def test_what_was_told_before_its_follow_up_was_asked_for_is_not_asked_for() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.seen("out_c1")
    assert told_by_another(ledger) == []
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == []
    assert ledger.tools.next_deadline() == 60.0


def test_a_follow_up_that_a_later_result_has_joined_is_still_needed() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.over()
    ledger.finish("c1", now=0.0)
    ledger.tools.tick(8.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.tools.seen("out_c1")
    ledger.tools.may_tell("r9")
    ledger.finish("c2", now=9.0)
    assert ledger.tools.told_by("r9", completed=True) == []
    assert ledger.tools.awaited() == ["tool.r1.1"]


@pytest.mark.parametrize("response_id", ["r1", "r2"])
def test_a_response_has_calls_until_they_are_told(response_id: str) -> None:
    ledger = Ledger()
    assert not ledger.tools.has_calls(response_id)
    ledger.tools.spoke("r1")
    assert not ledger.tools.has_calls(response_id), "a message is no call"
    ledger.called("c1")
    assert ledger.tools.has_calls(response_id) is (response_id == "r1")
    ledger.over()
    ledger.finish("c1", SILENT)
    assert not ledger.tools.has_calls(response_id)


def test_after_the_close_nobody_waits_for_a_call() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.finish("c1")
    for _ in range(2):
        ledger.tools.close()
        assert ledger.abandoned() == [("c2", "closed")]
        assert ledger.tools.is_idle
        assert ledger.tools.next_deadline() is None
    assert notes(ledger.finish("c2")) == ["a tool's answer that nobody waits for"]


def test_the_id_of_an_output_is_of_a_narrow_alphabet() -> None:
    ledger = Ledger()
    call_id = "call:1/2.3 né_x-y"
    ledger.called(call_id)
    ledger.finish(call_id)
    assert [entry.item for entry in ledger.mirror.entries()] == [
        FunctionCallOutputItem(id="out_call-1-2-3-n-_x-y", call_id=call_id, output="42")
    ]


def test_being_told_of_something_else_closes_nothing() -> None:
    ledger = asked_ledger()
    ledger.tools.told(RequestId("other"))
    assert ledger.tools.awaited() == ["tool.r1.1"]


# a lost connection


def renewed(ledger: Ledger) -> list[object]:
    return [event.item for event in sent(ledger.out) if isinstance(event, ConversationItemCreate)]


def test_a_result_after_a_reconnect_is_written_with_its_call_under_fresh_ids() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.tools.lose(1.0)
    ledger.tools.connected()
    assert [type(effect).__name__ for effect in ledger.finish("c1", now=2.0)] == ["Send", "Send"]
    ledger.finish("c2", FAILED, now=2.0)
    expected: list[FunctionCallItem | FunctionCallOutputItem] = [
        FunctionCallItem(id="fc_call_1_t1", call_id="call_1_t1", name="tool_c1", arguments='{"x": 1}'),
        FunctionCallOutputItem(id="out_call_1_t1", call_id="call_1_t1", output="42"),
        FunctionCallItem(id="fc_call_1_t2", call_id="call_1_t2", name="tool_c2", arguments='{"x": 1}'),
        FunctionCallOutputItem(id="out_call_1_t2", call_id="call_1_t2", output="no"),
    ]
    assert renewed(ledger) == expected
    assert [entry.item for entry in ledger.mirror.entries()] == expected
    assert [event.event_id for event in sent(ledger.out)] == [f"item.{each.id}" for each in expected]
    assert ledger.wanted_ids() == ["tool.r1.1"], "its response is over with its connection"


def test_a_result_without_a_connection_waits_in_the_mirror_for_the_rebuild() -> None:
    ledger = Ledger()
    ledger.called("c1")
    ledger.tools.lose(1.0)
    assert ledger.finish("c1", now=2.0) == []
    assert len(ledger.mirror) == 2
    assert [type(event.item).__name__ for event in ledger.mirror.rebuild(2)[0]] == [
        "FunctionCallItem",
        "FunctionCallOutputItem",
    ]
    assert ledger.wanted_ids() == ["tool.r1.1"]
    ledger.tools.connected()
    assert told_by_another(ledger) == ["tool.r1.1"], "the rebuild is before everything"


def test_a_lost_connection_is_the_end_of_its_responses() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.finish("c1", now=0.0)
    ledger.tools.lose(1.0)
    assert ledger.tools.next_deadline() == 9.0
    ledger.tools.tick(9.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]


def test_outputs_of_the_old_connection_are_not_waited_for() -> None:
    ledger = asked_ledger()
    ledger.tools.lose(1.0)
    ledger.tools.connected()
    assert told_by_another(ledger) == ["tool.r1.1"]


def test_a_response_that_only_spoke_is_forgotten_with_its_connection() -> None:
    ledger = Ledger()
    ledger.tools.spoke("r1")
    ledger.tools.lose(1.0)
    assert ledger.wanted() == []
    assert ledger.tools.next_deadline() is None


def test_ids_of_two_lost_connections_are_not_the_same() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2")
    ledger.tools.lose(1.0)
    ledger.tools.connected()
    ledger.finish("c1", now=2.0)
    ledger.tools.lose(3.0)
    ledger.tools.connected()
    ledger.finish("c2", now=4.0)
    assert [getattr(item, "call_id", "") for item in renewed(ledger)] == [
        "call_1_t1",
        "call_1_t1",
        "call_2_t2",
        "call_2_t2",
    ]


def test_a_call_of_the_new_connection_is_not_mixed_with_one_of_a_response_of_the_same_id() -> None:
    """A server may count its responses per connection."""
    ledger = Ledger()
    ledger.called("c1")
    ledger.tools.lose(1.0)
    ledger.tools.connected()
    ledger.called("c2", now=2.0)
    assert ledger.out[-1] == RunTool("c2", "tool_c2", '{"x": 1}', "r1")
    ledger.finish("c1", now=3.0)
    ledger.over(now=3.0)
    ledger.finish("c2", now=3.0)
    assert ledger.wanted_ids() == ["tool.r1.1", "tool.r1~2.1"]


def test_responses_without_an_id_are_not_mixed() -> None:
    ledger = Ledger()
    for call_id in ("c1", "c2"):
        ledger.called(call_id, response_id="")
        ledger.over("")
        ledger.finish(call_id)
    assert [effect.call_id for effect in ledger.out if isinstance(effect, RunTool)] == ["c1", "c2"]
    assert ledger.wanted_ids() == ["tool.~1.1", "tool.~2.1"]


def test_a_response_is_wanted_unless_said_otherwise() -> None:
    ledger = Ledger()
    ledger.called("c1")
    ledger.finish("c1")
    ledger.tools.response_over("r1", 0.0)
    assert ledger.wanted_ids() == ["tool.r1.1"]


def test_each_follow_up_of_a_response_has_its_own_id() -> None:
    ledger = Ledger()
    ledger.called("c1", "c2", "c3")
    ledger.over()
    ids = []
    for number, call_id in enumerate(("c1", "c2", "c3")):
        ledger.finish(call_id, now_say(call_id), now=10.0 * number)
        ledger.tools.tick(10.0 * number + 8.0)
        ids += ledger.wanted_ids()
    assert ids == ["tool.r1.1", "tool.r1.2", "tool.r1.3"]


def test_of_several_follow_ups_those_are_taken_back_whose_outputs_were_before_it() -> None:
    ledger = Ledger()
    for number in (1, 2):
        ledger.called(f"c{number}", response_id=f"r{number}")
        ledger.over(f"r{number}")
        ledger.finish(f"c{number}")
    assert ledger.wanted_ids() == ["tool.r1.1", "tool.r2.1"]
    ledger.tools.seen("out_c2")
    assert told_by_another(ledger) == ["tool.r2.1"]
    assert ledger.tools.awaited() == ["tool.r1.1"]


def test_a_reply_is_owed_until_somebody_begins_to_speak_about_the_call() -> None:
    ledger = Ledger()
    assert not ledger.tools.owes_reply("a"), "nobody called"
    ledger.called("a", "b")
    ledger.finish("a")
    assert ledger.tools.owes_reply("a"), "its response runs on"
    ledger.over()
    assert ledger.tools.owes_reply("a"), "b is not answered yet"
    ledger.finish("b")
    (request_id,) = ledger.wanted_ids()
    assert ledger.tools.owes_reply("a"), "it was asked for; it may still be refused"
    ledger.tools.told(RequestId(request_id))
    assert not ledger.tools.owes_reply("a")
    assert not ledger.tools.owes_reply("b")


def test_a_silent_answer_owes_nothing_once_all_is_over() -> None:
    ledger = Ledger()
    ledger.called("a")
    ledger.finish("a", SILENT)
    assert ledger.tools.owes_reply("a")
    ledger.over()
    assert not ledger.tools.owes_reply("a")
