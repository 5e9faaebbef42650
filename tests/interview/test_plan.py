from __future__ import annotations

from pathlib import Path

import pytest

from charye.assessment.live import NEEDED_EOJEOLS
from charye.errors import ConfigurationError
from charye.interview import plan as plans
from charye.interview.bank_check import validate
from charye.interview.levels import LEVELS, Level
from charye.interview.plan import FAMILIES, Use
from tests.interview.talk import plan

TASK = """
[[task]]
id = "{id}"
function = "narrate"
topic = "work"
ko = "학교 축제 이야기를 해 주세요."
simple = "학교 축제에서 뭐 했어요?"
gloss.en = "Tell me about a school festival."
follow_ups = ["그때 기분이 어땠어요?"]
"""


def bank(folder: Path, text: str, name: str = "mine.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_our_bank_is_valid_and_good() -> None:
    assert validate(plan()) == ()


def test_our_bank_covers_every_level_and_function() -> None:
    for level in LEVELS:
        assert len(plan().at(level.step)) >= 38
    assert {task.function for task in plan().tasks.values()} == set(FAMILIES)
    assert len(plan().tasks) == 301


def test_every_task_knows_where_it_stands() -> None:
    for task, place in plan().places.items():
        file, _, line = place.rpartition(":")
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        assert lines[int(line) - 1] == "[[task]]"
        assert lines[int(line)] == f'id = "{task}"'


def test_a_teachers_bank_is_added_as_a_file_or_a_folder(tmp_path: Path) -> None:
    bank(tmp_path, 'level = "B1"\n' + TASK.format(id="one"))
    bank(tmp_path, 'level = "A2"\n' + TASK.format(id="two"), "more.toml")
    whole = plans.load(tmp_path)
    assert whole.tasks["one"].level is Level.B1
    assert whole.tasks["two"].level is Level.A2
    assert len(whole.tasks) == len(plan().tasks) + 2
    assert "one" in plans.load(tmp_path / "mine.toml").tasks


def test_a_bank_of_ones_own_must_cover_every_level(tmp_path: Path) -> None:
    file = bank(tmp_path, 'level = "B1"\n' + TASK.format(id="one"))
    with pytest.raises(ConfigurationError, match="at least two tasks"):
        plans.load(file, bundled=False)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('level = "B1"\n' + TASK.format(id="x").replace("narrate", "sing"), 5, "function is not known"),
        ('level = "B1"\n' + TASK.format(id="x").replace('topic = "work"\n', ""), 3, "right form"),
        ('level = "B1"\n' + TASK.format(id="x").replace('"work"', "7"), 6, "right form"),
        ('level = "B1"\n' + TASK.format(id="x") + "colour = 1\n", 11, "right form"),
        ('level = "B7"\n' + TASK.format(id="x"), 3, "right form"),
        (TASK.format(id="x"), 2, "right form"),
        ('level = "B1"\n' + TASK.format(id="x").replace("학교 축제에서 뭐 했어요?", "What?"), 8, "no Korean"),
        ('level = "B1"\n' + TASK.format(id="x").replace("그때 기분이 어땠어요?", "And?"), 10, "no Korean"),
        ('level = "B1"\n' + TASK.format(id=" "), 4, "needs an id"),
        ('level = "B1"\n' + TASK.format(id="x") + TASK.format(id="x"), 12, "same id"),
        ('level = "B1"\n' + TASK.format(id="a1-name"), 3, "same id"),
        ('level = "B1"\nko = "', 2, "no valid TOML"),
        ('level = "B1"\n[[tasks]]\nid = "x"\n', None, "holds `level`"),
        ("version = 9\n", None, "version"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, text: str, line: int | None, message: str
) -> None:
    file = bank(tmp_path, text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        plans.load(file)
    assert caught.value.option == (str(file) if line is None else f"{file}:{line}")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        plans.load(tmp_path / "nothing.toml")
    with pytest.raises(ConfigurationError, match="no \\*\\.toml"):
        plans.load(tmp_path)
    (tmp_path / "old.toml").write_bytes('level = "B1"\n# 학교'.encode("cp949"))
    with pytest.raises(ConfigurationError, match="UTF-8") as caught:
        plans.load(tmp_path / "old.toml")
    assert caught.value.option == f"{tmp_path / 'old.toml'}:2"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("학교 축제 이야기를 해 주세요.", "학교 축제 이야기를 해 줘."), "politely"),
        (("학교 축제 이야기를 해 주세요.", "연봉이 얼마예요?"), "stranger"),
        (("학교 축제 이야기를 해 주세요.", "누구예요? 어디예요? 언제예요?"), "more than two"),
        (("학교 축제 이야기를 해 주세요.", " ".join(["학교"] * 17) + " 말해 주세요."), "are enough"),
        (("gloss.en", "gloss.fr"), "English gloss"),
        (('follow_ups = ["그때 기분이 어땠어요?"]', ""), "no follow-up"),
        (("학교 축제에서 뭐 했어요?", "학교 축제에서 친구하고 같이 뭐 했어요?"), "longer"),
    ],
)
def test_a_poor_task_is_found(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    file = bank(tmp_path, 'level = "B1"\n' + TASK.format(id="x").replace(*change))
    (finding, *_) = [found for found in validate(plans.load(file)) if problem in found.problem]
    assert (finding.place, finding.task) == (f"{file}:3", "x")


def test_what_is_too_hard_for_beginners_is_found(tmp_path: Path) -> None:
    text = TASK.format(id="x").replace("학교 축제 이야기를 해 주세요.", "제도가 바뀌더라도 괜찮아요?")
    problems = [found.problem for found in validate(plans.load(bank(tmp_path, 'level = "A1"\n' + text)))]
    assert any("above the level" in problem for problem in problems)
    assert any("from B2 on" in problem for problem in problems)


def test_a_task_that_is_there_twice_under_two_names_is_found(tmp_path: Path) -> None:
    file = bank(tmp_path, 'level = "B1"\n' + TASK.format(id="x") + TASK.format(id="y"))
    assert [found.problem for found in validate(plans.load(file))] == ["asks the same as x"]


def test_uses_are_kept_apart() -> None:
    for use in Use:
        assert all(task.use is use for task in plan().at(0, use))


def test_an_answer_needs_as_many_words_as_the_assessor_thinks() -> None:
    assert plan().answers.words == tuple(NEEDED_EOJEOLS[level] for level in LEVELS)
