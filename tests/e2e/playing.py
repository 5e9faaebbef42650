"""Play a workload through a fault, and say what was wrong with it."""

import asyncio

from charye.core.requests import OutcomeKind
from charye.testing import run_virtually
from tests.e2e.laws import violations
from tests.e2e.scene import Scene, on_stage
from tests.e2e.workloads import Workload

__all__ = ["play", "usable"]

_SETTLE_S, _SETTLE_GATED_S = 0.002, 0.01
"""See `VirtualLoop`. Through the gate there is one hop more; measured: 10 ms are enough, and 1 ms is not."""

_TRIES = 5
"""To say one more thing at the end: a fault that has not struck yet may strike these, once each."""


def play(workload: Workload, fault: str, seed: int) -> tuple[Scene, list[str]]:
    """Play it on a virtual clock.

    Args:
        fault: as `Faults.parse` reads it; comes on top of the workload's own.
    Returns:
        What was there, and all that was not as it must be.
    """
    scenes: list[Scene] = []
    faults = ",".join(one for one in (workload.faults, fault) if one)
    gated = bool(workload.options.get("is_gated"))

    async def story() -> None:
        async with on_stage(faults=faults, seed=seed, **workload.options) as scene:
            scenes.append(scene)
            await workload.play(scene)
            if scene.session.is_open:
                await usable(scene)

    found = []
    try:
        run_virtually(story(), settle_s=_SETTLE_GATED_S if gated else _SETTLE_S)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told with the wire's end)
        found.append(f"raised {error!r}")
    if not scenes:
        raise AssertionError(f"no session came about: {found}")
    return scenes[0], [*found, *violations(scenes[0]), *workload.wrong(scenes[0])]


async def usable(scene: Scene) -> None:
    """One thing more is said and heard; else it is in `Scene.trouble`."""
    for number in range(_TRIES):
        if (await scene.say(f"and one more, number {number}")).kind is OutcomeKind.HEARD:
            return
        await asyncio.sleep(1)
    scene.trouble.append("the session was of no use afterwards")
