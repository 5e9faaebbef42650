"""The voices: words in, 24 kHz samples and word times out. The interface is `charye.server.parts.Voice`.

EspeakVoice           always there (extra `voice`); Korean and English, robotic, first samples after a millisecond
SherpaVoice           a model in a local folder (extra `sherpa`)
SpeechEndpointVoice   any endpoint in the manner of OpenAI's /v1/audio/speech (aiohttp)
ToneVoice             beeps; for tests, needs nothing
"""

from __future__ import annotations

from charye.server.voices.endpoint import SpeechEndpointVoice
from charye.server.voices.espeak import EspeakVoice
from charye.server.voices.sherpa import SherpaVoice
from charye.server.voices.tone import ToneVoice

__all__ = ["EspeakVoice", "SherpaVoice", "SpeechEndpointVoice", "ToneVoice"]
