"""The evaluation: reads its files, computes what it says it does, and names the line that is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import assess_eval, assessor
from benchmarks.assess_eval import agreement, kappa, read_folder
from charye.assessment.rubric import Band, Level
from tests.assessment import record

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str, name: str = "texts.tsv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_levels_may_be_names_or_numbers_and_the_group_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, 'level\ttext\tgroup\nA2\t학교에 "가요"\tweekend\n5\t집에 가요\t\nB2+\t네\tx\n')
    write(tmp_path, "text\tlevel\n저도요\ta1\n", "more.tsv")
    found = read_folder(tmp_path)
    assert [(one.level, one.band, one.group) for one in found] == [
        (Level.A1, Band.A1, "-"),
        (Level.A2, Band.A2, "weekend"),
        (Level.C1, Band.B2_PLUS, "-"),
        (None, Band.B2_PLUS, "x"),
    ]
    assert found[1].text == '학교에 "가요"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("grade\ttext\nA1\t네\n", "texts.tsv:1: the columns"),
        ("level\ttext\nA1\t네\nA7\t비밀\n", "texts.tsv:3: the level is none"),
        ("level\ttext\nA1\t\n", "texts.tsv:2: no text"),
        ("level\ttext\n", "no texts in"),
    ],
)
def test_a_wrong_line_is_named_and_not_quoted(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert assess_eval.main(["--data", str(write(tmp_path, text))]) == 2
    told = capsys.readouterr().err
    assert problem in told
    assert "비밀" not in told


def test_kappa() -> None:
    assert kappa([[5, 0], [0, 5]]) == 1.0
    assert kappa([[0, 5], [5, 0]]) == -1.0
    assert kappa([[5, 5], [5, 5]]) == 0.0
    assert kappa([[7, 0], [0, 0]]) == 1.0
    # By hand: three are one step off; by chance (rows 2 1 1, columns 1 2 1) it would be 20 / 4.
    assert kappa([[1, 1, 0], [0, 0, 1], [0, 1, 0]]) == pytest.approx(1 - 3 / 5)


def test_agreement_by_hand() -> None:
    found = agreement(["low", "mid", "high"], [(0, 0, "x"), (0, 1, "x"), (2, 0, "y"), (1, 1, "y")])
    assert (found.texts, found.exact, found.adjacent) == (4, 0.5, 0.75)
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (1, 0, 0))
    assert found.residuals == {"x": (2, 0.5), "y": (2, -1.0)}


def test_the_invented_interviews_go_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main(["--tsv", str(tmp_path / "invented.tsv")]) == 0
    assert assess_eval.main(["--data", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["left_out"] == 0
    assert told["4 bands"]["texts"] == told["6 levels"]["texts"] == 60
    assert told["4 bands"]["adjacent"] == 1.0
    assert assess_eval.main(["--data", str(tmp_path), "--first", "40"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "4 bands: 60 texts",
        "6 levels: 60 texts",
        "QWK",
        "invented",
        "mean position of texts graded B2+",
    ):
        assert words in shown


def test_texts_without_korean_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "level\ttext\nA1\thello\nA1\t저는 학생이에요\n")
    assert assess_eval.main(["--data", str(tmp_path)]) == 0
    assert "1 texts without a word of Korean were left out" in capsys.readouterr().out


def test_what_the_assessor_costs_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert assessor.main(["--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {
        "load_s",
        "loaded_mb",
        "report_ms",
        "score_p95_ms",
        "score_busy_p95_ms",
        "loop_late_ms",
    }
