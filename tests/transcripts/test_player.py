"""A player that never fails proves nothing: here it is shown what it must object to."""

from __future__ import annotations

import pytest

from tests.transcripts.notation import NotReadable, parse
from tests.transcripts.player import DoesNotFit, play

GREETING = """
    @ request greeting
    > response.create greeting
    < response.created r1 greeting
    = held r1 greeting
    < response.output_audio.delta r1 item1 500ms
    ! play r1 item1 500ms
    < response.done r1 completed
    = greeting generated
    ~ 500ms
    = greeting heard attempts=1
"""


def complaint(text: str) -> str:
    """What it objects to, and the line that it points at."""
    with pytest.raises(DoesNotFit) as found:
        play(text)
    report = str(found.value)
    pointed = [line.removeprefix("-->").strip() for line in report.splitlines() if line.startswith("-->")]
    assert len(pointed) == 1
    return f"{report.splitlines()[0]} @@ {pointed[0]}"


def changed(old: str, new: str) -> str:
    assert old in GREETING
    return GREETING.replace(old, new)


def test_what_fits_is_played_to_its_end() -> None:
    play(GREETING)


@pytest.mark.parametrize(
    ("old", "new", "objection"),
    [
        (
            "    > response.create greeting\n",
            "",
            "sent, but not written: > response.create greeting @@ < response.created",
        ),
        ("    = held r1 greeting\n", "    > response.cancel r1\n", "not sent @@ > response.cancel r1"),
        (
            "> response.create greeting",
            "> response.create other",
            "another was sent: > response.create greeting",
        ),
        ("> response.create greeting", "> response.create", "another was sent: > response.create greeting"),
        ("> response.create greeting", "> response.create greeting tools=[]", "sent, but with tools=absent"),
        ("= held r1 greeting", "= claimed greeting", "the floor is held"),
        ("= held r1 greeting", "= held r2", "the floor has nothing of r2"),
        ("= held r1 greeting", "= held r1 vad", "the floor has nothing of vad"),
        ("= held r1 greeting", "= speaker user", "it is: ours"),
        ("= held r1 greeting", "= turn speaking", "it is: quiet"),
        ("= held r1 greeting", "= hold closing", "it is: nobody"),
        ("= held r1 greeting", "= waiting greeting", "greeting does not wait"),
        ("= held r1 greeting", "= items item1", "it is: "),
        ("! play r1 item1 500ms", "! play r1 item1 400ms", "not there @@ ! play r1 item1 400ms"),
        ("! play r1 item1 500ms", "! no play", "it is there: ! play r1 item1 500ms"),
        ("= greeting generated", "= greeting heard", "greeting is generated"),
        ("attempts=1", "attempts=2", "greeting has attempts=1"),
        ("attempts=1", "uncertain=yes", "greeting has uncertain=False"),
        ("~ 500ms", "~ 490ms", "greeting is generated @@ = greeting heard attempts=1"),
        ("~ 500ms\n    = greeting heard attempts=1", "", "not ended: greeting @@ = greeting generated"),
        ("@ request greeting", "@ release", "the peer raised LocalProtocolError"),
    ],
)
def test_what_does_not_fit_is_shown(old: str, new: str, objection: str) -> None:
    assert complaint(changed(old, new)).startswith(objection)


def test_what_was_really_there_is_shown() -> None:
    with pytest.raises(DoesNotFit) as found:
        play(changed("= held r1 greeting", "= open"))
    assert str(found.value).partition("really:\n")[2].split("\n") == [
        "    = greeting speaking",
        "    = held r1 greeting",
        "    = turn quiet",
        "    = greeting speaking",
        "    at 0 s",
    ]


def test_an_effect_is_counted_once() -> None:
    twice = changed("! play r1 item1 500ms", "! play r1 item1\n    ! play r1 item1")
    assert complaint(twice) == "not there @@ ! play r1 item1"


def test_an_open_end_allows_what_is_not_ended() -> None:
    play("@ request greeting\n> response.create greeting\n...")


def test_heard_is_compared_to_the_millisecond() -> None:
    play(BARGE_IN.format("300ms"))
    assert "was heard for 300ms" in complaint(BARGE_IN.format("310ms"))


BARGE_IN = """
    @ request greeting
    > response.create greeting
    < response.created r1 greeting
    < response.output_audio.delta r1 item1 500ms
    < response.done r1 completed
    ~ 300ms
    < speech_started
    > conversation.item.truncate item1 300ms
    = greeting interrupted {}
"""


def test_time_stops_at_every_deadline_on_the_way() -> None:
    play("""
        @ request greeting expires_after_s=30s
        > response.create greeting
        ~ 16s
        > conversation.item.retrieve probe_1      # at 10 s
        > conversation.item.retrieve probe_2      # at 15 s
        ~ 4s
        ! reconnect
        = offline
        ...
    """)


def test_settings_reach_the_peer() -> None:
    play("""
        settings: patience.answer_s=3 max_waiting=1 when_full=drop_oldest
        @ request a
        > response.create a
        ~ 3s
        > conversation.item.retrieve probe_1
        @ request b priority=idle
        @ request c
        = b denied reason="dropped for a newer one" attempts=0
        ...
    """)


def test_without_a_connection_nothing_is_sent() -> None:
    play("""
        start: offline
        @ request greeting
        = waiting greeting "no connection"
        @ connect
        > response.create greeting
        ...
    """)


def test_fields_of_server_events_are_set_by_path_and_taken_out() -> None:
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 greeting metadata=null        # of the response
        = contested r1 vad
        < response.created r2 greeting response.id=absent event_id=7
        = held
        ...
    """)


@pytest.mark.parametrize(
    "text",
    ["response.create greeting", "@request", "settings: patience.no_such=1", "start: late", "...\n@ press"],
)
def test_what_is_no_transcript_is_refused(text: str) -> None:
    with pytest.raises(NotReadable):
        play(text)


@pytest.mark.parametrize(
    "line",
    [
        "@ dance",
        "@ request",
        "@ request a priority=highest",
        "@ request a no_such=1",
        "@ tool_finished call_1 {} no_such=1",
        "< response.invented r1",
        "< response.created r1",
        "< response.created r1 nobody",
        "< session.updated loud_vad",
        "<",
        "= nobody heard",
        "~ soon",
    ],
)
def test_a_line_that_nobody_understands_is_no_pass(line: str) -> None:
    assert complaint(line).endswith(line)


def test_the_words_of_a_line() -> None:
    (line,) = parse(
        '@ tool_finished call_1 {"a b": [1, 2]} say="two words" failed=no left=absent # why'
    ).lines
    assert line.words == ("tool_finished", "call_1", '{"a b": [1, 2]}')
    assert line.fields["say"] == "two words"
    assert line.fields["failed"] is False
