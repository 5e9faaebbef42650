"""What a connection has taught us: each register answers one question, and is bounded."""

import pytest

from charye.core.evidence import REMEMBERED, Cancels, Evidence, Shown, remember
from charye.core.floor import Attempt


def test_nothing_is_known_at_the_start() -> None:
    evidence = Evidence()
    assert not evidence.is_over("r1")
    assert not evidence.is_stale("r1")
    assert not evidence.saw_a_done()
    assert not evidence.ids_proven
    assert evidence.settle("t") is None
    assert Evidence(ids_proven=True).ids_proven


def test_a_response_is_over_when_its_end_was_seen_or_it_was_given_up() -> None:
    evidence = Evidence()
    evidence.finish("r1")
    evidence.release("r2")
    assert evidence.is_over("r1")
    assert evidence.is_over("r2")
    assert not evidence.is_over("r3")


def test_the_end_of_a_released_response_takes_it_out_of_the_released_ones() -> None:
    evidence = Evidence()
    evidence.release("r1")
    evidence.finish("r1")
    assert "r1" not in evidence.released
    assert "r1" in evidence.finished


def test_responses_without_an_id_are_not_told_apart_so_none_of_them_is_over() -> None:
    evidence = Evidence()
    evidence.finish("")
    assert not evidence.is_over("")
    assert not evidence.saw_a_done()
    evidence.release("")
    assert not evidence.is_over("")
    assert evidence.released, "somebody still runs, and may refuse us"
    evidence.finish("")
    assert not evidence.released


def test_stale_is_what_was_over_before_the_present_create() -> None:
    evidence = Evidence()
    evidence.finish("r1")
    assert not evidence.is_stale("r1")
    assert evidence.saw_a_done()
    evidence.sending()
    assert evidence.is_stale("r1")
    assert not evidence.saw_a_done()
    evidence.finish("r2")
    assert not evidence.is_stale("r2")
    assert evidence.is_stale("r1")
    assert evidence.saw_a_done()
    assert not evidence.is_stale("unknown")


def test_an_older_try_is_answered_once() -> None:
    evidence = Evidence()
    evidence.unsettle(Attempt(4, "t"))
    assert evidence.settle("other") is None
    assert evidence.settle("t") == 4
    assert evidence.settle("t") is None


@pytest.mark.parametrize("more", [0, 1, 5])
def test_each_register_forgets_its_oldest(more: int) -> None:
    evidence = Evidence()
    seen: dict[str, None] = {}
    for number in range(REMEMBERED + more):
        evidence.finish(f"f{number}")
        evidence.release(f"r{number}")
        evidence.unsettle(Attempt(number, f"t{number}"))
        remember(seen, f"s{number}")
    for register, letter in (
        (evidence.finished, "f"),
        (evidence.released, "r"),
        (evidence.unsettled, "t"),
        (seen, "s"),
    ):
        assert list(register) == [f"{letter}{number}" for number in range(more, REMEMBERED + more)]


def test_cancels_that_nobody_answers_are_forgotten_oldest_first() -> None:
    cancels = Cancels()
    for number in range(REMEMBERED + 3):
        cancels.sending(f"r{number}")
    assert cancels.not_active(None) == "r3"


def test_an_empty_id_is_not_remembered() -> None:
    seen: dict[str, None] = {}
    remember(seen, "")
    assert seen == {}


def test_not_active_without_a_name_is_for_the_oldest_cancel_without_an_answer() -> None:
    cancels = Cancels()
    cancels.sending("r1")
    cancels.sending("r2")
    assert cancels.not_active(None) == "r1"
    assert cancels.not_active(None) == "r2"
    assert cancels.not_active(None) is None


def test_not_active_with_a_name_is_for_that_one() -> None:
    cancels = Cancels()
    cancels.sending("r1")
    cancels.sending("r2")
    assert cancels.not_active("r2") == "r2"
    assert cancels.not_active(None) == "r1"
    assert cancels.not_active("unknown") == "unknown"


def test_a_cancel_that_worked_has_no_further_answer() -> None:
    cancels = Cancels()
    cancels.sending("r1")
    cancels.sending("r2")
    cancels.worked("r1")
    cancels.worked("unknown")
    assert cancels.not_active(None) == "r2"


def test_a_new_connection_owes_no_answer() -> None:
    cancels = Cancels()
    cancels.sending("r1")
    cancels.clear()
    assert cancels.not_active(None) is None


def test_a_response_owes_only_its_end_when_each_item_that_it_has_begun_is_complete() -> None:
    shown = Shown()
    complete = [shown.is_complete]
    for what, item_id in (
        (shown.added, "i1"),
        (shown.added, "i2"),
        (shown.done, "i1"),
        (shown.done, "i2"),
        (shown.added, "i3"),
    ):
        what(item_id)
        complete.append(shown.is_complete)
    assert complete == [False, False, False, False, True, False]


def test_an_item_whose_beginning_was_lost_is_complete_all_the_same() -> None:
    shown = Shown()
    shown.done("i1")
    assert shown.is_complete


def test_an_item_whose_end_was_lost_keeps_it_open() -> None:
    shown = Shown()
    shown.added("i1")
    shown.added("i2")
    shown.done("i2")
    assert not shown.is_complete
