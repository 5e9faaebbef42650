"""What is written for a mind, a voice and ears."""

from __future__ import annotations

from pathlib import Path

import pytest

from charye.cli.parts import make_ears, make_mind, make_parts, make_voice
from charye.errors import ConfigurationError, ModelMissing
from charye.server.ears import LocalEars
from charye.server.minds import Chat, Echo, Scripted
from charye.server.voice import EspeakVoice, SpeechEndpointVoice, ToneVoice


def test_a_mind(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[[answer]]\nsay = "Hi."\n', encoding="utf-8")
    assert isinstance(make_mind("echo")(), Echo)
    assert isinstance(make_mind(str(scenario))(), Scripted)
    assert make_mind(str(scenario))() is not make_mind(str(scenario))()
    assert isinstance(make_mind("http://127.0.0.1:1/v1", "llama")(), Chat)


def test_a_voice() -> None:
    assert isinstance(make_voice("auto"), EspeakVoice)
    assert isinstance(make_voice("tone"), ToneVoice)
    assert isinstance(make_voice("http://127.0.0.1:1/v1", "tts"), SpeechEndpointVoice)
    assert make_voice("none") is None


def test_ears() -> None:
    assert make_ears("none")() is None
    assert isinstance(make_ears("energy")(), LocalEars)
    assert isinstance(make_ears("http://127.0.0.1:1/v1", "whisper")(), LocalEars)


def test_a_model_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARYE_MODELS", str(tmp_path))
    for make, text in ((make_ears, "zipformer-korean"), (make_voice, "supertonic-3")):
        with pytest.raises(ModelMissing):
            make(text)


def test_each_session_has_parts_of_its_own_and_the_voice_is_shared() -> None:
    make = make_parts(mind="echo", voice="tone", ears="energy", model=None)
    one, other = make(), make()
    assert one.mind is not other.mind
    assert one.ears is not other.ears
    assert one.voice is other.voice


def test_a_word_that_is_none() -> None:
    with pytest.raises(ConfigurationError):
        make_ears("no-such")
