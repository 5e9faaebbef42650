"""What a server session is put together from: a mind, a voice, ears and a clock, as interfaces.

    Mind     what is answered: words and function calls
    Voice    words -> samples
    Ears     samples -> "speech began", "speech ended", and words
    Clock    seconds, and waiting for some

All samples here are 16-bit little-endian mono PCM at 24 kHz, whole samples only; other formats of the wire are
translated before they get here. Everything is called from one event loop. An async iterator of a part is stopped by
`aclose()` or by cancelling the task that reads it, at any `await`; it must then stop its work and give back what it
holds. An exception that a part raises ends its response (or transcription) as failed, never the session.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from charye.protocol import Item, NamedTool, ResponseError, Tool, Transcription, TurnDetection

__all__ = [
    "Arguments",
    "Audio",
    "Call",
    "CallEnd",
    "Clock",
    "Context",
    "Ears",
    "Failed",
    "Finished",
    "MessageEnd",
    "Mind",
    "MindOutput",
    "SpeechFact",
    "SpeechStarted",
    "SpeechStopped",
    "Spoken",
    "Text",
    "TranscriptDelta",
    "TranscriptDone",
    "TranscriptFailed",
    "TranscriptResult",
    "Voice",
    "WordTime",
]


# --- the clock -----------------------------------------------------------------------------------------------------


@runtime_checkable
class Clock(Protocol):
    """Time, real or virtual."""

    def now(self) -> float:
        """Seconds since any moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero and less only gives others a turn. Cancelling is safe."""
        ...


# --- the mind ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a mind is told about the response it is to give. Later changes of the session do not change it.

    Args:
        conversation_id: None for an out-of-band response.
        items: what was said so far, oldest first; references are resolved. What the user spoke has the
            `transcript` that the ears found, None if they found none.
        tools: the function tools; `tool_choice` as on the wire.
        output_modalities: `("audio",)`: what is written will be spoken; `("text",)`: it will be read.
        max_output_tokens: the cap, or None. The session counts and cuts; a mind may stop earlier by itself.
        unprompted: no client asked: the user ended a turn, or kept silent for too long.
    """

    response_id: str
    conversation_id: str | None
    model: str
    instructions: str
    items: tuple[Item, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str | NamedTool = "auto"
    parallel_tool_calls: bool = True
    output_modalities: tuple[str, ...] = ("audio",)
    max_output_tokens: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    unprompted: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """More words of the message; the first open it. In an audio response they are spoken and are its transcript."""

    delta: str


@dataclass(frozen=True, slots=True)
class Audio:
    """More samples of the message, from a mind that has a voice of its own. Its words are to come as `Text`.

    It must say so at once: an `Audio`, perhaps empty, before the first `Text` of the response. Then no `Voice` is used.
    """

    pcm: bytes


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message is complete; a `Text` after it opens another one. Not needed before `Finished`."""


@dataclass(frozen=True, slots=True)
class Call:
    """The model begins a function call. Several may be open at once, and beside a message.

    Args:
        key: tells calls of this response apart; any text.
        call_id: None: the server makes one.
    """

    key: str
    name: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Arguments:
    """More of the JSON text with the arguments of the call `key`."""

    key: str
    delta: str


@dataclass(frozen=True, slots=True)
class CallEnd:
    """The arguments of the call `key` are complete. Not needed before `Finished`."""

    key: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. Whatever is open is complete; nothing may follow.

    Args:
        incomplete: why it ended early: `max_output_tokens` or `content_filter`.
        input_tokens, output_tokens: what was really spent, if the mind knows; else it is estimated.
    """

    incomplete: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be finished; nothing may follow. What was said so far stays in the conversation, incomplete."""

    error: ResponseError


MindOutput: TypeAlias = Text | Audio | MessageEnd | Call | Arguments | CallEnd | Finished | Failed


@runtime_checkable
class Mind(Protocol):
    """What thinks. The interviewer, a script, or a language model elsewhere.

    One object serves one session, so it may remember; what it must answer to is in the context all the same. A
    response in the conversation is asked for at a time, out-of-band ones (`conversation_id` is None) beside it.
    """

    def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        """Think, and give what comes out as it comes out, sooner rather than at once.

        The iterator may end without `Finished`: that means the same. An exception becomes a failed response with
        `server_error`; its text is not sent. Cancelled or closed when the response is cancelled.
        """
        ...


# --- the voice -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word is heard: milliseconds from the start of this `speak`."""

    word: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of speech: 24 kHz PCM16 samples, perhaps empty, and the words that begin in it."""

    pcm: bytes
    words: tuple[WordTime, ...] = ()


@runtime_checkable
class Voice(Protocol):
    """What speaks. One object may serve many sessions at once."""

    def speak(
        self, text: str, *, voice: str = "alloy", speed: float = 1.0, language: str | None = None
    ) -> AsyncIterator[Spoken]:
        """Say it, in pieces of 20 to 200 ms, the first as soon as there is one, faster than it takes to listen.

        Must not block the loop for more than a few milliseconds: heavy work goes into a thread.

        Args:
            text: a sentence or a few; may be blank or hold nothing that can be said, then nothing comes.
            voice: a name of the API (`alloy`, `marin`, ...) or one of this voice's own. An unknown one is no
                error: take a default.
            speed: 0.25 to 1.5.
            language: such as `ko`; None: find out from the text.
        """
        ...


# --- the ears ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `at_ms` of the audio heard in this session, prefix padding not counted (the peer does that)."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The silence that ends a turn is complete at `at_ms` of the audio heard in this session (silence included)."""

    at_ms: int


SpeechFact: TypeAlias = SpeechStarted | SpeechStopped


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """More words."""

    delta: str


@dataclass(frozen=True, slots=True)
class TranscriptDone:
    """All the words; may be empty. The last that comes."""

    transcript: str


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    """It could not be written down; the session goes on. The last that comes."""

    error: ResponseError


TranscriptResult: TypeAlias = TranscriptDelta | TranscriptDone | TranscriptFailed


@runtime_checkable
class Ears(Protocol):
    """What listens. One object serves one session."""

    def attune(self, detection: TurnDetection | None) -> None:
        """Use this turn detection from now on; None is push-to-talk: `hear` gives nothing.

        All fields of the type in force are set; speech that is going on is forgotten. Positions go on counting.
        """
        ...

    def hear(self, pcm: bytes) -> tuple[SpeechFact, ...]:
        """Listen to the next samples; says what was found, in order. Started and stopped alternate, started first.

        Called for every piece of audio, also in push-to-talk, so that positions are right. May be any length.
        """
        ...

    def forget(self) -> None:
        """The client cleared or committed the buffer: speech that is going on is over without a `SpeechStopped`."""
        ...

    def transcribe(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """Write down what was said in `pcm`, one turn of the user. Runs beside everything else.

        Args:
            wish: the session's `audio.input.transcription`; None: nobody is told, only the mind reads it.
        """
        ...
