"""The how-to pages do what they say: their code blocks are run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from charye.server.faults import FAULTS, SCENARIOS
from charye.testing import offline_server

PAGE = Path(__file__).resolve().parent.parent / "docs" / "howto" / "test-your-voice-app.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


FILES = {match[1]: block for block in blocks("python") if (match := re.match(r"# (test_\w+\.py)\n", block))}


def test_every_python_block_is_a_file_of_tests() -> None:
    assert len(FILES) == len(blocks("python")) == 3


@pytest.mark.parametrize("name", FILES)
def test_the_python_blocks_pass(name: str, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath(name).write_text(FILES[name], encoding="utf-8")
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", name)
    assert done.ret == 0
    done.assert_outcomes(passed=len(re.findall(r"^def test_", FILES[name], re.MULTILINE)))


CLIENT = """
import os, openai
client = openai.OpenAI()
assert client.base_url.port
with client.realtime.connect(model="m") as connection:
    connection.response.create()
    while connection.recv().type != "response.done": pass
"""


@pytest.mark.parametrize("result", [0, 3])
def test_the_shell_block_runs_ones_tests_and_gives_their_result(result: int, tmp_path: Path) -> None:
    (block,) = [block for block in blocks("sh") if "YOUR_TESTS" in block]
    with offline_server() as free:  # a port that was free a moment ago: the page's own may be taken here
        port = free.url.split(":")[2].partition("/")[0]
    (tmp_path / "client.py").write_text(f"{CLIENT}\nraise SystemExit({result})\n", encoding="utf-8")
    environment = os.environ | {
        "YOUR_TESTS": f"{sys.executable} client.py",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", block.replace("8600", port)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == result, done.stderr + (tmp_path / "server.log").read_text(encoding="utf-8")
    lines = (tmp_path / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert any(json.loads(line)["mark"] == ">" for line in lines)


def test_the_address_and_the_first_event_ask_for_faults() -> None:
    (first_event,) = blocks("json")
    (address,) = re.findall(r"^ws://127.0.0.1:8600/v1/realtime(\?\S+)$", TEXT, re.MULTILINE)

    async def refused(url: str, *events: str) -> bool:
        headers = {"Authorization": "Bearer sk-offline"}
        async with (
            asyncio.timeout(20),
            aiohttp.ClientSession() as http,
            http.ws_connect(url, headers=headers) as ws,
        ):
            for event in (*events, '{"type": "response.create", "event_id": "ours"}'):
                await ws.send_str(event)
            while (event_ := await ws.receive_json())["type"] != "error":
                pass
            return bool(event_["error"]["event_id"] == "ours")

    with offline_server() as server:
        assert asyncio.run(refused(server.websocket_url + address))
        assert asyncio.run(refused(server.websocket_url, first_event))
        assert set(server.strikes()) == {"vad_wins", "latency"}


def test_the_table_names_every_scenario() -> None:
    named = set(re.findall(r"`([a-z_]+)`", TEXT[TEXT.index("| fault |") :]))
    assert set(SCENARIOS) <= named
    assert named <= set(FAULTS)


def test_the_list_of_faults_can_be_had() -> None:
    done = subprocess.run(
        ["charye", "faults"],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "vad_wins" in done.stdout
