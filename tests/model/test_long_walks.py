"""Long random walks through worlds that are too large to be walked whole, under the same laws."""

from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charye.core.playout import Reporting
from charye.core.requests import (
    OnInterruption,
    OnReconnect,
    OnUserSpeech,
    Priority,
    RequestId,
    ResponseRequest,
    SameKey,
    Starts,
)
from charye.core.waiting import WhenFull
from charye.protocol import NO_EVENT_ID, NO_METADATA, ResponseParams
from tests.model.core import HOLD, Walked
from tests.model.server import Form, Rules
from tests.model.world import Budget, Node, Spec, World
from tests.model.worlds import SETTINGS

STEPS = 200

requests = st.builds(
    ResponseRequest,
    id=st.just(RequestId("")),
    trigger=st.just("walk"),
    priority=st.sampled_from(Priority),
    conversation=st.sampled_from(("auto", "auto", "auto", "none")),
    parameters=st.sampled_from((ResponseParams(), ResponseParams(output_modalities=("text",)))),
    coalesce_key=st.sampled_from((None, None, "key")),
    same_key=st.sampled_from(SameKey),
    expires_after_s=st.sampled_from((None, None, 3.0)),
    on_user_speech=st.sampled_from(OnUserSpeech),
    on_interruption=st.sampled_from(OnInterruption),
    on_reconnect=st.sampled_from(OnReconnect),
    starts=st.sampled_from(Starts),
    cuts_in=st.booleans(),
    hold=st.sampled_from((None, None, None, HOLD)),
)

budgets = st.builds(
    Budget,
    cancels=st.integers(0, 6),
    lose=st.integers(0, 3),
    double=st.integers(0, 3),
    late=st.integers(0, 3),
    cut=st.integers(0, 2),
    stick=st.integers(0, 1),
    fail=st.integers(0, 3),
    early=st.integers(0, 3),
    presses=st.sampled_from((0, 0, 30)),
    early_turn=st.integers(0, 3),
    pauses=st.integers(0, 3),
)

rules = st.builds(
    Rules,
    replies=st.booleans(),
    interrupts=st.booleans(),
    form=st.sampled_from(Form),
    event_ids=st.booleans(),
    late_errors=st.booleans(),
    blocked_errors=st.booleans(),
    calls=st.sampled_from(((), ("a",), ("a", "b"))),
    audio=st.booleans(),
    items=st.integers(0, 2),
)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Ninety requests and more of every kind, some twenty user turns or presses, every fault: 200 steps and more."""
    asks = tuple(
        replace(request, id=RequestId(f"q{number}"))
        for number, request in enumerate(draw(st.lists(requests, min_size=90, max_size=100)), start=1)
    )
    behaviour = draw(rules)
    dialect = NO_EVENT_ID
    if draw(st.booleans()) and all(request.conversation == "auto" for request in asks):
        behaviour, dialect = replace(behaviour, echo=False, replies=False), NO_METADATA
    setting = replace(
        SETTINGS,
        dialect=dialect,
        reporting=Reporting.DEVICE,
        ageing_s=draw(st.sampled_from((0.0, 5.0))),
        max_waiting=draw(st.sampled_from((3, 1000))),
        when_full=draw(st.sampled_from(WhenFull)),
    )
    budget = draw(budgets)
    return Spec(
        name="walk",
        asks=asks,
        rules=behaviour,
        settings=setting,
        # Where a hand decides whose turn it is, the server's ears do not.
        turns=0 if budget.presses else draw(st.integers(20, 30)),
        budget=budget,
        exact=False,
        ordered=False,
        cancels_only_ours=False,
    )


def go_on(world: World, node: Node, choice: int, *, fair: bool) -> Node | None:
    """One step of those there are; None when there is none."""
    world_steps = [step for step in world.steps(node) if step.fair or not fair]
    if not world_steps:
        return None
    after = world_steps[choice % len(world_steps)].go()
    after.monitor.check(after, world.core.facts(after.core), world.spec)
    return after


@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(specs(), st.integers(0, 2**64 - 1))
def test_no_law_is_broken_on_a_long_way_and_everybody_arrives(spec: Spec, seed: int) -> None:
    world = World(spec, Walked(spec.settings, spec.asks, spec.rules.form))
    node = world.start()
    # One number for the whole way: thousands of draws would be remembered and compared one by one, for ways that are
    # too long to be made shorter anyway.
    choose = Random(seed).randrange
    for _ in range(STEPS):
        after = go_on(world, node, choose(1_000_000), fair=False)
        assert after is not None, "this world is too small for a long walk"
        node = after
    for _ in range(5_000):
        after = go_on(world, node, choose(1_000_000), fair=True)
        if after is None:
            break
        node = after
    else:
        raise AssertionError("fair steps go on for ever")
    node.monitor.check_end(node, spec)
