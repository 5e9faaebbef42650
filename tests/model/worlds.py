"""The worlds that are explored. Each is small enough to be walked whole; together they cover what the design names.

To add one: append a `Spec`; `test_exploration.py` finds it. A world that breaks a law is either a bug of the core
or a sentence in `docs/reference/invariants.md`, section "What cannot be decided".
"""

from dataclasses import replace
from typing import Any

from charye.core.playout import Reporting
from charye.core.requests import OnInterruption, OnReconnect, Priority, RequestId, ResponseRequest, Starts
from charye.core.settings import Patience, Settings
from charye.core.waiting import WhenFull
from charye.protocol import NO_EVENT_ID, NO_METADATA, SUPERSEDES, ResponseParams
from tests.model.core import HOLD
from tests.model.server import Form, Rules
from tests.model.world import Budget, Spec

__all__ = ["WORLDS"]

SETTINGS = Settings(name="m", ageing_s=0, max_unanswered=3, backoff_s=1.0)
SILENT = ResponseParams(output_modalities=("text",))


def _ask(number: int, priority: Priority = Priority.USER, **how: Any) -> ResponseRequest:
    return ResponseRequest(id=RequestId(f"q{number}"), trigger="model", priority=priority, **how)


def _of_the_hold(number: int, priority: Priority = Priority.USER, **how: Any) -> ResponseRequest:
    return _ask(number, priority, hold=HOLD, **how)


ONE = (_ask(1),)
TWO = (_ask(1), _ask(2))
CLASSES = (_ask(1, Priority.TOOL), _ask(2), _ask(3, Priority.TOOL))
ASIDE = _ask(9, conversation="none", parameters=SILENT)
ALOUD = _ask(9, conversation="none")
PUSH_TO_TALK = Rules(replies=False, interrupts=False)
NO_ECHO = Rules(echo=False, replies=False)
UNNAMED = replace(SETTINGS, dialect=NO_METADATA)
PRESSED = replace(SETTINGS, asks_for_replies=False)
PAUSED = Patience(ending_s=1.0)  # shorter than the wait for a reply, so that a pause is over before it

RACES = (
    Spec(name="2 requests, 2 turns", asks=TWO, settings=SETTINGS, turns=2),
    Spec(name="3 requests in 2 classes, 1 turn", asks=CLASSES, settings=SETTINGS, turns=1),
    Spec(
        name="3 requests in 2 classes, push-to-talk, 2 cancels",
        asks=CLASSES,
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(cancels=2),
    ),
    Spec(
        name="3 requests in 2 classes, 1 turn, 1 cancel",
        asks=CLASSES,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="2 requests, 2 turns, 2 cancels", asks=TWO, settings=SETTINGS, turns=2, budget=Budget(cancels=2)
    ),
    Spec(
        name="2 requests, 2 turns, 1 cancel, errors late",
        asks=TWO,
        rules=Rules(late_errors=True),
        settings=SETTINGS,
        turns=2,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="3 requests, 2 turns, errors late",
        asks=(*TWO, _ask(3)),
        rules=Rules(late_errors=True),
        settings=SETTINGS,
        turns=2,
    ),
    Spec(
        name="2 requests, 2 turns, no interruption",
        asks=TWO,
        rules=Rules(interrupts=False),
        settings=SETTINGS,
        turns=2,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="2 requests, 2 turns, resumed when interrupted",
        asks=tuple(replace(each, on_interruption=OnInterruption.RESUME) for each in TWO),
        settings=SETTINGS,
        turns=2,
        exact=False,
    ),
    Spec(
        name="2 requests, 2 turns, a server that supersedes",
        asks=TWO,
        rules=Rules(supersedes=True),
        settings=replace(SETTINGS, dialect=SUPERSEDES),
        turns=2,
        budget=Budget(cancels=1),
        exact=False,
    ),
)

# A create is refused where the server's reply comes after the wait for it has ended.
REFUSALS = tuple(
    Spec(
        name=f"refusal form {form.name}, late, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        rules=Rules(form=form, late_errors=True, event_ids=form.value[1]),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, early_turn=1),
    )
    for form in Form
)

NAMELESS = (
    Spec(
        name="no event ids, blocked replies make errors, 2 turns",
        asks=TWO,
        rules=Rules(form=Form.NO_EVENT_ID, event_ids=False, blocked_errors=True, late_errors=True),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=2,
    ),
    # Not exact: the error about a blocked reply is taken for the refusal of a create that is still on its way.
    Spec(
        name="no event ids, blocked replies make errors, 2 turns, a late reply",
        asks=ONE,
        rules=Rules(form=Form.NO_EVENT_ID, event_ids=False, blocked_errors=True, late_errors=True),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=2,
        budget=Budget(early_turn=1),
        exact=False,
    ),
    Spec(
        name="no event ids, no names, blocked replies make errors, 2 turns",
        asks=TWO,
        rules=Rules(form=Form.NOTHING_NAMED, event_ids=False, blocked_errors=True),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=2,
        exact=False,
    ),
    Spec(
        name="no event ids, 2 turns, 2 cancels",
        asks=TWO,
        rules=Rules(form=Form.NO_EVENT_ID, event_ids=False),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=2,
        budget=Budget(cancels=2),
    ),
    Spec(
        name="no event ids, 2 turns, 1 cancel, errors late",
        asks=TWO,
        rules=Rules(form=Form.NO_EVENT_ID, event_ids=False, late_errors=True),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=2,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="no event ids, 1 turn, 2 cancels, errors late",
        asks=TWO,
        rules=Rules(form=Form.NO_EVENT_ID, event_ids=False, late_errors=True),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=1,
        budget=Budget(cancels=2),
    ),
    Spec(
        name="no metadata, 3 requests, 2 cancels",
        asks=CLASSES,
        rules=NO_ECHO,
        settings=UNNAMED,
        budget=Budget(cancels=2),
    ),
    # Not guaranteed, and noted by the peer: nobody can tell whose a response is. But everybody arrives.
    Spec(
        name="no metadata, and the server replies all the same, 2 turns",
        asks=TWO,
        rules=Rules(echo=False),
        settings=UNNAMED,
        turns=2,
        budget=Budget(cancels=1),
        exact=False,
        ordered=False,
        cancels_only_ours=False,
    ),
    Spec(
        name="no metadata, we ask for the replies, 2 turns",
        asks=ONE,
        rules=NO_ECHO,
        settings=replace(UNNAMED, asks_for_replies=True),
        turns=2,
        budget=Budget(cancels=1),
        ordered=False,
    ),
)

LANES = (
    Spec(
        name="2 in-band + 1 out-of-band, 1 turn, 1 cancel",
        asks=(*TWO, ASIDE),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="1 in-band + 1 aloud out-of-band, 1 turn, 1 cancel",
        asks=(_ask(1), ALOUD),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1),
        cancels_only_ours=False,
        exact=False,
    ),
    Spec(
        name="1 in-band + 2 out-of-band in one lane",
        asks=(_ask(1), ASIDE, replace(ASIDE, id=RequestId("q8"))),
        settings=replace(SETTINGS, max_out_of_band=1),
        budget=Budget(cancels=2),
    ),
    Spec(
        name="out-of-band, one event lost",
        asks=(_ask(1), ASIDE),
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(cancels=1, lose=1),
    ),
    Spec(
        name="out-of-band, one event doubled or late",
        asks=(_ask(1), ASIDE),
        settings=SETTINGS,
        turns=1,
        budget=Budget(double=1, late=1),
    ),
    Spec(
        name="out-of-band, a cut",
        asks=(_ask(1), ASIDE),
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(cancels=1, cut=1),
    ),
)

TOOLS = (
    Spec(
        name="a round with two calls, 1 turn",
        asks=ONE,
        rules=Rules(calls=("a", "b")),
        settings=SETTINGS,
        turns=1,
    ),
    Spec(
        name="a round with two calls and another request, 1 cancel",
        asks=(_ask(1), _ask(2, Priority.TOOL)),
        rules=Rules(calls=("a", "b"), replies=False),
        settings=SETTINGS,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="a round with two calls, one event lost",
        asks=ONE,
        rules=Rules(calls=("a", "b"), replies=False),
        settings=SETTINGS,
        budget=Budget(lose=1),
    ),
    Spec(
        name="a round with two calls, a cut",
        asks=ONE,
        rules=Rules(calls=("a", "b"), replies=False),
        settings=SETTINGS,
        budget=Budget(cut=1),
    ),
)

SOUND = (
    Spec(
        name="heard from a device, 2 requests, 1 turn, 1 cancel",
        asks=(_ask(1), _ask(2, starts=Starts.AFTER_HEARD)),
        rules=Rules(audio=True),
        settings=replace(SETTINGS, reporting=Reporting.DEVICE),
        turns=1,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="a higher class cuts in, 1 turn",
        asks=(_ask(1, Priority.NOTICE), _ask(2, Priority.SCRIPT, cuts_in=True)),
        rules=Rules(audio=True),
        settings=replace(SETTINGS, reporting=Reporting.DEVICE),
        turns=1,
        cancels_only_ours=False,
    ),
)

FAULTS = (
    Spec(
        name="one event lost, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, lose=1),
    ),
    Spec(
        name="one event lost, 1 request, 1 turn, a late reply",
        asks=ONE,
        settings=SETTINGS,
        turns=1,
        budget=Budget(lose=1, early_turn=1),
    ),
    Spec(
        name="one event lost, errors late and unnamed",
        asks=TWO,
        rules=Rules(form=Form.NOTHING_NAMED, event_ids=False, late_errors=True),
        settings=SETTINGS,
        turns=1,
        budget=Budget(lose=1),
    ),
    Spec(
        name="one event lost, no metadata",
        asks=TWO,
        rules=NO_ECHO,
        settings=UNNAMED,
        budget=Budget(cancels=1, lose=1),
        exact=False,
    ),
    Spec(
        name="one event doubled, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, double=1),
    ),
    Spec(
        name="one event doubled, no event ids",
        asks=TWO,
        rules=Rules(form=Form.NO_EVENT_ID, event_ids=False),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, double=1),
    ),
    Spec(
        name="one event late, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, late=1),
    ),
    Spec(
        name="two faults: lost and doubled",
        asks=ONE,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, lose=1, double=1),
        exact=False,
    ),
    Spec(
        name="two events lost",
        asks=TWO,
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(lose=2),
        exact=False,
    ),
    Spec(
        name="two events lost, errors unnamed",
        asks=ONE,
        rules=Rules(form=Form.NOTHING_NAMED, event_ids=False),
        settings=SETTINGS,
        turns=1,
        budget=Budget(lose=2),
        exact=False,
    ),
    Spec(
        name="a response is stuck and deaf, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, stick=1),
    ),
    Spec(
        name="a response is stuck and deaf, push-to-talk",
        asks=TWO,
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(cancels=1, stick=1),
    ),
    Spec(
        name="a response is stuck, no event ids, no names",
        asks=TWO,
        rules=Rules(form=Form.NOTHING_NAMED, event_ids=False),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID),
        turns=1,
        budget=Budget(stick=1),
    ),
    Spec(name="stuck, and a cut", asks=TWO, settings=SETTINGS, turns=1, budget=Budget(stick=1, cut=1)),
    Spec(
        name="a cut, replayed, 1 turn, 1 cancel",
        asks=TWO,
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1, cut=1),
    ),
    Spec(
        name="a cut, not replayed",
        asks=tuple(replace(each, on_reconnect=OnReconnect.FAIL) for each in TWO),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cut=1),
    ),
    Spec(name="two cuts", asks=TWO, rules=PUSH_TO_TALK, settings=SETTINGS, budget=Budget(cancels=1, cut=2)),
)

PRESSES = (
    Spec(
        name="three presses of push-to-talk, 1 request, 1 cancel",
        asks=ONE,
        rules=PUSH_TO_TALK,
        settings=PRESSED,
        budget=Budget(presses=3, cancels=1),
        ordered=False,
        exact=False,
        cancels_only_ours=False,
    ),
    Spec(
        name="two presses over audio, 1 request",
        asks=ONE,
        rules=replace(PUSH_TO_TALK, audio=True),
        settings=replace(PRESSED, reporting=Reporting.DEVICE),
        budget=Budget(presses=2),
        ordered=False,
        exact=False,
        cancels_only_ours=False,
    ),
    Spec(
        name="two presses and a cut",
        asks=ONE,
        rules=PUSH_TO_TALK,
        settings=PRESSED,
        budget=Budget(presses=2, cut=1),
        ordered=False,
        exact=False,
        cancels_only_ours=False,
    ),
)

TIME = (
    Spec(
        name="deadlines early, 2 requests, 1 cancel",
        asks=TWO,
        rules=PUSH_TO_TALK,
        settings=replace(SETTINGS, max_unanswered=2),
        budget=Budget(cancels=1, early=4),
    ),
    Spec(
        name="deadlines early, 1 request, 1 turn, 1 cancel",
        asks=ONE,
        settings=replace(SETTINGS, max_unanswered=2),
        turns=1,
        budget=Budget(cancels=1, early=4),
    ),
    Spec(
        name="deadlines early, 2 requests, 1 turn",
        asks=TWO,
        settings=replace(SETTINGS, max_unanswered=2),
        turns=1,
        budget=Budget(early=4),
    ),
    Spec(
        name="failed with backoff, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        settings=replace(SETTINGS, max_failures=2),
        turns=1,
        budget=Budget(cancels=1, fail=3),
        ordered=False,
    ),
    Spec(
        name="failed with backoff, and a cut",
        asks=TWO,
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(fail=1, cut=1),
        ordered=False,
    ),
    Spec(
        name="a line of two that drops the oldest, 4 requests",
        asks=(*CLASSES, _ask(4)),
        settings=replace(SETTINGS, max_waiting=2, when_full=WhenFull.DROP_OLDEST),
        turns=1,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="a line of one that replaces, one that expires",
        asks=(_ask(1), _ask(2, coalesce_key="k", expires_after_s=0.5), _ask(3, coalesce_key="k")),
        settings=replace(SETTINGS, max_waiting=1, when_full=WhenFull.REPLACE_SAME_KEY),
        turns=1,
        budget=Budget(cancels=1, early=1),
        exact=False,
    ),
    Spec(
        name="joined under one key, 2 turns, 1 cancel",
        asks=tuple(_ask(number, coalesce_key="user-turn") for number in (1, 2, 3)),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=2),
        ordered=False,
        exact=False,
    ),
)

HOLDS = (
    Spec(
        name="a hold of lower class, 3 requests, one of them of it, 1 turn",
        asks=(_ask(1), _of_the_hold(2, Priority.TOOL), _ask(3)),
        settings=SETTINGS,
        turns=1,
    ),
    Spec(
        name="two holds, push-to-talk, 1 cancel, a cut",
        asks=(_of_the_hold(1), _ask(2, Priority.SCRIPT), _of_the_hold(3)),
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(cancels=1, cut=1),
    ),
    Spec(
        name="a hold with others of its key, and a voice out of band",
        asks=(_of_the_hold(1, coalesce_key="k"), _ask(2, coalesce_key="k"), ALOUD),
        settings=SETTINGS,
        turns=1,
        ordered=False,
        exact=False,
    ),
    Spec(
        name="a hold that a higher class would cut into",
        asks=(_of_the_hold(1, Priority.NOTICE), _ask(2, Priority.SCRIPT, cuts_in=True)),
        settings=SETTINGS,
        turns=1,
        cancels_only_ours=False,
    ),
    Spec(
        name="a hold and a round with a call, one event lost",
        asks=(_ask(1), _of_the_hold(2, Priority.TOOL)),
        rules=Rules(calls=("a",), replies=False),
        settings=SETTINGS,
        budget=Budget(lose=1),
    ),
)

DEVICE = replace(SETTINGS, reporting=Reporting.DEVICE)

CORNERS = (
    Spec(
        name="2 requests, 2 turns, the wait for the reply ends early",
        asks=TWO,
        settings=SETTINGS,
        turns=2,
        budget=Budget(early_turn=1),
    ),
    Spec(
        name="three classes age, 1 turn, the wait for the reply ends early",
        asks=(_ask(1, Priority.IDLE), _ask(2, Priority.NOTICE), _ask(3)),
        settings=replace(SETTINGS, ageing_s=1.0),
        turns=1,
        budget=Budget(early_turn=1, cancels=1),
    ),
    Spec(
        name="one that expires, 1 turn without a reply, 1 cancel",
        asks=(_ask(1), _ask(2, expires_after_s=0.5)),
        rules=Rules(replies=False),
        settings=SETTINGS,
        turns=1,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="ears that do not interrupt, 1 request, 2 turns",
        asks=ONE,
        rules=Rules(interrupts=False),
        settings=SETTINGS,
        turns=2,
        tells=True,
    ),
    Spec(
        name="an aloud out-of-band voice and audio, 1 turn, 1 cancel",
        asks=(_ask(1), ALOUD),
        rules=Rules(audio=True, aside_audio=True),
        settings=DEVICE,
        turns=1,
        budget=Budget(cancels=1),
        cancels_only_ours=False,
        exact=False,
    ),
    Spec(
        name="played before its end, beside one out-of-band, 1 cancel",
        asks=(_ask(1), ASIDE, _ask(2, starts=Starts.AFTER_HEARD)),
        rules=replace(PUSH_TO_TALK, audio=True),
        settings=DEVICE,
        budget=Budget(cancels=1),
    ),
    Spec(
        name="half played, 1 turn, 1 cancel",
        asks=ONE,
        rules=Rules(audio=True),
        settings=DEVICE,
        turns=1,
        budget=Budget(cancels=1),
        partial=True,
    ),
    Spec(
        name="half played, resumed when interrupted",
        asks=tuple(replace(each, on_interruption=OnInterruption.RESUME) for each in ONE),
        rules=Rules(audio=True),
        settings=DEVICE,
        turns=1,
        partial=True,
        exact=False,
    ),
    Spec(
        name="played on over a cut, 1 cancel",
        asks=TWO,
        rules=replace(PUSH_TO_TALK, audio=True),
        settings=DEVICE,
        budget=Budget(cancels=1, cut=1),
        partial=True,
    ),
    Spec(
        name="failed, and the end of it lost",
        asks=ONE,
        rules=PUSH_TO_TALK,
        settings=SETTINGS,
        budget=Budget(fail=1, lose=1),
        ordered=False,
    ),
)

# Where a response owes nothing but its end, or another item, who waits is asked for: the answer tells which.
ENDINGS = (
    Spec(
        name="two items each and pauses, 2 requests, 1 turn, 1 cancel",
        asks=TWO,
        rules=Rules(items=2),
        settings=replace(SETTINGS, patience=PAUSED),
        turns=1,
        budget=Budget(cancels=1, pauses=2),
    ),
    Spec(
        name="two items each and pauses, push-to-talk, 2 cancels",
        asks=TWO,
        rules=replace(PUSH_TO_TALK, items=2),
        settings=replace(SETTINGS, patience=PAUSED),
        budget=Budget(cancels=2, pauses=2),
    ),
    Spec(
        name="one item each and a pause, errors late and unnamed, 1 turn",
        asks=ONE,
        rules=Rules(items=1, form=Form.NOTHING_NAMED, event_ids=False, late_errors=True),
        settings=replace(SETTINGS, dialect=NO_EVENT_ID, patience=PAUSED),
        turns=1,
        budget=Budget(pauses=1),
    ),
    Spec(
        name="two items each and pauses, no metadata, 1 cancel",
        asks=TWO,
        rules=replace(NO_ECHO, items=2),
        settings=replace(UNNAMED, patience=PAUSED),
        budget=Budget(cancels=1, pauses=2),
    ),
    Spec(
        name="one item each and a pause, a server that supersedes, 1 turn",
        asks=ONE,
        rules=Rules(items=1, supersedes=True),
        settings=replace(SETTINGS, dialect=SUPERSEDES, patience=PAUSED),
        turns=1,
        budget=Budget(pauses=1),
        exact=False,
    ),
    Spec(
        name="one item each and a pause, one event lost, 1 cancel",
        asks=TWO,
        rules=replace(PUSH_TO_TALK, items=1),
        settings=replace(SETTINGS, patience=PAUSED),
        budget=Budget(cancels=1, lose=1, pauses=1),
    ),
    Spec(
        name="one item each and a pause, stuck and deaf, 1 cancel",
        asks=TWO,
        rules=replace(PUSH_TO_TALK, items=1),
        settings=replace(SETTINGS, patience=PAUSED),
        budget=Budget(cancels=1, stick=1, pauses=1),
    ),
    Spec(
        name="one item each and a pause, a cut, one event doubled",
        asks=TWO,
        rules=replace(PUSH_TO_TALK, items=1),
        settings=replace(SETTINGS, patience=PAUSED),
        budget=Budget(cut=1, double=1, pauses=1),
    ),
    Spec(
        name="one item each and a pause, a hold",
        asks=(_ask(1), _of_the_hold(2, Priority.TOOL), _ask(3)),
        rules=replace(PUSH_TO_TALK, items=1),
        settings=replace(SETTINGS, patience=PAUSED),
        budget=Budget(pauses=1),
    ),
    Spec(
        name="one item each and a pause, two presses",
        asks=ONE,
        rules=replace(PUSH_TO_TALK, items=1),
        settings=replace(PRESSED, patience=PAUSED),
        budget=Budget(presses=2, pauses=2),
        ordered=False,
        exact=False,
        cancels_only_ours=False,
    ),
)

WORLDS: tuple[Spec, ...] = (
    *RACES,
    *REFUSALS,
    *NAMELESS,
    *LANES,
    *TOOLS,
    *SOUND,
    *PRESSES,
    *FAULTS,
    *TIME,
    *HOLDS,
    *CORNERS,
    *ENDINGS,
)
