"""What the interviewer does next: `step(progress, evidence) -> (progress, move)`.

Pure: the same progress and evidence give the same step; no clock, no chance, no waiting. What arrives is first given a
kind (`hearing`), and the table says what that means for what is waited for. The level search is in `search`, what
follows a finished task in `course`, the words in `speaking`. Whatever arrives, an interview ends within its limits, and
`step` never raises.

Example:
    >>> progress, move = start(load(), seed=7)
    >>> while not progress.closed:
    ...     progress, move = step(progress, TurnEvidence(text=input(move.say)))
"""

from collections.abc import Callable

from charye.interview import handling
from charye.interview.answering import answer, judged
from charye.interview.course import Step, close, finish, is_full, must_end, proceed
from charye.interview.hearing import Kind, TurnEvidence, kind_of
from charye.interview.levels import Level
from charye.interview.moves import FollowUp, Listen, Move, Reason
from charye.interview.plan import Phase, Plan
from charye.interview.progress import Awaiting, Flag, Outcome, Progress, State, change
from charye.interview.speaking import line
from charye.interview.turn_score import Verdict

__all__ = ["Outcome", "Progress", "silence_deadline_ms", "start", "step"]


def start(
    plan: Plan,
    *,
    seed: int,
    claimed: Level | None = None,
    language: str | None = None,
    earlier: tuple[str, ...] = (),
) -> Step:
    """A new interview, and its first question.

    Args:
        plan: from `plan.load`.
        seed: decides between tasks that fit equally well.
        claimed: the level that the learner gives themselves; the search begins one below.
        language: of the glosses, such as `en`; None: no glosses.
        earlier: tasks of earlier interviews, the latest last (`Progress.state.record`); asked again last.
    """
    nothing = Listen(say="")
    state = State(
        seed=seed,
        last=nothing,
        claimed=None if claimed is None else claimed.step,
        language=language,
        earlier=earlier,
    )
    return _remember(*proceed(Progress(plan, state)))


def step(progress: Progress, evidence: TurnEvidence) -> Step:
    """Something arrived: how far the interview is now, and what the interviewer does.

    After the end, the same `Close` again.
    """
    if progress.closed:
        return progress, progress.state.last
    progress = _counted(progress, evidence)
    kind = kind_of(evidence)
    progress, move = TABLE[progress.state.awaiting, kind](progress, evidence)
    return _remember(*_within_limits(progress, move))


def silence_deadline_ms(progress: Progress) -> float | None:
    """After how much silence, as in `TurnEvidence.silence_ms`, `step` wants to know; None: it does not matter."""
    silence = progress.plan.silence
    match progress.state.awaiting:
        case Awaiting.ANSWER:
            stages = handling.silence_stages(progress)
            done = progress.present[0].silence
            return stages[done] if done < len(stages) else None
        case Awaiting.MICROPHONE | Awaiting.STOP_CONFIRMATION:
            return silence.ask_again_ms
        case Awaiting.RESUMPTION | Awaiting.NOTHING:
            return None


# --- bookkeeping ----------------------------------------------------------------------------------------------------


def _counted(progress: Progress, evidence: TurnEvidence) -> Progress:
    state = progress.state
    elapsed = state.elapsed_s
    if evidence.at_s is not None:
        elapsed = max(elapsed or 0.0, evidence.at_s)
    return change(progress, exchanges=state.exchanges + 1, elapsed_s=elapsed)


def _within_limits(progress: Progress, move: Move) -> Step:
    state, limits = progress.state, progress.plan.limits
    if progress.closed:
        return progress, move
    reason = None
    if state.elapsed_s is not None and state.elapsed_s >= limits.max_s:
        reason = Reason.TIME_LIMIT
    elif state.turns >= limits.max_turns or state.exchanges >= limits.max_exchanges:
        reason = state.ending or Reason.TURN_LIMIT
    if reason is None:
        return _last_call(progress, move)
    return close(_cut_short(progress), reason)


def _last_call(progress: Progress, move: Move) -> Step:
    """A task that is still open when its phase is full, or a limit near, gives way to what comes next."""
    state = progress.state
    if state.awaiting is not Awaiting.ANSWER:
        return progress, move
    last = state.phase is Phase.WIND_DOWN
    near = not last and must_end(progress) in (Reason.TURN_LIMIT, Reason.TIME_LIMIT)
    if near or is_full(progress, state.phase):
        return proceed(_cut_short(progress))
    return progress, move


def _cut_short(progress: Progress) -> Progress:
    """The task that is still open is done: what was heard of it counts; if nothing was, it says nothing."""
    if progress.state.on is None:
        return progress
    if progress.present[0].heard.words:
        return judged(progress, TurnEvidence())
    return finish(progress, Verdict(score=0, band=0.0), counts=False)


def _remember(progress: Progress, move: Move) -> Step:
    """Keep the move, but no word of the learner's that is in it."""
    kept = move
    if isinstance(move, FollowUp) and progress.state.on is not None and progress.state.on.fresh:
        kept = line(progress, FollowUp, "about_something", task=move.task)
    return change(progress, last=kept), move


# --- the table -----------------------------------------------------------------------------------------------------

_AWAITED = (Awaiting.ANSWER, Awaiting.MICROPHONE, Awaiting.STOP_CONFIRMATION, Awaiting.RESUMPTION)

TABLE: dict[tuple[Awaiting, Kind], Callable[[Progress, TurnEvidence], Step]] = {
    **{(Awaiting.MICROPHONE, kind): handling.hears_us for kind in Kind},
    **{(Awaiting.STOP_CONFIRMATION, kind): handling.confirmed for kind in Kind},
    **{(Awaiting.RESUMPTION, kind): handling.resume for kind in Kind},
    **{(awaiting, Kind.DISTRESS): handling.distress for awaiting in _AWAITED},
    **{(awaiting, Kind.STOP): handling.confirm_stop for awaiting in _AWAITED},
    **{(awaiting, Kind.PAUSE): handling.pause for awaiting in _AWAITED},
    (Awaiting.MICROPHONE, Kind.SILENCE): handling.confirm_stop,
    (Awaiting.STOP_CONFIRMATION, Kind.SILENCE): handling.stop,
    (Awaiting.STOP_CONFIRMATION, Kind.STOP): handling.confirmed_stop,
    (Awaiting.STOP_CONFIRMATION, Kind.RESUME): handling.carry_on,
    (Awaiting.RESUMPTION, Kind.SILENCE): handling.rest,
    (Awaiting.RESUMPTION, Kind.UNCLEAR): handling.rest,  # a noise in the room is nobody's return
    (Awaiting.ANSWER, Kind.ANSWER): answer,
    (Awaiting.ANSWER, Kind.SILENCE): handling.silence,
    (Awaiting.ANSWER, Kind.UNCLEAR): handling.unclear,
    (Awaiting.ANSWER, Kind.FOREIGN): handling.foreign,
    (Awaiting.ANSWER, Kind.DONT_KNOW): handling.dont_know,
    (Awaiting.ANSWER, Kind.LANGUAGE_GAP): handling.language_gap,
    (Awaiting.ANSWER, Kind.REPEAT): handling.request,
    (Awaiting.ANSWER, Kind.SLOWER): handling.request,
    (Awaiting.ANSWER, Kind.REPHRASE): handling.request,
    (Awaiting.ANSWER, Kind.WAIT): handling.aside("encourage"),
    (Awaiting.ANSWER, Kind.CORRECTION): handling.aside("correction_later"),
    (Awaiting.ANSWER, Kind.HELP): handling.aside("no_help", Flag.ASSISTED),
    (Awaiting.ANSWER, Kind.RESUME): handling.resume,
}
