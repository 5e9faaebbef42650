"""Who speaks how: what a server promises, as data.

A dialect says two things: which of the two generations of the API is on the wire (`shape`; the tables of the
preview are in `preview`), and which of the promises are kept that the floor relies on. Where nothing is promised
(`None`), the connection learns it from what it sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

__all__ = [
    "AZURE",
    "AZURE_PREVIEW",
    "CODE_IN_TYPE",
    "COMPATIBLE",
    "DIALECTS",
    "NO_EVENT_ID",
    "NO_METADATA",
    "OPENAI",
    "SUPERSEDES",
    "Dialect",
    "RefusalCode",
    "Shape",
    "named",
]


class Shape(Enum):
    """The generation of the API on the wire."""

    GA = "ga"
    PREVIEW = "preview"


class RefusalCode(Enum):
    """Where the code of a refusal stands. `error.kind_of` reads all of them; a server needs to know its own."""

    IN_CODE = "code"
    IN_TYPE = "type"
    TEXT_ONLY = "text"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one kind of server does.

    Args:
        name: as in `DIALECTS`.
        shape: which generation of the API is on the wire.
        echoes_metadata: the metadata of a create comes back in `response.created` and `response.done`. This is
            what tells whose a response is.
        echoes_event_id: an `error` names the client event at fault. None: not promised, learned when seen.
        names_active_response: a refusal names the response that runs.
        supersedes: a create ends the running response instead of being refused.
        out_of_band: `conversation: "none"` is understood, and such responses can be told apart.
        server_replies: with voice detection and `create_response`, the server starts responses by itself.
        refusal_code: where the code of a refusal stands.
        item_added: items enter with `conversation.item.added` and `done`, not with one `created`.
        rate_limits: `rate_limits.updated` is sent. Nothing may wait for it.
    """

    name: str
    shape: Shape
    echoes_metadata: bool
    echoes_event_id: bool | None
    names_active_response: bool
    supersedes: bool
    out_of_band: bool
    server_replies: bool = True
    refusal_code: RefusalCode = RefusalCode.IN_CODE
    item_added: bool = True
    rate_limits: bool = True


OPENAI = Dialect(
    name="openai",
    shape=Shape.GA,  # API reference; the beta shape has been refused since May 2026
    echoes_metadata=True,  # API reference, response object; recorded sessions
    echoes_event_id=None,  # API reference promises it; recorded refusals have null even where one was sent
    names_active_response=True,  # recorded sessions: in the message, not as a field
    supersedes=False,  # recorded sessions: the create is dropped, the running response untouched
    out_of_band=True,  # API reference: `conversation_id` is null
)
"""The OpenAI API. Also what `charye serve` speaks."""

# Recorded Azure sessions equal those of OpenAI in every promise; `rate_limits.updated` is in none of them.
AZURE = replace(OPENAI, name="azure", rate_limits=False)
"""Azure OpenAI, `/openai/v1/realtime`."""

# The preview has the metadata of `response.create` in its published types. Flat sessions and old event names:
# recorded Azure traffic. Items enter with one `conversation.item.created`: API reference, beta.
AZURE_PREVIEW = replace(AZURE, name="azure-preview", shape=Shape.PREVIEW, item_added=False)
"""Azure OpenAI with an `api-version`: deprecated, still spoken."""

COMPATIBLE = Dialect(
    name="compatible",
    shape=Shape.GA,
    echoes_metadata=False,  # many do not; where one does, the first token that comes back proves it
    echoes_event_id=None,
    names_active_response=False,  # bug reports of compatible servers: "Conversation already has an active response"
    supersedes=False,
    out_of_band=False,  # without metadata such a response cannot be told from another
    rate_limits=False,
)
"""A server of which nothing is known but that it speaks the GA shape: every promise is taken at its weakest."""

# One promise each, broken on purpose. Every one of them has been reported from the field.
CODE_IN_TYPE = replace(OPENAI, name="code-in-type", refusal_code=RefusalCode.IN_TYPE)
NO_EVENT_ID = replace(OPENAI, name="no-event-id", echoes_event_id=False)
NO_METADATA = replace(OPENAI, name="no-metadata", echoes_metadata=False)
SUPERSEDES = replace(OPENAI, name="supersedes", supersedes=True)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            OPENAI,
            AZURE,
            AZURE_PREVIEW,
            COMPATIBLE,
            CODE_IN_TYPE,
            NO_EVENT_ID,
            NO_METADATA,
            SUPERSEDES,
        )
    }
)


def named(name: str) -> Dialect:
    """The dialect of this name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        raise ValueError(f"no dialect {name!r}; there are: {', '.join(DIALECTS)}") from None
