"""From what a program wants said to the request that the core understands."""

from itertools import count
from typing import Any

from msgspec.structs import replace

from charye.core.requests import Priority, RequestId, ResponseRequest
from charye.protocol import ResponseParams
from charye.protocol.verbatim import say_exactly

__all__ = ["Wishes"]

_IN_OWN_WORDS = "Tell the user this, in your own words and in the language of the conversation: "


class Wishes:
    """Makes requests, each with an id of its own. From any thread."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def say(
        self, text: str, *, verbatim: bool, parameters: ResponseParams | None, **wish: Any
    ) -> ResponseRequest:
        """The assistant is to say this.

        Exact words are asked for with an empty context, so that nothing in the conversation tempts the model to add
        something; they become part of the conversation all the same (API reference, `response.create`, `input`).
        """
        if not text.strip():
            raise ValueError("there is nothing to say")
        given = parameters or ResponseParams()
        if verbatim:
            given = replace(given, instructions=say_exactly(text), input=(), tool_choice="none")
        else:
            given = replace(given, instructions=f"{_IN_OWN_WORDS}{text}", tool_choice="none")
        return self._request("say", given, {"priority": Priority.SCRIPT, **wish})

    def respond(
        self, instructions: str | None, *, parameters: ResponseParams | None, **wish: Any
    ) -> ResponseRequest:
        """The model is to go on, perhaps with instructions for this once."""
        given = parameters or ResponseParams()
        if instructions is not None:
            given = replace(given, instructions=instructions)
        return self._request("respond", given, wish)

    def answer(self, **wish: Any) -> ResponseRequest:
        """The answer to what the user wrote. Several messages in quick succession have one answer."""
        return self._request("text", ResponseParams(), {"coalesce_key": "user-turn", **wish})

    def item_id(self) -> str:
        """For an item of the program's. Ids of one conversation differ, also over a reconnect."""
        return f"app_{next(self._numbers)}"

    def reply(self, **wish: Any) -> ResponseRequest:
        """The answer to a push-to-talk turn. Turns in quick succession have one answer."""
        return self._request("ptt", ResponseParams(), {"coalesce_key": "user-turn", **wish})

    def _request(self, what: str, parameters: ResponseParams, wish: dict[str, Any]) -> ResponseRequest:
        given = {name: value for name, value in wish.items() if value is not None}
        return ResponseRequest(
            id=RequestId(f"{what}.{next(self._numbers)}"),
            parameters=parameters,
            **{"trigger": what, **given},
        )
