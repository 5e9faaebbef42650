"""The mirror: order, what is remembered of each item, and building it again."""

import pytest

from charye.core.conversation import Conversation, Entry
from charye.protocol import (
    AudioPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputImage,
    InputText,
    Item,
    ItemReference,
    McpCallItem,
    MessageItem,
    OutputAudio,
    OutputText,
    Part,
    TextPart,
    UnknownItem,
)


def said(item_id: str | None, *parts: Part, role: str = "user") -> MessageItem:
    return MessageItem(id=item_id, role=role, content=parts or (InputText(text=f"text of {item_id}"),))


def ids(conversation: Conversation) -> list[str | None]:
    return [getattr(entry.item, "id", None) for entry in conversation.entries()]


def mirror_of(*items: Item, bound: int = 100) -> Conversation:
    conversation = Conversation(bound=bound)
    for item in items:
        conversation.put(item)
    return conversation


def rebuilt(conversation: Conversation, epoch: int = 2) -> list[Item]:
    return [event.item for event in conversation.rebuild(epoch)[0]]


def test_items_stand_in_the_order_in_which_they_came() -> None:
    conversation = mirror_of(said("a"), said("b"), said("c"))
    assert ids(conversation) == ["a", "b", "c"]
    assert len(conversation) == 3


@pytest.mark.parametrize(
    ("previous", "order"),
    [
        ("a", ["a", "new", "b", "c"]),
        ("b", ["a", "b", "new", "c"]),
        ("c", ["a", "b", "c", "new"]),
        ("unknown", ["a", "b", "c", "new"]),
        (None, ["a", "b", "c", "new"]),
        ("new", ["a", "b", "c", "new"]),
    ],
)
def test_an_item_goes_after_the_one_that_it_names(previous: str | None, order: list[str]) -> None:
    conversation = mirror_of(said("a"), said("b"), said("c"))
    conversation.put(said("new"), previous)
    assert ids(conversation) == order


def test_an_item_that_is_told_anew_stays_where_it_is_and_keeps_what_is_known_of_it() -> None:
    conversation = mirror_of(said("a"), said("b"))
    conversation.transcribe("a", "안녕하세요.")
    finished = said("a", InputText(text="finished"))
    conversation.put(finished, "b")
    assert conversation.entries()[0] == Entry(finished, "안녕하세요.", None)
    assert ids(conversation) == ["a", "b"]


def test_an_item_without_an_id_cannot_be_remembered() -> None:
    assert len(mirror_of(said(None))) == 0


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    conversation = mirror_of(said("a"), said("b"), bound=2)
    assert ids(conversation) == ["a", "b"]
    conversation.put(said("c"))
    assert ids(conversation) == ["b", "c"]


def test_an_item_that_is_gone_is_forgotten() -> None:
    conversation = mirror_of(said("a"), said("b"))
    conversation.delete("a")
    conversation.delete("unknown")
    assert ids(conversation) == ["b"]
    assert conversation.get("a") is None


def test_what_is_told_about_an_item_is_remembered_with_it() -> None:
    conversation = mirror_of(said("a"))
    conversation.truncate("a", 900)
    conversation.transcribe("a", "네.")
    assert conversation.get("a") == Entry(said("a"), transcript="네.", heard_ms=900)


def test_what_is_told_about_an_item_that_is_not_known_is_nothing() -> None:
    conversation = mirror_of()
    conversation.truncate("a", 900)
    conversation.transcribe("a", "네.")
    assert conversation.entries() == []


# building it again


@pytest.mark.parametrize(
    ("role", "part", "text"),
    [
        ("user", InputText(text="hello"), InputText(text="hello")),
        ("user", TextPart(text="hello"), InputText(text="hello")),
        ("system", InputText(text="be kind"), InputText(text="be kind")),
        ("user", InputAudio(transcript="hello"), InputText(text="hello")),
        ("user", AudioPart(transcript="hello"), InputText(text="hello")),
        ("assistant", OutputText(text="hello"), OutputText(text="hello")),
        ("assistant", OutputAudio(transcript="hello"), OutputText(text="hello")),
        ("assistant", AudioPart(transcript="hello"), OutputText(text="hello")),
    ],
)
def test_every_turn_becomes_text_of_its_role_under_a_fresh_id(role: str, part: Part, text: Part) -> None:
    conversation = mirror_of(said("a", part, role=role))
    expected = MessageItem(id="r2_0", role=role, content=(text,))
    assert rebuilt(conversation) == [expected]
    assert conversation.entries() == [Entry(expected)]


def test_the_order_stays_and_the_ids_are_of_this_rebuild() -> None:
    conversation = mirror_of(said("a"), said("b"))
    assert [getattr(item, "id", "") for item in rebuilt(conversation, 2)] == ["r2_0", "r2_1"]
    assert [getattr(item, "id", "") for item in rebuilt(conversation, 3)] == ["r3_0", "r3_1"]


def test_several_parts_become_one_text() -> None:
    parts = (InputText(text="look"), InputAudio(transcript="here"))
    (item,) = rebuilt(mirror_of(said("a", *parts)))
    assert item == MessageItem(id="r2_0", role="user", content=(InputText(text="look here"),))


def test_pictures_are_kept_as_they_are_with_or_without_words() -> None:
    first, second = InputImage(image_url="data:,1"), InputImage(image_url="data:,2")
    parts = (InputText(text="look"), first, InputAudio(transcript="here"), second)
    items = rebuilt(mirror_of(said("a", *parts), said("b", first)))
    assert items == [
        MessageItem(id="r2_0", role="user", content=(InputText(text="look here"), first, second)),
        MessageItem(id="r2_1", role="user", content=(first,)),
    ]


def test_the_transcript_stands_for_the_audio_of_the_user() -> None:
    conversation = mirror_of(said("a", InputAudio(transcript="from the part"), InputText(text="and text")))
    conversation.transcribe("a", "heard")
    (item,) = rebuilt(conversation)
    assert item == MessageItem(id="r2_0", role="user", content=(InputText(text="heard and text"),))


@pytest.mark.parametrize(
    "item",
    [
        said("a", InputAudio()),
        said("a", OutputAudio(), role="assistant"),
        FunctionCallItem(id="a", name="f", arguments="{}", call_id="c1"),
        McpCallItem(id="a", server_label="s", name="t", arguments="{}"),
        ItemReference(id="a"),
        UnknownItem(fields={"type": "new", "id": "a"}),
        FunctionCallOutputItem(id="a", call_id="unknown", output="1"),
    ],
)
def test_what_cannot_be_said_again_is_left_out_and_named(item: Item) -> None:
    conversation = mirror_of(item, said("b"))
    events, left_out = conversation.rebuild(2)
    assert [event.item for event in events] == [said("r2_0", InputText(text="text of b"))]
    # A call without an output is not lost: its result comes by the tools.
    assert left_out == ([] if isinstance(item, FunctionCallItem) else ["a"])
    assert len(conversation) == 1


def test_a_turn_of_the_assistant_that_was_cut_off_says_nothing() -> None:
    conversation = mirror_of(said("a", OutputAudio(transcript="Long."), role="assistant"))
    conversation.truncate("a", 0)
    assert conversation.rebuild(2) == ([], ["a"])
    assert len(conversation) == 0


def test_a_call_is_written_again_with_its_output_under_fresh_ids() -> None:
    conversation = mirror_of(
        said("a"),
        FunctionCallItem(id="f1", name="look", arguments='{"x": 1}', call_id="c1"),
        FunctionCallItem(id="f2", name="wait", arguments="{}", call_id="c2"),
        FunctionCallOutputItem(id="o1", call_id="c1", output="seen"),
        said("b"),
    )
    assert rebuilt(conversation) == [
        MessageItem(id="r2_0", role="user", content=(InputText(text="text of a"),)),
        FunctionCallItem(id="r2_1", name="look", arguments='{"x": 1}', call_id="call_2_1"),
        FunctionCallOutputItem(id="r2_2", call_id="call_2_1", output="seen"),
        MessageItem(id="r2_3", role="user", content=(InputText(text="text of b"),)),
    ]
    again = rebuilt(conversation, 3)
    assert [getattr(item, "id", "") for item in again] == ["r3_0", "r3_1", "r3_2", "r3_3"]
    assert [getattr(item, "call_id", "") for item in again[1:3]] == ["call_3_1", "call_3_1"]


def test_an_empty_conversation_needs_nothing() -> None:
    assert mirror_of().rebuild(1) == ([], [])
