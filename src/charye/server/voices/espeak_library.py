"""espeak-ng through ctypes: one library, one thread.

The library keeps everything in globals: the voice, the rate, the callback. So it belongs to one worker thread of the
process, and all sessions share that. They take turns by the sentence; a sentence takes about a thousandth of the time
that it takes to listen to it. While the library works it holds no lock of Python, so the event loop goes on.
Source: speak_lib.h of espeak-ng 1.52.
"""

from __future__ import annotations

import ctypes
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from charye.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_RATE_WPM", "MIN_RATE_WPM", "EspeakLibrary"]

MIN_RATE_WPM = 80  # below, espeak-ng speaks at this rate all the same
MAX_RATE_WPM = 450

_BUFFER_MS = 20  # asked for; 60 ms come
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: without it a missing file ends the whole program
_CHARS_UTF8 = 1
_RATE, _VOLUME = 1, 2
_EVENT_LIST_TERMINATED, _EVENT_WORD = 0, 1
# Full volume reaches 32,640 of 32,767 in Korean: resampling overshoots that.
_VOLUME_PERCENT = 80


class _EventId(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class EspeakLibrary:
    """The library of this process. Get it by `shared`; call `say` only in its `worker`, the one thread that may.

    Raises:
        MissingExtra: espeakng-loader is not installed.
        ConfigurationError: the library does not load, or cannot read its data.
    """

    _instance: ClassVar[EspeakLibrary | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise MissingExtra(feature="the espeak-ng voice", extra="voice") from error
        try:
            self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise ConfigurationError("the espeak-ng library does not load", option="voice") from error
        self._declare()
        data = str(espeakng_loader.get_data_path())
        self.sample_rate_hz: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, data.encode(), _DONT_EXIT
        )
        if self.sample_rate_hz <= 0:
            # It keeps the path in 160 bytes and says nothing when that is too short.
            raise ConfigurationError(
                "espeak-ng cannot read its data; it cannot be installed below a path of more than 150 bytes",
                option="voice",
            )
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="charye-espeak")

    @classmethod
    def shared(cls) -> EspeakLibrary:
        """The one of this process, loaded on the first call (about 1 ms)."""
        with cls._lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    def say(
        self,
        text: str,
        *,
        voice: str,
        rate_wpm: int,
        heard: Callable[[bytes, list[tuple[int, int]]], bool],
    ) -> None:
        """Synthesise, in the library's thread. Returns when all was heard, or nobody wants to hear more.

        Args:
            text: may not be empty.
            voice: such as `ko`, `en-us` or `ko+f2`; an unknown one speaks as the voice before it.
            rate_wpm: words per minute.
            heard: given the samples, and the words that begin in them or before, as (character in `text`, sample).
                Returns whether to go on.
        """
        failure: list[BaseException] = []

        def callback(samples: Any, count: int, events: Any) -> int:
            try:
                words = []
                at = 0
                while events[at].type != _EVENT_LIST_TERMINATED:
                    if events[at].type == _EVENT_WORD:
                        # Counted from 1, and by characters, not bytes.
                        words.append((events[at].text_position - 1, events[at].sample))
                    at += 1
                pcm = ctypes.string_at(samples, count * 2) if samples and count > 0 else b""
                return 0 if heard(pcm, words) else 1
            except BaseException as error:  # noqa: BLE001  # a callback cannot raise through C: it is raised below
                failure.append(error)
                return 1

        kept = _Callback(callback)  # as long as the library may call it
        library = self._library
        library.espeak_SetSynthCallback(kept)
        library.espeak_SetVoiceByName(voice.encode())
        library.espeak_SetParameter(_RATE, max(MIN_RATE_WPM, min(MAX_RATE_WPM, rate_wpm)), 0)
        library.espeak_SetParameter(_VOLUME, _VOLUME_PERCENT, 0)
        data = text.encode()
        library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        if failure:
            raise failure[0]

    def _declare(self) -> None:
        library = self._library
        library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        library.espeak_SetSynthCallback.argtypes = [_Callback]
        library.espeak_SetSynthCallback.restype = None
        library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        library.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
