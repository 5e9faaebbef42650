"""What an answer leads to: a score and the next task, a question about more, or a way back to the topic."""

from charye.interview.course import Step, finish, proceed, skipped, turn, with_flag
from charye.interview.hearing import TurnEvidence
from charye.interview.moves import FollowUp, Redirect
from charye.interview.plan import Phase
from charye.interview.progress import Flag, Progress, change, change_on
from charye.interview.speaking import question, question_words
from charye.interview.surface import EMPTY, Surface, inspect
from charye.interview.turn_score import Signal, combined_band, is_off_topic, is_rehearsed, judge, shingles

__all__ = ["answer", "judged"]


def answer(progress: Progress, evidence: TurnEvidence) -> Step:
    """Words in Korean that may be an answer."""
    state, (on, task) = progress.state, progress.present
    said = inspect(evidence.text, question_words(progress))
    progress = turn(change(progress, silent=0))
    heard = said if on.fresh else on.heard + said
    latency = on.latency_ms if on.latency_ms is not None else evidence.latency_ms
    if state.phase in (Phase.LEVEL_CHECK, Phase.PROBE):
        prints = shingles(evidence.text)
        band = combined_band(said, evidence.linguistic)
        rehearsed = is_rehearsed(said, band, progress.past, heard=prints, earlier=progress.state.said)
        progress = change(progress, said=(*progress.state.said, prints))
        if rehearsed:
            return _rehearsed(progress, evidence)
        if is_off_topic(evidence, task):
            return _off_topic(change(progress, words=state.words + said.words), heard)
    progress = change(progress, words=state.words + said.words)
    progress = change_on(progress, heard=heard, latency_ms=latency, silence=0)
    if _should_ask_on(progress, heard):
        return _ask_on(progress)
    return proceed(judged(progress, evidence))


def judged(progress: Progress, evidence: TurnEvidence, *noted: Signal) -> Progress:
    """Score what was heard and finish the task."""
    on, task = progress.present
    verdict = judge(
        evidence,
        on.heard,
        task,
        need=_need(progress),
        requests=on.requests,
        past=progress.past,
        noted=(*on.noted, *noted),
    )
    return finish(progress, verdict)


def _need(progress: Progress) -> int:
    on, task = progress.present
    words = progress.plan.answers.words[task.level.step]
    return (words + 1) // 2 if on.fresh else words


def _should_ask_on(progress: Progress, heard: Surface) -> bool:
    state, (on, task) = progress.state, progress.present
    if on.follow_up is not None or not task.follow_ups:
        return False
    limits = progress.plan.limits
    room = state.turns < limits.max_turns - 3 and state.follow_ups < limits.follow_ups
    searching = state.phase in (Phase.LEVEL_CHECK, Phase.PROBE)
    return searching and room and 0 < heard.words * 2 < _need(progress)


def _ask_on(progress: Progress) -> Step:
    _, task = progress.present
    progress = change(progress, follow_ups=progress.state.follow_ups + 1)
    progress = change_on(progress, follow_up=task.follow_ups[0])
    return progress, question(progress, FollowUp, "more")


def _rehearsed(progress: Progress, evidence: TurnEvidence) -> Step:
    """Nobody is interrupted; the next question is about a detail, and only its answer counts."""
    on, task = progress.present
    progress = with_flag(progress, Flag.MEMORISED)
    if on.fresh:
        progress = change(progress, recited=progress.state.recited + 1)
        return proceed(finish(progress, skipped(Signal.REHEARSED), counts=False), moved_on=True)
    lines = progress.plan.lines
    plain = lines.say("about_something", task.level.step)
    noted = (*on.noted, Signal.REHEARSED)
    progress = change_on(progress, heard=EMPTY, fresh=True, follow_up=plain, noted=noted, silence=0)
    detail = _detail(evidence.text)
    words = plain if detail is None else lines.say("about_detail", task.level.step).format(detail=detail)
    asked = question(progress, FollowUp)
    return progress, FollowUp(say=words, speed=asked.speed, task=asked.task)


def _detail(text: str) -> str | None:
    """The last thing that was spoken about: a word with an object particle. In the move only, never stored."""
    words = [word.strip(".,!?…") for word in text.split()]
    objects = [word[:-1] for word in words if len(word) >= 3 and word.endswith(("을", "를"))]
    return f"‘{objects[-1]}’" if objects else None


def _off_topic(progress: Progress, heard: Surface) -> Step:
    on, _ = progress.present
    if on.redirected:
        progress = change_on(progress, heard=heard)
        return proceed(judged(progress, TurnEvidence(), Signal.OFF_TOPIC), moved_on=True)
    progress = change_on(progress, redirected=True, silence=0)
    return progress, question(progress, Redirect, "back_to_topic")
