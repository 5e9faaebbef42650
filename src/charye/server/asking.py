"""A `response.create` made into a response: what it says replaces what the session says, for this response only.

Source: API reference, `response.create`.
"""

from collections.abc import Mapping
from typing import TypeVar

from charye.protocol import (
    UNSET,
    AudioConfig,
    AudioFormat,
    AudioOutputConfig,
    Item,
    ItemReference,
    Maybe,
    ResponseParams,
)
from charye.protocol.wire import Json
from charye.server import refusals
from charye.server.client_items import settled
from charye.server.conversation import Conversation, Entry
from charye.server.generation import Generation
from charye.server.outbox import Outbox
from charye.server.parts import Context
from charye.server.running import Running
from charye.server.session_config import Configuration, check_modalities, check_tools
from charye.server.settings import ServerSettings

__all__ = ["Asking"]

T = TypeVar("T")


class Asking:
    """Makes responses of one session."""

    __slots__ = ("_box", "_config", "_conversation", "_settings")

    def __init__(
        self, settings: ServerSettings, config: Configuration, conversation: Conversation, outbox: Outbox
    ) -> None:
        self._settings = settings
        self._config = config
        self._conversation = conversation
        self._box = outbox

    def check(self, params: ResponseParams, raw: Mapping[str, Json]) -> bool:
        """Whether it may be asked for at all.

        Args:
            raw: the same as it came, in the GA shape.
        Returns:
            whether it writes into the conversation.
        Raises:
            Refused: it contradicts itself.
        """
        conversation = params.conversation if isinstance(params.conversation, str) else "auto"
        if conversation not in ("auto", "none", self._conversation.id):
            raise refusals.unsupported_value("response.conversation", conversation, ("auto", "none"))
        check_modalities(raw.get("output_modalities"), "response.output_modalities")
        check_tools(raw.get("tools"), "response.tools")
        return conversation != "none" or not self._settings.dialect.out_of_band

    def context(self, params: ResponseParams, raw: Mapping[str, Json]) -> tuple[Entry, ...]:
        """What it is an answer to: its `input`, or the conversation.

        Raises:
            Refused: an item of `input` is wrong or refers to nothing.
        """
        if not isinstance(params.input, tuple):
            return tuple(self._conversation)
        rows = raw.get("input")
        return tuple(
            self._entry(item, rows[index] if isinstance(rows, list) else None, f"response.input[{index}]")
            for index, item in enumerate(params.input)
        )

    def _entry(self, item: Item, raw: Json, path: str) -> Entry:
        if not isinstance(item, ItemReference):
            return settled(item, raw, self._box.ids, audio_format=self._config.input_format, path=path)
        found = self._conversation.get(item.id)
        if found is None:
            raise refusals.reference_unknown(item.id, f"{path}.id")
        return found

    def response(
        self, params: ResponseParams, entries: tuple[Entry, ...], *, in_band: bool, unprompted: bool
    ) -> Running:
        """The response, not yet begun."""
        config, session, dialect = self._config, self._config.session, self._settings.dialect
        response_id = self._box.ids.response()
        modalities = params.output_modalities or session.output_modalities or ("audio",)
        asked = params.audio.output if isinstance(params.audio, AudioConfig) else None
        asked = asked or AudioOutputConfig()
        output = AudioOutputConfig(
            format=asked.format or config.output.format, voice=asked.voice or config.output.voice
        )
        cap = params.max_output_tokens or session.max_output_tokens or "inf"
        context = Context(
            response_id=response_id,
            conversation_id=self._conversation.id if in_band else None,
            model=session.model or "",
            instructions=_first(params.instructions, session.instructions) or "",
            items=(),
            tools=_first(params.tools, session.tools) or (),
            tool_choice=params.tool_choice or session.tool_choice or "auto",
            parallel_tool_calls=_first(params.parallel_tool_calls, session.parallel_tool_calls) is not False,
            output_modalities=modalities,
            max_output_tokens=cap if isinstance(cap, int) else None,
            metadata=dict(params.metadata or {}),
            unprompted=unprompted,
        )
        return Running(
            id=response_id,
            in_band=in_band,
            context=context,
            entries=entries,
            output=output,
            max_output_tokens=cap,
            metadata=(params.metadata or None) if dialect.echoes_metadata else None,
            generation=Generation(
                response_id,
                self._box,
                self._conversation if in_band else None,
                spoken=modalities == ("audio",),
                audio_format=output.format.type if isinstance(output.format, AudioFormat) else "audio/pcm",
                delta_bytes=self._settings.bounds.audio_delta_bytes,
                cap=context.max_output_tokens,
            ),
        )


def _first(asked: Maybe[T], otherwise: Maybe[T]) -> Maybe[T]:
    """The value of the create, unless it says nothing. An empty text or list is a value."""
    return otherwise if asked is None or asked is UNSET else asked
