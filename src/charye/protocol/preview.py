"""The preview (beta) shape and the GA shape, as tables between plain JSON objects.

The classes of this package are GA. On a preview connection events pass through here on their way in and out, so
nobody above the codec knows that there are two generations.
Source: API reference, "two generations of the protocol", and the flat session of the preview.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from charye.protocol.wire import Json

__all__ = ["GA_TYPE", "PREVIEW_TYPE", "to_ga", "to_preview"]

GA_TYPE: Mapping[str, str] = MappingProxyType(
    {
        "response.text.delta": "response.output_text.delta",
        "response.text.done": "response.output_text.done",
        "response.audio.delta": "response.output_audio.delta",
        "response.audio.done": "response.output_audio.done",
        "response.audio_transcript.delta": "response.output_audio_transcript.delta",
        "response.audio_transcript.done": "response.output_audio_transcript.done",
    }
)
"""Preview name -> GA name. `conversation.item.created` is a name of both."""

# `conversation.item.done` has no counterpart and keeps its name: a preview server should not send it.
PREVIEW_TYPE: Mapping[str, str] = MappingProxyType(
    {ga: preview for preview, ga in GA_TYPE.items()}
    | {"conversation.item.added": "conversation.item.created"}
)
"""GA name -> preview name."""

_FORMATS: Mapping[str, Mapping[str, Json]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_FORMAT_NAMES = {str(form["type"]): name for name, form in _FORMATS.items()}

_PARTS_TO_GA = {"text": "output_text", "audio": "output_audio"}
_PARTS_TO_PREVIEW = {ga: preview for preview, ga in _PARTS_TO_GA.items()}


def _same(value: Json) -> Json:
    return value


def _format_to_ga(value: Json) -> Json:
    return dict(_FORMATS[value]) if isinstance(value, str) and value in _FORMATS else value


def _format_to_preview(value: Json) -> Json:
    kind = value.get("type") if isinstance(value, dict) else None
    return _FORMAT_NAMES.get(kind, value) if isinstance(kind, str) else value


def _modalities_to_ga(value: Json) -> Json:
    return ["audio"] if isinstance(value, list) and "audio" in value else value


def _modalities_to_preview(value: Json) -> Json:
    return ["audio", "text"] if value == ["audio"] else value


class _Row(NamedTuple):
    preview: str
    ga: tuple[str, ...]
    to_ga: Callable[[Json], Json] = _same
    to_preview: Callable[[Json], Json] = _same


_OUTPUT = (
    _Row("modalities", ("output_modalities",), _modalities_to_ga, _modalities_to_preview),
    _Row("voice", ("audio", "output", "voice")),
    _Row("output_audio_format", ("audio", "output", "format"), _format_to_ga, _format_to_preview),
)
_SESSION = (
    *_OUTPUT,
    _Row("speed", ("audio", "output", "speed")),
    _Row("input_audio_format", ("audio", "input", "format"), _format_to_ga, _format_to_preview),
    _Row("input_audio_transcription", ("audio", "input", "transcription")),
    _Row("input_audio_noise_reduction", ("audio", "input", "noise_reduction")),
    _Row("turn_detection", ("audio", "input", "turn_detection")),
    _Row("max_response_output_tokens", ("max_output_tokens",)),
)
# The cap of a response is called `max_output_tokens` by the API description and `max_response_output_tokens` by the
# SDK's types: both are read, the first is written (the last row that names a GA path wins).
_RESPONSE = (
    *_OUTPUT,
    _Row("max_response_output_tokens", ("max_output_tokens",)),
    _Row("max_output_tokens", ("max_output_tokens",)),
)

# "Preview rejects GA fields: unknown_parameter" (recorded Azure traffic), and a refused update changes nothing.
_GA_ONLY = frozenset({"audio", "parallel_tool_calls", "prompt", "reasoning", "truncation"})


def to_ga(event: dict[str, Json]) -> dict[str, Json]:
    """The GA shape of a preview event. What is in no table is kept as it is; `event` is not changed."""
    kind = event.get("type")
    result = dict(event)
    if isinstance(kind, str):
        result["type"] = GA_TYPE.get(kind, kind)
    if isinstance(session := event.get("session"), dict):
        transcribes = isinstance(kind, str) and kind.startswith("transcription_session.")
        result["session"] = {
            "type": "transcription" if transcribes else "realtime",
            **_nest(session, _SESSION),
        }
    if isinstance(response := event.get("response"), dict):
        result["response"] = _items_of(_nest(response, _RESPONSE), _PARTS_TO_GA)
    if "item" in event:
        result["item"] = _item(event["item"], _PARTS_TO_GA)
    return result


def to_preview(event: dict[str, Json]) -> dict[str, Json]:
    """The preview shape of a GA event. What the preview does not know is left out; `event` is not changed."""
    kind = event.get("type")
    result = dict(event)
    if isinstance(kind, str):
        result["type"] = PREVIEW_TYPE.get(kind, kind)
    if isinstance(session := event.get("session"), dict):
        flat = _flatten(session, _SESSION)
        flat.pop("type", None)
        result["session"] = flat
    if isinstance(response := event.get("response"), dict):
        result["response"] = _items_of(_flatten(response, _RESPONSE), _PARTS_TO_PREVIEW)
    if "item" in event:
        result["item"] = _item(event["item"], _PARTS_TO_PREVIEW)
    return result


def _nest(flat: dict[str, Json], rows: tuple[_Row, ...]) -> dict[str, Json]:
    names = {row.preview for row in rows}
    nested = {name: value for name, value in flat.items() if name not in names}
    for row in rows:
        if row.preview in flat:
            *path, last = row.ga
            place = nested
            for step in path:
                inner = place.get(step)
                # A copy: what the caller gave is not ours to change.
                fresh: dict[str, Json] = dict(inner) if isinstance(inner, dict) else {}
                place[step] = fresh
                place = fresh
            place[last] = row.to_ga(flat[row.preview])
    return nested


def _flatten(nested: dict[str, Json], rows: tuple[_Row, ...]) -> dict[str, Json]:
    tops = {row.ga[0] for row in rows} | _GA_ONLY
    flat = {name: value for name, value in nested.items() if name not in tops}
    written: dict[tuple[str, ...], str] = {row.ga: row.preview for row in rows}
    for row in rows:
        place: Json = nested
        for step in row.ga:
            if not isinstance(place, dict) or step not in place:
                break
            place = place[step]
        else:
            if written[row.ga] == row.preview:
                flat[row.preview] = row.to_preview(place)
    return flat


def _items_of(response: dict[str, Json], parts: Mapping[str, str]) -> dict[str, Json]:
    for name in ("output", "input"):
        if isinstance(items := response.get(name), list):
            response[name] = [_item(item, parts) for item in items]
    return response


def _item(item: Json, parts: Mapping[str, str]) -> Json:
    if not isinstance(item, dict) or not isinstance(content := item.get("content"), list):
        return item
    return {**item, "content": [_part(part, parts) for part in content]}


def _part(part: Json, parts: Mapping[str, str]) -> Json:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str) or kind not in parts:
        return part
    return {**part, "type": parts[kind]}
