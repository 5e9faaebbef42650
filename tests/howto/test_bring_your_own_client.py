"""The programs of docs/howto/bring-your-own-client.md, run as they stand in the page."""

import asyncio
import json
from dataclasses import dataclass
from types import ModuleType

import pytest

import charye.protocol
from charye.core.playout import Reporting
from charye.core.requests import Outcome, OutcomeKind
from charye.core.settings import Patience, Settings
from tests.howto.loopback import Loopback, Plan, Spoken
from tests.howto.pages import code, load

PAGE = "bring-your-own-client.md"
LIMIT_S = 30.0
"""Nothing here waits that long, unless it is broken."""

GREETING, WEATHER, JOKE = (
    "Greet the user.",
    "Say what the weather is like in Seoul. Use the tool.",
    "Tell a short joke.",
)


@dataclass(frozen=True)
class Program:
    """One program of the page, and how its loudspeaker reports."""

    module: ModuleType
    reporting: Reporting


@dataclass(frozen=True)
class Story:
    """What came of it, on both sides."""

    outcomes: list[Outcome]
    played: list[bytes]
    stops: list[None]
    server: Loopback

    @property
    def ours(self) -> list[Spoken]:
        return [one for one in self.server.spoken if one.ours]

    @property
    def kinds(self) -> list[OutcomeKind]:
        return [outcome.kind for outcome in self.outcomes]


@pytest.fixture(params=["websockets", "openai"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    reporting = {"websockets": Reporting.CLOCK, "openai": Reporting.DEVICE}[request.param]
    return Program(load(PAGE, f"program: {request.param}"), reporting)


def play(program: Program, plan: Plan, patience: Patience | None = None) -> Story:
    """Run the program against the server until it ends by itself."""
    settings = Settings(reporting=program.reporting, patience=patience or Patience())

    async def both() -> Story:
        played: list[bytes] = []
        stops: list[None] = []
        async with Loopback(plan) as server, asyncio.timeout(LIMIT_S):
            outcomes = await program.module.main(
                server.url, "a key", played.append, lambda: stops.append(None), settings
            )
        return Story(outcomes, played, stops, server)

    return asyncio.run(both())


def assert_all_heard_once_and_in_order(story: Story) -> None:
    assert story.kinds == [OutcomeKind.HEARD] * 3
    wishes = [one.instructions for one in story.ours if one.instructions is not None]
    assert wishes == [GREETING, WEATHER, JOKE]
    follow_ups = [one for one in story.ours if one.instructions is None]
    assert len(follow_ups) == 1
    (call_id,) = [one.call for one in story.ours if one.call is not None]
    # After a reconnect call and output are told again, under new ids: a memory, not an answer.
    (output,) = [item for item in story.server.outputs if item["call_id"] == call_id]
    assert json.loads(output["output"]) == {"city": "Seoul", "sky": "clear"}


def test_with_nobody_in_the_way(program: Program) -> None:
    story = play(program, Plan())
    assert_all_heard_once_and_in_order(story)
    assert story.server.refused == []
    assert len(story.server.creates) == 4
    assert story.played == story.server.audio
    assert story.server.others == []


@pytest.mark.parametrize("refusal_first", [False, True])
@pytest.mark.parametrize("refusal_names_create", [False, True])
def test_with_other_speakers_at_the_worst_moment(
    program: Program, refusal_first: bool, refusal_names_create: bool
) -> None:
    plan = Plan(
        user_speaks_at=frozenset({1}),
        stranger_at=frozenset({3}),
        refusal_first=refusal_first,
        refusal_names_create=refusal_names_create,
    )
    story = play(program, plan)
    assert_all_heard_once_and_in_order(story)
    refused = [create["event_id"] for create in (story.server.creates[0], story.server.creates[2])]
    assert story.server.refused == refused
    assert [outcome.attempts for outcome in story.outcomes] == [2, 2, 1]
    assert len([one for one in story.server.spoken if not one.ours]) == 2
    assert story.played == story.server.audio
    assert story.server.lines == 1


def test_a_lost_connection_is_followed_by_another_and_nothing_is_forgotten(program: Program) -> None:
    story = play(program, Plan(hang_up_at=frozenset({1, 4})))
    assert story.server.lines == 3
    assert_all_heard_once_and_in_order(story)
    assert story.outcomes[0].attempts == 2
    assert story.stops, "what was playing of the lost response is stopped, because it is said again"


def test_a_silent_connection_is_given_up(program: Program) -> None:
    impatient = Patience(answer_s=0.05, probe_s=0.05)
    story = play(program, Plan(deaf_lines=1), impatient)
    assert_all_heard_once_and_in_order(story)
    assert story.server.lines == 2


def test_a_wish_that_the_server_will_not_have_is_told_and_holds_nobody_up(program: Program) -> None:
    story = play(program, Plan(denied=frozenset({GREETING})))
    assert story.kinds == [OutcomeKind.DENIED, OutcomeKind.HEARD, OutcomeKind.HEARD]
    assert story.outcomes[0].code == "invalid_value"
    assert story.played == story.server.audio


def test_a_tool_that_breaks_is_an_answer_too(program: Program) -> None:
    async def breaks(arguments: str) -> str:
        raise OSError("the weather station is on fire")

    program.module.TOOLS["get_weather"] = breaks
    story = play(program, Plan())
    assert story.kinds == [OutcomeKind.HEARD] * 3
    (output,) = story.server.outputs
    assert "the weather station is on fire" in json.loads(output["output"])["error"]
    assert len(story.ours) == 4


def test_what_the_page_says_about_servers_without_an_echo() -> None:
    names = {**vars(charye.protocol), "Settings": Settings}
    exec(code(PAGE, "snippet: no echo"), names)
    assert names["settings"].asks_for_replies
    assert not names["detection"].replies
