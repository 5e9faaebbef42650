"""What a program does with a session, from W1 to W12; each is to come through every fault.

W9 and W10 need real threads and real time: they are in `test_real_time.py`.
"""

import asyncio
import math
from array import array
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import charye
from charye.audio.pcm import WIRE_RATE_HZ, pack
from charye.core.requests import OnInterruption
from charye.server.minds import Mind, Script, Scripted
from charye.session.events import RequestChanged
from charye.session.settings import LineSettings
from tests.e2e.scene import Scene

__all__ = ["RESUME", "WORKLOADS", "Workload", "scripted"]

RESUME: Mapping[str, Any] = {"on_interruption": OnInterruption.RESUME}
"""What must be heard, whoever speaks in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One of them.

    Args:
        about: in one sentence.
        faults: that belong to it, whatever else goes wrong.
        options: of `on_stage`.
        wrong: what was not as this workload wants it, beside the laws.
    """

    about: str
    play: Callable[[Scene], Awaitable[None]]
    faults: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    wrong: Callable[[Scene], Iterator[str]] = lambda _: iter(())


def scripted(text: str) -> Callable[[], Mind]:
    script = Script.parse(text.encode())
    return lambda: Scripted(script)


def loud(ms: int) -> bytes:
    """Somebody speaks for so long: a tone of -9 dBFS."""
    count = ms * WIRE_RATE_HZ // 1000
    return pack(array("h", (round(16_000 * math.sin(at / 9)) for at in range(count))))


def soft(ms: int) -> bytes:
    """Nobody speaks for so long."""
    return bytes(ms * WIRE_RATE_HZ // 1000 * 2)


_LOUD, _SOFT = loud(250), soft(250)


async def turn(scene: Scene) -> None:
    """Somebody says something for half a second, as a microphone gives it, and is silent for a second."""
    for frame in (_LOUD, _LOUD, _SOFT, _SOFT, _SOFT, _SOFT):
        await scene.session.send_audio(frame)
        await asyncio.sleep(0.25)


# --- W1: fifty at once -----------------------------------------------------------------------------------------------


async def fifty_at_once(scene: Scene) -> None:
    for number in range(50):
        scene.say(f"sentence number {number}", **RESUME)
    await scene.all_ended()


# --- W2: five calls that end in the same tick ------------------------------------------------------------------------

_FIVE = """
[[answer]]
when = "^question"
parallel = true
{calls}

[[answer]]
when = "found"
say = "All five were found."

[[answer]]
say = "I see."
""".format(
    calls="\n".join(f'[[answer.call]]\nname = "look_up"\narguments = {{ place = {n} }}' for n in range(5))
)


async def twenty_turns_of_five_calls(scene: Scene) -> None:
    together = asyncio.Event()
    at_work = 0

    @scene.session.tool
    async def look_up(place: int) -> str:
        """Look it up."""
        nonlocal at_work, together
        at_work += 1
        mine = together
        if at_work == 5:  # all five go on in the same tick of the loop
            at_work, together = 0, asyncio.Event()
            mine.set()
            scene.facts["together"] = scene.facts.get("together", 0) + 1
        with suppress(TimeoutError):  # with some faults there are fewer
            async with asyncio.timeout(2):
                await mine.wait()
        if mine is together:
            at_work, together = 0, asyncio.Event()
        return f"found {place}"

    alive: set[str] = set()
    moved = asyncio.Event()
    changes = scene.session.events(RequestChanged)

    async def watch() -> None:
        async for event in changes:
            assert isinstance(event, RequestChanged)
            if isinstance(event.change, charye.Outcome):
                alive.discard(event.request_id)
            else:
                alive.add(event.request_id)
            moved.set()

    watching = asyncio.ensure_future(watch())
    for number in range(20):
        handle = scene.session.send_text(f"question {number}", **RESUME)
        await scene.keep(handle)
        with suppress(TimeoutError):  # quiet for longer than a tool may take
            while True:
                moved.clear()
                async with asyncio.timeout(None if alive else 3):
                    await moved.wait()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


def _each_earns_one_reply(scene: Scene) -> Iterator[str]:
    account = scene.account()
    replies = [asked for asked in account.requests.values() if asked.trigger.startswith("tool:")]
    calling = {call.response_id for call in scene.truth.calls}
    if len(replies) > len(calling):
        yield f"{len(replies)} replies about the calls of {len(calling)} responses"
    if not scene.truth.strikes and (len(replies), scene.facts["together"]) != (20, 20):
        yield f"{len(replies)} replies, and the calls of {scene.facts['together']} turns ended in one tick, not 20"


# --- W3: the closing chain of the interview --------------------------------------------------------------------------

_CLOSING = """
[[answer]]
when = "I am done"
[[answer.call]]
name = "trigger_assessment"
arguments = { reason = "ceiling" }

[[answer]]
say = "Go on, please."
"""

_CHAIN = ACK, SUMMARY, GOODBYE = "One moment please.", "You did very well today.", "Goodbye and thank you!"


async def closing_chain(scene: Scene) -> None:
    session = scene.session
    closing: list[object] = []

    async def assess() -> None:
        async with session.hold_floor("closing"):
            await asyncio.sleep(3)
            await scene.say(SUMMARY, **RESUME).heard()
            await scene.say(GOODBYE, **RESUME).heard()
        scene.facts["chain"] = "through"
        await session.close()

    @session.tool
    async def trigger_assessment(reason: str) -> charye.Reply:
        """The learner has reached their ceiling."""
        if closing:
            return charye.Reply.silent("it is under way")
        closing.append(session.background(assess()))
        return charye.Reply.say_now(ACK)

    for _ in range(4):  # a fault may take the answer that makes the call; the learner says it again
        handle = session.send_text("I am done", **RESUME)
        await scene.keep(handle)
        if closing:
            break
    await session.wait_closed()


def _is_through(scene: Scene) -> Iterator[str]:
    if not scene.facts.get("chain"):
        yield "the chain did not come to its end"
    said = [utterance.text for utterance in scene.session.transcript if utterance.speaker == "assistant"]
    at = [max((place for place, text in enumerate(said) if text == words), default=-1) for words in _CHAIN]
    if -1 in at or at != sorted(at) or at[-1] != len(said) - 1:
        yield f"the chain was heard in the order {at} of {len(said)}"


# --- W4: thirty requests race ten turns ------------------------------------------------------------------------------


async def thirty_race_ten_turns(scene: Scene) -> None:
    async def talk() -> None:
        for _ in range(10):
            await asyncio.sleep(scene.chance.uniform(0, 3))
            await turn(scene)

    talking = asyncio.ensure_future(talk())
    for number in range(30):
        scene.say(f"sentence number {number}", **(RESUME if number % 2 else {}))
        await asyncio.sleep(scene.chance.choice((0, 0, 0.3, 1)))
    await talking
    await scene.all_ended()


# --- W5: a lost done -------------------------------------------------------------------------------------------------


async def ten_in_a_row(scene: Scene) -> None:
    for number in range(10):
        scene.say(f"sentence number {number}", **RESUME)
        await asyncio.sleep(scene.chance.uniform(0, 2))
    await scene.all_ended()


# --- W6: the line is cut in the middle of a chain --------------------------------------------------------------------


async def chain(scene: Scene) -> None:
    async with scene.session.hold_floor("chain"):
        for number in range(8):
            await scene.say(f"step number {number} of a chain", **RESUME)
    scene.say("after the chain", **RESUME)
    await scene.all_ended()


# --- W7: a storm of cancels and barge-ins ----------------------------------------------------------------------------


async def storm(scene: Scene) -> None:
    chance = scene.chance
    voice: list[asyncio.Task[None]] = []
    for number in range(80):
        match chance.choice(("say", "say", "say", "cancel", "interrupt", "speak", "wait")):
            case "say":
                scene.say(f"sentence number {number} of the storm", cuts_in=chance.random() < 0.1)
            case "cancel" if scene.handles:
                taken_back = chance.choice(scene.handles)
                scene.facts.setdefault("taken back", set()).add(taken_back.id)
                taken_back.cancel()
            case "interrupt":
                scene.facts["interrupts"] = scene.facts.get("interrupts", 0) + 1
                scene.session.interrupt()
            case "speak" if all(task.done() for task in voice):
                voice.append(asyncio.ensure_future(turn(scene)))
        await asyncio.sleep(chance.choice((0, 0, 0.05, 0.4)))
    await asyncio.gather(*voice)
    await scene.all_ended()


# --- W8: twenty rapid presses ----------------------------------------------------------------------------------------


async def twenty_presses(scene: Scene) -> None:
    for _ in range(20):
        async with scene.session.push_to_talk() as mic:
            await mic.send(_LOUD)
        scene.keep(mic.reply)
        await asyncio.sleep(scene.chance.choice((0, 0, 0.05, 0.3)))
    await scene.all_ended()


# --- W11: nonsense ---------------------------------------------------------------------------------------------------

_NONSENSE = """
[[answer]]
say = "This is cut off by the"
incomplete = "max_output_tokens"

[[answer]]
say = "This is whole."

[[answer]]
say = "This fails after"
fail = { type = "server_error", code = "server_error", message = "Sorry." }
"""


async def nonsense(scene: Scene) -> None:
    dones: list[bytes] = []
    count = 0

    def besides(data: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        if b'"response.done"' in data[:40]:
            dones.append(data)
        match count % 7:
            case 0:
                return [
                    b'{"type":"conversation.hologram.rendered","event_id":"event_x","hologram":{"depth":3}}'
                ]
            case 3:
                return [
                    scene.chance.choice((b"", b"{", b"null", b"\xff\xfe", b'{"type":', b'{"event_id":"e"}'))
                ]
            case 5 if len(dones) > 1:
                return [dones[-2]]  # stale: of the response before
        return []

    scene.network.besides = besides
    for number in range(15):
        if number % 3 == 0:
            handle = scene.keep(scene.session.respond(**RESUME))
            await handle
        scene.say(f"sentence number {number}", **RESUME)
    await scene.all_ended()


# --- W12: a flood of audio while nobody reads ------------------------------------------------------------------------

_FLOOD_S, _DEAF_S = 300, 6.0
_APPEND = b'"input_audio_buffer.append"'


async def flood(scene: Scene) -> None:
    session, network = scene.session, scene.network
    given = 0

    async def pour() -> None:
        nonlocal given
        frame = soft(1000)
        for _ in range(_FLOOD_S):
            await session.send_audio(frame)
            given += len(frame) * 4 // 3
            pending = given - network.line_bytes
            scene.facts["pending"] = max(pending, scene.facts.get("pending", 0))

    await scene.say("before the flood", **RESUME)
    network.stop_reading()
    pouring = asyncio.ensure_future(pour())
    await asyncio.sleep(_DEAF_S / 2)
    for number in range(5):
        scene.say(f"sentence number {number} in the flood", **RESUME)
    scene.facts["was held back"] = not pouring.done()
    await asyncio.sleep(_DEAF_S / 2)
    network.read_again()
    await pouring
    scene.facts["poured"] = given
    await scene.all_ended()


def _nothing_of_it_was_lost(scene: Scene) -> Iterator[str]:
    if scene.facts["pending"] > LineSettings().max_audio_bytes:
        yield f"{scene.facts['pending']} bytes of audio were under way"
    if not scene.facts["was held back"]:
        yield "the flood was never held back: it proves nothing"
    arrived = sum(
        len(heard.data) for _, heard in scene.wire if heard.mark == ">" and _APPEND in heard.data[:64]
    )
    if not scene.account().lost and arrived < scene.facts["poured"]:
        yield f"{arrived} bytes arrived of {scene.facts['poured']}"


WORKLOADS: Mapping[str, Workload] = MappingProxyType(
    {
        "W1": Workload(about="fifty `say` at once", play=fifty_at_once),
        "W2": Workload(
            about="twenty turns with five parallel tool calls that end in the same tick",
            play=twenty_turns_of_five_calls,
            options={"mind": scripted(_FIVE)},
            wrong=_each_earns_one_reply,
        ),
        "W3": Workload(
            about="the closing chain of the interview, with a job of three seconds and a ping time-out of two",
            play=closing_chain,
            options={"mind": scripted(_CLOSING), "ping_timeout_s": 2.0},
            wrong=_is_through,
        ),
        "W4": Workload(about="thirty `say` race ten turns of the user", play=thirty_race_ten_turns),
        "W5": Workload(about="a lost `response.done`", play=ten_in_a_row, faults="lost_done:nth=3"),
        "W6": Workload(
            about="the line is cut in the middle of a chain", play=chain, faults="drop:at=audio:nth=30"
        ),
        "W7": Workload(about="a storm of cancels and barge-ins", play=storm),
        "W8": Workload(
            about="twenty rapid presses of push-to-talk",
            play=twenty_presses,
            options={"turns": "push_to_talk"},
        ),
        "W11": Workload(
            about="garbage, unknown events, doubled and stale `done`, failed and incomplete responses",
            play=nonsense,
            faults="doubled_done:times=5:ms=700,doubled_done:nth=7:times=3,garbage:times=9:chance=0.3",
            options={"mind": scripted(_NONSENSE)},
        ),
        "W12": Workload(
            about="a flood of audio while the server stops reading",
            play=flood,
            options={"is_gated": True},
            wrong=_nothing_of_it_was_lost,
        ),
    }
)
