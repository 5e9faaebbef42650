"""What thinks. The interface is `parts.Mind`; here are the minds that come with the server.

    Echo       says what it was told; needs nothing
    Scripted   plays a scenario from a TOML or JSON file
    Chat       any OpenAI-compatible chat endpoint, a local language model too

A mind of one's own, such as an interviewer, is one method. It may be an async generator:

    class Interviewer:
        async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
            yield Text("안녕하세요! ")                       # spoken while the rest is thought about
            yield Call("1", "interview_guidance")            # a function call of the client's
            yield Arguments("1", '{"phase": "warm_up"}')     # everything open is closed at the end

`context.items` is the whole conversation, so a mind needs no memory; one object serves one session, so it may have
one. It is stopped by `GeneratorExit` or `CancelledError` at a `yield` or `await` when the response is cancelled.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from charye.protocol.verbatim import words_asked_for
from charye.server.chat import Chat
from charye.server.parts import Context, Mind, MindOutput, Text
from charye.server.scripted import Answer, Script, Scripted, ScriptedCall, last_words

__all__ = ["Answer", "Chat", "Echo", "Mind", "Script", "Scripted", "ScriptedCall", "mind_of"]


def mind_of(mind: Callable[[], Mind] | str | Path) -> Callable[[], Mind]:
    """What makes minds, from that itself or from a scenario: a file, or TOML text.

    Raises:
        ConfigurationError: the scenario is none.
    """
    if isinstance(mind, Path):
        return partial(Scripted, Script.load(mind))
    if isinstance(mind, str):
        return partial(Scripted, Script.parse(mind.encode()))
    return mind


class Echo:
    """Says what it is asked to say, else what the user or a tool said last; `greeting` when there is nothing."""

    def __init__(self, greeting: str = "Hello.") -> None:
        self._greeting = greeting

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        """The words that the instructions ask for, or else the last words once more."""
        asked_for = words_asked_for(context.instructions)
        yield Text(asked_for or last_words(context.items) or self._greeting)
