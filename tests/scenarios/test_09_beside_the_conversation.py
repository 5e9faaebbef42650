"""A response of the conversation, and one beside it (`conversation: "none"`), at the same time.

In the field the out-of-band `response.done` comes first and opens the lane under the main response; audio deltas of the
two mix; and the plain `response.cancel` of a barge-in reaches only the response of the default conversation, so the
other voice talks on over the user.

Here out-of-band responses take no floor and give none back, each is cancelled by its id, and one audio floor keeps two
voices apart.
"""

from tests.transcripts.player import play

BESIDE = """
        @ request main
        > response.create main
        < response.created r1 main
        @ request label conversation=none output_modalities=["text"]
        > response.create label conversation=none
        < response.created r2 label
        = label speaking
        = held r1 main
"""


def test_the_one_beside_ends_first() -> None:
    play(f"""
        {BESIDE}
        @ request next
        < response.done r2 completed
        = label heard
        = held r1 main                               # not opened by another's done
        = waiting next "another response is running"
        < response.done r1 completed
        > response.create next
        < response.created r3 next
        < response.done r3 completed
        = main heard
        = next heard
    """)


def test_the_main_one_ends_first() -> None:
    play(f"""
        {BESIDE}
        < response.done r1 completed
        @ request next
        > response.create next
        < response.created r3 next
        < response.done r3 completed
        < response.done r2 completed
        = main heard
        = next heard
        = label heard
    """)


def test_somebody_elses_response_beside_the_conversation_takes_no_floor() -> None:
    play("""
        < response.created r9 vad conversation_id=null
        ! note "an out-of-band response of somebody else" r9
        = open
        @ request main
        > response.create main
        < response.done r9 completed conversation_id=null
        = claimed main
        < response.created r1 main
        < response.done r1 completed
        = main heard
    """)


def test_the_user_barges_in_and_the_silent_one_works_on() -> None:
    play(f"""
        {BESIDE}
        < response.output_audio.delta r1 item1 900ms
        ~ 400ms
        < speech_started
        ! stop_playback r1
        < response.done r1 cancelled turn_detected
        > conversation.item.truncate item1 400ms
        = main interrupted 400ms
        < response.done r2 completed
        = label heard
    """)


def test_each_is_cancelled_by_its_own_id() -> None:
    play(f"""
        {BESIDE}
        @ cancel label
        > response.cancel r2
        = held r1 main
        @ cancel main
        > response.cancel r1
        < response.done r2 cancelled
        = yielding r1
        < response.done r1 cancelled
        = open
        = label cancelled
        = main cancelled
    """)


def test_a_voice_beside_waits_for_the_main_one_and_the_main_one_for_it() -> None:
    play("""
        @ request main
        > response.create main
        < response.created r1 main
        @ request aside conversation=none
        = waiting aside "another response is running"
        < response.done r1 completed
        > response.create aside conversation=none
        < response.created r2 aside
        @ request next
        = waiting next "an out-of-band response is speaking"
        < response.output_audio.delta r2 item2 200ms
        ! play r2 item2
        < response.done r2 completed
        > response.create next
        < response.created r3 next
        < response.done r3 completed
        ~ 200ms
        = main heard
        = aside heard
        = next heard
    """)


VOICE_BESIDE = """
        @ request aside conversation=none
        > response.create aside
        < response.created r1 aside
        < response.output_audio.delta r1 item1 900ms
        ~ 400ms
"""


def test_the_user_barges_in_on_a_voice_beside() -> None:
    """The server interrupts only its own conversation: this one must be cancelled by us, by its id."""
    play(f"""
        {VOICE_BESIDE}
        < speech_started
        ! stop_playback r1
        > response.cancel r1
        < response.output_audio.delta r1 item1 100ms
        ! no play
        < response.done r1 cancelled
        = aside interrupted 400ms
    """)


def test_the_user_barges_in_before_the_voice_beside_has_made_a_sound() -> None:
    play("""
        @ request aside conversation=none
        > response.create aside
        < response.created r1 aside
        < speech_started
        > response.cancel r1
        < response.output_audio.delta r1 item1 100ms
        ! no play
        < response.done r1 cancelled
        = aside interrupted 0ms
    """)


def test_the_user_barges_in_before_the_voice_beside_is_created() -> None:
    """It waits again, for the user and for the reply to the user; the create that is out is answered by a cancel."""
    play("""
        @ request aside conversation=none
        > response.create aside
        < speech_started
        = waiting aside "the user is speaking"
        < response.created r1 aside
        > response.cancel r1
        < response.done r1 cancelled
        < speech_stopped
        < committed
        < response.created r2 vad
        < response.done r2 completed
        > response.create aside
        < response.created r3 aside
        < response.done r3 completed
        = aside heard attempts=2
    """)


def test_the_user_barges_in_on_a_voice_beside_that_is_generated_already() -> None:
    """Its item is in no conversation, so there is nothing to truncate."""
    play(f"""
        {VOICE_BESIDE}
        < response.done r1 completed
        = aside generated
        < speech_started
        ! stop_playback r1
        = aside interrupted 400ms
    """)


def test_the_app_silences_the_room() -> None:
    play(f"""
        {VOICE_BESIDE}
        @ interrupt
        ! stop_playback r1
        > response.cancel r1
        < response.done r1 cancelled
        = aside interrupted 400ms
    """)


def test_the_button_silences_the_room() -> None:
    play(f"""
        < session.updated push_to_talk
        {VOICE_BESIDE}
        @ press
        ! stop_playback r1
        > response.cancel r1
        > input_audio_buffer.clear
        < response.done r1 cancelled
        = aside interrupted 400ms
        @ release
        > input_audio_buffer.clear
    """)


def test_the_servers_own_reply_goes_before_a_voice_beside() -> None:
    play("""
        @ request aside conversation=none
        > response.create aside
        < response.created r1 aside
        < response.output_audio.delta r1 item1 900ms
        ~ 100ms
        < response.created r2 vad
        ! stop_playback r1
        > response.cancel r1
        < response.output_audio.delta r2 item2 300ms
        ! play r2 item2
        < response.done r1 cancelled
        < response.done r2 completed
        = aside interrupted 100ms
    """)


def test_a_voice_beside_that_finds_no_free_lane_holds_nobody_else_up() -> None:
    """Its own class waits behind it, the others go on."""
    play("""
        settings: max_out_of_band=1
        @ request label conversation=none output_modalities=["text"]
        > response.create label
        < response.created r1 label
        @ request aside conversation=none
        @ request behind
        = waiting aside
        = waiting behind
        @ request reminder priority=notice
        > response.create reminder
        < response.created r2 reminder
        < response.done r2 completed
        < response.done r1 completed
        > response.create aside
        < response.created r3 aside
        < response.done r3 completed
        > response.create behind
        < response.created r4 behind
        < response.done r4 completed
        = label heard
        = reminder heard
        = aside heard
        = behind heard
    """)


def test_a_dialect_that_cannot_tell_them_apart_has_no_such_lane() -> None:
    play("""
        settings: dialect=compatible
        @ request label conversation=none output_modalities=["text"]
        = label denied reason="no out-of-band lane" attempts=0
    """)


def test_one_beside_that_never_ends_does_not_hold_anybody_up() -> None:
    play(f"""
        {BESIDE}
        < response.done r1 completed
        ~ 20s
        ! note "an out-of-band response is silent" r2
        > response.cancel r2
        ~ 5s
        = label failed reason=stuck
        = main heard
    """)


def test_what_is_said_twice_about_the_one_beside_is_not_about_the_floor() -> None:
    play(f"""
        {BESIDE}
        < response.created r2 label
        < response.done r2 completed
        < response.done r1 completed
        @ request next
        > response.create next
        < response.created r2 label
        < response.done r2 completed
        < response.output_audio.delta r2 item2 100ms
        ! no play
        = claimed next
        < error conversation_already_has_active_response
        = blocked                                    # a second done is no sign that the speaker has ended
        ~ 1s
        > response.create next
        < response.created r3 next
        < response.done r3 completed
        = label heard
        = main heard
        = next heard
    """)
