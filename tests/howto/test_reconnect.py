"""The programs of docs/howto/reconnect.md, run as they stand in the page."""

import asyncio
from dataclasses import replace

import pytest

import charye
from charye.core.requests import OutcomeKind
from charye.errors import ConnectionLost, HostUnreachable
from charye.server.faults import Faults
from charye.session.settings import LineSettings, SessionSettings
from charye.testing import run_virtually
from charye.transports.base import Line
from tests.howto.running import loaded, programs
from tests.session.talking import talk

PAGE = "howto/reconnect.md"
VIRTUAL = SessionSettings(io_thread=False, lag_bound_s=0, seed=1)


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["watch", "policy", "gone", "chain"]


@pytest.mark.parametrize("at", ["create", "created"])
def test_what_was_on_its_way_follows_its_own_policy(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        async with talk(fault=f"drop:at={at}:nth=2") as t:
            _ = t.session.background(loaded(PAGE, "watch").watch(t.session))
            confirmed, charged = loaded(PAGE, "policy").close_the_call(t.session)
            assert (await confirmed).kind is OutcomeKind.HEARD
            assert (await charged).kind is OutcomeKind.DISCONNECTED
            assert (await charged).uncertain
            assert (await charged).attempts == 1
            again = t.session.say("Sorry.")
            assert (await again).kind is OutcomeKind.HEARD

    run_virtually(story())
    assert capsys.readouterr().out == "lost: the connection was lost 1006\nline number 2\n"


def test_by_default_it_is_asked_again() -> None:
    async def story() -> None:
        async with talk(fault="drop:at=created") as t:
            confirmed, charged = loaded(PAGE, "policy").close_the_call(t.session)
            assert (await confirmed).kind is OutcomeKind.HEARD
            assert (await confirmed).attempts == 2
            assert (await charged).kind is OutcomeKind.HEARD, "it only waited"

    run_virtually(story())


def test_the_line_is_changed_before_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        async with talk() as t:
            _ = t.session.background(loaded(PAGE, "watch").watch(t.session))
            began = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() - began < 3600:
                await t.session.say("Hello!").heard()
                await asyncio.sleep(60)

    run_virtually(story())
    assert capsys.readouterr().out == "lost: renewed None\nline number 2\n"


class OneLine:
    """A server in this process that is gone after its first line."""

    name = "embedded"

    def __init__(self, fault: str = "", lines: int = 1) -> None:
        self._embedded = charye.Embedded(faults=Faults.parse(fault, seed=1) if fault else None)
        self.dialect = self._embedded.dialect
        self._left = lines

    async def open(self) -> Line:
        self._left -= 1
        if self._left < 0:
            raise HostUnreachable(host="example.org")
        return await self._embedded.open()


def test_when_it_is_lost_for_good_the_program_hears_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    gone = loaded(PAGE, "gone")
    assert gone.IMPATIENT.line.give_up_s == 30
    settings = replace(VIRTUAL, line=gone.IMPATIENT.line)
    chain = loaded(PAGE, "chain").talk

    def call(endpoint: OneLine) -> str:
        told: str = run_virtually(gone.call(endpoint, chain, settings))
        return told

    assert call(OneLine()) == "all is said"
    assert capsys.readouterr().out == ""
    assert call(OneLine(lines=0)).startswith("no connection: ")
    assert call(OneLine("drop:at=audio:nth=2")).startswith("no connection: ")
    assert capsys.readouterr().out == "tell them by mail\n"


def test_without_patience_the_loss_itself_is_told() -> None:
    gone = loaded(PAGE, "gone")
    settings = replace(VIRTUAL, line=LineSettings(give_up_s=0))

    async def listen(session: charye.Session) -> None:
        events = session.events()
        _ = session.say("Hello!")
        with pytest.raises(ConnectionLost):
            async for _ in events:
                pass

    told = run_virtually(gone.call(OneLine("drop:at=audio"), listen, settings))
    assert told.startswith("the connection is gone: ")
