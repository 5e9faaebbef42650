"""The programs of docs/howto/devices.md, run as they stand in the page."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from charye.audio.devices import choosing, drivers, files, lifeline, mini, portaudio
from charye.audio.duplex import HalfDuplex
from charye.testing import run_virtually
from tests.howto.pages import code, load

if TYPE_CHECKING:
    from types import ModuleType

PAGE = "devices.md"
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "howto" / PAGE).read_text(encoding="utf-8")


def test_every_program_of_the_page_is_run_here() -> None:
    marked = re.findall(r"^<!-- program: (.+) -->$", TEXT, re.MULTILINE)
    assert marked == ["list", "play", "half duplex", "files", "fail"]
    assert len(marked) == TEXT.count("```python\n")


def test_the_list_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # Without PortAudio, so that it is the same on a machine with a sound card: a list, perhaps an empty one.
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    exec(code(PAGE, "program: list"), {})
    assert all(
        line.startswith(("microphone  ", "loudspeaker ")) for line in capsys.readouterr().out.splitlines()
    )


def test_play_returns_when_it_was_heard(capsys: pytest.CaptureFixture[str]) -> None:
    program = load(PAGE, "program: play")
    player = threading.Thread(
        target=program.play, args=(bytes(4_800),), kwargs={"backend": "null"}, daemon=True
    )
    player.start()
    player.join(30)
    assert not player.is_alive()
    assert capsys.readouterr().out == ""


def test_half_duplex_is_a_pair() -> None:
    pair = load(PAGE, "program: half duplex").both(backend="null")
    assert isinstance(pair, HalfDuplex)
    assert pair.is_open
    pair.microphone.close()
    pair.loudspeaker.close()


def test_a_file_hears_another(tmp_path: Path) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    with wave.open(str(source), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(b"\3\0" * 24_000)
    run_virtually(load(PAGE, "program: files").copy(str(source), str(target), 2.0))
    with wave.open(str(target), "rb") as written:
        heard = written.readframes(written.getnframes())
    # A frame is captured when it is over, so all is heard 20 ms later.
    assert heard == bytes(960) + b"\3\0" * 24_000 + bytes(2 * 24_000 - 960)


def listening(program: ModuleType) -> list[int]:
    """Let it hear three frames."""
    lengths: list[int] = []
    enough = asyncio.Event()

    async def use(frame: bytes) -> None:
        lengths.append(len(frame))
        if len(lengths) == 3:
            enough.set()

    async def story() -> None:
        program.use = use  # type: ignore[attr-defined]  # the page's last function is the reader's own
        listener = asyncio.create_task(program.listen(backend="null"))
        async with asyncio.timeout(30):
            await enough.wait()
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)

    asyncio.run(story())
    return lengths


def test_listen_hears_until_it_is_cancelled() -> None:
    assert listening(load(PAGE, "program: fail"))[:3] == [960] * 3


def test_every_message_is_explained() -> None:
    source = "".join(
        Path(str(module.__file__)).read_text(encoding="utf-8")
        for module in (choosing, drivers, files, lifeline, mini, portaudio)
    )
    said = re.findall(
        r'"((?:the device|there is no|the system|no sound|PortAudio is|what listens|a device)[^"]*)"', source
    )
    begun = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", TEXT, re.MULTILINE)))
    assert len(said) > 10
    assert [message for message in said if not message.startswith(tuple(begun))] == []
    assert [
        begin for begin in begun if " " in begin and "file" not in begin and begin not in "\n".join(said)
    ] == []
