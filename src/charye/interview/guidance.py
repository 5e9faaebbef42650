"""The plan for a model that speaks for itself, and what is done when it does not keep to it.

The policy steps with every turn of the learner, whoever speaks for the interviewer. So the level search stays in code:
the tool `interview_guidance` only reads what is next, as often as it is called. `may_close` and `must_close` say when
the interview can and has to end; `on_assessment_call` and `on_model_turn` decide about a model that ends it too early,
twice or never, and about one that asks questions of its own.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from charye.interview import prompts
from charye.interview.course import must_end
from charye.interview.levels import Level
from charye.interview.moves import Close, Listen, Reason
from charye.interview.plan import Phase
from charye.interview.progress import Progress
from charye.interview.speaking import question_words

__all__ = ["CallAnswer", "Keep", "guidance", "may_close", "must_close", "on_assessment_call", "on_model_turn"]

OWN_QUESTIONS = 2
"""So many turns of a model without asking for guidance, and we speak ourselves."""

AVOID = (
    "teaching, correcting, or supplying a missing word",
    "praise or judgement of the learner's Korean",
    "questions of your own",
    "religion, the politics of the learner's country, illness, income, losses in the family",
)


def guidance(progress: Progress) -> dict[str, Any]:
    """What `interview_guidance` answers. Reading it changes nothing, so it may be called twice.

    Keys: `over`; then `reason` and `say`, or: `say` (the words to say), `move`, `task` (its function and topic),
    `phase`, `how`, `avoid`, `slow`, `turns_left`. There is no level in it: a model that knows it would talk about it.
    """
    move, state = progress.state.last, progress.state
    if isinstance(move, Close):
        return {"over": True, "reason": move.reason.value, "say": move.say}
    task = progress.task
    say = question_words(progress) if isinstance(move, Listen) else move.say
    given: dict[str, Any] = {
        "over": False,
        "say": say,
        "phase": state.phase.value,
        "move": move.__struct_config__.tag,
        "how": _how(progress),
        "avoid": list(AVOID),
        "slow": state.slow,
        "turns_left": max(progress.plan.limits.max_turns - state.turns, 0),
    }
    if task is not None:
        given["task"] = {"function": task.function, "topic": task.topic, "role_play": task.role_play}
    return given


def may_close(progress: Progress) -> bool:
    """Whether the assessment may begin now: it is over, or its last question is being answered."""
    return progress.closed or progress.state.phase is Phase.WIND_DOWN


def must_close(progress: Progress, elapsed_s: float) -> Reason | None:
    """Why the interview has to end now, whoever speaks; None: it may go on.

    Args:
        elapsed_s: since it began, pauses left out.
    """
    state, limits = progress.state, progress.plan.limits
    if state.reason is not None:
        return state.reason
    if elapsed_s >= limits.max_s:
        return Reason.TIME_LIMIT
    if state.turns >= limits.max_turns or state.exchanges >= limits.max_exchanges:
        return state.ending or Reason.TURN_LIMIT
    return None


# --- a model that does not keep to it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What becomes of a call of `trigger_assessment`.

    Args:
        begin: begin the closing now, for `reason`.
        output: what the tool answers; None: the closing speaks.
    """

    begin: bool
    reason: Reason | None = None
    output: str | None = None


def on_assessment_call(progress: Progress, *, elapsed_s: float, begun: bool) -> CallAnswer:
    """The model calls `trigger_assessment`. The reason it gives does not matter: ours is known.

    Args:
        elapsed_s: since the interview began, pauses left out.
        begun: the closing has begun already.
    """
    if begun:
        return CallAnswer(begin=False, output=prompts.already())
    reason = must_close(progress, elapsed_s)
    if reason is None and may_close(progress):
        reason = progress.state.ending or must_end(progress) or Reason.TURN_LIMIT
    if reason is not None:
        return CallAnswer(begin=True, reason=reason)
    return CallAnswer(begin=False, output=prompts.too_early(guidance(progress)["say"]))


class Keep(Enum):
    """How a model is kept to the plan for its next turn."""

    TRUST = "trust"  # it asked for guidance
    REMIND = "remind"  # give it the words in the instructions of the response: `prompts.reminder`
    SPEAK = "speak"  # say the words ourselves
    CLOSE = "close"  # it is over, and the model does not end it


def on_model_turn(progress: Progress, *, elapsed_s: float, unguided: int) -> Keep:
    """Before the model's next turn.

    Args:
        elapsed_s: since the interview began, pauses left out.
        unguided: its turns in a row for which it did not ask for guidance.
    """
    if must_close(progress, elapsed_s) is not None:
        return Keep.CLOSE
    if unguided == 0:
        return Keep.TRUST
    return Keep.REMIND if unguided < OWN_QUESTIONS else Keep.SPEAK


def _how(progress: Progress) -> list[str]:
    task, state = progress.task, progress.state
    step = task.level.step if task is not None else state.search.level
    formal = step >= Level.C1.step
    words = prompts.SHORT_WORDS if step <= Level.A2.step or state.slow else prompts.LONG_WORDS
    how = [
        "one question, then listen",
        "formal style (-습니다)" if formal else "polite style (-요)",
        f"at most {words} words a sentence",
    ]
    if task is not None and task.role_play:
        how.append("stay in your role until the learner has answered")
    return how
