"""Who said what: words come late and out of order, and utterances stand in the order of the conversation."""

import pytest

from charye.protocol import (
    ConversationItemAdded,
    ConversationItemDeleted,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemTruncated,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputText,
    MessageItem,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemDone,
)
from charye.session.events import Utterance
from charye.session.transcript import Scribe


def spoken(scribe: Scribe, item_id: str, text: str, at: float) -> None:
    scribe.sounds(ResponseOutputAudioDelta(response_id="r", item_id=item_id, delta=""), at)
    for word in text.split():
        scribe.hear(
            ResponseOutputAudioTranscriptDelta(response_id="r", item_id=item_id, delta=f"{word} "), at
        )
    scribe.hear(ResponseOutputAudioTranscriptDone(response_id="r", item_id=item_id, transcript=text), at + 1)
    scribe.hear(
        ResponseOutputItemDone(response_id="r", item=MessageItem(id=item_id, role="assistant", content=())),
        at + 1,
    )


def test_what_the_user_says_has_the_times_in_which_it_was_said() -> None:
    scribe = Scribe(100.0)
    scribe.hear(InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0), 101.0)
    scribe.hear(InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=900), 102.0)
    scribe.hear(InputAudioBufferCommitted(item_id="u1"), 102.1)
    spoken(scribe, "a1", "네, 알겠습니다", 103.0)
    changed = scribe.hear(
        ConversationItemInputAudioTranscriptionCompleted(item_id="u1", transcript="안녕하세요"), 105.0
    )
    user, assistant = scribe.utterances
    assert changed == user
    assert user == Utterance("u1", "user", "안녕하세요", began_s=1.0, ended_s=2.0, is_final=True)
    assert (assistant.text, assistant.began_s, assistant.ended_s, assistant.is_final) == (
        "네, 알겠습니다",
        3.0,
        4.0,
        True,
    )
    assert assistant.response_id == "r"


def test_pushed_and_not_recognised_is_an_utterance_without_words() -> None:
    scribe = Scribe(0.0)
    scribe.hear(InputAudioBufferCommitted(item_id="u1"), 2.0)
    scribe.hear(ConversationItemInputAudioTranscriptionFailed(item_id="u1", error=None), 3.0)  # type: ignore[arg-type]
    assert scribe.utterances == (Utterance("u1", "user", "", ended_s=2.0, is_final=True),)


def test_what_was_cut_off_keeps_its_words_and_says_how_far_it_was_heard() -> None:
    scribe = Scribe(0.0)
    spoken(scribe, "a1", "one two three", 1.0)
    scribe.hear(ConversationItemTruncated(item_id="a1", content_index=0, audio_end_ms=700), 2.0)
    spoken(scribe, "a2", "never heard", 3.0)
    scribe.hear(ConversationItemDeleted(item_id="a2"), 3.5)
    first, second = scribe.utterances
    assert (first.text, first.heard_ms) == ("one two three", 700.0)
    assert second.heard_ms == 0.0
    scribe.hear(
        ResponseOutputAudioTranscriptDone(response_id="r", item_id="a1", transcript="later words"), 4.0
    )
    assert scribe.utterances[0].text == "one two three"


def test_what_is_built_again_on_a_new_line_is_not_said_again() -> None:
    scribe = Scribe(0.0)
    scribe.typed("app_1", "hello", 1.0)
    scribe.renewed("r1_0")
    item = MessageItem(id="r1_0", role="user", content=(InputText(text="hello"),))
    assert scribe.hear(ConversationItemAdded(item=item), 2.0) is None
    other = MessageItem(id="x", role="user", content=(InputText(text="from elsewhere"),))
    assert scribe.hear(ConversationItemAdded(item=other), 3.0) is not None
    assert [utterance.text for utterance in scribe.utterances] == ["hello", "from elsewhere"]


def test_with_the_line_everything_is_final() -> None:
    scribe = Scribe(0.0)
    scribe.hear(ResponseOutputAudioTranscriptDelta(response_id="r", item_id="a1", delta="half a "), 1.0)
    scribe.hear(InputAudioBufferCommitted(item_id="u1"), 1.5)
    changed = scribe.line_lost(2.0)
    assert changed == list(scribe.utterances)
    assert [(each.text, each.is_final, each.ended_s) for each in changed] == [
        ("half a ", True, 2.0),
        ("", True, 1.5),
    ]
    assert scribe.line_lost(3.0) == []


def test_a_snapshot_is_the_same_until_something_changes() -> None:
    scribe = Scribe(0.0)
    scribe.typed("app_1", "hello", 1.0)
    before = scribe.utterances
    assert scribe.utterances is before
    scribe.typed("app_2", "again", 2.0)
    assert len(before) == 1
    assert len(scribe.utterances) == 2


def test_words_are_not_shown_by_accident() -> None:
    utterance = Utterance("u1", "user", "a secret")
    assert "secret" not in repr(utterance)
    assert utterance.text == "a secret"


@pytest.mark.parametrize("item_id", ["unknown"])
def test_news_about_what_nobody_said_changes_nothing(item_id: str) -> None:
    scribe = Scribe(0.0)
    assert scribe.hear(ConversationItemDeleted(item_id=item_id), 1.0) is None
    assert (
        scribe.hear(ConversationItemTruncated(item_id=item_id, content_index=0, audio_end_ms=1), 1.0) is None
    )
    assert scribe.hear(InputAudioBufferSpeechStopped(item_id=item_id), 1.0) is None
    assert scribe.utterances == ()
