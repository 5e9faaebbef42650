"""What the session is to be on the server, over changes, holds and new lines."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from charye.errors import ServerError
from charye.protocol import (
    COMPATIBLE,
    OPENAI,
    AudioConfig,
    AudioFormat,
    AudioInputConfig,
    AudioOutputConfig,
    ErrorDetail,
    ErrorEvent,
    Session,
    SessionConfig,
    TurnDetection,
)
from charye.session.configuration import Configuration, merged


def detecting(detection: TurnDetection | None) -> SessionConfig:
    return SessionConfig(audio=AudioConfig(input=AudioInputConfig(turn_detection=detection)))


def on_a_loop(story: Callable[[], None]) -> None:
    async def main() -> None:
        story()

    asyncio.run(main())


def test_a_change_leaves_what_it_does_not_name() -> None:
    old = SessionConfig(
        instructions="be kind",
        audio=AudioConfig(
            input=AudioInputConfig(turn_detection=None), output=AudioOutputConfig(voice="marin", speed=1.2)
        ),
    )
    new = SessionConfig(audio=AudioConfig(output=AudioOutputConfig(speed=0.8)))
    both = merged(old, new)
    assert both.instructions == "be kind"
    assert both.turn_detection is None
    assert isinstance(both.audio, AudioConfig)
    assert both.audio.output == AudioOutputConfig(voice="marin", speed=0.8)


def test_nothing_to_tell_is_not_told() -> None:
    on_a_loop(lambda: _is_none(Configuration(SessionConfig()).whole()))


def _is_none(value: object) -> None:
    assert value is None


def test_a_later_line_is_told_what_was_changed_since() -> None:
    def story() -> None:
        configuration = Configuration(SessionConfig(instructions="first"))
        configuration.change(SessionConfig(instructions="second"))
        change = configuration.whole()
        assert change is not None
        assert change.event.session.instructions == "second"

    on_a_loop(story)


def test_each_update_has_its_own_answer() -> None:
    def story() -> None:
        configuration = Configuration(SessionConfig())
        first = configuration.change(SessionConfig(instructions="a"))
        second = configuration.change(SessionConfig(instructions="b"))
        third = configuration.change(SessionConfig(instructions="c"))
        refused = ErrorEvent(
            event_id="e", error=ErrorDetail(type="t", code="bad", event_id=second.event.event_id)
        )
        assert configuration.refused(refused)
        assert not configuration.refused(refused), "an error is answered for once"
        configuration.updated(Session(instructions="a"), is_answer=True)
        assert first.answer.done()
        assert not third.answer.done()
        error = second.answer.exception()
        assert isinstance(error, ServerError)
        assert error.code == "bad"
        configuration.line_lost()
        assert third.answer.done(), "nobody will answer it any more"

    on_a_loop(story)


@pytest.mark.parametrize(
    ("wish", "usual"),
    [
        (SessionConfig(), TurnDetection(type="server_vad", silence_duration_ms=200)),  # the server's default
        (
            detecting(TurnDetection(type="semantic_vad", eagerness="low")),
            TurnDetection(type="semantic_vad", eagerness="low"),
        ),
    ],
)
def test_a_hold_silences_the_server_and_gives_back_what_was(
    wish: SessionConfig, usual: TurnDetection
) -> None:
    def story() -> None:
        configuration = Configuration(wish)
        configuration.updated(Session(audio=detecting(usual).audio), is_answer=False)
        held = configuration.hold(is_held=True)
        assert held is not None
        silent = replace(usual, create_response=False, interrupt_response=False)
        assert held.event.session.turn_detection == silent
        configuration.updated(Session(audio=held.event.session.audio), is_answer=True)
        again = configuration.whole()
        assert again is not None, "a new line in the middle of a hold is silenced too"
        assert again.event.session.turn_detection == silent
        after = configuration.hold(is_held=False)
        assert after is not None
        detection = after.event.session.turn_detection
        assert detection == usual

    on_a_loop(story)


def test_push_to_talk_needs_no_silencing() -> None:
    on_a_loop(lambda: _is_none(Configuration(detecting(None)).hold(is_held=True)))


@pytest.mark.parametrize(
    ("dialect", "wish", "asks"),
    [
        (OPENAI, SessionConfig(), False),
        (COMPATIBLE, SessionConfig(), True),
        (COMPATIBLE, detecting(TurnDetection(type="semantic_vad")), True),
        (COMPATIBLE, detecting(None), False),
    ],
)
def test_a_server_that_does_not_say_whose_a_response_is_may_not_begin_one(
    dialect: object, wish: SessionConfig, asks: bool
) -> None:
    def story() -> None:
        configuration = Configuration(wish)
        assert configuration.adapt(dialect) is asks  # type: ignore[arg-type]
        change = configuration.whole()
        if asks:
            assert change is not None
            detection = change.event.session.turn_detection
            assert isinstance(detection, TurnDetection)
            assert detection.create_response is False

    on_a_loop(story)


def test_the_format_of_the_users_voice_is_what_the_server_says() -> None:
    def story() -> None:
        configuration = Configuration(SessionConfig())
        assert configuration.input_format.bytes_per_ms == 48
        g711 = AudioConfig(input=AudioInputConfig(format=AudioFormat(type="audio/pcmu")))
        configuration.updated(Session(audio=g711), is_answer=False)
        assert configuration.input_format.bytes_per_ms == 8
        assert configuration.effective.turn_detection is UNSET

    on_a_loop(story)
