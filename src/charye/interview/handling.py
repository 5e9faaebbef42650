"""What is done about everything that is no answer: silence, other languages, requests, a pause, the wish to stop.

Each has its line in `data/lines.toml`. Nothing here is a breakdown at once: a learner gets one kind way out, then it
counts.
"""

from collections.abc import Callable

from charye.interview.answering import judged
from charye.interview.course import Step, close, finish, proceed, skipped, turn, with_flag
from charye.interview.hearing import Kind, TurnEvidence, kind_of, says
from charye.interview.levels import Level
from charye.interview.moves import (
    AskAgain,
    CheckMicrophone,
    ConfirmStop,
    Encourage,
    InviteKorean,
    Listen,
    Pause,
    Reason,
    Repeat,
    Rephrase,
    Resume,
    Slower,
    Wording,
)
from charye.interview.plan import Phase
from charye.interview.progress import Awaiting, Flag, Progress, change, change_on
from charye.interview.speaking import line, question, question_words
from charye.interview.surface import inspect
from charye.interview.turn_score import Signal

__all__ = [
    "aside",
    "carry_on",
    "confirm_stop",
    "confirmed",
    "distress",
    "dont_know",
    "foreign",
    "hears_us",
    "language_gap",
    "pause",
    "request",
    "rest",
    "resume",
    "silence",
    "silence_stages",
    "stop",
    "unclear",
]

SILENT_TASKS = 2
"""So many tasks in a row without a word, and the microphone is checked."""
_BEGINNER = Level.A2.step
_SILENCE_STAGES = 3


def silence_stages(progress: Progress) -> tuple[int, int, int]:
    """The milliseconds of silence at which something is said, three times, for the present task."""
    silence, (_, task) = progress.plan.silence, progress.present
    beginner = task.level.step <= _BEGINNER
    first = silence.encourage_beginner_ms if beginner else silence.encourage_ms
    return first, silence.ask_again_ms, silence.move_on_ms


def silence(progress: Progress, evidence: TurnEvidence) -> Step:
    """Encourage, ask again more simply, then leave the task; two tasks in a row, and the microphone is checked."""
    on, _ = progress.present
    reached = sum(1 for limit in silence_stages(progress) if evidence.silence_ms >= limit)
    if reached <= on.silence:
        return progress, Listen(say="")
    progress = change_on(progress, silence=reached)
    if reached >= 2 and on.heard.words:
        # The follow-up found nothing more; what was said before counts.
        return proceed(judged(progress, evidence))
    if reached == 1:
        return progress, line(progress, Encourage, "encourage", task=on.task)
    if reached < _SILENCE_STAGES:
        progress = change_on(progress, wording=Wording.SIMPLE, simplified=True)
        return progress, question(progress, Rephrase, "ask_again")
    progress = with_flag(turn(progress), Flag.SILENCE)
    progress = change(judged(progress, evidence, Signal.SILENT), silent=progress.state.silent + 1)
    if progress.state.silent >= SILENT_TASKS and progress.state.phase is not Phase.WIND_DOWN:
        return change(progress, awaiting=Awaiting.MICROPHONE), line(progress, CheckMicrophone, "microphone")
    return proceed(progress, moved_on=True)


def unclear(progress: Progress, evidence: TurnEvidence) -> Step:
    """What arrived cannot have been said: ask once more, then skip the task. It says nothing about the learner."""
    on, _ = progress.present
    if on.unclear == 0:
        progress = change_on(progress, unclear=1, silence=0)
        return progress, line(progress, AskAgain, "unclear", task=on.task)
    progress = with_flag(turn(progress), Flag.ASR_DOUBT)
    if on.heard.words:
        return proceed(judged(progress, TurnEvidence()))
    progress = finish(progress, skipped(Signal.UNCLEAR), counts=False)
    return proceed(change(progress, skipped=progress.state.skipped + 1), moved_on=True)


def foreign(progress: Progress, evidence: TurnEvidence) -> Step:
    """Take the meaning, invite Korean once; the second time it counts."""
    on, _ = progress.present
    said = inspect(evidence.text, question_words(progress))
    progress = turn(change(progress, words=progress.state.words + said.words, silent=0))
    progress = with_flag(change_on(progress, heard=on.heard + said, silence=0), Flag.WRONG_LANGUAGE)
    if not on.invited:
        progress = change_on(progress, invited=True)
        return progress, line(progress, InviteKorean, "speak_korean", task=on.task)
    return proceed(judged(progress, evidence, Signal.FOREIGN), moved_on=True)


def dont_know(progress: Progress, evidence: TurnEvidence) -> Step:
    """Nothing to say about this: another topic at the same level, once. After that it counts."""
    on, _ = progress.present
    first = progress.state.dont_knows == 0
    progress = turn(change(progress, silent=0))
    if on.heard.words:
        return proceed(judged(progress, evidence))
    progress = change(progress, dont_knows=progress.state.dont_knows + 1)
    if first:
        return proceed(
            finish(progress, skipped(Signal.DONT_KNOW), counts=False), "other_topic", moved_on=True
        )
    return proceed(judged(progress, evidence, Signal.DONT_KNOW), moved_on=True)


def language_gap(progress: Progress, evidence: TurnEvidence) -> Step:
    """No words for it: the same in simpler words, once for each task. After that it counts."""
    on, _ = progress.present
    progress = turn(change(progress, silent=0))
    if on.heard.words:
        return proceed(judged(progress, evidence))
    if not on.simplified:
        progress = change_on(progress, simplified=True, wording=Wording.SIMPLE, silence=0)
        return progress, question(progress, Rephrase, "rephrase")
    return proceed(judged(progress, evidence, Signal.LANGUAGE_GAP), moved_on=True)


# --- requests, and the conversation itself --------------------------------------------------------------------------


def request(progress: Progress, evidence: TurnEvidence) -> Step:
    """Repeat, speak slowly, or say it more simply: always granted, up to a limit for each task."""
    on, _ = progress.present
    kind = kind_of(evidence)
    progress = change_on(
        change(progress, requests=progress.state.requests + 1, silent=0), requests=on.requests + 1, silence=0
    )
    if on.requests >= progress.plan.limits.requests_per_task:
        return proceed(judged(turn(progress), TurnEvidence()), moved_on=True)
    if kind is Kind.SLOWER:
        progress = change_on(change(progress, slow=True), wording=Wording.SIMPLE)
        return progress, question(progress, Slower, "slower")
    if kind is Kind.REPHRASE:
        progress = change_on(progress, wording=Wording.SIMPLE, simplified=True)
        return progress, question(progress, Rephrase, "rephrase")
    return progress, question(progress, Repeat, "repeat")


def aside(name: str, flag: Flag | None = None) -> Callable[[Progress, TurnEvidence], Step]:
    """Say a line; the question stands."""

    def said(progress: Progress, evidence: TurnEvidence) -> Step:
        on, _ = progress.present
        if flag is not None:
            progress = with_flag(progress, flag)
        progress = change_on(progress, silence=0)
        return progress, line(progress, Encourage, name, task=on.task)

    return said


def confirm_stop(progress: Progress, evidence: TurnEvidence) -> Step:
    """Nobody is let go, or kept, by a mistake of the recogniser."""
    return change(progress, awaiting=Awaiting.STOP_CONFIRMATION), line(progress, ConfirmStop, "confirm_stop")


def stop(progress: Progress, evidence: TurnEvidence) -> Step:
    """The learner wants to stop. What they have said counts."""
    if progress.state.on is not None and progress.state.on.heard.words:
        progress = judged(progress, TurnEvidence())
    silent = progress.state.silent >= SILENT_TASKS
    reason = Reason.INSUFFICIENT_SPEECH if silent and not progress.enough else Reason.LEARNER_STOP
    return close(with_flag(progress, Flag.STOPPED_EARLY), reason)


def confirmed(progress: Progress, evidence: TurnEvidence) -> Step:
    """Whatever is not a yes goes on."""
    if not says("no", evidence.text) and says("yes", evidence.text):
        return stop(progress, evidence)
    return carry_on(progress, evidence)


def confirmed_stop(progress: Progress, evidence: TurnEvidence) -> Step:
    """The wish to stop, said again; unless it is said that there is none."""
    return (carry_on if says("not_wanted", evidence.text) else stop)(progress, evidence)


def carry_on(progress: Progress, evidence: TurnEvidence) -> Step:
    """They do not want to stop."""
    progress = change(progress, awaiting=Awaiting.ANSWER, silent=0)
    if progress.state.on is None:
        return proceed(progress, "carry_on")
    progress = change_on(progress, silence=0)
    return progress, question(progress, Resume, "carry_on")


def hears_us(progress: Progress, evidence: TurnEvidence) -> Step:
    """The line works."""
    return proceed(change(progress, awaiting=Awaiting.ANSWER, silent=0), "microphone_ok")


def pause(progress: Progress, evidence: TurnEvidence) -> Step:
    """Nothing is waited for."""
    return change(progress, awaiting=Awaiting.RESUMPTION), line(progress, Pause, "paused")


def resume(progress: Progress, evidence: TurnEvidence) -> Step:
    """After a pause."""
    progress = change(progress, awaiting=Awaiting.ANSWER)
    if progress.state.on is None:
        return proceed(progress, "resumed")
    progress = change_on(progress, silence=0)
    return progress, question(progress, Resume, "resumed")


def rest(progress: Progress, evidence: TurnEvidence) -> Step:
    """Silence and noise in a pause."""
    return progress, Listen(say="")


def distress(progress: Progress, evidence: TurnEvidence) -> Step:
    """Scoring stops; what was said is neither kept nor reported."""
    return close(progress, Reason.LEARNER_STOP, withhold=True)
