"""The command line: cheap to ask for help, and exit codes that say what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from charye import __version__
from charye.cli import exits
from charye.cli.app import app
from charye.errors import (
    CharyeError,
    ConfigurationError,
    HostUnreachable,
    LocalProtocolError,
    MissingExtra,
    ModelMissing,
)
from charye.server import models
from charye.server.faults import FAULTS
from tests.server.loopback import serving
from tests.server.test_models import TINY, Hub

CHARYE = (sys.executable, "-c", "from charye.cli.main import main; main()")


def charye(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CHARYE, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, runpy\n"
        "sys.argv = ['charye', '--help']\n"
        "from charye.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    assert not loaded & {"aiohttp", "asyncio", "msgspec", "numpy", "openai", "pydantic", "rich", "soxr"}
    for word in ("assess", "serve", "models", "faults", "Exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize("command", [["assess"], ["serve"], ["faults"], ["models"], ["models", "get"]])
def test_every_command_has_help(command: list[str]) -> None:
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_the_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"charye {__version__}\n"


def test_all_faults_are_listed() -> None:
    done = CliRunner().invoke(app, ["faults"], terminal_width=200, env={"COLUMNS": "200"})
    assert [name for name in FAULTS if name not in done.output] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), exits.USAGE),
        (ModelMissing(folder="x"), exits.NO_MODEL),
        (MissingExtra(feature="x", extra="y"), exits.NO_EXTRA),
        (HostUnreachable(host="x"), exits.NO_MODEL),
        (LocalProtocolError("x"), exits.BUG),
    ],
)
def test_what_an_error_ends_with(error: CharyeError, code: int) -> None:
    assert exits.code_for(error) == code


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["serve", "--fault", "no_such"], exits.USAGE, "no_such"),
        (["serve", "--mind", "no-such.toml"], exits.USAGE, "no-such.toml"),
        (["serve", "--mind", "http://127.0.0.1:1/v1"], exits.USAGE, "--endpoint-model"),
        (["serve", "--voice", "no-such"], exits.USAGE, "neither a word"),
        (["serve", "--ears", "silero-vad"], exits.USAGE, "does not write down"),
        (["serve", "--ears", "whisper-small"], exits.NO_MODEL, "does not exist"),
        (["serve", "--port", "70000"], exits.USAGE, "--port"),
        (["models", "path", "no-such"], exits.USAGE, "no model"),
        (["models", "path", "whisper-small"], exits.NO_MODEL, "charye models get whisper-small"),
        (["no-such"], exits.USAGE, "no-such"),
    ],
)
def test_what_cannot_be_says_why(
    arguments: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARYE_MODELS", str(tmp_path))
    done = charye(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# models


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A list of one small model, and a folder for it."""
    monkeypatch.setattr(models, "MODELS", (TINY,))
    monkeypatch.setenv("CHARYE_MODELS", str(tmp_path))
    return tmp_path


def listed() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(CliRunner().invoke(app, ["models", "list", "--json"]).output)
    return found


def test_a_model_is_listed_fetched_and_found(tiny: Path) -> None:
    assert [(model["name"], model["here"]) for model in listed()] == [("tiny", False)]
    assert "tiny" in CliRunner().invoke(app, ["models", "list"]).output

    async def fetch() -> subprocess.CompletedProcess[str]:
        import asyncio

        async with serving(Hub().answer) as url:
            invoke = CliRunner().invoke
            done = await asyncio.to_thread(invoke, app, ["models", "get", "tiny", "--endpoint", url])
            return subprocess.CompletedProcess((), done.exit_code, done.stdout, done.stderr)

    import asyncio

    done = asyncio.run(fetch())
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tiny / "tiny" / "onnx/model.onnx")]
    assert listed()[0]["here"] is True
    assert CliRunner().invoke(app, ["models", "path", "tiny"]).output == done.stdout
