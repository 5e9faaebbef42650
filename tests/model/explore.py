"""Breadth first through a world: safety at every step, liveness over the whole graph.

Liveness is proved, not sampled: along fair steps there is no cycle, so every fair schedule comes to an end, and
at every end all requests have ended. A violation is told with a shortest way to it.
"""

from array import array
from dataclasses import dataclass

from tests.model.core import Core
from tests.model.laws import Violation
from tests.model.world import Node, Spec, World

__all__ = ["Report", "explore"]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `complete`: the whole world was explored, so liveness is proved as well."""

    name: str
    states: int
    core_states: int
    steps: int
    ends: int
    complete: bool


class Graph:
    """States by number, the way to each, and the fair edges."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.nodes: list[Node] = []
        self.numbers: dict[Node, int] = {}
        self.parents = array("i")
        self.names: list[str] = []
        self.fair_from = array("i")
        self.fair_to = array("i")
        self.steps = 0
        self.complete = True

    def offer(self, node: Node, parent: int, name: str, *, fair: bool) -> None:
        """A step leads to this state; it is new, or known, or one too many."""
        self.steps += 1
        number = self.numbers.get(node)
        if number is None:
            if len(self.nodes) >= self._limit:
                self.complete = False
                return
            number = self.numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self.parents.append(parent)
            self.names.append(name)
        if fair:
            self.fair_from.append(parent)
            self.fair_to.append(number)

    def way_to(self, number: int) -> list[str]:
        """The steps of a shortest way."""
        way: list[str] = []
        while number > 0:
            way.append(self.names[number])
            number = self.parents[number]
        return way[::-1]

    def on_a_cycle(self) -> int | None:
        """A state from which fair steps can go on for ever, if there is one."""
        count = len(self.nodes)
        waiting = array("i", bytes(4 * count))
        leading: dict[int, list[int]] = {}
        for source, target in zip(self.fair_from, self.fair_to, strict=True):
            waiting[source] += 1
            leading.setdefault(target, []).append(source)
        settled = [number for number in range(count) if not waiting[number]]
        for number in settled:  # grows while it is walked
            for source in leading.get(number, ()):
                waiting[source] -= 1
                if not waiting[source]:
                    settled.append(source)
        return None if len(settled) == count else next(n for n in range(count) if waiting[n])


def explore(spec: Spec, *, limit: int) -> Report:
    """Explore a world, or its first `limit` states.

    Raises:
        Violation: with the law and a shortest way to where it is broken.
    """
    core = Core(spec.settings, spec.asks, spec.rules.form)
    world = World(spec, core)
    graph = Graph(limit)
    graph.offer(world.start(), -1, "", fair=False)
    ends = 0
    for at, node in enumerate(graph.nodes):  # grows while it is walked
        name = ""
        try:
            node.monitor.check(node, world.core.facts(node.core), spec)
            found = world.steps(node)
            if not any(step.fair for step in found):
                ends += 1
                node.monitor.check_end(node, spec)
            for name, fair, go in found:
                graph.offer(go(), at, name, fair=fair)
        except Exception as broken:
            raise _told(spec, [*graph.way_to(at), name], broken) from broken
    if graph.complete and (turning := graph.on_a_cycle()) is not None:
        raise _told(spec, graph.way_to(turning), Violation("no fair schedule runs for ever"))
    return Report(spec.name, len(graph.nodes), len(core), graph.steps, ends, graph.complete)


def _told(spec: Spec, way: list[str], broken: Exception) -> Violation:
    steps = "\n".join(f"    {step}" for step in way if step)
    return Violation(f"world {spec.name!r}: {type(broken).__name__}: {broken}\n{steps}")
