"""What must have been so, whatever went wrong; and which ends a request may have, with the reason."""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tests.e2e.account import SILENCING, Account, Asked
from tests.e2e.scene import Scene
from tests.e2e.truth import Spoken

__all__ = ["violations"]

DESTROYS: Mapping[str, tuple[str, str, int]] = MappingProxyType(
    {
        # The response fell silent and was cancelled. What it had said is in the conversation, and perhaps was heard, so
        # asking again is not the session's to decide.
        "stuck": ("failed", "stuck", 1),
        # Four in a row: tried again three times.
        "failed_response": ("failed", "failed", 4),
        # Three refusals in a row that do not come before a `done`, and no `done` comes for long: three lost answers.
        "refused_after_done": ("failed", "unanswered", 3),
    }
)
"""Faults that a request cannot survive: how it ends, once for so many strikes. Others destroy nothing."""

GUESSED: Mapping[str, str] = MappingProxyType(
    {
        "lost_done": "whether it was completed, nobody has said",
        "garbled_done": "as `lost_done`: what cannot be read has not come",
        "refused_after_done": "an answer that comes too late is none",
    }
)
"""Faults after which an end may be a guess (`uncertain`), once for each strike; so may one for each lost line."""

_UNSEEN_END = "somebody speaks between the end of the sound and the `done`: cut, as far as is known"

UNSEEN: Mapping[str, str] = MappingProxyType(
    {"late_done": _UNSEEN_END, "lost_done": _UNSEEN_END, "garbled_done": _UNSEEN_END}
)
"""Faults by which a response that was heard in full may be told, or asked again, as one that was cut off; once for each
strike, and only where somebody cut in. `docs/reference/e2e.md` says what could be done about `late_done`."""

SUPERSEDED: Mapping[str, str] = MappingProxyType(
    {
        "lost_done": "where a create ends the response that runs, a lost `done` is taken for the end by the next one, "
        "and what resumes is asked for again (docs/reference/invariants.md)",
        "garbled_done": "as `lost_done`",
    }
)
"""Faults by which the same happens without anybody cutting in, where creates supersede."""

_SUPERSEDES = "supersede"

_NOBODY_LISTENED = "nothing was listening: there is no connection"
"""What was said into the void cannot be answered (`PushToTalk.reply`)."""

_JOINED = "answered by another response"
"""The user spoke while the tools were at work, and the reply to that knew their results: one is enough."""

_PROBE, _CROSSED = "item_retrieve_invalid_item_id", "response_cancel_not_active"
_REFUSED = "conversation_already_has_active_response"

EXPECTED_ERRORS = frozenset({_PROBE, _CROSSED, _REFUSED})
"""What the server itself may have to refuse: the answer to a probe, a cancel that met the end of its response, a create
that lost a race. Everything else would be a mistake of the session's."""

_REPORTED_MS = 260.0
"""The room reports at the end of each piece of 250 ms."""


def violations(scene: Scene) -> list[str]:
    """All that was not as it must be; empty if all is well."""
    account = scene.account()
    answers = _answers(scene, account)
    return [
        *scene.trouble,
        *_ends_once(scene, account),
        *_no_avoidable_refusal(account),
        *_no_mistake(scene, account),
        *_ends_have_causes(scene, account),
        *_guesses_are_rare(scene, account),
        *_heard_is_whole(scene, account, answers),
        *_cut_where_it_was_cut(scene, account),
        *_nothing_twice(scene, account, answers),
        *_in_order(scene, account, answers),
    ]


def _answers(scene: Scene, account: Account) -> dict[str, list[Spoken]]:
    """What the server generated for each request, by the tokens of its creates."""
    spoken = scene.truth.answers()
    return {
        asked.request_id: [one for token in asked.creates for one in spoken.get(token, ())]
        for asked in account.requests.values()
    }


def _ends_once(scene: Scene, account: Account) -> Iterator[str]:
    for asked in account.requests.values():
        if len(asked.ends) != 1:
            yield f"{asked.request_id} has {len(asked.ends)} ends"
        if asked.after_end:
            yield f"{asked.request_id} was told something, or played, after its end"
    for handle in scene.handles:
        if handle.outcome is None or handle.outcome.kind.value != account.requests[handle.id].end:
            yield f"{handle!r} was not told the end of its request"


def _no_avoidable_refusal(account: Account) -> Iterator[str]:
    for create in account.creates.values():
        if create.is_avoidable:
            yield f"{create.token} (line {create.line}) was refused, and {create.over} was known to run"


def _no_mistake(scene: Scene, account: Account) -> Iterator[str]:
    for code in set(scene.truth.errors) - EXPECTED_ERRORS:
        yield f"the server had to refuse something: {code}"
    for call_id, times in account.calls.items():
        if times > 1:
            yield f"{call_id} was run {times} times"
    if account.notes["audio dropped: the server does not read"]:
        yield "audio of the user's was thrown away"


def _ends_have_causes(scene: Scene, account: Account) -> Iterator[str]:
    """An end that is not `heard` was asked for, or somebody was cut off, or it is in `DESTROYS`."""
    strikes = scene.truth.strikes
    destroyed = Counter({(end, why): strikes[name] // each for name, (end, why, each) in DESTROYS.items()})
    destroyed["interrupted", ""] = _superseded(scene)
    for asked in account.requests.values():
        if asked.end in ("", "heard"):
            continue
        end = asked.end, str(asked.ends[0].get("reason", ""))
        if destroyed[end] > 0:
            destroyed[end] -= 1
        elif asked.end == "interrupted" and _resumes(asked, account):
            yield f"{asked.request_id} was to go on after an interruption, and is {asked.ends[0]}"
        elif not _has_cause(asked, account):
            yield f"{asked.request_id} is {asked.ends[0]} by {asked.cause}"


def _resumes(asked: Asked, account: Account) -> bool:
    """Whether it goes on after an interruption. Joined requests end alike: all of them must want it."""
    served = account.creates[asked.creates[-1]].requests if asked.creates else (asked.request_id,)
    return all(account.requests[one].resumes for one in served)


def _has_cause(asked: Asked, account: Account) -> bool:
    match asked.end:
        case "interrupted":
            return bool(asked.cut_by) or asked.cause in SILENCING | {"< response.done cancelled"}
        case "cancelled":
            joins = asked.trigger.startswith("tool:") and asked.ends[0].get("reason") == _JOINED
            return joins or asked.cause == f"@ cancel {asked.request_id}"
        case "denied":
            return asked.ends[0].get("reason") == _NOBODY_LISTENED and account.lost > 0
    return False


def _guesses_are_rare(scene: Scene, account: Account) -> Iterator[str]:
    allowed = account.lost + sum(scene.truth.strikes[name] for name in GUESSED)
    guessed = [asked.request_id for asked in account.requests.values() if asked.is_uncertain]
    if len(guessed) > allowed:
        yield f"{guessed} are uncertain, and {allowed} may be"


def _heard_is_whole(scene: Scene, account: Account, answers: Mapping[str, list[Spoken]]) -> Iterator[str]:
    for asked in account.requests.values():
        if asked.end != "heard" or asked.is_uncertain:
            continue
        whole = [one for one in answers[asked.request_id] if one.is_whole]
        if not whole:
            yield f"{asked.request_id} is heard and was never whole"
        elif not any(_heard(scene, one) for one in whole):
            told = [
                (one.response_id, one.audio_ms, scene.room.heard_ms.get(one.response_id)) for one in whole
            ]
            yield f"{asked.request_id} is heard, and nobody in the room has heard all of it: {told}"


def _cut_where_it_was_cut(scene: Scene, account: Account) -> Iterator[str]:
    if _superseded(scene):
        return  # docs/reference/e2e.md: what was forgotten as played is then told as 0 ms
    for asked in account.requests.values():
        if asked.end == "interrupted" and asked.responses:
            told_ms = float(asked.ends[0].get("heard_ms") or 0.0)
            heard_ms = scene.room.heard_ms.get(asked.responses[-1], 0.0)
            if abs(told_ms - heard_ms) > _REPORTED_MS:
                yield f"{asked.request_id} was cut after {heard_ms:.0f} ms and is told {told_ms:.0f}"


def _nothing_twice(scene: Scene, account: Account, answers: Mapping[str, list[Spoken]]) -> Iterator[str]:
    """Heard in full once; what a lost line may have taken away is asked for again (`OnReconnect.REPLAY`)."""
    strikes = scene.truth.strikes
    unseen = sum(strikes[name] for name in UNSEEN)
    allowed = account.lost + _superseded(scene)
    if any(asked.cut_by for asked in account.requests.values()):
        allowed += unseen
    again = []
    for asked in account.requests.values():
        full = [
            one for one in answers[asked.request_id] if one.is_whole and one.audio_ms and _heard(scene, one)
        ]
        again += [asked.request_id] * (len(full) - 1)
    if len(again) > allowed:
        yield f"{again} were heard in full once more, and {allowed} may be"


def _superseded(scene: Scene) -> int:
    """How many ends may be taken for the work of a create that never was."""
    if _SUPERSEDES not in scene.fault_names:
        return 0
    return sum(scene.truth.strikes[name] for name in SUPERSEDED)


def _in_order(scene: Scene, account: Account, answers: Mapping[str, list[Spoken]]) -> Iterator[str]:
    """Of one class: those with exact words, which the workloads ask for in one class, in the order of asking."""
    order = {response_id: at for at, response_id in enumerate(scene.room.heard_ms)}
    unseen = any(scene.truth.strikes[name] for name in UNSEEN)
    last, before = -1, ""
    for asked in account.requests.values():
        if unseen and asked.cut_by:
            continue  # that it was cut off was known only when the next one had been asked for
        if asked.words is None or asked.holds or asked.end != "heard" or asked.is_uncertain:
            continue
        at = max(
            (order[one.response_id] for one in answers[asked.request_id] if one.response_id in order),
            default=-1,
        )
        if -1 < at < last:
            yield f"{asked.request_id} was heard before {before}"
        elif at > -1:
            last, before = at, asked.request_id


def _heard(scene: Scene, one: Spoken) -> bool:
    return scene.room.heard_in_full(one.response_id, one.audio_ms)
