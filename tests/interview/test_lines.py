from __future__ import annotations

import re
from pathlib import Path

import pytest

import charye.interview
from charye.interview.hangul import foreign_share, has_hangul
from charye.interview.levels import Level
from charye.interview.lines import load_lines
from tests.interview.talk import checking, say

LINES = load_lines()
SOURCES = "".join(
    file.read_text(encoding="utf-8") for file in Path(charye.interview.__file__).parent.glob("*.py")
)


@pytest.mark.parametrize("name", sorted(LINES.by_name))
def test_every_line_is_korean_polite_and_explained(name: str) -> None:
    line = LINES.by_name[name]
    for words in (line.ko, *line.others, *filter(None, [line.formal]), *line.formal_others):
        assert has_hangul(words)
        assert foreign_share(re.sub(r"\{\w+\}", "", words)) == 0.0
        assert words.rstrip(".?").endswith(("요", "다", "까", "오"))
    assert line.gloss["en"]


@pytest.mark.parametrize("name", sorted(LINES.by_name))
def test_every_line_is_said_somewhere(name: str) -> None:
    assert f'"{name}"' in SOURCES


def test_formal_speech_begins_at_c1() -> None:
    assert LINES.say("encourage", Level.B2.step) == "천천히 생각하셔도 돼요."
    assert LINES.say("encourage", Level.C1.step) == "천천히 생각하셔도 됩니다."


def test_the_next_question_is_not_always_announced_in_the_same_words() -> None:
    progress, _ = checking()
    said = []
    for answer in (
        "저는 버스를 타고 회사에 가는데 조금 멀어요.",
        "주말에는 친구를 만나서 커피를 마시고 이야기를 해요.",
    ):
        progress, move = say(progress, answer)
        said.append(move.say.split(".")[0].split("?")[0])
    assert said[0] != said[1]
