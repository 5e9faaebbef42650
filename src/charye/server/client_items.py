"""Items as clients send them, made into items as the server says them.

Source: API reference, "conversation items": what is echoed is not what was sent. Recorded: the user's audio never
comes back in `added` and `done`, an output has no `status`.
"""

from msgspec.structs import replace

from charye.protocol import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
    Part,
    TextPart,
)
from charye.protocol.wire import Json
from charye.server.conversation import Entry
from charye.server.ids import Ids
from charye.server.wire_audio import pcm_from_base64

__all__ = ["settled"]


def settled(item: Item, raw: Json, ids: Ids, *, audio_format: str, path: str) -> Entry:
    """The item with an id and a status, its audio apart from it.

    Args:
        item: passed the checks of `shapes`.
        raw: the same as a JSON object: some of what clients may send is in no struct.
        path: where it stands in the event, for the error.
    Raises:
        Refused: the audio in it is none.
    """
    item_id = getattr(item, "id", None) or ids.item()
    match item:
        case MessageItem():
            parts = raw.get("content") if isinstance(raw, dict) else None
            texts = [part.get("text") if isinstance(part, dict) else None for part in parts or []]
            pcm, content = b"", []
            for index, part in enumerate(item.content):
                if isinstance(part, InputAudio) and part.audio is not None:
                    at = f"{path}.content[{index}].audio"
                    pcm += pcm_from_base64(part.audio, audio_format, at)[0]
                content.append(_echoed(part, texts[index] if index < len(texts) else None))
            transcript = next(
                (part.transcript for part in item.content if isinstance(part, InputAudio)), None
            )
            message = replace(item, id=item_id, status="completed", content=tuple(content), object=None)
            return Entry(message, pcm=pcm, transcript=transcript)
        case FunctionCallItem():
            call_id = item.call_id or ids.call()
            return Entry(replace(item, id=item_id, call_id=call_id, status="completed", object=None))
        case FunctionCallOutputItem():
            return Entry(replace(item, id=item_id, status=None, object=None))
        case _:
            return Entry(replace(item, id=item_id))


def _echoed(part: Part, text: Json) -> Part:
    match part:
        case InputAudio():
            return InputAudio()
        case OutputAudio() if isinstance(text, str):
            # A client cannot pre-fill the assistant's audio, so its words are what the part is.
            return OutputText(text)
        case TextPart(text=words):
            return OutputText(words)
        case _:
            return part
