"""What has been heard, to the millisecond, whoever reports it."""

from collections.abc import Callable

import pytest

from charye.core.effects import Effect, Note, Send, StopPlayback
from charye.core.playout import Playout, Reporting
from charye.protocol import ConversationItemDelete, ConversationItemTruncate, OutputAudioBufferClear
from tests.core.bench import close_to


def device() -> Playout:
    return Playout(Reporting.DEVICE, patience_s=5.0)


def clock() -> Playout:
    return Playout(Reporting.CLOCK, patience_s=5.0)


def server() -> Playout:
    return Playout(Reporting.SERVER, patience_s=5.0)


def quiet(playout: Playout) -> bool:
    return playout.is_quiet


def truncate(item_id: str, end_ms: int, index: int = 0) -> Send:
    return Send(ConversationItemTruncate(item_id=item_id, content_index=index, audio_end_ms=end_ms))


def delete(item_id: str) -> Send:
    return Send(ConversationItemDelete(item_id=item_id))


@pytest.mark.parametrize("reporting", Reporting)
def test_a_new_loudspeaker_is_quiet(reporting: Reporting) -> None:
    playout = Playout(reporting, patience_s=5.0)
    assert quiet(playout)
    assert playout.deadline() is None
    assert playout.unheard() == set()
    assert playout.take_heard() == []
    assert playout.take_cut() == []
    assert not playout.is_cut("r1")
    assert playout.is_heard("r1")
    assert playout.heard_ms("r1") == 0.0
    assert playout.tick(1e6) == []
    assert not playout.has_news


@pytest.mark.parametrize("reporting", Reporting)
def test_a_response_without_audio_is_heard_when_it_is_over(reporting: Reporting) -> None:
    playout = Playout(reporting, patience_s=5.0)
    assert playout.response_done("r1", 0.0) == []
    news = [playout.has_news]
    assert playout.take_heard() == [("r1", False)]
    news.append(playout.has_news)
    assert news == [True, False]
    assert playout.take_heard() == []
    assert playout.is_heard("r1")
    assert quiet(playout)


# who plays reports


def test_device_heard_is_what_the_device_says_and_nothing_less() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 1000.0, 0.0)
    assert not quiet(playout)
    assert playout.unheard() == {"r1"}
    playout.played("i1", 250.0, 0.25)
    assert playout.heard_ms("r1") == 250.0
    playout.response_done("r1", 0.3)
    assert not playout.is_heard("r1")
    assert playout.take_heard() == []
    playout.played("i1", 998.0, 1.0)
    assert playout.take_heard() == []
    playout.played("i1", 999.1, 1.0)  # a resampler's rounding
    assert playout.take_heard() == [("r1", False)]
    assert quiet(playout)
    assert playout.deadline() is None


def test_device_exactly_one_millisecond_is_still_to_be_heard() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 1000.0, 0.0)
    playout.response_done("r1", 0.0)
    playout.played("i1", 999.0, 1.0)
    assert playout.take_heard() == []


def test_device_a_report_never_goes_back_and_never_beyond_the_end() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 500.0, 0.0)
    playout.played("i1", 300.0, 0.3)
    playout.played("i1", 200.0, 0.4)
    assert playout.heard_ms("r1") == 300.0
    playout.played("i1", 9999.0, 0.5)
    assert playout.heard_ms("r1") == 500.0


def test_device_a_report_of_another_part_is_not_for_this_one() -> None:
    playout = device()
    playout.append("r1", "i1", 1, 500.0, 0.0)
    playout.played("i1", 300.0, 0.3)
    playout.played("other", 300.0, 0.3, content_index=1)
    assert playout.heard_ms("r1") == 0.0
    playout.played("i1", 300.0, 0.3, content_index=1)
    assert playout.heard_ms("r1") == 300.0


def test_device_a_response_that_runs_may_still_grow() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 0.0)
    playout.played("i1", 100.0, 0.1)
    assert not quiet(playout)
    assert playout.deadline() is None, "nothing is overdue"
    playout.append("r1", "i1", 0, 50.0, 0.2)
    playout.played("i1", 120.0, 0.25)
    assert playout.heard_ms("r1") == 120.0
    playout.response_done("r1", 0.3)
    playout.played("i1", 150.0, 0.3)
    assert playout.take_heard() == [("r1", False)]


def test_device_drained_before_it_is_over_is_heard_when_it_is_over() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 0.0)
    playout.played("i1", 100.0, 0.1)
    assert playout.take_heard() == []
    playout.response_done("r1", 0.3)
    assert playout.take_heard() == [("r1", False)]
    assert quiet(playout)


def test_device_a_report_about_a_later_part_says_that_the_earlier_ones_were_played() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 0.0)
    playout.append("r1", "i2", 0, 200.0, 0.0)
    playout.append("r2", "i3", 0, 300.0, 0.0)
    playout.response_done("r1", 0.0)
    playout.played("i2", 50.0, 0.2)
    assert playout.heard_ms("r1") == 150.0
    assert playout.take_heard() == []
    playout.played("i3", 10.0, 0.4)
    assert playout.take_heard() == [("r1", False)]
    assert playout.heard_ms("r2") == 10.0


def test_device_the_next_response_of_the_same_loudspeaker_queues_up_behind() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 0.0)
    playout.response_done("r1", 0.0)
    playout.append("r2", "i2", 0, 100.0, 0.0)
    playout.response_done("r2", 0.0)
    assert playout.unheard() == {"r1", "r2"}
    playout.played("i1", 100.0, 0.1)
    assert playout.take_heard() == [("r1", False)]
    assert not quiet(playout)
    playout.played("i2", 100.0, 0.2)
    assert playout.take_heard() == [("r2", False)]
    assert quiet(playout)


def test_device_a_report_that_does_not_come_is_believed_after_a_while_with_doubt() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 10.0)
    playout.append("r1", "i1", 0, 600.0, 10.2)
    playout.response_done("r1", 10.3)
    assert playout.deadline() == pytest.approx(10.0 + 1.0 + 5.0)
    assert playout.tick(15.999) == []
    assert playout.take_heard() == []
    assert playout.tick(16.0) == [Note("no playout report in time", about="device")]
    assert playout.take_heard() == [("r1", True)]
    assert quiet(playout)
    assert playout.deadline() is None


def test_device_every_report_gives_the_rest_its_full_time_again() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 1000.0, 10.0)
    playout.played("i1", 400.0, 12.0)
    assert playout.deadline() == pytest.approx(12.0 + 0.6 + 5.0)


@pytest.mark.parametrize("item_id", ["i1", "i2"])
def test_device_no_report_is_owed_for_a_pause_of_the_model(item_id: str) -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    playout.played("i1", 100.0, 10.1)
    playout.append("r1", item_id, 0, 100.0, 30.0)
    assert playout.deadline() == pytest.approx(30.0 + 0.1 + 5.0)
    playout.append("r1", item_id, 0, 100.0, 30.05)
    assert playout.deadline() == pytest.approx(30.0 + 0.2 + 5.0)


def test_device_an_overdue_report_of_a_running_response_ends_nothing() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    assert playout.tick(20.0) == [Note("no playout report in time", about="device")]
    assert playout.take_heard() == []
    assert playout.heard_ms("r1") == 100.0
    assert playout.deadline() is None
    playout.response_done("r1", 21.0)
    assert playout.take_heard() == [("r1", False)]


def test_a_rest_too_small_to_hear_is_not_waited_for() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    playout.played("i1", 99.5, 10.1)
    assert playout.deadline() is None


# nobody reports, so a clock does


def test_clock_runs_at_the_speed_of_speech_from_the_first_sound() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 1000.0, 10.0)
    assert playout.deadline() == 11.0
    assert playout.tick(10.25) == []
    assert playout.heard_ms("r1") == pytest.approx(250.0)
    assert playout.deadline() == pytest.approx(11.0)
    playout.append("r1", "i1", 0, 500.0, 10.5)
    assert playout.heard_ms("r1") == pytest.approx(500.0)
    assert playout.deadline() == pytest.approx(11.5)
    playout.response_done("r1", 10.6)
    playout.tick(11.498)
    assert playout.take_heard() == []
    playout.tick(11.5)
    assert playout.take_heard() == [("r1", False)]
    assert quiet(playout)
    assert playout.deadline() is None


def test_clock_an_empty_queue_consumes_nothing() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    playout.tick(10.1)
    playout.append("r1", "i1", 0, 100.0, 20.0)
    assert playout.heard_ms("r1") == pytest.approx(100.0)
    assert playout.deadline() == pytest.approx(20.1)


def test_clock_the_first_sound_after_a_silence_starts_the_clock() -> None:
    playout = clock()
    playout.tick(10.0)
    playout.append("r1", "i1", 0, 100.0, 20.0)
    assert playout.deadline() == pytest.approx(20.1)
    playout.tick(20.05)
    assert playout.heard_ms("r1") == pytest.approx(50.0)


def test_clock_goes_through_the_parts_in_order_and_over_their_ends() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    playout.append("r1", "i1", 1, 100.0, 10.0)
    playout.append("r2", "i2", 0, 100.0, 10.0)
    playout.response_done("r1", 10.0)
    playout.response_done("r2", 10.0)
    playout.tick(10.15)
    assert playout.heard_ms("r1") == pytest.approx(150.0)
    assert playout.heard_ms("r2") == 0.0
    playout.tick(10.25)
    assert playout.take_heard() == [("r1", False)]
    assert playout.heard_ms("r2") == pytest.approx(50.0)
    playout.tick(10.3)
    assert playout.take_heard() == [("r2", False)]


def test_clock_that_goes_back_takes_nothing_back() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    playout.tick(10.05)
    playout.tick(10.0)
    assert playout.heard_ms("r1") == pytest.approx(50.0)


def test_clock_needs_no_grace() -> None:
    playout = Playout(Reporting.CLOCK, patience_s=100.0)
    playout.append("r1", "i1", 0, 100.0, 10.0)
    assert playout.deadline() == pytest.approx(10.1)


# the server plays and reports (WebRTC, SIP)


def test_server_a_response_is_heard_when_its_buffer_stops() -> None:
    playout = server()
    playout.speaks("r1")
    assert not quiet(playout)
    playout.buffer_started("r1", 10.0, runs=True)
    playout.response_done("r1", 10.5)
    assert playout.take_heard() == []
    playout.buffer_ended("r1", 12.5)
    assert playout.take_heard() == [("r1", False)]
    assert quiet(playout)


def test_server_the_buffer_may_stop_before_the_response_is_over() -> None:
    playout = server()
    playout.buffer_started("r1", 10.0, runs=True)
    playout.buffer_ended("r1", 11.0)
    assert playout.heard_ms("r1") == pytest.approx(1000.0)
    assert playout.take_heard() == []
    assert quiet(playout)
    playout.response_done("r1", 11.1)
    assert playout.take_heard() == [("r1", False)]


def test_server_a_buffer_of_which_nothing_is_known_ends_nothing() -> None:
    playout = server()
    playout.buffer_ended("r1", 11.0)
    assert playout.unheard() == set()


def test_server_a_stop_without_a_start_is_a_stop() -> None:
    playout = server()
    playout.speaks("r1")
    playout.response_done("r1", 10.0)
    playout.buffer_ended("r1", 11.0)
    assert playout.heard_ms("r1") == 0.0
    assert playout.take_heard() == [("r1", False)]


def test_server_a_missing_stop_is_waited_for_two_minutes_after_the_end() -> None:
    playout = server()
    playout.speaks("r1")
    assert playout.deadline() is None
    playout.response_done("r1", 10.0)
    assert playout.deadline() == 130.0
    assert playout.tick(129.9) == []
    assert playout.tick(130.0) == [Note("no playout report in time", about="server")]
    assert playout.take_heard() == [("r1", True)]
    assert quiet(playout)
    assert playout.deadline() is None


def test_server_one_that_still_runs_is_not_believed_to_be_over() -> None:
    playout = server()
    playout.speaks("r1")
    playout.response_done("r1", 10.0)
    playout.speaks("r2")
    playout.tick(130.0)
    assert playout.take_heard() == [("r1", True)]
    assert not quiet(playout)
    assert playout.unheard() == {"r2"}


@pytest.mark.parametrize("make", [device, clock])
def test_where_we_play_a_promise_of_audio_is_not_audio(make: Callable[[], Playout]) -> None:
    playout = make()
    playout.speaks("r1")
    assert quiet(playout)
    playout.response_done("r1", 0.0)
    assert playout.take_heard() == [("r1", False)]


def test_server_a_cut_clears_the_servers_buffer_and_says_how_long_it_had_played() -> None:
    playout = server()
    playout.buffer_started("r1", 10.0, runs=True)
    playout.response_done("r1", 10.1)
    assert playout.cut(10.75, {"r1"}) == [StopPlayback(("r1",)), Send(OutputAudioBufferClear())]
    assert playout.heard_ms("r1") == pytest.approx(750.0)
    assert quiet(playout)
    assert playout.deadline() is None
    playout.buffer_ended("r1", 10.8)
    assert playout.take_cut() == [("r1", close_to(800.0))]
    assert playout.take_heard() == []


def test_server_what_has_stopped_by_itself_is_not_cleared() -> None:
    playout = server()
    playout.buffer_started("r1", 10.0, runs=True)
    playout.buffer_ended("r1", 11.0)
    assert playout.cut(20.0, {"r1"}) == []
    assert playout.heard_ms("r1") == pytest.approx(1000.0)


def test_server_a_cut_before_the_end_is_over_with_the_end() -> None:
    playout = server()
    playout.buffer_started("r1", 10.0, runs=True)
    playout.cut(10.5, {"r1"})
    assert playout.take_cut() == []
    playout.response_done("r1", 10.6)
    assert playout.deadline() is None
    assert playout.take_cut() == [("r1", close_to(500.0))]


def test_server_sound_of_a_response_that_is_over_is_only_noted() -> None:
    playout = server()
    note = Note("sound of a response that is over", about="r1")
    assert playout.buffer_started("r1", 10.0, runs=False) == [note]
    assert quiet(playout)
    assert playout.unheard() == set()


def test_server_sound_may_begin_after_the_response_was_generated() -> None:
    playout = server()
    playout.speaks("r1")
    playout.response_done("r1", 9.9)
    assert playout.buffer_started("r1", 10.0, runs=False) == []
    playout.buffer_ended("r1", 11.0)
    assert playout.take_heard() == [("r1", False)]


@pytest.mark.parametrize("runs", [True, False])
def test_server_sound_of_one_that_was_cut_before_is_silenced(runs: bool) -> None:
    playout = server()
    assert playout.cut(9.0, {"r1"}) == []
    effects = playout.buffer_started("r1", 10.0, runs=runs)
    assert effects == [StopPlayback(("r1",)), Send(OutputAudioBufferClear())]
    assert quiet(playout)
    playout.response_done("r1", 11.0)
    assert playout.take_cut() == [("r1", 0.0)]


# a cut


def test_a_cut_truncates_at_the_millisecond_that_was_heard() -> None:
    playout = device()
    playout.append("r1", "i1", 3, 1000.0, 0.0)
    playout.played("i1", 456.9, 0.5, content_index=3)
    playout.response_done("r1", 0.5)
    assert playout.cut(0.6, {"r1"}) == [StopPlayback(("r1",)), truncate("i1", 456, 3)]
    assert playout.is_cut("r1")
    assert quiet(playout)
    assert playout.take_cut() == [("r1", 456.9)]
    assert playout.take_cut() == []
    assert not playout.is_cut("r1")


def test_a_cut_never_reaches_beyond_what_the_server_believes_to_have_sent() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 1000.0, 0.0)
    playout.played("i1", 950.0, 0.95)
    playout.response_done("r1", 0.95)
    assert playout.cut(0.95, {"r1"}) == [StopPlayback(("r1",)), truncate("i1", 900)]
    assert playout.take_cut() == [("r1", 950.0)]


@pytest.mark.parametrize(("played_ms", "appended_ms"), [(0.0, 1000.0), (0.9, 1000.0), (80.0, 100.0)])
def test_an_item_of_which_nothing_can_be_kept_is_deleted(played_ms: float, appended_ms: float) -> None:
    playout = device()
    playout.append("r1", "i1", 0, appended_ms, 0.0)
    playout.played("i1", played_ms, 0.0)
    playout.response_done("r1", 0.0)
    assert playout.cut(0.0, {"r1"}) == [StopPlayback(("r1",)), delete("i1")]


def test_one_millisecond_is_kept() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 101.0, 0.0)
    playout.played("i1", 50.0, 0.0)
    playout.response_done("r1", 0.0)
    assert playout.cut(0.0, {"r1"})[1:] == [truncate("i1", 1)]


def test_a_cut_repairs_every_item_that_is_left() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 0.0)
    playout.append("r1", "i2", 0, 400.0, 0.0)
    playout.append("r1", "i3", 0, 400.0, 0.0)
    playout.played("i2", 200.0, 0.6)
    playout.response_done("r1", 0.6)
    assert playout.cut(0.6, {"r1"}) == [StopPlayback(("r1",)), truncate("i2", 200), delete("i3")]
    assert playout.take_cut() == [("r1", 600.0)]


def test_repairs_wait_for_the_end_of_the_response() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 0.0)
    assert playout.cut(0.1, {"r1"}) == [StopPlayback(("r1",))]
    assert playout.take_cut() == []
    assert playout.response_done("r1", 0.2) == [delete("i1")]
    assert playout.response_done("r1", 0.3) == []
    assert playout.take_cut() == [("r1", 0.0)]
    assert playout.take_heard() == []


def test_a_response_may_be_cut_before_its_first_sound() -> None:
    playout = device()
    assert playout.cut(0.0, {"r1"}) == []
    assert playout.is_cut("r1")
    assert playout.unheard() == set()
    assert quiet(playout)
    assert playout.response_done("r1", 0.1) == []
    assert playout.take_cut() == [("r1", 0.0)]


def test_a_second_cut_changes_nothing() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 0.0)
    playout.played("i1", 100.0, 0.1)
    playout.cut(0.1, {"r1"})
    assert playout.cut(0.2, {"r1"}) == []
    assert playout.response_done("r1", 0.3) == [truncate("i1", 100)]
    assert playout.take_cut() == [("r1", 100.0)]


def test_a_cut_is_for_the_named_responses_only() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 0.0)
    playout.append("r2", "i2", 0, 400.0, 0.0)
    playout.append("r3", "i3", 0, 400.0, 0.0)
    playout.response_done("r1", 0.0)
    effects: list[Effect] = playout.cut(0.0, ["r3", "r1"])
    assert effects == [StopPlayback(("r1", "r3")), delete("i1")]
    assert not playout.is_cut("r2")
    assert playout.unheard() == {"r2"}
    assert not quiet(playout)
    playout.played("i2", 100.0, 0.1)
    assert playout.heard_ms("r2") == 100.0


def test_a_part_after_a_cut_is_a_new_part() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 0.0)
    playout.cut(0.0, {"r1"})
    playout.append("r2", "i1", 0, 100.0, 0.1)
    playout.played("i1", 70.0, 0.2)
    assert playout.heard_ms("r2") == 70.0


def test_clock_a_cut_looks_at_the_clock_first() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 1000.0, 10.0)
    playout.response_done("r1", 10.1)
    assert playout.cut(10.5, {"r1"}) == [StopPlayback(("r1",)), truncate("i1", 500)]
    assert playout.take_cut() == [("r1", close_to(500.0))]


@pytest.mark.parametrize(("heard_ms", "repair"), [(300.0, truncate("i1", 300)), (0.0, delete("i1"))])
def test_two_audio_parts_of_one_item_get_one_repair(heard_ms: float, repair: Send) -> None:
    playout = device()
    for index in (0, 1):
        playout.append("r1", "i1", index, 1000.0, 0.0)
    playout.append("r1", "i2", 0, 1000.0, 0.0)
    playout.played("i1", heard_ms, 0.3)
    playout.response_done("r1", 0.3)
    assert playout.cut(0.3, {"r1"}) == [StopPlayback(("r1",)), repair, delete("i2")]


def test_what_was_heard_before_a_cut_counts_too() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 100.0, 10.0)
    playout.append("r1", "i2", 0, 1000.0, 10.0)
    playout.tick(10.2)
    playout.cut(10.5, {"r1"})
    playout.response_done("r1", 10.5)
    assert playout.take_cut() == [("r1", close_to(500.0))]


# a lost connection


def test_what_is_queued_here_is_heard_over_a_lost_connection() -> None:
    playout = clock()
    playout.append("r1", "i1", 0, 1000.0, 10.0)
    playout.disconnect()
    assert playout.take_heard() == []
    playout.tick(11.0)
    assert playout.take_heard() == [("r1", False)]


def test_what_the_server_plays_ends_with_the_connection() -> None:
    playout = server()
    playout.buffer_started("r1", 10.0, runs=True)
    playout.disconnect()
    assert playout.take_heard() == [("r1", False)]
    assert quiet(playout)


def test_no_repair_is_sent_into_another_connection() -> None:
    playout = device()
    playout.append("r1", "i1", 0, 400.0, 0.0)
    playout.cut(0.1, {"r1"})
    assert [Send(repair) for repair in playout.disconnect()] == [delete("i1")]
    assert playout.disconnect() == []
    assert playout.response_done("r1", 0.2) == []
    assert playout.take_cut() == [("r1", 0.0)]


def test_a_cut_of_another_response_changes_nothing_for_the_one_that_speaks() -> None:
    playout = device()
    playout.append("r1", "item_1", 0, 100.0, 0.0)
    playout.played("item_1", 100.0, 0.1)  # nothing is left for the moment, and more may come
    assert playout.cut(0.2, {"r2"}) == []
    playout.append("r1", "item_1", 0, 100.0, 0.2)
    playout.played("item_1", 150.0, 0.3)
    assert playout.heard_ms("r1") == 150.0


@pytest.mark.parametrize("make", [device, clock])
def test_one_that_was_played_before_it_was_over_is_heard_at_its_end(make: Callable[[], Playout]) -> None:
    playout = make()
    playout.append("r1", "item_1", 0, 100.0, 0.0)
    playout.played("item_1", 100.0, 0.1)
    playout.tick(0.1)
    playout.append("r2", "item_2", 0, 500.0, 0.1)  # a voice beside it, cut off again
    playout.cut(0.1, {"r2"})
    playout.response_done("r1", 0.2)
    assert playout.take_heard() == [("r1", False)]
    assert quiet(playout)


def test_by_the_clock_each_is_heard_at_its_own_end() -> None:
    playout = clock()
    playout.append("r1", "item_1", 0, 300.0, 0.0)
    playout.response_done("r1", 0.0)
    playout.append("r2", "item_2", 0, 400.0, 0.0)
    playout.response_done("r2", 0.0)
    assert playout.deadline() == close_to(0.3)
    playout.tick(0.3)
    assert playout.take_heard() == [("r1", False)]
    assert playout.deadline() == close_to(0.7)
    playout.tick(0.7)
    assert playout.take_heard() == [("r2", False)]
