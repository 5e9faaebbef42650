"""The course of an interview: what follows when a task is done, up to the goodbye.

    warm-up (2) -> level checks and probes, until the search is settled or a limit is near -> wind-down (1) -> closed

The turn and time limits keep room for the last question, so that an interview ends on something the learner can do.
"""

from charye.interview.choice import choose
from charye.interview.levels import PRE_A1
from charye.interview.moves import Ask, Close, Move, MoveOn, Reason, WindDown
from charye.interview.plan import Phase, Task
from charye.interview.progress import Awaiting, Flag, OnTask, Progress, Scored, change
from charye.interview.search import Search, advance, start_step
from charye.interview.speaking import line, question, wording_for
from charye.interview.turn_score import Signal, Verdict

__all__ = [
    "WARM_UPS",
    "Step",
    "close",
    "finish",
    "is_full",
    "must_end",
    "proceed",
    "skipped",
    "turn",
    "with_flag",
]

WARM_UPS = 2
UNCLEAR_LIMIT = 3
"""Tasks that were skipped because nothing could be understood; then the line is at fault, not the learner."""
RECITED_LIMIT = 2
"""Tasks that were answered by heart even when asked about a detail; then there is nothing to judge."""

Step = tuple[Progress, Move]


def with_flag(progress: Progress, flag: Flag) -> Progress:
    """The progress with a flag for the report."""
    flags = progress.state.flags
    return progress if flag in flags else change(progress, flags=(*flags, flag))


def finish(progress: Progress, verdict: Verdict, *, counts: bool = True) -> Progress:
    """The present task is done; it goes into the record, and into the search if it counts there.

    Args:
        counts: False: it says nothing about the level, such as a topic that was changed.
    """
    state, (on, task) = progress.state, progress.present
    searching = state.phase in (Phase.LEVEL_CHECK, Phase.PROBE)
    scored = counts and searching
    done = Scored(
        task=task.id,
        level=task.level,
        phase=state.phase,
        score=verdict.score if scored else None,
        signals=verdict.signals,
        band=round(verdict.band, 2),
        words=on.heard.words,
        latency_ms=on.latency_ms,
        at_s=state.elapsed_s,
    )
    search = state.search
    if scored and search.settled is None:
        search = advance(search, verdict.score, verdict.band)
    return change(
        progress,
        record=(*state.record, done),
        search=search,
        on=None,
        role_played=state.role_played or (task.role_play and scored),
        extra=state.extra + (1 if scored and state.search.settled is not None else 0),
    )


def proceed(progress: Progress, *lead: str, moved_on: bool = False) -> Step:
    """The next question, or the end. The present task must be done.

    Args:
        lead: the lines to say before, instead of the usual one.
        moved_on: the task before was given up.
    """
    state = progress.state
    if state.phase is Phase.WIND_DOWN:
        return close(progress, state.ending or Reason.TURN_LIMIT)
    if state.phase is Phase.WARM_UP:
        cold = must_end(progress) is None and not _warm(progress)
        if cold and (task := choose(progress, Phase.WARM_UP)) is not None:
            return _ask(progress, task, Phase.WARM_UP, lead, moved_on)
        heard = max((done.band for done in state.record), default=0.0)
        search = Search(level=start_step(state.claimed, heard))
        progress = change(progress, phase=Phase.LEVEL_CHECK, search=search)
    if (reason := must_end(progress)) is not None:
        return _wind_down(progress, reason)
    search = progress.state.search
    phase = Phase.PROBE if search.probing and search.settled is None else Phase.LEVEL_CHECK
    if is_full(progress, phase) or (task := choose(progress, phase)) is None:
        return _wind_down(progress, Reason.TURN_LIMIT)
    return _ask(progress, task, phase, lead, moved_on)


def must_end(progress: Progress) -> Reason | None:
    """Why no further task may be asked before the last one; None if there may be one."""
    state, limits = progress.state, progress.plan.limits
    if state.skipped >= UNCLEAR_LIMIT:
        return Reason.TECHNICAL
    if state.recited >= RECITED_LIMIT:
        return Reason.INSUFFICIENT_SPEECH
    if state.elapsed_s is not None and state.elapsed_s >= limits.max_s - limits.wind_down_s:
        return Reason.TIME_LIMIT
    if state.turns >= limits.max_turns - 1 or state.exchanges >= limits.max_exchanges - 2:
        return Reason.TURN_LIMIT
    if state.search.settled is not None and (_has_minimum(progress) or state.extra >= limits.extra_tasks):
        return Reason(state.search.settled.value)
    if state.phase is not Phase.WARM_UP and is_full(progress, state.phase):
        return Reason.TURN_LIMIT
    return None


def close(progress: Progress, reason: Reason, *, withhold: bool = False) -> Step:
    """The end. With too little speech for a level, that is the reason, unless the learner or the line is."""
    kept = (Reason.LEARNER_STOP, Reason.TECHNICAL)
    if not progress.enough and reason not in kept:
        reason = Reason.INSUFFICIENT_SPEECH
    if withhold:
        words = "neutral_close"
    elif reason is Reason.TECHNICAL:
        words = "close_technical"
    else:
        words = "close" if progress.enough else "close_little"
    move = line(progress, Close, words, reason=reason, withhold=withhold)
    progress = change(
        progress, phase=Phase.CLOSED, awaiting=Awaiting.NOTHING, on=None, reason=reason, withheld=withhold
    )
    return progress, move


def _ask(progress: Progress, task: Task, phase: Phase, lead: tuple[str, ...], moved_on: bool) -> Step:
    first = not progress.state.record and phase is Phase.WARM_UP
    if not lead:
        if first:
            lead = ("greeting",)
        elif moved_on:
            lead = ("move_on",)
        elif phase is Phase.PROBE:
            lead = ("probe_intro",)
        else:
            lead = ("check_intro",) if phase is Phase.LEVEL_CHECK else ()
    if task.role_play:
        lead = (
            (*lead[:-1], "role_play_intro")
            if lead in (("check_intro",), ("probe_intro",))
            else (*lead, "role_play_intro")
        )
    wording = wording_for(progress)
    progress = change(
        progress, phase=phase, awaiting=Awaiting.ANSWER, on=OnTask(task=task.id, wording=wording)
    )
    if moved_on:
        return progress, question(progress, MoveOn, *lead)
    return progress, question(progress, Ask, *lead, wording=wording)


def _wind_down(progress: Progress, reason: Reason) -> Step:
    limits, state = progress.plan.limits, progress.state
    progress = change(progress, ending=reason)
    no_room = state.turns >= limits.max_turns or state.exchanges >= limits.max_exchanges
    late = state.elapsed_s is not None and state.elapsed_s >= limits.max_s
    if no_room or late or reason is Reason.TECHNICAL:
        return close(progress, reason)
    if (task := choose(progress, Phase.WIND_DOWN)) is None:
        return close(progress, reason)
    progress = change(
        progress,
        phase=Phase.WIND_DOWN,
        awaiting=Awaiting.ANSWER,
        on=OnTask(task=task.id, wording=wording_for(progress)),
    )
    return progress, question(progress, WindDown, "wind_down_intro")


def _warm(progress: Progress) -> bool:
    state = progress.state
    return len(state.record) >= WARM_UPS or is_full(progress, Phase.WARM_UP)


def _has_minimum(progress: Progress) -> bool:
    """Enough of a conversation to speak about. Nobody below A1 is kept for it."""
    state, limits = progress.state, progress.plan.limits
    if state.search.floor == PRE_A1:
        return True
    long_enough = state.elapsed_s is None or state.elapsed_s >= limits.min_s
    return state.turns >= limits.min_turns and state.words >= limits.min_words and long_enough


def is_full(progress: Progress, phase: Phase) -> bool:
    """Whether the learner has had all the turns of this phase."""
    limit = progress.plan.limits.phase_turns.get(phase)
    return limit is not None and progress.state.phase_turns.get(phase, 0) >= limit


def skipped(signal: Signal) -> Verdict:
    """The verdict of a task that says nothing about the level."""
    return Verdict(score=0, band=0.0, signals=(signal,))


def turn(progress: Progress) -> Progress:
    """The learner has used a turn."""
    state = progress.state
    used = {**state.phase_turns, state.phase: state.phase_turns.get(state.phase, 0) + 1}
    return change(progress, turns=state.turns + 1, phase_turns=used)
