"""What charye offers to other people's tests: a server on a port, a session in process, a pytest fixture."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp
import openai
import pytest

from charye.errors import ConfigurationError, ConnectionLost
from charye.testing import KEY, OfflineServer, in_process, offline_server, run_virtually


def answered(server: OfflineServer) -> str:
    """A conversation of the openai SDK with it: the answer."""

    async def main() -> str:
        sdk = openai.AsyncOpenAI(base_url=server.url, api_key=server.key)
        async with asyncio.timeout(20), sdk, sdk.realtime.connect(model="m") as connection:
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            await connection.response.create()
            words = ""
            async for event in connection:
                if event.type == "response.output_text.delta":
                    words += event.delta
                elif event.type == "response.done":
                    break
            return words

    return asyncio.run(main())


def test_a_server_for_any_client_and_its_journal() -> None:
    with offline_server() as server:
        assert answered(server) == "Hello."
        assert [event["type"] for event in server.said_by_client()] == ["session.update", "response.create"]
        (created,) = server.said_by_server("response.created")
        assert created["response"]["status"] == "in_progress"
        assert server.strikes() == []
        assert "< response.done" in server.text()
        assert "Hello." not in server.text()


# The SDK's synchronous client uses `websockets` in a way that is deprecated there.
@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")
def test_a_synchronous_client_in_the_same_thread() -> None:
    with offline_server() as server:
        sdk = openai.OpenAI(base_url=server.url, api_key=server.key)
        with sdk, sdk.realtime.connect(model="m") as connection:
            connection.response.create()
            while connection.recv().type != "response.done":
                pass
            assert len(server.said_by_server("response.done")) == 1


def test_two_servers_at_once_keep_their_journals_apart() -> None:
    with offline_server() as one, offline_server(key="other") as other:
        assert one.url != other.url
        answered(other)
        assert one.entries == ()
        assert {entry.session for entry in other.entries} == {1}


def test_its_faults_strike_the_same_way_each_time() -> None:
    def course() -> list[tuple[str, str]]:
        with offline_server(fault="reordered:chance=0.4,doubled_done", seed=5) as server:
            answered(server)
            return [(entry.mark, entry.kind) for entry in server.entries if entry.mark == "!"]

    first = course()
    assert first
    assert first == course()


def test_the_clock_can_be_put_forward() -> None:
    async def main(server: OfflineServer) -> str:
        headers = {"Authorization": f"Bearer {server.key}"}
        async with (
            asyncio.timeout(20),
            aiohttp.ClientSession() as http,
            http.ws_connect(server.websocket_url, headers=headers) as ws,
        ):
            await ws.receive_json()
            await asyncio.to_thread(server.skip, 3599)
            await asyncio.to_thread(server.skip, 2)
            return str((await ws.receive_json())["error"]["code"])

    with offline_server() as server:
        assert asyncio.run(main(server)) == "session_expired"


def test_a_server_that_is_not_there_cannot_be_skipped() -> None:
    with offline_server() as server:
        pass
    with pytest.raises(RuntimeError):
        server.skip(1)


def test_what_cannot_be_is_said_before_anything_is_started() -> None:
    with pytest.raises(ConfigurationError), offline_server(fault="no_such"):
        pass
    with pytest.raises(ConfigurationError), offline_server(mind="answer = 1"):
        pass


def test_a_scenario_as_text_or_as_a_file(tmp_path: Path) -> None:
    text = '[[answer]]\nsay = "안녕하세요!"\n'
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    for mind in (text, file):
        with offline_server(mind=mind) as server:
            assert answered(server) == "안녕하세요!"


def test_an_hour_in_process_takes_no_time() -> None:
    async def story() -> None:
        async with in_process(fault="long_answer:s=90", seed=3) as talk:
            await talk.say("response.create")
            assert (await talk.until("response.done"))["response"]["status"] == "completed"
            assert asyncio.get_running_loop().time() == pytest.approx(90)
            await talk.until("error")
            with pytest.raises(ConnectionLost) as caught:
                await talk.next()
            assert caught.value.close_code == 1001
            assert talk.strikes() == ["long_answer"]
            assert talk.said_by_client() == [{"type": "response.create"}]

    run_virtually(story())


def test_what_is_no_event_is_in_the_journal_too() -> None:
    async def story() -> None:
        async with in_process(fault="garbage:nth=1", seed=1) as talk:
            await talk.say("response.create")
            assert talk.end is not None
            for _ in range(2):
                await talk.end.receive()
            garbage = [entry for entry in talk.entries if entry.mark == "<"][1]
            assert not isinstance(garbage.event.get("type"), str)
            assert garbage.kind
            await talk.until("response.done")

    run_virtually(story())


# the fixture


def test_the_fixture_as_it_is(realtime_server: OfflineServer) -> None:
    assert realtime_server.key == KEY
    assert answered(realtime_server) == "Hello."


@pytest.mark.realtime(mind='[[answer]]\nsay = "Once."\n', fault="lost_done")
class TestMarks:
    @pytest.mark.realtime(fault="doubled_done", seed=2)
    def test_the_closest_mark_wins_setting_by_setting(self, realtime_server: OfflineServer) -> None:
        assert (realtime_server.faults, realtime_server.seed) == ("doubled_done", 2)
        assert answered(realtime_server) == "Once."
        assert realtime_server.strikes() == ["doubled_done"]


def test_a_failure_shows_the_journal_and_nothing_that_was_said(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from charye.server.faulting.line import Heard

        @pytest.mark.realtime(fault="latency", seed=42)
        def test_fails(realtime_server):
            realtime_server.tap(1)(Heard(1.5, "<", b'{"type": "response.done", "said": "my words"}'))
            assert False

        def test_passes(realtime_server): ...
        """
    )
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(
        ["*realtime journal*", "faults: latency, seed: 42", "*1.500 s  < response.done"]
    )
    assert done.stdout.str().count("my words") == 1  # in the source that pytest shows


def test_the_marker_is_known(pytester: pytest.Pytester) -> None:
    done = pytester.runpytest_subprocess("--markers")
    done.stdout.fnmatch_lines(["@pytest.mark.realtime(*"])


def test_the_plugin_costs_nothing_until_it_is_used() -> None:
    program = "import sys, charye.pytest_plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "charye.pytest_plugin" in loaded
    assert not loaded & {"aiohttp", "msgspec", "charye.server", "charye.testing"}
