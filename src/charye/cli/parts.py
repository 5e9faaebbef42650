"""What people write for a mind, a voice and ears, made into the parts of a server."""

import os
from collections.abc import Callable
from pathlib import Path

from charye.errors import ConfigurationError, MissingExtra
from charye.server import ears as ears_of
from charye.server import models
from charye.server.minds import Chat, Echo, Script, Scripted
from charye.server.parts import Ears, Mind, Voice
from charye.server.session import SessionParts
from charye.server.voice import EspeakVoice, SherpaVoice, SpeechEndpointVoice, ToneVoice

__all__ = ["make_ears", "make_mind", "make_parts", "make_voice"]

_KEY = "CHARYE_ENDPOINT_KEY"
"""The environment variable with the key for endpoints elsewhere."""


def make_parts(*, mind: str, voice: str, ears: str, model: str | None) -> Callable[[], SessionParts]:
    """What makes the parts of each session; what can fail fails here, not in a session.

    Raises:
        CharyeError: a file, a model, an extra or a word that there is not.
    """
    new_mind, one_voice, new_ears = make_mind(mind, model), make_voice(voice, model), make_ears(ears, model)
    return lambda: SessionParts(mind=new_mind(), voice=one_voice, ears=new_ears())


def make_mind(text: str, model: str | None = None) -> Callable[[], Mind]:
    """`echo`, a scenario file, or the address of a chat endpoint."""
    if text == "echo":
        return Echo
    if _is_address(text):
        named = _named(model, "mind")
        return lambda: Chat(text, model=named, api_key=os.environ.get(_KEY))
    script = Script.load(Path(text))
    return lambda: Scripted(script)


def make_voice(text: str, model: str | None = None) -> Voice | None:
    """`auto` (espeak if it is installed, else tone), `espeak`, `tone`, `none`, a folder, a model, or an address."""
    if text == "auto":
        try:
            return EspeakVoice()
        except MissingExtra:
            return ToneVoice()
    if text in _VOICES:
        return _VOICES[text]()
    if _is_address(text):
        return SpeechEndpointVoice(text, model=_named(model, "voice"), api_key=os.environ.get(_KEY))
    return SherpaVoice(_folder(text, "voice"))


_VOICES: dict[str, Callable[[], Voice | None]] = {
    "espeak": EspeakVoice,
    "tone": ToneVoice,
    "none": lambda: None,
}


def make_ears(text: str, model: str | None = None) -> Callable[[], Ears | None]:
    """`energy` (turns, no words), `none`, the name of a recogniser of the list, or an address that writes down."""
    if text == "none":
        return lambda: None
    recognizer: ears_of.Recognizer | None = None
    if _is_address(text):
        key = os.environ.get(_KEY)
        recognizer = ears_of.TranscriptionEndpoint(text, model=_named(model, "ears"), api_key=key)
    elif text != "energy":
        found = models.find(text)
        if found.task != "recognizer":
            raise ConfigurationError("this model does not write down what is said", option="ears")
        folder = models.path(text)
        recognizer = (
            ears_of.FasterWhisper(folder)
            if found.use == "FasterWhisper"
            else ears_of.SherpaRecognizer(folder)
        )
    return lambda: ears_of.LocalEars(recognizer=recognizer)


def _folder(text: str, option: str) -> Path:
    if any(model.name == text for model in models.MODELS):
        return models.path(text)
    if not Path(text).is_dir():
        raise ConfigurationError(
            "neither a word that is known here, nor a folder, nor an address", option=option
        )
    return Path(text)


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _named(model: str | None, option: str) -> str:
    if model is None:
        raise ConfigurationError(
            "an address needs --endpoint-model, the name of the model there", option=option
        )
    return model
