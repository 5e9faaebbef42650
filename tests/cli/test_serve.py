"""`charye serve` as people start it: a process, a port, a snippet, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from charye.cli import exits
from charye.cli.serving import snippet
from tests.cli.test_main import CHARYE, charye


@contextmanager
def served(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server and all that it prints before it waits; the process is ended with Ctrl-C."""
    process = subprocess.Popen(
        [*CHARYE, "serve", "--port", "0", "--voice", "tone", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "```\n" or "--quiet" in arguments:
                break
        assert lines, process.stderr.read() if process.stderr else ""
        yield process, "".join(lines)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def pasted(printed: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Do with the printed snippet what people do."""
    found = re.search(r"```python\n(.*?)```", printed, re.DOTALL)
    assert found is not None
    program = tmp_path / "pasted.py"
    program.write_text(found[1], encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | environment,
    )


def test_the_snippet_works_as_pasted(tmp_path: Path) -> None:
    with served() as (process, printed):
        done = pasted(printed, tmp_path)
        assert (done.returncode, done.stdout) == (0, "Say hello!\n"), done.stderr
        assert process.poll() is None
    assert process.returncode == exits.DONE


def test_the_snippet_knows_the_key(tmp_path: Path) -> None:
    with served("--key", "sk-mine") as (_, printed):
        assert pasted(printed, tmp_path).stdout == "Say hello!\n"
        wrong = printed.replace("sk-mine", "sk-other")
        assert pasted(wrong, tmp_path).stdout != "Say hello!\n"


def test_a_key_from_the_environment_is_not_printed(tmp_path: Path) -> None:
    with served(CHARYE_KEY="sk-secret") as (_, printed):
        assert "sk-secret" not in printed
        assert pasted(printed, tmp_path, CHARYE_KEY="sk-secret").stdout == "Say hello!\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(how: signal.Signals) -> None:
    with served("--quiet") as (process, printed):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\n", printed)
        with urllib.request.urlopen(printed.strip().removesuffix("/v1") + "/healthz", timeout=10) as reply:
            assert json.load(reply)["status"] == "ok"
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (exits.DONE, "", "")


def test_a_port_that_is_taken() -> None:
    with served("--quiet") as (_, printed):
        port = re.findall(r"\d+", printed)[4]
        done = charye("serve", "--port", port, "--voice", "tone")
        assert done.returncode == exits.CANNOT_LISTEN
        assert f"127.0.0.1:{port}" in done.stderr
        assert "Traceback" not in done.stderr


def test_faults_limits_seed_and_a_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    arguments = ("--fault", "null_ids,latency:out_ms=5", "--seed", "7", "--journal", str(journal))
    with served(*arguments) as (process, printed):
        assert "null_ids,latency:out_ms=5" in printed
        assert "--seed 7" in printed
        assert pasted(printed, tmp_path).stdout == "Say hello!\n"
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert "a fault strikes" in log
    assert "seed=7" in log
    assert "Say hello!" not in log
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert {line["mark"] for line in lines} == {">", "<", "!"}
    assert (
        json.loads(next(line["event"] for line in lines if line["mark"] == "<"))["type"] == "session.created"
    )


def test_a_seed_that_was_not_given_is_printed() -> None:
    with served("--fault", "reordered") as (_, printed):
        assert re.search(r"--seed \d+", printed)


def test_what_a_server_without_requests_says() -> None:
    with served("--no-faults-on-request", "--quiet") as (_, printed):
        address = printed.strip() + "/realtime?fault=no_such"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(address, timeout=10)
        caught.value.close()
        assert caught.value.code == 426  # not 400: the query is not looked at


def test_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    assert charye("serve", "--journal", str(tmp_path / "no" / "such")).returncode == exits.USAGE


def test_the_snippet_compiles_for_any_key() -> None:
    for key in (None, "it's", 'a "key"'):
        compile(snippet("http://h:1/v1", key), "snippet", "exec")
    assert "os.environ" in snippet("http://h:1/v1", "k", from_environment=True)
