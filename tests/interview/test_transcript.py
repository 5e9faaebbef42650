from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.assessment.rubric import Level
from charye.errors import ConfigurationError, LocalProtocolError
from charye.interview.transcript import (
    Source,
    Speaker,
    Transcript,
    Utterance,
    Word,
    from_json,
    json_schema,
    to_json,
    to_turns,
)
from charye.interview.transcript_files import Naming, parse, parse_srt, parse_text, parse_vtt, read, write

ASKED = Utterance(
    id="i1", speaker=Speaker.INTERVIEWER, text="이름이 뭐예요?", start_ms=0.0, end_ms=1500.0, task="a1-name"
)
SAID = Utterance(
    id="l1",
    speaker=Speaker.LEARNER,
    text="저는 마리아예요",
    start_ms=2500.0,
    end_ms=4000.0,
    words=(Word("저는", 2500.0, 3000.0), Word("마리아예요", 3000.0, 4000.0)),
    confidence=0.9,
    task="a1-name",
    level=Level.A1,
    function="identify",
    phase="warm_up",
)
BOTH = Transcript().add(ASKED).add(SAID)


def test_it_grows_in_the_order_of_speaking() -> None:
    assert Transcript().add(SAID).add(ASKED) == BOTH
    typed = Utterance(id="l2", speaker=Speaker.LEARNER, text="네", source=Source.TYPED)
    assert [one.id for one in BOTH.add(typed).utterances] == ["i1", "l1", "l2"]


def test_a_better_text_takes_the_place_of_the_first() -> None:
    better = Utterance(id="l1", speaker=Speaker.LEARNER, text="저는 마리아입니다", start_ms=2500.0)
    assert [one.text for one in BOTH.add(better).utterances] == ["이름이 뭐예요?", "저는 마리아입니다"]


def test_a_correction_keeps_the_first_text() -> None:
    once = BOTH.correct("l1", "저는 말리아예요")
    twice = once.correct("l1", "저는 말리야예요").utterances[1]
    assert (twice.text, twice.original, twice.source) == (
        "저는 말리야예요",
        "저는 마리아예요",
        Source.CORRECTED,
    )
    turn = to_turns(once)[1]
    assert turn.words == ()
    with pytest.raises(LocalProtocolError):
        BOTH.correct("i1", "다른 말")
    with pytest.raises(LocalProtocolError):
        BOTH.correct("nobody", "말")


def test_what_is_withheld_is_gone() -> None:
    held = BOTH.correct("l1", "비밀").withhold("l1")
    assert "비밀" not in to_json(held).decode()
    assert "마리아" not in to_json(held).decode()
    assert [turn.speaker for turn in to_turns(held)] == [Speaker.INTERVIEWER]
    assert "학습자" not in write(held, kind="txt").decode()
    with pytest.raises(LocalProtocolError):
        held.correct("l1", "다시")


def test_an_interruption_is_kept() -> None:
    assert to_turns(BOTH.interrupt("i1", 1000.0))[0].interrupted_at_ms == 1000.0


def test_no_word_shows() -> None:
    shown = f"{BOTH!r} {SAID!r} {SAID.words!r}"
    assert not any(word in shown for word in ("저는", "마리아", "이름"))


def test_the_assessor_gets_everything_it_asks_for() -> None:
    asked, said = to_turns(BOTH)
    assert asked.task is not None
    assert said.task is not None
    assert (said.task.level, said.task.phase, said.task.function, said.task.id) == (
        Level.A1,
        "warm_up",
        "identify",
        "a1-name",
    )
    assert (said.start_ms, said.end_ms, said.text) == (2500.0, 4000.0, "저는 마리아예요")
    assert [(word.text, word.start_ms) for word in said.words] == [("저는", 2500.0), ("마리아예요", 3000.0)]


def test_json_goes_there_and_back() -> None:
    assert from_json(to_json(BOTH)) == BOTH
    assert json_schema()["$ref"].endswith("Transcript")


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b'{\n"utterances": [\n', "no valid JSON", "t.json:3"),
        (b'{"utterances": [{"id": "x"}]}', "no transcript", "t.json"),
        (b'{"version": 9}', "version", "t.json"),
        (b'{\n"language": "\xff"}', "JSON", "t.json:2"),
    ],
)
def test_what_is_no_transcript_is_told(data: bytes, message: str, place: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(data, kind="json", name="t.json")
    assert caught.value.option == place


PLAIN = """면접관: 이름이 뭐예요?
학습자: 저는 마리아예요.
스페인 사람이에요.

Interviewer： 어디에 살아요?
Learner: 서울이요.
"""


def spoken(transcript: Transcript) -> list[tuple[str, str]]:
    return [(one.speaker.value, one.text) for one in transcript.utterances]


def test_plain_text_has_labels() -> None:
    assert spoken(parse_text(PLAIN)) == [
        ("interviewer", "이름이 뭐예요?"),
        ("learner", "저는 마리아예요. 스페인 사람이에요."),
        ("interviewer", "어디에 살아요?"),
        ("learner", "서울이요."),
    ]


def test_a_label_may_be_a_name() -> None:
    text = "Kim: 이름이 뭐예요?\nMaria: 마리아예요."
    with pytest.raises(ConfigurationError, match="label") as caught:
        parse_text(text, name="t.txt")
    assert caught.value.option == "t.txt:1"
    assert [who for who, _ in spoken(parse_text(text, naming=Naming(learner="maria")))] == [
        "interviewer",
        "learner",
    ]


def test_text_without_labels_needs_a_speaker() -> None:
    with pytest.raises(ConfigurationError, match="who speaks") as caught:
        parse_text("\n\n저는 마리아예요", name="t.txt")
    assert caught.value.option == "t.txt:3"
    naming = Naming(unlabelled=Speaker.LEARNER)
    assert spoken(parse_text("저는 마리아예요", naming=naming)) == [("learner", "저는 마리아예요")]


SRT = """1
00:00:00,000 --> 00:00:01,500
면접관: 이름이 뭐예요?

2
00:00:02,500 --> 00:00:04,000
학습자: 저는
<i>마리아예요</i>

3
00:00:05,000 --> 00:00:06,000
학생이에요
"""


def test_subtitles_carry_times_and_neighbours_are_joined() -> None:
    asked, said = parse_srt(SRT).utterances
    assert (asked.start_ms, asked.end_ms, asked.speaker) == (0.0, 1500.0, Speaker.INTERVIEWER)
    assert (said.text, said.start_ms, said.end_ms) == ("저는 마리아예요 학생이에요", 2500.0, 6000.0)


def test_web_subtitles_have_voices_and_notes() -> None:
    text = (
        "WEBVTT - test\n\nNOTE 면접관\nis no cue\n\n00:01.000 --> 00:02.000 align:start\n<v 면접관>뭐 해요?\n\n"
        "x\n01:00:00.000 --> 01:00:01.000\n<v.loud 학습자>자요."
    )
    asked, said = parse_vtt(text).utterances
    assert (asked.start_ms, asked.text) == (1000.0, "뭐 해요?")
    assert (said.start_ms, said.text, said.speaker) == (3_600_000.0, "자요.", Speaker.LEARNER)


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        ("srt", SRT.replace("00:00:02,500 -->", "00:00:02 -->"), 6),
        ("srt", SRT.replace("00:00:05,000", "00:00:01,000"), 11),
        ("srt", SRT.replace("00:00:04,000", "00:00:01,000"), 6),
        ("srt", SRT.replace("면접관: ", ""), 3),
        ("srt", SRT.replace("면접관: ", "누구: "), 3),
        ("vtt", SRT, 1),
        ("vtt", "WEBVTT\n\n면접관: 뭐 해요?\n", 3),
        ("txt", "누구: 뭐 해요?", 1),
    ],
)
def test_mistakes_are_told_with_their_line_and_without_the_words(kind: str, text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text.encode(), kind=kind, name="f")
    assert caught.value.option == f"f:{line}"
    shown = f"{caught.value!r}"
    assert not any(word in shown for word in ("마리아", "이름이", "뭐 해요"))


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing is said"):
        parse(b"\n", kind="txt")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(tmp_path / "nothing.srt")
    with pytest.raises(ConfigurationError, match="UTF-8") as caught:
        parse("면접관: 네\n학습자: 네".encode("cp949"), kind="txt", name="f")
    assert caught.value.option == "f:1"


@pytest.mark.parametrize("kind", ["json", "srt", "vtt", "txt"])
def test_what_is_written_can_be_read(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"talk.{kind}"
    file.write_bytes(write(BOTH, kind=kind))
    back = read(file)
    assert spoken(back) == spoken(BOTH)
    if kind != "txt":
        assert [(one.start_ms, one.end_ms) for one in back.utterances] == [(0.0, 1500.0), (2500.0, 4000.0)]


def test_subtitles_need_times() -> None:
    typed = Transcript().add(Utterance(id="l2", speaker=Speaker.LEARNER, text="네", source=Source.TYPED))
    with pytest.raises(ConfigurationError, match="need times"):
        write(typed, kind="srt")


@given(
    data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    kind=st.sampled_from(["json", "srt", "vtt", "txt"]),
)
def test_any_bytes_are_a_transcript_or_a_told_mistake(data: bytes, kind: str) -> None:
    told: str | None = None
    try:
        transcript = parse(data, kind=kind)
    except ConfigurationError as error:
        told = error.option
    else:
        told = json.loads(to_json(transcript))["language"]
    assert told
