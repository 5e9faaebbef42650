"""Half an hour of talk, with faults as they come: whatever a program does with a session, by chance and by seed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from charye.server.faulting.line import Heard
from charye.server.faults import FAULTS
from charye.session.settings import SessionSettings
from charye.testing import run_virtually
from tests.e2e.laws import violations
from tests.e2e.network import Network
from tests.e2e.playing import usable
from tests.e2e.room import Room
from tests.e2e.scene import EVERYTHING, Scene, connected, nothing_left, served
from tests.e2e.truth import Truth
from tests.e2e.workloads import RESUME, scripted, turn

__all__ = ["MINUTES", "Soaked", "soak"]

MINUTES = 30

_MAX_SESSION_S = 900.0
"""The server's limit: the line is renewed in the middle."""

_BROKEN_LINES = 4
_OTHERS = {"vad_wins", "refused_after_done", "refused_before_created", "anonymous_refusal"}
"""By these somebody else asks for a response, where the server does not reply by itself."""

_SETTLE_S = 0.002

_MIND = scripted(
    """
[[answer]]
when = "^look"
parallel = true
[[answer.call]]
name = "look_up"
arguments = { place = 1 }
[[answer.call]]
name = "look_up"
arguments = { place = 2 }

[[answer]]
say = "That is good to know."

[[answer]]
say = "Go on, please, I am listening."
"""
)


@dataclass(frozen=True, slots=True)
class Soaked:
    """What is known of one session when it is over. `wrong`: what was not as it must be."""

    seed: int
    faults: str
    wrong: tuple[str, ...]
    end_of_wire: str
    requests: int
    refusals: int
    lines: int
    strikes: int


def faults_of(chance: Random) -> str:
    """Three to six of them, each several times."""
    names = set(chance.sample(sorted(FAULTS), chance.randint(3, 6)))
    if "no_metadata" in names:
        # Nobody can tell whose a response is, if there are others' too (docs/reference/invariants.md).
        names -= _OTHERS
    return ",".join(f"{name}:{_when(name, chance)}" for name in sorted(names))


def _when(name: str, chance: Random) -> str:
    match name:
        case "cut":
            return f"at_byte={chance.randint(2_000, 2_000_000)}"
        case "expiry":
            return f"s={chance.randint(20, 600)}"
        case "garbage" | "reordered":
            return "times=0:chance=0.01"
        case "stall":
            return f"nth={chance.randint(1, 5_000)}:s={chance.randint(1, 8)}"
        case "drop" | "hang_up" | "half_close":
            return f"nth={chance.randint(1, 200)}"
    return f"nth={chance.randint(1, 40)}:times={chance.randint(1, 4)}"


async def half_an_hour(scene: Scene) -> None:
    """Talk until the time is up."""
    until = asyncio.get_running_loop().time() + MINUTES * 60

    @scene.session.tool
    async def look_up(place: int) -> str:
        """Look it up."""
        await asyncio.sleep(scene.chance.choice((0, 0.5, 3)))
        return f"found {place}"

    while asyncio.get_running_loop().time() < until:
        await scene.chance.choice(_WHAT)(scene)
        await asyncio.sleep(scene.chance.uniform(0, 10))
    await scene.all_ended()


async def _writes(scene: Scene) -> None:
    scene.keep(scene.session.send_text(scene.chance.choice(("look it up", "I like it")), **RESUME))


async def _says_some(scene: Scene) -> None:
    for _ in range(scene.chance.randint(1, 8)):
        scene.say(f"sentence number {len(scene.handles)}", **RESUME)


async def _holds_the_floor(scene: Scene) -> None:
    async with scene.session.hold_floor():
        for _ in range(2):
            await scene.say(f"part {len(scene.handles)} of a chain", **RESUME)


async def _takes_back(scene: Scene) -> None:
    scene.say(f"sentence number {len(scene.handles)}", **RESUME).cancel()


async def _interrupts(scene: Scene) -> None:
    scene.session.interrupt()


async def _listens(scene: Scene) -> None:
    await asyncio.sleep(scene.chance.uniform(5, 60))


_WHAT: tuple[Callable[[Scene], Awaitable[None]], ...] = (
    turn,
    _writes,
    _says_some,
    _holds_the_floor,
    _takes_back,
    _interrupts,
    _listens,
)


def soak(seed: int) -> Soaked:
    """One session, from its beginning to its end, on a virtual clock of its own."""
    chance = Random(seed)
    faults = faults_of(chance)
    scenes: list[Scene] = []

    async def story() -> None:
        trouble: list[str] = []
        truth, wire, network = Truth(), list[tuple[int, Heard]](), Network(is_gated=False)
        room = Room(reports=bool(seed % 2))
        settings = SessionSettings(io_thread=False, lag_bound_s=0, seed=seed, journal=EVERYTHING)
        server = served(truth, wire, mind=_MIND, seed=seed, ping_timeout_s=5.0, max_session_s=_MAX_SESSION_S)
        async with nothing_left(trouble):
            async with asyncio.timeout(10 * MINUTES * 60), server as address:
                session = connected(
                    address.base_url, faults, seed, network, room, settings, broken_lines=_BROKEN_LINES
                )
                async with session:
                    scene = Scene(session, room, truth, network, chance, faults, seed, wire, trouble)
                    scenes.append(scene)
                    await half_an_hour(scene)
                    await usable(scene)
            await asyncio.sleep(60)

    raised = []
    try:
        run_virtually(story(), settle_s=_SETTLE_S)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told with the wire's end)
        raised.append(f"raised {error!r}")
    scene = scenes[0]
    account = scene.account()
    return Soaked(
        seed=seed,
        faults=faults,
        wrong=(*raised, *violations(scene)),
        end_of_wire=scene.end_of_wire(),
        requests=len(account.requests),
        refusals=account.refusals,
        lines=account.lines,
        strikes=sum(scene.truth.strikes.values()),
    )
