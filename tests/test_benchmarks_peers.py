"""The comparison counts rightly, on journals that were made up. What clients do is not asserted: it is theirs."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.peers.counting import Figures, count
from benchmarks.peers.house import Answering, Reading
from benchmarks.peers.journal import Journal, Spoken
from benchmarks.peers.marks import Asked, generation_s, ideal_s, mark, marks_in, read_tones, tone
from benchmarks.peers.referee import Run, Said, allowed_s
from benchmarks.peers.report import overview, page_with, tables, verdict
from charye.protocol import (
    ErrorDetail,
    ErrorEvent,
    FunctionCallItem,
    FunctionCallOutputItem,
    FunctionTool,
    InputText,
    Item,
    MessageItem,
    OutputAudio,
    Response,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioTranscriptDelta,
)
from charye.server.effects import Send
from charye.server.faulting.line import Heard
from charye.server.parts import Call, Context, Text
from charye.testing import run_virtually


def asked(*marks: str, every_s: float = 0.0) -> list[Asked]:
    return [Asked(one, 10.0 + every_s * at) for at, one in enumerate(marks)]


def said(begin: float, end: float | None, *marks: str, status: str = "completed") -> Spoken:
    return Spoken(10.0 + begin, None if end is None else 10.0 + end, status if end is not None else "", marks)


def test_everything_once_and_in_order() -> None:
    found = count(asked("u000", "u001"), [said(0, 1, "u000"), said(1.004, 2, "u001")])
    assert (found.asked, found.lost, found.doubled, found.joined, found.disordered) == (2, 0, 0, 0, 0)
    assert found.gap_ms == pytest.approx(4.0)
    assert found.times_ideal == pytest.approx(2 / (generation_s("u000") + generation_s("u001")))
    assert verdict(found) == "all"


def test_lost_and_told() -> None:
    found = count(asked("u000", "u001", "u002"), [said(0, 1, "u001")], told={"u000", "u001"}, refusals=2)
    assert (found.lost, found.told, found.refusals) == (2, 1, 2)
    assert found.times_ideal is None
    assert found.gap_ms is None
    assert verdict(found) == "2 lost"


def test_what_a_broken_line_began_is_lost_unless_it_is_said_again() -> None:
    begun = said(0, None, "u000")
    assert count(asked("u000"), [begun]).lost == 1
    again = count(asked("u000"), [begun, said(1, 2, "u000")])
    assert (again.lost, again.doubled, again.cut) == (0, 0, 0)


def test_twice_is_every_completed_answer_beyond_the_first() -> None:
    found = count(asked("u000"), [said(0, 1, "u000"), said(1, 2, "u000"), said(2, 3, "u000")])
    assert found.doubled == 2
    cut_and_resumed = [said(0, 1, "u000", status="cancelled"), said(1, 2, "u000")]
    assert count(asked("u000"), cut_and_resumed).doubled == 0


def test_cut_off_by_the_user_is_neither_said_nor_lost() -> None:
    found = count(asked("u000"), [said(0, 1, "u000", status="cancelled")])
    assert (found.cut, found.lost, found.times_ideal) == (1, 0, None)
    assert verdict(found) == "all (1 cut)"


def test_an_answer_on_some_of_the_results() -> None:
    partly = count(asked("c000"), [said(0, 1), said(1, 2, "c000?")])
    assert (partly.partial, partly.lost, partly.doubled) == (1, 0, 0)
    mended = count(asked("c000"), [said(0, 1), said(1, 2, "c000?"), said(2, 3, "c000")])
    assert (mended.partial, mended.lost, mended.doubled) == (0, 0, 1)


def test_joined_and_out_of_order() -> None:
    found = count(asked("u000", "u001", "u002"), [said(0, 1, "u002"), said(1, 2, "u000", "u001")])
    assert (found.joined, found.disordered) == (2, 1)
    found = count(
        asked("u000", "u001", "u002", every_s=0.1),
        [said(0, 1, "u001"), said(1, 2, "u000"), said(2, 3, "u002")],
    )
    assert found.disordered == 1


def test_a_gap_counts_only_while_something_waits() -> None:
    late = [Asked("u000", 10.0), Asked("u001", 14.0)]
    found = count(late, [said(0, 1, "u000"), said(4, 5, "u001")])
    assert found.gap_ms is None
    lost_in_between = [Asked("u000", 10.0), Asked("u009", 10.0), Asked("u001", 14.0)]
    assert count(lost_in_between, [said(0, 1, "u000"), said(4, 5, "u001")]).gap_ms is None


def test_the_ideal_waits_for_what_is_not_asked_yet() -> None:
    first, second = generation_s("u000"), generation_s("u001")
    assert ideal_s(asked("u000", "u001")) == pytest.approx(first + second)
    assert ideal_s(asked("u000", "u001", every_s=5.0)) == pytest.approx(5.0 + second)
    assert ideal_s(asked("c000")) == pytest.approx(2 * generation_s("c000"))
    assert ideal_s([]) == 0


@pytest.mark.parametrize("kind", ["t", "p"])
def test_a_tone_is_read_again(kind: str) -> None:
    marks = [mark(kind, number) for number in range(20)]
    assert [read_tones(tone(one, 100, quiet_ms=40)) for one in marks] == [[one] for one in marks]
    assert read_tones(b"".join(tone(one, 100, quiet_ms=40) for one in marks)) == marks
    assert read_tones(bytes(4800)) == []


def test_the_ears_write_down_what_they_read() -> None:
    async def heard() -> list[object]:
        return [found async for found in Reading().recognize(tone("t003", 400), None)]

    (found,) = asyncio.run(heard())
    assert getattr(found, "transcript", None) == "t003"


# --- the mind --------------------------------------------------------------------------------------------------------


def wrote(*texts: str) -> list[Item]:
    return [MessageItem(role="user", content=(InputText(text),)) for text in texts]


def answered(text: str) -> MessageItem:
    return MessageItem(role="assistant", content=(OutputAudio(transcript=text),))


def thinks(*items: Item, instructions: str = "Be kind.", tools: int = 0) -> list[str]:
    """What it says, and the names of what it calls."""
    context = Context(
        response_id="resp_1",
        conversation_id="conv_1",
        model="m",
        instructions=instructions,
        items=items,
        tools=tuple(FunctionTool(name=f"look_{number}") for number in range(tools)),
    )
    found: list[str] = []

    async def story() -> None:
        async for output in Answering().answer(context):
            if isinstance(output, Text):
                found.extend(marks_in(output.delta) or [output.delta])
            elif isinstance(output, Call):
                found.append(output.name)

    run_virtually(story())
    return found


def test_the_mind_says_what_its_instructions_ask_for() -> None:
    assert thinks(*wrote("u001"), instructions="Be kind.\nSay exactly: u007") == ["u007"]


def test_the_mind_answers_everything_unanswered_and_else_the_last_once_more() -> None:
    assert thinks(*wrote("u000"), answered("u000. "), *wrote("u001", "u002")) == ["u001", "u002"]
    assert thinks(*wrote("u000"), answered("u000. ")) == ["u000"]
    assert thinks(*wrote("p000", "p001")) == ["p001", "p000"]
    assert thinks(*wrote("t000", "t001", "u000")) == ["t001", "u000"], "who speaks again is answered on that"
    assert thinks() == ["Hello."]


def test_the_mind_calls_then_answers_on_the_results_it_has() -> None:
    calls = [FunctionCallItem(name="look_0", arguments='{"mark": "c000"}', call_id="call_0")]
    result = FunctionCallOutputItem(call_id="call_0", output="c000 is fine")
    assert thinks(*wrote("c000"), tools=2) == ["look_0", "look_1"]
    assert thinks(*wrote("c000"), *calls, result, tools=2) == ["c000?"]
    assert thinks(*wrote("c000"), *calls, result, result, tools=2) == ["c000"]
    assert thinks(*wrote("c000"), *calls, result, answered("c000?. "), result, tools=2) == ["c000"]


# --- the journal -----------------------------------------------------------------------------------------------------


def test_the_journal_is_what_the_server_decided() -> None:
    journal = Journal()
    for conversation_id in ("conv_1", None):
        response = Response(
            id=f"resp_{conversation_id}", conversation_id=conversation_id, status="in_progress"
        )
        words = ResponseOutputAudioTranscriptDelta(
            event_id="e", response_id=f"resp_{conversation_id}", item_id="i", output_index=0, delta="u000. "
        )
        done = Response(id=response.id, conversation_id=conversation_id, status="completed")
        journal.observe(Send(ResponseCreated(event_id="e", response=response)))
        journal.observe(Send(words))
        journal.observe(Send(ResponseDone(event_id="e", response=done)))
    for code in ("conversation_already_has_active_response", "invalid_value"):
        error = ErrorDetail(type="invalid_request_error", code=code, message="")
        journal.observe(Send(ErrorEvent(event_id="e", error=error)))
    (spoken,) = journal.responses.values()
    assert (spoken.status, spoken.marks) == ("completed", ("u000",)), (
        "out-of-band responses are nobody's turn"
    )
    assert spoken.done_at is not None
    assert (journal.refusals, journal.errors) == (1, ["invalid_value"])


def test_the_microphone_is_no_news_on_the_wire() -> None:
    journal = Journal()
    write = journal.tap(1)
    write(Heard(0.0, ">", b'{"type": "input_audio_buffer.append", "audio": ""}'))
    assert journal.moved_at == 0.0
    write(Heard(0.0, ">", b'{"type": "response.create"}'))
    assert journal.moved_at > 0.0
    write(Heard(0.0, "!", b"fault lost_done resp_1"))
    assert journal.strikes == ["lost_done"]


# --- the run ---------------------------------------------------------------------------------------------------------


def test_what_a_client_prints_is_not_taken_for_the_script() -> None:
    said = Said()
    for line in (
        "a warning\n",
        '@peers {"asked": "u000", "at": 10.0}\n',
        '@peers {"told": "u000", "why": "NotSaid"}\n',
    ):
        said.hear(line)
    assert (said.asked, said.told, said.noise) == ([Asked("u000", 10.0)], {"u000"}, ["a warning\n"])
    assert (said.gone, said.over) == (False, False)
    said.hear('@peers {"gone": true}\n')
    said.hear('@peers {"over": true}\n')
    assert (said.gone, said.over) == (True, True)


def test_the_bound_grows_with_what_is_asked_for() -> None:
    assert allowed_s(asked("u000")) == pytest.approx(10 + 5 * generation_s("u000"))


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_table() -> None:
    bad = Figures(asked=50, lost=49, told=2, refusals=49, hung=True)
    runs = {("openai-naive", "W1"): Run(bad, (), (), 1, 9.0)}
    first, _, row = overview(runs, ["openai-naive"], ["W1", "W2"]).splitlines()
    assert first.split("|")[2].strip() == "W1"
    assert [cell.strip() for cell in row.split("|")] == [
        "",
        "openai, create at once",
        "49 lost, hangs",
        "",
        "",
    ]
    text = tables(runs, ["openai-naive"], ["W1"])
    assert "### W1: fifty utterances at once" in text
    assert "| 50    | 49   | 2    |" in text


def test_the_page_keeps_what_is_written_by_hand() -> None:
    page = (
        "# Title\n\n<!-- figures: written by `python -m benchmarks.peers --write` -->\nold\n"
        "<!-- end of figures -->\n\nBy hand.\n"
    )
    written = page_with(page, "new")
    assert "old" not in written
    assert "\nnew\n" in written
    assert written.endswith("By hand.\n")
    assert page_with(written, "new") == written
    with pytest.raises(ValueError, match="no place"):
        page_with("# Title", "new")
