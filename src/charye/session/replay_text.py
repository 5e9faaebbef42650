"""A line of the journal for people, in the marks of our transcripts."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from charye.session.redaction import AUDIO_BYTES, Json

__all__ = ["told"]


def told(facts: Json) -> str:
    """An input or an effect in one line. Only what is structure: this may be shown to anybody."""
    mark = facts["mark"]
    if facts.get("do") == "send":
        mark, words = ">", _event(facts["event"])
    elif "event" in facts:
        words = _event(facts["event"])
    elif mark == "=":
        words = [facts["do"], *_EFFECTS.get(facts["do"], _nothing)(facts)]
    else:
        words = [facts["do"], *_given(facts.get("with", {}))]
    return " ".join([mark, *map(_word, filter(None, words))])


def _event(event: Json) -> list[str]:
    inside = [event[name] for name in ("response", "item", "error") if isinstance(event.get(name), dict)]
    words = [str(event["type"])]
    for holder in (event, *inside):
        words += [str(holder[name]) for name in _IDS if isinstance(holder.get(name), str)]
    if AUDIO_BYTES in event:
        words.append(f"{event[AUDIO_BYTES]}bytes")
    if "audio_end_ms" in event:
        words.append(f"{event['audio_end_ms']}ms")
    return words


_IDS = ("response_id", "item_id", "id", "call_id", "event_id", "status", "code")


def _given(given: Json) -> list[str]:
    words: list[str] = []
    for value in given.values():
        if isinstance(value, dict):
            words += [
                str(value[name]) for name in ("id", "trigger", "reply") if isinstance(value.get(name), str)
            ]
        elif value is not None:
            words.append(f"{value:g}" if isinstance(value, float) else str(value))
    return words


def _nothing(_: Json) -> list[str]:
    return []


def _tell(facts: Json) -> list[str]:
    change = facts["change"]
    what = change.get("step") or change.get("kind")
    heard = [f"{change['heard_ms']:g}ms"] if "heard_ms" in change else []
    uncertain = ["uncertain"] if change.get("uncertain") else []
    return [facts["request_id"], what, change.get("reason", ""), *heard, *uncertain]


_EFFECTS: Mapping[str, Callable[[Json], list[str]]] = MappingProxyType(
    {
        "tell": _tell,
        "play": lambda facts: [facts["response_id"], facts["item_id"], f"{facts['duration_ms']:g}ms"],
        "stop_playback": lambda facts: facts["response_ids"],
        "run_tool": lambda facts: [facts["call_id"], facts["name"]],
        "abandon_tool": lambda facts: [facts["call_id"], facts["reason"]],
        "reconnect": lambda facts: [facts["reason"]],
        "note": lambda facts: [facts["what"], facts.get("about", "")],
    }
)


def _word(word: str) -> str:
    return json.dumps(word, ensure_ascii=False) if " " in word else word
