"""What a program can say to a session, and what becomes of it."""

import asyncio
import struct
from collections.abc import Callable

import pytest

import charye
from charye.core.peer import Speaker
from charye.core.requests import OutcomeKind, Priority, Step
from charye.embedded import Embedded
from charye.errors import Cancelled, Denied, Interrupted, LocalProtocolError, ServerError
from charye.protocol import AudioConfig, AudioInputConfig, SessionConfig, SessionUpdated, TurnDetection
from charye.server.minds import Script, Scripted
from charye.server.parts import Mind
from charye.session.events import (
    Audio,
    FloorChanged,
    LineLost,
    LineUp,
    RequestChanged,
    UtteranceChanged,
)
from charye.session.settings import SessionSettings
from charye.testing import run_virtually
from tests.session.talking import talk


def test_what_is_said_at_once_is_heard_one_after_the_other() -> None:
    async def story() -> None:
        async with talk() as t:
            loop = asyncio.get_running_loop()
            handles = [t.session.say(f"sentence number {n}") for n in range(20)]
            heard_at = []
            for handle in handles:
                assert (await handle).kind is OutcomeKind.HEARD
                heard_at.append(loop.time())
            assert heard_at == sorted(set(heard_at)), "each at its own end"
            assert [u.text for u in t.session.transcript] == [f"sentence number {n}" for n in range(20)]
        assert len(t.said("response.create")) == 20
        assert not t.said("error", by="<")

    run_virtually(story())


def test_the_steps_of_a_request_come_in_order() -> None:
    async def story() -> None:
        async with talk() as t:
            first, second = t.session.say("one two three"), t.session.say("four five six")
            assert second.step is Step.QUEUED
            await first.sent()
            await first.speaking()
            assert first.response_id is not None
            await first.generated()
            assert first.outcome is None, "generated is not heard"
            await first.heard()
            assert (await first).kind is OutcomeKind.HEARD
            await first.sent()  # a step that was reached stays reached
            await second.heard()

    run_virtually(story())


def test_a_request_that_is_taken_back_ends_as_cancelled() -> None:
    async def story() -> None:
        async with talk() as t:
            first, second = t.session.say("a long sentence to listen to"), t.session.say("never")
            await first.speaking()
            second.cancel()
            with pytest.raises(Cancelled):
                await second.heard()
            with pytest.raises(Cancelled):
                await second.sent()
            await first.heard()
            second.cancel()  # after the end it does nothing
        assert len(t.said("response.create")) == 1

    run_virtually(story())


def test_waiting_for_a_handle_can_be_cancelled_and_the_request_goes_on() -> None:
    async def story() -> None:
        async with talk() as t:
            handle = t.session.say("hello there")
            waiting = asyncio.create_task(handle.heard())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await handle).kind is OutcomeKind.HEARD

    run_virtually(story())


def test_an_interruption_ends_it_with_what_was_heard() -> None:
    async def story() -> None:
        async with talk() as t:
            handle = t.session.say("a rather long sentence that somebody does not want to hear to its end")
            await handle.generated()
            await asyncio.sleep(1)
            t.session.interrupt()
            with pytest.raises(Interrupted) as caught:
                await handle.heard()
            assert caught.value.heard_ms == pytest.approx(1000, abs=100)
            await t.session.say("after it").heard()
            said = t.session.transcript[0]
            assert said.heard_ms is not None
            assert said.is_final

    run_virtually(story())


def test_leaving_waits_until_everything_was_heard() -> None:
    async def story() -> None:
        async with talk() as t:
            handle = t.session.say("안녕히 가세요!")
        assert handle.outcome is not None
        assert handle.outcome.kind is OutcomeKind.HEARD

    run_virtually(story())


def test_leaving_by_an_error_does_not_wait() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        with pytest.raises(KeyError):  # noqa: PT012  (the block is what is left)
            async with talk() as t:
                handle = t.session.say("a sentence of some length")
                await handle.speaking()
                raise KeyError
        assert handle.outcome is not None
        assert handle.outcome.kind is not OutcomeKind.HEARD
        assert loop.time() - before < 1

    run_virtually(story())


def test_who_is_cancelled_while_the_session_drains_leaves_nothing_behind() -> None:
    async def program() -> None:
        async with talk() as t:
            for n in range(20):
                t.session.say(f"a sentence of some length, number {n}")

    async def story() -> None:
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(program())
        await asyncio.sleep(3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert loop.time() < 5
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtually(story())


def test_after_the_end_nothing_can_be_asked_for() -> None:
    async def story() -> None:
        async with talk() as t:
            pass
        with pytest.raises(LocalProtocolError):
            t.session.say("too late")
        await t.session.close()
        assert t.session.transcript == ()
        with pytest.raises(LocalProtocolError):
            await t.session.__aenter__()

    run_virtually(story())


def test_before_the_begin_nothing_can_be_asked_for() -> None:
    session = charye.connect(charye.Embedded())
    with pytest.raises(LocalProtocolError):
        session.say("too early")
    with pytest.raises(LocalProtocolError):
        session.events()


def test_nothing_to_say_is_an_error_of_the_caller() -> None:
    async def story() -> None:
        async with talk() as t:
            with pytest.raises(ValueError, match="nothing to say"):
                t.session.say("  ")

    run_virtually(story())


WEATHER = b"""
    [[answer]]
    when = "weather"
    [[answer.call]]
    name = "get_weather"
    arguments = { city = "Seoul" }
    [[answer]]
    say = "It is clear."
"""


def scripted(text: bytes) -> Callable[[], Mind]:
    return lambda: Scripted(Script.parse(text))


def test_a_tool_is_called_and_spoken_about() -> None:
    async def story() -> None:
        asked = []
        async with talk(mind=scripted(WEATHER)) as t:

            @t.session.tool
            def get_weather(city: str) -> dict[str, str]:
                """The weather of a city."""
                asked.append(city)
                return {"sky": "clear"}

            reply = t.session.send_text("How is the weather?")
            assert reply is not None
            await reply
        assert asked == ["Seoul"]
        assert t.session.transcript[-1].text == "It is clear."
        assert [e["item"]["type"] for e in t.said("conversation.item.create")] == [
            "message",
            "function_call_output",
        ]

    run_virtually(story())


def test_a_tool_may_say_what_is_said_now_and_work_on_behind() -> None:
    async def story() -> None:
        done = []

        async def assess(session: charye.Session) -> None:
            async with session.hold_floor("closing"):
                await asyncio.sleep(3)
                done.append("assessed")
                await session.say("You did well.").heard()
                await session.say("Goodbye!").heard()
            await session.close()

        async with talk(mind=scripted(WEATHER)) as t:

            @t.session.tool
            async def get_weather(city: str) -> charye.Reply:
                """The weather of a city."""
                t.session.background(assess(t.session))
                return charye.Reply.say_now("One moment, please.")

            t.session.send_text("weather")
            await t.session.wait_closed()
        assert done == ["assessed"]
        assert [u.text for u in t.session.transcript] == [
            "weather",
            "One moment, please.",
            "You did well.",
            "Goodbye!",
        ]
        assert all(u.heard_ms is None for u in t.session.transcript)

    run_virtually(story())


def test_a_tool_may_not_wait_for_the_end_of_its_session() -> None:
    async def story() -> None:
        async with talk(mind=scripted(WEATHER)) as t:
            caught: list[BaseException] = []

            @t.session.tool
            async def get_weather(city: str) -> str:
                """The weather of a city."""
                try:
                    await t.session.close()
                except LocalProtocolError as error:
                    caught.append(error)
                return "clear"

            t.session.send_text("weather")
        assert len(caught) == 1

    run_virtually(story())


def test_while_the_floor_is_held_only_the_holder_speaks() -> None:
    async def story() -> None:
        async with talk() as t:
            held = asyncio.Event()

            async def outsider() -> None:
                await held.wait()
                await t.session.say("from outside", priority=Priority.SCRIPT).heard()

            job = t.session.background(outsider())
            async with t.session.hold_floor("closing"):
                held.set()
                await asyncio.sleep(0)
                await t.session.say("first").heard()
                await t.session.say("second").heard()
                assert not job.is_done
            await job
            assert [u.text for u in t.session.transcript] == ["first", "second", "from outside"]

    run_virtually(story())


def test_a_hold_keeps_the_server_from_replying_and_gives_it_back() -> None:
    async def story() -> None:
        async with talk(turns="server_vad") as t:
            async with t.session.hold_floor():
                await t.session.say("nobody interrupts this").heard()
            await t.session.say("and after").heard()
        detections = [e["session"]["audio"]["input"]["turn_detection"] for e in t.said("session.update")]
        assert [d.get("create_response", True) for d in detections] == [True, False, True]
        assert [d.get("interrupt_response", True) for d in detections] == [True, False, True]

    run_virtually(story())


def test_a_second_hold_waits_and_one_inside_another_is_an_error() -> None:
    async def story() -> None:
        async with talk() as t:
            order = []

            async def hold(name: str) -> None:
                async with t.session.hold_floor(name):
                    order.append(name)
                    await t.session.say(name).heard()

            await asyncio.gather(hold("one"), hold("two"))
            assert order == ["one", "two"]
            async with t.session.hold_floor("outer"):
                with pytest.raises(LocalProtocolError):
                    async with t.session.hold_floor("inner"):
                        pass

    run_virtually(story())


def test_a_task_begun_in_a_hold_goes_on_after_it() -> None:
    async def story() -> None:
        async with talk() as t:
            over = asyncio.Event()

            async def later() -> None:
                await over.wait()
                await t.session.say("after the hold").heard()

            async with t.session.hold_floor():
                job = t.session.background(later())
            over.set()
            await job

    run_virtually(story())


def test_push_to_talk_is_answered_once_for_quick_presses() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            replies = []
            for _ in range(5):
                async with t.session.push_to_talk() as mic:
                    await mic.send(bytes(4800 * 2))
                replies.append(mic.reply)
            for reply in replies:
                assert (await reply).kind is OutcomeKind.HEARD
        assert len(t.said("input_audio_buffer.commit")) == 5
        assert len(t.said("response.create")) < 5
        assert not t.said("error", by="<")

    run_virtually(story())


def test_a_press_that_is_too_short_is_denied_with_the_reason() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            async with t.session.push_to_talk() as mic:
                await mic.send(bytes(480))
            with pytest.raises(Denied) as caught:
                await mic.reply.heard()
            assert "short" in caught.value.reason

    run_virtually(story())


def test_a_press_that_fails_is_taken_back() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            with pytest.raises(KeyError):  # noqa: PT012
                async with t.session.push_to_talk() as mic:
                    await mic.send(bytes(48000))
                    raise KeyError
            async with t.session.push_to_talk() as mic:
                await mic.send(bytes(48000))
            await mic.reply.heard()
        assert len(t.said("input_audio_buffer.commit")) == 1

    run_virtually(story())


def test_push_to_talk_needs_the_hand_to_decide() -> None:
    async def story() -> None:
        async with talk(turns="server_vad") as t:
            with pytest.raises(LocalProtocolError):
                async with t.session.push_to_talk():
                    pass

    run_virtually(story())


def test_who_listens_gets_what_was_asked_for_in_order() -> None:
    async def story() -> None:
        async with talk() as t:
            events = t.session.events(Audio, FloorChanged, RequestChanged, UtteranceChanged)
            handle = t.session.say("hello")
            await handle.heard()
        kinds = [type(event) async for event in events]
        assert kinds[0] is RequestChanged
        assert kinds.count(Audio) > 1
        assert UtteranceChanged in kinds

    run_virtually(story())


def test_the_end_of_a_session_ends_its_listeners() -> None:
    async def story() -> None:
        async with talk() as t:
            t.session.say("hello")

            async def listen() -> int:
                return len([event async for event in t.session.events()])

            job = t.session.background(listen())
            await t.session.close()  # a job that only listens does not hold it up
            assert await job > 0

    run_virtually(story())


def test_background_work_that_fails_is_not_lost() -> None:
    async def fail() -> None:
        raise KeyError("planted")

    async def story() -> None:
        with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012
            async with talk() as t:
                t.session.background(fail())
                await t.session.say("the conversation goes on").heard()
        assert isinstance(caught.value.exceptions[0], KeyError)

    run_virtually(story())


def test_background_work_that_fails_and_closes_the_session_is_not_lost_either() -> None:
    async def fail(session: charye.Session) -> None:
        try:
            raise KeyError("planted")
        finally:
            await session.close()

    async def story() -> None:
        with pytest.raises(ExceptionGroup):  # noqa: PT012
            async with talk() as t:
                t.session.background(fail(t.session))
                await t.session.wait_closed()

    run_virtually(story())


def test_a_job_that_closes_behind_a_leaving_body_is_not_waited_for() -> None:
    async def end(session: charye.Session) -> None:
        await session.say("Goodbye!").heard()
        await session.close()

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with talk() as t:
            t.session.background(end(t.session))
            t.session.background(end(t.session))
        assert loop.time() < 10

    run_virtually(story())


def test_two_sessions_do_not_share_their_holds_or_tools() -> None:
    async def story() -> None:
        done = []
        async with talk(mind=scripted(WEATHER)) as a, talk() as b:

            @a.session.tool
            async def get_weather(city: str) -> str:
                """The weather of a city."""
                async with talk() as sub:
                    await sub.session.say("asking around").heard()
                done.append(city)
                return "clear"

            async with a.session.hold_floor("a"), b.session.hold_floor("b"):
                await b.session.say("in b").heard()
            a.session.send_text("weather")
            await a.session.idle()
        assert done == ["Seoul"]
        assert not a.said("error", by="<")

    run_virtually(story())


def test_a_tool_that_comes_while_it_connects_is_told_too() -> None:
    async def story() -> None:
        endpoint = Embedded()
        session = charye.connect(endpoint, settings=SessionSettings(io_thread=False, lag_bound_s=0))
        entering = asyncio.create_task(session.__aenter__())
        await asyncio.sleep(0)

        @session.tool
        def late(city: str) -> str:
            """Comes late."""
            return city

        await entering
        updates = session.events(SessionUpdated)
        async for event in updates:
            assert event.session.tools
            break
        await session.close()

    run_virtually(story())


def test_who_sends_when_the_session_ends_is_told() -> None:
    async def story() -> None:
        async with charye.connect(charye.Embedded()) as session:
            sending = asyncio.create_task(session.send_audio(bytes(50_000_000)))
            for _ in range(20):
                await asyncio.sleep(0)
            await session.close(drain=False)
            async with asyncio.timeout(10):
                with pytest.raises(LocalProtocolError):
                    await sending

    asyncio.run(story())


def test_background_work_is_begun_on_the_sessions_loop() -> None:
    async def story() -> None:
        async with talk() as t:
            work = asyncio.sleep(0)

            async def elsewhere() -> None:
                t.session.background(work)

            with pytest.raises(LocalProtocolError):
                await asyncio.to_thread(asyncio.run, elsewhere())
            await work
            handle = t.session.say("hello")

            async def wait() -> None:
                await handle

            with pytest.raises(LocalProtocolError):
                await asyncio.to_thread(asyncio.run, wait())

    asyncio.run(story())


def test_idle_is_when_what_follows_from_the_tools_was_heard_too() -> None:
    async def story() -> None:
        async with talk(mind=scripted(WEATHER)) as t:

            @t.session.tool
            async def get_weather(city: str) -> str:
                """The weather of a city."""
                await asyncio.sleep(2)
                return "clear"

            await t.session.send_text("weather")
            assert t.session.transcript[-1].text != "It is clear.", "the call is not the answer"
            await t.session.idle()
            assert t.session.transcript[-1].text == "It is clear."

    run_virtually(story())


def test_a_press_may_be_taken_back() -> None:
    async def story() -> None:
        async with talk(turns="push_to_talk") as t:
            async with t.session.push_to_talk() as mic:
                await mic.send(bytes(48000))
                mic.take_back()
                mic.take_back()
            with pytest.raises(LocalProtocolError):
                _ = mic.reply
            async with t.session.push_to_talk():
                pass
        assert not t.said("input_audio_buffer.commit")

    run_virtually(story())


def test_whoever_listens_hears_of_the_users_floor_and_of_the_servers() -> None:
    def tone(ms: int) -> bytes:
        return b"".join(struct.pack("<h", 12000 if n // 40 % 2 else -12000) for n in range(24 * ms))

    async def story() -> None:
        async with talk(turns="server_vad") as t:
            floor = t.session.events(FloorChanged)
            await t.session.send_audio(tone(800) + bytes(48 * 1500))
            await asyncio.sleep(5)
        speakers = [event.speaker async for event in floor]
        assert speakers == [Speaker.USER, Speaker.NOBODY, Speaker.SERVER, Speaker.NOBODY]

    run_virtually(story())


def test_background_work_that_is_awaited_fails_there_and_only_there() -> None:
    async def fail() -> None:
        raise KeyError("planted")

    async def story() -> None:
        async with talk() as t:
            with pytest.raises(KeyError):
                await t.session.background(fail())

    run_virtually(story())


def test_blocking_work_leaves_the_loop_free() -> None:
    async def story() -> None:
        async with talk() as t:
            assert await t.session.run_blocking(lambda a, b: a + b, 1, b=2) == 3
            with pytest.raises(ZeroDivisionError):
                await t.session.run_blocking(lambda: 1 // 0)

    asyncio.run(story())


def test_a_configuration_that_the_server_refuses_fails_where_it_is_asked_for() -> None:
    wrong = SessionConfig(
        audio=AudioConfig(input=AudioInputConfig(turn_detection=TurnDetection(type="no such")))
    )

    async def story() -> None:
        with pytest.raises(ServerError):
            async with talk(config=wrong):
                pass
        async with talk() as t:
            with pytest.raises(ServerError):
                await t.session.configure(wrong)
            await t.session.say("and goes on").heard()

    run_virtually(story())


def test_a_change_that_was_refused_does_not_spoil_the_next_line() -> None:
    async def story() -> None:
        async with talk(fault="drop:at=created:nth=2", instructions="be kind", turns="push_to_talk") as t:
            with pytest.raises(ServerError):
                await t.session.configure(SessionConfig(output_modalities=("nonsense",)))
            await t.session.configure(SessionConfig(max_output_tokens=100))
            for n in range(3):
                await t.session.say(f"sentence {n}").heard()
        last = t.said("session.update")[-1]["session"]
        assert last["instructions"] == "be kind"
        assert last["max_output_tokens"] == 100
        assert "output_modalities" not in last

    run_virtually(story())


def test_a_lost_line_is_opened_again_and_nothing_is_lost() -> None:
    async def story() -> None:
        async with talk(fault="drop") as t:
            lines = t.session.events(LineUp, LineLost)
            handles = [t.session.say(f"sentence {n}") for n in range(5)]
            outcomes = [await handle for handle in handles]
            assert [o.kind for o in outcomes] == [OutcomeKind.HEARD] * 5
        told = [type(event) async for event in lines]
        assert LineLost in told

    run_virtually(story())


def test_the_line_is_changed_before_the_servers_limit_and_nobody_hears_it() -> None:
    async def story() -> None:
        async with talk(max_session_s=600) as t:
            lines = t.session.events(LineUp, LineLost)
            for n in range(40):
                await t.session.say(f"sentence {n}").heard()
                await asyncio.sleep(30)
        told = [event async for event in lines]
        assert [event.reason for event in told if isinstance(event, LineLost)] == ["renewed"] * 2
        assert len(t.said("response.create")) == 40
        assert not t.said("error", by="<")

    run_virtually(story())


def test_a_session_is_explained() -> None:
    async def story() -> None:
        async with talk() as t:
            first, second = t.session.say("a sentence of some length"), t.session.say("second")
            await first.speaking()
            assert "queued" in await second.explain() or "wait" in await second.explain()

    run_virtually(story())


def test_options_that_make_no_sense_are_refused_at_once() -> None:
    with pytest.raises(charye.CharyeError, match="turns"):
        charye.connect(charye.Embedded(), turns="never")
    with pytest.raises(charye.CharyeError, match="playout"):
        charye.connect(charye.Embedded(), playout="never")
    with pytest.raises(charye.CharyeError):
        charye.connect(charye.Embedded(), tools=[lambda x: x])


def test_the_engine_in_a_thread_of_its_own_says_the_same() -> None:
    async def story() -> None:
        async with charye.connect(charye.Embedded(), settings=SessionSettings()) as session:
            handles = [session.say(f"{n}") for n in range(3)]
            assert [(await handle).kind for handle in handles] == [OutcomeKind.HEARD] * 3

    asyncio.run(story())
