"""The user's voice wins the race: the server begins a reply of its own while our `response.create` is on its way.

In the field the `response.created` that comes next is taken for the answer to our create, because nothing looks at
whose it is: the caller is told "spoken" about words that answer the user, and its own sentence, refused a moment later,
is lost; or its future dies after ten seconds. Seen in voice frameworks that wait for "the next created".

Here the token in the metadata says whose a response is. The refused request waits and is sent again, whole and once,
when the winner has ended.
"""

from tests.transcripts.player import play


def test_the_refused_request_is_sent_again_when_the_winner_has_ended() -> None:
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        = contested r1 vad greeting
        = greeting sent                       # not credited with the user's answer
        < error conversation_already_has_active_response names=r1
        = held r1 vad
        = waiting greeting "another response is running"
        < response.output_audio.delta r1 item1 400ms
        ! play r1 item1 400ms
        < response.done r1 completed
        > response.create greeting            # once, and by itself
        < response.created r2 greeting
        = greeting speaking
        < response.done r2 completed
        = greeting heard attempts=2
    """)


def test_the_refusal_comes_before_the_winner_is_seen() -> None:
    play("""
        @ request greeting
        > response.create greeting
        < error conversation_already_has_active_response names=r1
        = held r1 vad
        < response.created r1 vad
        = held r1 vad
        < response.done r1 completed
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


def test_the_create_is_accepted_after_all_when_the_winner_was_quick() -> None:
    """It reached the server after the winner's end. To send it again at the winner's done would be one too many."""
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        < response.done r1 completed
        = claimed greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=1
    """)


def test_what_is_sent_again_is_the_same_request() -> None:
    play("""
        @ request summary priority=script instructions="Sum it up" metadata={"step":"3"} output_modalities=["audio"]
        > response.create summary instructions="Sum it up" metadata={"step":"3","charye":"c.1.1.1"} event_id=c.1.1.1
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        < response.done r1 completed
        > response.create summary instructions="Sum it up" metadata={"step":"3","charye":"c.1.1.2"} event_id=c.1.1.2
        < response.created r2 summary
        < response.done r2 completed
        = summary heard attempts=2
    """)


def test_the_refused_one_keeps_its_place_in_the_line() -> None:
    play("""
        @ request first
        > response.create first
        @ request second
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        @ request third
        < response.done r1 completed
        > response.create first
        < response.created r2 first
        < response.done r2 completed
        > response.create second
        < response.created r3 second
        < response.done r3 completed
        > response.create third
        < response.created r4 third
        < response.done r4 completed
        = first heard attempts=2
        = second heard attempts=1
        = third heard attempts=1
    """)


def test_it_may_lose_again_and_again_and_is_never_asked_in_vain() -> None:
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        < response.done r1 completed
        > response.create greeting
        < response.created r2 vad
        < error conversation_already_has_active_response names=r2
        ~ 5s                                  # no spinning while the winner speaks
        < response.done r2 completed
        > response.create greeting
        < response.created r3 greeting
        < response.done r3 completed
        = greeting heard attempts=3
    """)


def test_its_asker_gives_up_while_the_winner_speaks() -> None:
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        @ cancel greeting                     # the winner is not ours: it is not cancelled
        = greeting cancelled reason=asker
        = withdrawn_contested r1 vad greeting
        < error conversation_already_has_active_response names=r1
        = held r1 vad
        < response.done r1 completed
        = open
    """)


def test_a_server_that_does_not_refuse_but_supersedes() -> None:
    """Some compatible servers end the running response when another is created, and say nothing of its end."""
    play("""
        settings: dialect=supersedes
        @ request greeting
        > response.create greeting
        < response.created r1 greeting
        < response.output_audio.delta r1 item1 1s
        ~ 300ms
        < response.created r2 vad
        ! stop_playback r1
        > conversation.item.truncate item1 300ms
        = greeting interrupted 300ms                 # and that is where it was stopped
        < response.output_audio.delta r2 item2 500ms
        ! play r2 item2
        < response.done r2 completed
    """)


def test_the_winner_is_another_client_of_the_same_conversation() -> None:
    """A sideband with charye in it too: its token is not one of ours."""
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 vad metadata={"charye":"side.1.1.1"}
        = contested r1 vad greeting
        < error conversation_already_has_active_response names=r1
        < response.done r1 completed metadata={"charye":"side.1.1.1"}
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)
