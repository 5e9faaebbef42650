"""The line: order, ageing, keys, expiry, rest."""

import pytest

from charye.core.requests import Priority, Ticket
from charye.core.waiting import Waiting
from tests.core.bench import want


def ticket(
    number: int,
    priority: Priority = Priority.USER,
    *,
    asked_at: float = 0.0,
    key: str | None = None,
    expires_after_s: float | None = None,
    resting_until: float = 0.0,
    conversation: str = "auto",
) -> Ticket:
    name = f"a{number}"
    request = want(
        name,
        priority=priority,
        coalesce_key=key,
        expires_after_s=expires_after_s,
        conversation=conversation,
    )
    made = Ticket(request=request, number=number, age=number, asked_at=asked_at, resting_until=resting_until)
    made.expires_at = None if expires_after_s is None else asked_at + expires_after_s
    made.askers.append(request.id)
    return made


def line_of(*tickets: Ticket, ageing_s: float = 20.0) -> Waiting:
    line = Waiting(ageing_s=ageing_s)
    for each in tickets:
        line.add(each)
    return line


def order_of(line: Waiting, now: float = 0.0) -> list[int]:
    """Who would be taken, one after the other."""
    order = []
    while (best := line.best(now)) is not None:
        order.append(best.number)
        assert line.remove(best)
    return order


def test_an_empty_line_has_nobody() -> None:
    line = line_of()
    assert len(line) == 0
    assert line.askers == 0
    assert line.best(0.0) is None
    assert line.lowest() is None
    assert list(line) == []
    assert line.expired(1e9) == []
    assert line.next_expiry() is None
    assert line.next_rested(0.0) is None


def test_the_higher_class_goes_first_and_age_breaks_ties() -> None:
    idle, tool, user, older_tool = (
        ticket(1, Priority.IDLE),
        ticket(4, Priority.TOOL),
        ticket(5, Priority.USER),
        ticket(2, Priority.TOOL),
    )
    script, notice = ticket(6, Priority.SCRIPT), ticket(3, Priority.NOTICE)
    line = line_of(idle, tool, user, older_tool, script, notice)
    assert [each.number for each in line] == [6, 5, 2, 4, 3, 1]
    assert order_of(line) == [6, 5, 2, 4, 3, 1]


def test_a_requeued_ticket_returns_to_its_old_place() -> None:
    first, second, third = ticket(1), ticket(2), ticket(3)
    line = line_of(first, second, third)
    line.remove(first)
    assert line.best(0.0) is second
    line.add(first)
    assert order_of(line) == [1, 2, 3]


def test_removing_somebody_who_does_not_wait_is_false_and_changes_nothing() -> None:
    line = line_of(ticket(1, key="k", expires_after_s=1.0))
    assert not line.remove(ticket(2, key="k", expires_after_s=1.0))
    assert len(line) == 1
    assert line.askers == 1
    assert line.same_key("k") is not None
    assert line.next_expiry() == 1.0


def test_askers_are_counted_not_tickets() -> None:
    joined = ticket(1)
    joined.askers.append(want("b").id)
    line = line_of(joined, ticket(2))
    assert len(line) == 2
    assert line.askers == 3
    line.remove(joined)
    assert line.askers == 1


@pytest.mark.parametrize(
    ("waited_s", "rank"),
    [(0.0, 4), (19.999, 4), (20.0, 3), (39.999, 3), (40.0, 2), (79.999, 1), (80.0, 0), (500.0, 0)],
)
def test_every_ageing_period_counts_as_one_class_to_the_exact_moment(waited_s: float, rank: int) -> None:
    idle = ticket(1, Priority.IDLE, asked_at=100.0)
    assert line_of(idle).rank(idle, 100.0 + waited_s) == rank


def test_an_aged_ticket_beats_a_younger_one_of_the_class_it_has_reached() -> None:
    tool, user = ticket(1, Priority.TOOL, asked_at=0.0), ticket(2, Priority.USER, asked_at=19.0)
    line = line_of(tool, user)
    assert line.best(19.99) is user
    assert line.best(20.0) is tool  # of equal rank now, and older


def test_a_rise_beyond_the_highest_class_gives_nothing_more() -> None:
    idle, script = ticket(2, Priority.IDLE, asked_at=0.0), ticket(1, Priority.SCRIPT, asked_at=0.0)
    assert line_of(idle, script).best(10_000.0) is script


def test_ageing_can_be_switched_off() -> None:
    idle, user = ticket(1, Priority.IDLE), ticket(2, Priority.USER, asked_at=1e6)
    line = line_of(idle, user, ageing_s=0.0)
    assert line.rank(idle, 1e6) == 4
    assert line.best(1e6) is user


def test_a_very_short_ageing_is_not_off() -> None:
    idle = ticket(1, Priority.IDLE)
    assert line_of(idle, ageing_s=0.5).rank(idle, 1.0) == 2


def test_within_a_class_the_order_is_age_whatever_the_waiting() -> None:
    younger_but_asked_before = ticket(2, asked_at=0.0)
    older = ticket(1, asked_at=50.0)
    assert line_of(younger_but_asked_before, older, ageing_s=20.0).best(60.0) is older


def test_a_resting_head_holds_its_class_and_no_other() -> None:
    resting, behind, idle = ticket(1, resting_until=10.0), ticket(2), ticket(3, Priority.IDLE)
    line = line_of(resting, behind, idle)
    assert line.best(9.999) is idle
    assert line.best(10.0) is resting
    assert line.next_rested(9.999) == 10.0
    assert line.next_rested(10.0) is None


def test_without_a_lane_an_out_of_band_head_holds_its_class_and_no_other() -> None:
    beside, behind, tool = ticket(1, conversation="none"), ticket(2), ticket(3, Priority.TOOL)
    line = line_of(beside, behind, tool)
    assert line.best(0.0) is beside
    assert line.best(0.0, beside=True) is beside
    assert line.best(0.0, beside=False) is tool
    line.remove(beside)
    assert line.best(0.0, beside=False) is behind


def test_without_a_lane_nobody_is_next_where_all_heads_want_one() -> None:
    assert line_of(ticket(1, conversation="none"), ticket(2)).best(0.0, beside=False) is None


def test_the_next_rested_is_the_first_of_the_heads() -> None:
    line = line_of(
        ticket(1, Priority.USER, resting_until=8.0),
        ticket(2, Priority.USER, resting_until=2.0),  # not a head
        ticket(3, Priority.TOOL, resting_until=5.0),
    )
    assert line.next_rested(0.0) == 5.0
    assert line.next_rested(5.0) == 8.0


def test_the_lowest_is_the_oldest_of_the_lowest_class() -> None:
    line = line_of(ticket(1, Priority.USER), ticket(3, Priority.NOTICE), ticket(2, Priority.NOTICE))
    lowest = line.lowest()
    assert lowest is not None
    assert lowest.number == 2


def test_the_oldest_of_a_key_is_found_until_it_leaves() -> None:
    first, second, other = ticket(1, key="k"), ticket(2, key="k"), ticket(3, key="other")
    line = line_of(first, second, other)
    assert line.same_key("k") is first
    assert line.same_key("other") is other
    assert line.same_key("unknown") is None
    assert line.same_key(None) is None
    line.remove(second)
    assert line.same_key("k") is first
    line.remove(first)
    assert line.same_key("k") is None


def test_those_without_a_key_have_no_key_in_common() -> None:
    line = line_of(ticket(1), ticket(2))
    assert line.same_key(None) is None


def test_expiry_is_to_the_exact_moment_and_in_its_own_order() -> None:
    late, early, never = ticket(1, expires_after_s=9.0), ticket(2, expires_after_s=3.0), ticket(3)
    line = line_of(late, early, never)
    assert line.next_expiry() == 3.0
    assert line.expired(2.999) == []
    assert line.expired(3.0) == [early]
    assert line.expired(9.0) == [early, late]
    assert len(line) == 3, "they are still in the line"
    line.remove(early)
    assert line.next_expiry() == 9.0


def test_two_that_expire_together_are_told_apart_when_one_leaves() -> None:
    first, second = ticket(1, expires_after_s=3.0), ticket(2, expires_after_s=3.0)
    line = line_of(first, second)
    line.remove(second)
    assert line.expired(3.0) == [first]


def test_how_many_are_ahead_counts_rank_and_then_age() -> None:
    me = ticket(5, Priority.TOOL, asked_at=0.0)
    older_equal, younger_equal = ticket(4, Priority.TOOL), ticket(6, Priority.TOOL)
    line = line_of(me, older_equal, younger_equal, ticket(7, Priority.SCRIPT), ticket(1, Priority.IDLE))
    assert line.ahead_of(me, 0.0) == 2
    # Everybody has risen as far as there is: only age counts.
    assert line.ahead_of(me, 100.0) == 2


def test_ten_thousand_keep_their_order() -> None:
    classes = tuple(Priority)
    tickets = [ticket(number, classes[number * 7 % 5]) for number in range(1, 10_001)]
    line = line_of(*reversed(tickets))
    assert len(line) == line.askers == 10_000
    expected = [each.number for each in sorted(tickets, key=lambda each: (each.request.priority, each.age))]
    assert order_of(line) == expected
    assert len(line) == line.askers == 0
