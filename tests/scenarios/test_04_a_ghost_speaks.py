"""No answer to the create for ten seconds; the caller is told "timed out"; then the response is created and speaks.

In the field the late speech is a ghost: nobody asked for it any more, nobody can stop it, and the caller's second
create is refused by it, and the third.

Here the line is asked before anything is given up, a create is never forgotten, and a late `response.created` is
recognised by its token: it is the answer after all, or it is cancelled by its id.
"""

from tests.transcripts.player import play

SILENCE = """
        @ request greeting
        > response.create greeting
        ~ 10s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id        # the line lives: the create or its answer was lost
"""


def test_the_late_answer_comes_before_we_ask_again() -> None:
    play(f"""
        {SILENCE}
        ~ 4s
        < response.created r1 greeting
        = held r1 greeting
        < response.done r1 completed
        = greeting heard attempts=1
    """)


def test_the_late_answer_comes_after_we_asked_again_and_the_second_create_is_refused() -> None:
    play(f"""
        {SILENCE}
        ~ 5s
        > response.create greeting
        < response.created r1 greeting#1
        = greeting speaking                          # it is what was asked for
        = withdrawn_contested r1 greeting
        < error conversation_already_has_active_response names=r1
        = held r1 greeting
        < response.done r1 completed
        = greeting heard attempts=2                  # and there is no third
        = open
    """)


def test_the_late_answer_comes_and_the_second_create_is_accepted_too() -> None:
    play(f"""
        {SILENCE}
        ~ 5s
        > response.create greeting
        < response.created r1 greeting#1
        < response.done r1 completed
        = greeting heard attempts=2
        = withdrawn greeting
        < response.created r2 greeting#2             # one too many: it never reaches the loudspeaker
        > response.cancel r2
        < response.output_audio.delta r2 item2 100ms
        ! no play
        < response.done r2 cancelled
        = open
    """)


def test_the_caller_gave_up_and_the_late_answer_is_cancelled_by_its_id() -> None:
    play(f"""
        {SILENCE}
        @ cancel greeting
        = greeting cancelled
        @ request second
        = waiting second "cancelled request is still unanswered"
        < response.created r1 greeting
        > response.cancel r1
        < response.output_audio.delta r1 item1 100ms
        ! no play
        < response.done r1 cancelled
        > response.create second
        < response.created r2 second
        < response.done r2 completed
        = second heard attempts=1
    """)


def test_the_ghost_comes_while_another_request_is_unanswered() -> None:
    play(f"""
        {SILENCE}
        @ cancel greeting
        @ request second
        ~ 5s
        > response.create second
        < response.created r1 greeting
        > response.cancel r1
        = contested r1 second
        < error conversation_already_has_active_response names=r1
        = waiting second
        < response.done r1 cancelled
        > response.create second
        < response.created r2 second
        < response.done r2 completed
        = second heard attempts=2
    """)


def test_it_is_never_answered_and_ends_with_a_reason() -> None:
    play("""
        settings: max_unanswered=2
        @ request greeting
        > response.create greeting
        ~ 10s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.create greeting
        ~ 10s
        > conversation.item.retrieve probe_2
        < error item_retrieve_invalid_item_id
        ~ 5s
        = greeting failed reason=unanswered attempts=2 uncertain=yes
        = open
        < response.created r1 greeting#2             # even now it is no ghost
        > response.cancel r1
        < response.done r1 cancelled
        = open
    """)


def test_the_line_itself_is_dead() -> None:
    play("""
        @ request greeting
        > response.create greeting
        ~ 20s
        > conversation.item.retrieve probe_1
        > conversation.item.retrieve probe_2
        ! reconnect "line dead"
        @ disconnect
        @ connect
        > response.create greeting
        < response.created r1 greeting
        < response.done r1 completed
        = greeting heard attempts=2
    """)
