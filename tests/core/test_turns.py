"""The user's turn, by enumeration, and its deadlines."""

import pytest

from charye.core.settings import Patience
from charye.core.turns import TURNS, Turn, TurnInput, Turns
from charye.errors import LocalProtocolError
from charye.protocol import AudioConfig, AudioInputConfig, Session, TurnDetection

# input: what becomes of quiet, speaking, stopped, awaited, doubted, pressed. `-` is illegal.
TABLE = """
STARTED        | SPEAKING SPEAKING SPEAKING SPEAKING SPEAKING PRESSED
ENDED          | STOPPED  STOPPED  STOPPED  STOPPED  STOPPED  PRESSED
COMMITTED      | AWAITED  AWAITED  AWAITED  AWAITED  AWAITED  PRESSED
COMMITTED_INTO | DOUBTED  DOUBTED  DOUBTED  DOUBTED  DOUBTED  PRESSED
COMMITTED_ONLY | QUIET    QUIET    QUIET    QUIET    QUIET    PRESSED
REPLIED        | QUIET    SPEAKING STOPPED  QUIET    QUIET    PRESSED
EXPIRED        | QUIET    QUIET    QUIET    QUIET    QUIET    PRESSED
PRESS          | PRESSED  PRESSED  PRESSED  PRESSED  PRESSED  -
RELEASE        | -        -        -        -        -        QUIET
LOST           | QUIET    QUIET    QUIET    QUIET    QUIET    PRESSED
"""
CELLS = [
    (before, TurnInput[line.split("|")[0].strip()], after)
    for line in TABLE.strip().splitlines()
    for before, after in zip(Turn, line.split("|")[1].split(), strict=True)
]

INTO: dict[Turn, TurnInput | None] = {
    Turn.QUIET: None,
    Turn.SPEAKING: TurnInput.STARTED,
    Turn.STOPPED: TurnInput.ENDED,
    Turn.AWAITED: TurnInput.COMMITTED,
    Turn.DOUBTED: TurnInput.COMMITTED_INTO,
    Turn.PRESSED: TurnInput.PRESS,
}


def turns_in(turn: Turn, now: float = 0.0) -> Turns:
    turns = Turns(Patience(speech_s=60.0, reply_s=2.0))
    what = INTO[turn]
    if what is not None:
        turns.step(what, now)
    return turns


def test_the_columns_are_the_turns() -> None:
    assert [turn.name for turn in Turn] == ["QUIET", "SPEAKING", "STOPPED", "AWAITED", "DOUBTED", "PRESSED"]
    assert len(CELLS) == len(Turn) * len(TurnInput)
    assert {(before, what) for before, what, after in CELLS if after != "-"} == set(TURNS)


@pytest.mark.parametrize(("before", "what", "after"), CELLS)
def test_every_pair(before: Turn, what: TurnInput, after: str) -> None:
    turns = turns_in(before)
    if after == "-":
        deadline = turns.deadline
        with pytest.raises(LocalProtocolError) as caught:
            turns.step(what, 1.0)
        assert str(caught.value) == "turns: no such row"
        assert (caught.value.state, caught.value.given) == (before.name, what.name)
        assert (turns.turn, turns.deadline) == (before, deadline)
    else:
        assert turns.step(what, 1.0) is before
        assert turns.turn is Turn[after]


@pytest.mark.parametrize(
    ("turn", "limit_s"),
    [
        (Turn.QUIET, None),
        (Turn.SPEAKING, 60.0),
        (Turn.STOPPED, 2.0),
        (Turn.AWAITED, 2.0),
        (Turn.DOUBTED, 2.0),
        (Turn.PRESSED, None),
    ],
)
def test_how_long_each_turn_may_last(turn: Turn, limit_s: float | None) -> None:
    turns = turns_in(turn, 100.0)
    if limit_s is None:
        assert turns.deadline is None
        assert not turns.expires(1e9)
    else:
        assert turns.deadline == 100.0 + limit_s
        assert not turns.expires(100.0 + limit_s - 0.001)
        assert turns.expires(100.0 + limit_s)


def test_each_word_about_speech_gives_it_its_full_time_again() -> None:
    turns = turns_in(Turn.SPEAKING, 0.0)
    turns.step(TurnInput.STARTED, 30.0)
    assert turns.deadline == 90.0
    turns.step(TurnInput.ENDED, 40.0)
    assert turns.deadline == 42.0
    turns.step(TurnInput.COMMITTED, 41.0)
    assert turns.deadline == 43.0


def test_a_reply_to_an_earlier_turn_gives_this_one_no_more_time() -> None:
    turns = turns_in(Turn.STOPPED, 0.0)
    turns.step(TurnInput.REPLIED, 1.0)
    assert turns.deadline == 2.0


def test_only_a_quiet_user_lets_a_create_go_and_only_some_turns_are_the_users() -> None:
    assert [turn for turn in Turn if turns_in(turn).is_quiet] == [Turn.QUIET]
    assert [turn for turn in Turn if turns_in(turn).is_users] == [Turn.SPEAKING, Turn.STOPPED, Turn.PRESSED]


def test_a_server_of_which_nothing_was_heard_replies_and_interrupts() -> None:
    turns = Turns(Patience())
    assert (turns.server_replies, turns.interrupts) == (True, True)


def session(detection: TurnDetection | None) -> Session:
    return Session(audio=AudioConfig(input=AudioInputConfig(turn_detection=detection)))


@pytest.mark.parametrize(
    ("detection", "replies", "interrupts"),
    [
        (None, False, False),
        (TurnDetection(), True, True),
        (TurnDetection(create_response=False), False, True),
        (TurnDetection(interrupt_response=False), True, False),
        (TurnDetection(type="semantic_vad", create_response=True, interrupt_response=True), True, True),
    ],
)
def test_what_the_session_says_about_turns(
    detection: TurnDetection | None, replies: bool, interrupts: bool
) -> None:
    turns = Turns(Patience())
    turns.configure(session(detection))
    assert (turns.server_replies, turns.interrupts) == (replies, interrupts)


@pytest.mark.parametrize("turn", Turn)
def test_without_turn_detection_nobody_says_how_a_turn_went_on(turn: Turn) -> None:
    turns = turns_in(turn)
    turns.configure(session(None))
    assert turns.turn is (Turn.PRESSED if turn is Turn.PRESSED else Turn.QUIET), "the hand decides"
    assert turns.deadline is None


@pytest.mark.parametrize("turn", Turn)
def test_turn_detection_of_another_kind_leaves_the_turn_as_it_is(turn: Turn) -> None:
    turns = turns_in(turn)
    deadline = turns.deadline
    turns.configure(session(TurnDetection(type="semantic_vad")))
    assert (turns.turn, turns.deadline) == (turn, deadline)


@pytest.mark.parametrize(
    "silent", [Session(), Session(audio=None), Session(audio=AudioConfig()), session(None)]
)
def test_what_the_session_leaves_out_stays(silent: Session) -> None:
    turns = Turns(Patience())
    turns.configure(session(None))
    turns.configure(silent)
    assert (turns.server_replies, turns.interrupts) == (False, False)
    turns.configure(session(TurnDetection()))
    turns.configure(Session(audio=AudioConfig(input=AudioInputConfig())))
    assert (turns.server_replies, turns.interrupts) == (True, True)
