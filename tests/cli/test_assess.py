"""`charye assess`: any transcript to a level, a report in the files that were asked for, errors that name a line."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from charye.assessment.morphology import Kiwi, load_kiwi
from charye.assessment.report import from_json
from charye.assessment.rubric import Level
from charye.assessment.speech import Speaker
from charye.cli import assessing, exits
from charye.cli.app import app
from charye.errors import CharyeError, ConfigurationError, MissingExtra
from tests.assessment.reports import talk_of
from tests.cli.test_main import charye
from tests.server.loopback import serving

if TYPE_CHECKING:
    from charye.assessment.speech import Turn

TALK = talk_of(Level.B1, 2)


@pytest.fixture(scope="module")
def kiwi() -> Kiwi:
    return load_kiwi()


@pytest.fixture
def quick(kiwi: Kiwi, monkeypatch: pytest.MonkeyPatch) -> None:
    """One Kiwi for all commands in this process: loading takes seconds."""
    monkeypatch.setattr(assessing, "load_kiwi", lambda: kiwi)


def text_of(turns: tuple[Turn, ...], learner: str = "Learner", other: str = "Interviewer") -> str:
    names = {Speaker.LEARNER: learner, Speaker.INTERVIEWER: other}
    return "".join(f"{names[turn.speaker]}: {turn.text}\n" for turn in turns)


def srt_of(turns: tuple[Turn, ...]) -> str:
    blocks = []
    for number, line in enumerate(text_of(turns).splitlines(), start=1):
        minute = f"00:{number:02}"
        blocks.append(f"{number}\n{minute}:00,000 --> {minute}:20,000\n{line}\n")
    return "\n".join(blocks)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    file = tmp_path / "talk.txt"
    file.write_text(text_of(TALK), encoding="utf-8")
    return file


def assess(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["assess", *map(str, arguments)])


# --- what comes out --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_a_text_becomes_every_kind_of_file(talk: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"report.{kind}" for kind in ("html", "md", "json", "csv")]
    done = assess(talk, "--name", "María", *(part for file in files for part in ("--out", file)))
    assert done.exit_code == 0, done.output
    html, md, json_, sheet = (file.read_bytes() for file in files)
    report = from_json(json_)
    assert report.overall
    assert report.overall.label == "B1"
    assert html.startswith(b"<!DOCTYPE html>")
    assert md.startswith("# Korean speaking report: María".encode())
    assert [row["learner"] for row in csv.DictReader(sheet.decode("utf-8-sig").splitlines())] == ["María"]
    assert report.interview is None
    assert "B1" in done.output
    assert all(file.name in done.output for file in files)


@pytest.mark.usefixtures("quick")
def test_subtitles_bring_their_times(tmp_path: Path) -> None:
    file, out = tmp_path / "talk.srt", tmp_path / "r.json"
    file.write_text(srt_of(TALK), encoding="utf-8")
    assert assess(file, "-o", out, "--quiet").exit_code == 0
    report = from_json(out.read_bytes())
    assert report.timeline[0].duration_ms == 20_000
    assert report.timeline[1].latency_ms == 40_000


@pytest.mark.usefixtures("quick")
def test_the_learner_may_have_any_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "talk.txt"
    file.write_text(text_of(TALK, "마리아", "김 선생님"), encoding="utf-8")
    done = assess(file, "--learner", "마리아", "--language", "ko")
    assert done.exit_code == 0, done.output
    assert "나의 수준" in done.output
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("quick")
def test_json_is_the_whole_report_and_nothing_else(talk: Path) -> None:
    done = assess(talk, "--json")
    assert json.loads(done.stdout)["overall"]["label"] == "B1"
    assert assess(talk, "--quiet").output == ""


@pytest.mark.usefixtures("quick")
def test_a_class_goes_into_one_sheet(talk: Path, tmp_path: Path) -> None:
    other, sheet = tmp_path / "other.txt", tmp_path / "class.csv"
    other.write_text(text_of(talk_of(Level.A1, 1)), encoding="utf-8")
    assert assess(talk, other, "--out", sheet).exit_code == 0
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["level"] for row in rows] == ["B1", "A1"]


@pytest.mark.usefixtures("quick")
def test_earlier_reports_make_the_progress_and_bring_the_name(talk: Path, tmp_path: Path) -> None:
    file = tmp_path / "first.txt"
    file.write_text(text_of(talk_of(Level.A1, 1)), encoding="utf-8")
    assert assess(file, "--name", "Lan", "-o", tmp_path / "1.json", "-q").exit_code == 0
    assert assess(talk, "--earlier", tmp_path / "1.json", "-o", tmp_path / "2.json", "-q").exit_code == 0
    # The same talk again is the same report, not a third session.
    assert assess(talk, "--earlier", tmp_path / "2.json", "-o", tmp_path / "3.json", "-q").exit_code == 0
    for name in ("2.json", "3.json"):
        report = from_json((tmp_path / name).read_bytes())
        assert [one.label for one in report.earlier] == ["A1"]
        assert report.learner.name == "Lan"


@pytest.mark.usefixtures("quick")
def test_too_little_speech_is_a_report_too(tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    file.write_text("Interviewer: 이름이 뭐예요?\nLearner: 안나예요.\n", encoding="utf-8")
    done = assess(file, "-o", tmp_path / "r.html")
    assert done.exit_code == 0
    assert "Not enough speech for a level yet" in done.output
    assert "Not enough speech" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
def test_what_is_said_cannot_steer_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    said = "저는 학교를 가요. \x1b[2J친구을 만나요. [red]책를[/red] 읽어요. "
    file.write_text(text_of(talk_of(Level.A1, 1)) + f"Learner: {said * 3}\n", encoding="utf-8")
    done = assess(file)
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output


@pytest.mark.usefixtures("quick")
def test_a_judge_that_lets_nobody_in_costs_nothing_but_its_opinion(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARYE_ENDPOINT_KEY", "sk-wrong")
    keys = []

    async def refuse(request: web.Request) -> web.Response:
        keys.append(request.headers["authorization"])
        return web.json_response({"error": {"message": "no"}}, status=401)

    async def ask() -> Result:
        async with serving(refuse) as url:
            options = ("--judge", f"{url}/v1", "--endpoint-model", "m", "-o", tmp_path / "r.json")
            return await asyncio.to_thread(assess, talk, *options)

    done = asyncio.run(ask())
    assert done.exit_code == 0, done.output
    assert "The model gave no usable answer" in " ".join(done.output.split())
    report = from_json((tmp_path / "r.json").read_bytes())
    assert report.overall
    assert report.opinions[-1].status == "unauthorized"
    assert set(keys) == {"Bearer sk-wrong"}
    assert "sk-wrong" not in (tmp_path / "r.json").read_text(encoding="utf-8") + done.output


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Kiwi:
        raise AssertionError("the model was loaded before everything was looked at")

    monkeypatch.setattr(assessing, "load_kiwi", load)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("content", "arguments", "option"),
    [
        ("Learner: 네.\nSomebody: 네.\n", [], "talk.txt:2"),
        ("안녕하세요\n", [], "talk.txt:1"),
        ("", [], "talk.txt"),
        ("Interviewer: 네.\n", [], "talk.txt"),
        ("Learner: 네.\n", ["--learner", "Lan"], "talk.txt"),
        ("Learner: 네.\n", ["-o", "report.pdf"], "report.pdf"),
        ("Learner: 네.\n", ["-o", "no-such/report.html"], "no-such/report.html"),
        ("Learner: 네.\n", ["--earlier", "no-such.json"], "no-such.json"),
        ("Learner: 네.\n", ["--earlier", "talk.txt"], "talk.txt"),
        ("Learner: 네.\n", ["--judge", "http://127.0.0.1:9/v1"], "--judge"),
        ("Learner: 네.\n", ["--judge", "127.0.0.1", "--endpoint-model", "m"], "--judge"),
        ("Learner: 네.\n", ["--endpoint-model", "m"], "--judge"),
        ("Learner: 네.\n", ["talk.txt", "-o", "r.html"], "--out"),
        ("Learner: 네.\n", ["talk.txt", "--name", "Lan"], "FILE"),
    ],
)
def test_what_is_wrong_is_found_before_the_model_is_loaded(
    content: str, arguments: list[str], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.txt").write_text(content, encoding="utf-8")
    done = assess("talk.txt", *arguments)
    assert isinstance(done.exception, ConfigurationError)
    assert done.exception.option == option
    assert exits.code_for(done.exception) == exits.USAGE
    assert done.output == ""


@pytest.mark.usefixtures("quick")
def test_a_file_that_cannot_be_written(talk: Path, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    done = assess(talk, "-o", tmp_path / "r.html")
    assert isinstance(done.exception, ConfigurationError)
    assert done.exception.option == str(tmp_path / "r.html")


def test_the_command_says_the_line_and_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    file.write_text("Learner: 비밀이에요.\nSomebody: 네.\n", encoding="utf-8")
    done = charye("assess", str(file))
    assert done.returncode == exits.USAGE
    assert f"{file}:2" in done.stderr
    assert "비밀" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_without_the_extra_it_says_which(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    done = assess(talk)
    assert isinstance(done.exception, CharyeError)
    assert isinstance(done.exception, MissingExtra)
    assert done.exception.extra == "korean"
    assert exits.code_for(done.exception) == exits.NO_EXTRA


def test_help_is_there() -> None:
    done = assess("--help")
    assert done.exit_code == 0
    for word in ("--out", "--learner", "--earlier", "--judge", "--json"):
        assert word in done.output


# --- the page about it -----------------------------------------------------------------------------------------------

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "assess-a-transcript.md").read_text(
    encoding="utf-8"
)


@pytest.mark.usefixtures("quick")
def test_the_commands_on_the_page_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class").mkdir()
    for name in ("talk.txt", "class/a.txt", "class/b.txt"):
        (tmp_path / name).write_text(text_of(TALK), encoding="utf-8")
    (tmp_path / "talk.srt").write_text(srt_of(TALK).replace("Learner", "마리아"), encoding="utf-8")
    commands = [
        line
        for line in re.findall(r"^(?:uv run )?charye (assess .*)$", PAGE, re.MULTILINE)
        if "--judge" not in line
    ]
    assert len(commands) == 3
    for command in commands:
        arguments = [
            word
            for part in shlex.split(command)
            for word in (sorted(map(str, tmp_path.glob(part))) if "*" in part else [part])
        ]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "class.csv").read_bytes().count(b"\r\n") == 3


def test_the_python_on_the_page_works(kiwi: Kiwi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("charye.assessment.morphology.load_kiwi", lambda: kiwi)
    (tmp_path / "talk.txt").write_text(text_of(TALK), encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(block, "page", "exec"), {})
    assert (tmp_path / "report.html").read_bytes().startswith(b"<!DOCTYPE html>")
