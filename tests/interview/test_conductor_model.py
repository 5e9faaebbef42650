"""A model speaks for the interviewer: obedient, forgetful, hasty, mute. The interview is the same."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from charye.interview import prompts
from charye.interview.closing import Ending
from charye.interview.configuring import Hands, Manner
from charye.interview.hearing import Control
from charye.interview.learners import SimulatedLearner
from charye.interview.levels import Level
from charye.interview.moves import Reason
from charye.interview.outcome import InterviewOutcome
from charye.interview.transcript import Speaker
from charye.protocol import FunctionCallOutputItem
from charye.protocol.verbatim import words_asked_for
from charye.server.parts import Arguments, Call, Context, MindOutput, Text
from charye.testing import run_virtually
from tests.interview.stage import Stage, interviewed, stage
from tests.interview.talk import plan


@dataclass
class Model:
    """A model; each kind of it is a subclass. `told`: the instructions of each response that was not word for word."""

    told: list[str] = field(default_factory=list)

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        if (words := words_asked_for(context.instructions)) is not None:
            yield Text(words)
            return
        self.told.append(context.instructions)
        async for output in self.think(context):
            yield output

    def think(self, context: Context) -> AsyncIterator[MindOutput]:
        """What this kind of model does."""
        raise NotImplementedError

    @staticmethod
    def guidance(context: Context) -> dict[str, object]:
        """What the instructions say, or the last answer of a tool."""
        last = context.items[-1] if context.items else None
        if isinstance(last, FunctionCallOutputItem):
            return dict(json.loads(last.output))
        return dict(json.loads(context.instructions.rpartition("\n")[2]))


class Reading(Model):
    """Says what its instructions tell it, in its own words."""

    async def think(self, context: Context) -> AsyncIterator[MindOutput]:
        yield Text(f"네. {self.guidance(context)['say']}")


class Calling(Model):
    """Calls `interview_guidance` before each turn, though there is no need, and says what comes out."""

    async def think(self, context: Context) -> AsyncIterator[MindOutput]:
        if context.items and isinstance(context.items[-1], FunctionCallOutputItem):
            yield Text(str(self.guidance(context)["say"]))
            return
        yield Call("1", prompts.GUIDANCE_TOOL)
        yield Arguments("1", "{}")


class Forgetful(Model):
    """Asks what it likes."""

    async def think(self, context: Context) -> AsyncIterator[MindOutput]:
        yield Text("좋아하는 축구 선수가 누구예요?")


class Mute(Model):
    """Has nothing to say."""

    async def think(self, context: Context) -> AsyncIterator[MindOutput]:
        none: tuple[MindOutput, ...] = ()
        for output in none:
            yield output


class Hasty(Reading):
    """Ends the interview at every turn."""

    async def think(self, context: Context) -> AsyncIterator[MindOutput]:
        if context.items and isinstance(context.items[-1], FunctionCallOutputItem):
            yield Text(f"네. {context.items[-1].output}")
            return
        yield Call("1", prompts.ASSESSMENT_TOOL)
        yield Arguments("1", '{"reason": "turn_limit"}')


class Twice(Reading):
    """Ends the interview when it is over, twice at a time, with words beside it."""

    async def think(self, context: Context) -> AsyncIterator[MindOutput]:
        told = self.guidance(context)
        if told.get("phase") != "wind_down":
            yield Text(str(told["say"]))
            return
        yield Text("네, 잘 들었어요.")
        for key in ("1", "2"):
            yield Call(key, prompts.ASSESSMENT_TOOL)
            yield Arguments(key, '{"reason": "ceiling_found"}')


def played(
    model: Model, *, level: Level = Level.A2, hands: Hands = Hands.OPEN
) -> tuple[Stage, InterviewOutcome]:
    async def story() -> tuple[Stage, InterviewOutcome]:
        async with stage(manner=Manner.MODEL, mind=lambda: model, hands=hands, seed=3) as on:
            return on, await interviewed(on, SimulatedLearner(level, 3))

    return run_virtually(story())


def interviewer_said(outcome: InterviewOutcome) -> list[str]:
    said = outcome.checkpoint.transcript.utterances
    return [u.text for u in said if u.speaker is Speaker.INTERVIEWER]


@pytest.mark.parametrize("hands", list(Hands))
@pytest.mark.parametrize("kind", [Reading, Calling])
def test_a_model_that_keeps_to_the_plan_speaks_throughout(kind: type[Model], hands: Hands) -> None:
    model = kind()
    on, outcome = played(model, hands=hands)
    assert (outcome.ending, outcome.setting) == (Ending.COMPLETE, "model")
    assert outcome.reason is Reason.CEILING_FOUND
    assert abs(outcome.checkpoint.progress.outcome.floor - Level.A2.step) <= 1
    assert outcome.checkpoint.progress.state.turns <= 14
    asked = [move.say for move in on.asked]
    said = interviewer_said(outcome)[: len(asked)]
    assert all(want in words for want, words in zip(asked, said, strict=True))


def test_its_guidance_is_there_before_its_first_word_and_at_every_turn() -> None:
    model = Reading()
    on, _ = played(model)
    first = on.said("response.create")[0]
    assert on.asked[0].say in first["response"]["instructions"]
    assert all(prompts.instructions() in told and prompts.GUIDANCE_TOOL in told for told in model.told)
    assert [json.loads(told.rpartition("\n")[2])["say"] for told in model.told] == [m.say for m in on.asked]


def test_it_is_told_no_level_and_no_score() -> None:
    model = Reading()
    played(model)
    told = [json.loads(told.rpartition("\n")[2]) for told in model.told]
    assert not re.search(r'"(level|score|band|floor|ceiling)"|\b[ABC][12]\b', json.dumps(told))


def test_a_forgetful_model_is_reminded_once_and_then_we_speak() -> None:
    model = Forgetful()
    on, outcome = played(model)
    assert (outcome.ending, outcome.setting) == (Ending.COMPLETE, "hybrid")
    said = interviewer_said(outcome)
    assert said[0] == said[1] == "좋아하는 축구 선수가 누구예요?"
    assert model.told[1] == prompts.reminder(on.asked[1].say)
    assert len(model.told) == 2
    assert said[2 : len(on.asked)] == [move.say for move in on.asked[2:]]


def test_a_mute_model_is_spoken_for() -> None:
    on, outcome = played(Mute())
    assert (outcome.ending, outcome.setting) == (Ending.COMPLETE, "hybrid")
    assert interviewer_said(outcome)[: len(on.asked)] == [move.say for move in on.asked]


def test_a_hasty_model_is_told_to_go_on() -> None:
    model = Hasty()
    on, outcome = played(model)
    assert outcome.ending is Ending.COMPLETE
    assert outcome.checkpoint.progress.state.turns >= 6
    assert on.asked[0].say in interviewer_said(outcome)[0]
    assert len(on.office.assessed) == 1


def test_a_model_that_ends_it_twice_ends_it_once() -> None:
    on, outcome = played(Twice())
    assert outcome.ending is Ending.COMPLETE
    assert outcome.reason is Reason.CEILING_FOUND
    assert len(on.office.assessed) == len(on.office.stored) == 1
    said = interviewer_said(outcome)
    closing = said.index("네, 잘 들었어요.")
    assert len(said) == closing + 4, "what it says beside the call, then acknowledgement, summary and goodbye"
    assert all(part.in_full for part in outcome.parts)
    cut = [u for u in outcome.checkpoint.transcript.utterances if u.interrupted_at_ms is not None]
    assert not cut


def test_the_model_is_slow_once_the_learner_has_asked_for_it() -> None:
    async def story() -> None:
        async with stage(manner=Manner.MODEL, mind=Reading) as on:

            async def script() -> None:
                await on.turn()
                on.conductor.control(Control.SLOWER)
                await on.turn()
                on.conductor.suspend()

            job = on.session.background(script())
            await on.conductor.run()
            await job
            told = json.loads(on.said("response.create")[-1]["response"]["instructions"].rpartition("\n")[2])
            assert told["slow"] is True
            assert any(
                e["session"].get("audio", {}).get("output", {}).get("speed") == plan().answers.slow_speed
                for e in on.said("session.update")
            )

    run_virtually(story())
