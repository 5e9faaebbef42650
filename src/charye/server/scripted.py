"""A mind that plays a scenario: what to answer, which tools to call with which arguments, how long, how fast.

    after = "repeat"              # or "last" (the last answer again and again), or "silence"

    [[answer]]
    say = "Let me look."          # spoken or written, as the response wants it
    delay_s = 0.2                 # before anything comes
    words_per_s = 4               # 0: all at once
    parallel = true               # the calls below overlap with the words and with each other

    [[answer.call]]
    name = "get_weather"
    arguments = { city = "London" }

    [[answer]]
    when = "weather|날씨"         # only if this is found in what is to be answered; else the next without `when`
    say = "Twelve degrees."

Where the instructions of a response ask for exact words, it says those, and no answer is used up.

Answers without `when` and `metadata` are given in their order, once each. One with `when` (a regular expression,
looked for in the last words of the user or the last output of a tool) or `metadata` (all of it must be in that of
the response) goes first where it fits, as often as it fits, unless `once = true`.
"""

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from msgspec import Struct

from charye.errors import ConfigurationError
from charye.protocol import (
    FunctionCallOutputItem,
    InputAudio,
    InputText,
    Item,
    MessageItem,
    ResponseError,
)
from charye.protocol.verbatim import words_asked_for
from charye.protocol.wire import Json
from charye.server.clock import LoopClock
from charye.server.parts import Arguments, Call, CallEnd, Clock, Context, Failed, Finished, MindOutput, Text

__all__ = ["Answer", "Script", "Scripted", "ScriptedCall", "last_words"]

_WORDS = re.compile(r"\s*\S+\s*")


class ScriptedCall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A function call. `arguments` is an object, or a text that is sent as it is, valid JSON or not."""

    name: str
    arguments: dict[str, Json] | str = {}
    call_id: str | None = None


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer of a scenario; see the module.

    Args:
        incomplete: it ends early for this reason: `max_output_tokens` or `content_filter`.
        fail: it ends as failed with this error, after its words.
    """

    say: str = ""
    call: tuple[ScriptedCall, ...] = ()
    when: str | None = None
    metadata: dict[str, str] = {}
    once: bool = False
    delay_s: float = 0.0
    words_per_s: float = 0.0
    parallel: bool = False
    incomplete: str | None = None
    fail: ResponseError | None = None

    @property
    def conditional(self) -> bool:
        """It is for certain responses only."""
        return self.when is not None or bool(self.metadata)

    def fits(self, context: Context, words: str) -> bool:
        """Whether it answers this."""
        if any(context.metadata.get(name) != value for name, value in self.metadata.items()):
            return False
        return self.when is None or re.search(self.when, words, re.IGNORECASE) is not None


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scenario."""

    answer: tuple[Answer, ...]
    after: str = "repeat"

    @classmethod
    def load(cls, path: Path) -> "Script":
        """The scenario in a `.toml` or `.json` file.

        Raises:
            ConfigurationError: it cannot be read, or is none; `option` names the place.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError("the scenario cannot be read", option=str(path)) from error
        return cls.parse(data, toml=path.suffix.lower() != ".json")

    @classmethod
    def parse(cls, data: bytes, *, toml: bool = True) -> "Script":
        """The scenario in a text.

        Raises:
            ConfigurationError: it is none; `option` names the place.
        """
        try:
            plain: Json = tomllib.loads(data.decode()) if toml else msgspec.json.decode(data)
        except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError("the scenario is not valid TOML or JSON", option=str(error)) from error
        try:
            script = msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                "the scenario does not have the right form", option=str(error)
            ) from error
        if script.after not in ("repeat", "last", "silence"):
            raise ConfigurationError("`after` is one of repeat, last, silence", option="after")
        for index, answer in enumerate(script.answer):
            try:
                re.compile(answer.when or "")
            except re.error as error:
                where = f"answer[{index}].when"
                raise ConfigurationError("`when` is no regular expression", option=where) from error
        return script


class Scripted:
    """Plays a `Script`; one of these for each session.

    Args:
        clock: for delays and speed.
    """

    def __init__(self, script: Script, *, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or LoopClock()
        self._conditional = [answer for answer in script.answer if answer.conditional]
        self._in_order = [answer for answer in script.answer if not answer.conditional]
        self._after = script.after
        self._next = 0

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        """Gives the words that are asked for, or the answer that fits, or the next one, or nothing (`silence`)."""
        asked_for = words_asked_for(context.instructions)
        if asked_for is not None:
            yield Text(asked_for)
            return
        answer = self._choose(context)
        if answer is None:
            return
        if answer.delay_s:
            await self._clock.sleep(answer.delay_s)
        if answer.parallel:
            for key, call in enumerate(answer.call):
                yield Call(str(key), call.name, call.call_id)
        for word in _WORDS.findall(answer.say):
            yield Text(word)
            if answer.words_per_s:
                await self._clock.sleep(1 / answer.words_per_s)
        for key, call in enumerate(answer.call):
            if not answer.parallel:
                yield Call(str(key), call.name, call.call_id)
            text = call.arguments if isinstance(call.arguments, str) else _json(call.arguments)
            half = len(text) // 2
            for piece in (text[:half], text[half:]):
                yield Arguments(str(key), piece)
            if not answer.parallel:
                yield CallEnd(str(key))
        yield Failed(answer.fail) if answer.fail else Finished(incomplete=answer.incomplete)

    def _choose(self, context: Context) -> Answer | None:
        words = last_words(context.items)
        for answer in self._conditional:
            if answer.fits(context, words):
                if answer.once:
                    self._conditional.remove(answer)
                return answer
        if not self._in_order:
            return None
        if self._next == len(self._in_order):
            if self._after == "silence":
                return None
            self._next = 0 if self._after == "repeat" else self._next - 1
        self._next += 1
        return self._in_order[self._next - 1]


def last_words(items: tuple[Item, ...]) -> str:
    """What is to be answered: the last output of a tool, or what the user said or wrote last; else nothing."""
    for item in reversed(items):
        if isinstance(item, FunctionCallOutputItem):
            return item.output
        if isinstance(item, MessageItem) and item.role == "user":
            texts = [
                part.text if isinstance(part, InputText) else part.transcript or ""
                for part in item.content
                if isinstance(part, InputText | InputAudio)
            ]
            return " ".join(text for text in texts if text)
    return ""


def _json(value: dict[str, Json]) -> str:
    return msgspec.json.encode(value).decode()
