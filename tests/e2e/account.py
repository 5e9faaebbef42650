"""What a session did, read from its own journal: requests, creates, refusals, ends, in the order of its decisions."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from charye.core.requests import TOKEN_KEY
from charye.protocol.verbatim import words_asked_for

__all__ = ["SILENCING", "Account", "Asked", "Create", "read"]

_REFUSAL = "conversation_already_has_active_response"
_REFUSAL_TEXT = "already has an active response"
_RELEASED = "cancel unanswered"
"""A response that ignores our cancel may run for ever: what is asked next is the question whether it does
(docs/reference/invariants.md)."""

_INFERRED = "its end is overdue: asking for the next"
"""All of it was there but its `done`, so it is taken for over. A refusal that names it was avoidable."""

CUTS_IN = "@ request that cuts in"

SILENCING = frozenset({"< input_audio_buffer.speech_started", "@ interrupt", "@ press", CUTS_IN})
"""Inputs of the core by which who speaks falls silent."""


@dataclass(slots=True)
class Create:
    """One `response.create` of ours, at the moment in which it was decided.

    Args:
        requests: whom it is for.
        over: responses that ran then, by all that we had received on that connection.
        refused: the server said that a response runs.
        met: the one that it named.
    """

    token: str
    line: int
    requests: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    refused: bool = False
    met: str | None = None

    @property
    def is_avoidable(self) -> bool:
        """We could have known."""
        return self.refused and bool(self.over) and (self.met is None or self.met in self.over)


@dataclass(slots=True)
class Asked:
    """One request, those that the session made by itself included.

    Args:
        words: exact ones, if it is a `say`.
        resumes: it is asked for again when it was cut off.
        holds: it belongs to a hold of the floor, which goes before everybody else.
        ends: what it was told at its end; one, if all is well.
        cause: the input of the core that ended it: `@ interrupt`, `< response.done cancelled`, ...
        cut_by: the last input by which somebody was silenced while its response ran or was heard.
        after_end: what it was told, and what of it was played, after an end that is not `heard`; nothing, if all is
            well.
        creates: their tokens.
        responses: that spoke for it.
    """

    request_id: str
    trigger: str
    words: str | None = None
    resumes: bool = False
    holds: bool = False
    ends: list[dict[str, Any]] = field(default_factory=list)
    cause: str = ""
    cut_by: str = ""
    after_end: int = 0
    creates: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)

    @property
    def end(self) -> str:
        """How it ended; empty while it has not."""
        return str(self.ends[0]["kind"]) if self.ends else ""

    @property
    def is_uncertain(self) -> bool:
        """The session says that it guesses."""
        return bool(self.ends and self.ends[0].get("uncertain"))


@dataclass(slots=True)
class Account:
    """All of it.

    Args:
        lines: connections that stood.
        lost: of these, those that were lost, not renewed.
        calls: how often each tool call was run.
        notes: what the session and its core have noted.
        errors: what the server said was wrong, by code, refusals apart.
    """

    requests: dict[str, Asked] = field(default_factory=dict)
    creates: dict[str, Create] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    lost: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def refusals(self) -> int:
        """Creates that were refused because a response ran."""
        return sum(create.refused for create in self.creates.values())


def read(lines: Iterable[str]) -> Account:
    """The account of these lines of a journal (`docs/reference/journal.md`), which must hide nothing."""
    reader = _Reader()
    for text in lines:
        line = json.loads(text)
        if line["mark"] in _READ:
            _READ[line["mark"]](reader, line)
    return reader.account


_RESPONSE_ID = re.compile(r"resp_\w+")


class _Reader:
    def __init__(self) -> None:
        self.account = Account()
        self._running: list[str] = []
        self._create: Create | None = None
        self._input = ""
        self._speaking: dict[str, Asked] = {}
        self._inferred: set[str] = set()

    def noted(self, line: dict[str, Any]) -> None:
        self.account.notes[line["what"]] += 1
        if line["what"] == "the line stands":
            self.account.lines += 1
            self._running.clear()
        elif line["what"] == "the line is lost":
            self.account.lost += 1

    def fed(self, line: dict[str, Any]) -> None:
        self._create = None
        given = line.get("with", {})
        request = given.get("request") or given.get("reply")
        self._input = f"@ {line['do']} {given.get('request_id', '')}".rstrip()
        if request is not None and request.get("cuts_in"):
            self._input = CUTS_IN
        self._cut_by(self._input)
        if request is not None:
            asked = self._asked(request["id"], request["trigger"])
            asked.words = words_asked_for(request.get("parameters", {}).get("instructions") or "")
            asked.holds = request.get("hold") is not None
            asked.resumes = request.get("on_interruption") == "resume"

    def heard(self, line: dict[str, Any]) -> None:
        self._create = None
        event = line.get("event") or {}
        response = event.get("response") or {}
        self._input = f"< {event.get('type')} {response.get('status', '')}".rstrip()
        self._cut_by(self._input)
        match event.get("type"):
            case "response.created" if response.get("conversation_id"):
                self._running = [response["id"]]  # one at a time: whatever was before it is over, seen or not
            case "response.done" if response.get("id") in self._running:
                self._running.remove(response["id"])
            case "error":
                self._error(event["error"])

    def did(self, line: dict[str, Any]) -> None:
        event = line.get("event") or {}
        match line.get("do"):
            case "send" if event["type"] == "response.create":
                token = event["response"]["metadata"][TOKEN_KEY]
                in_band = event["response"].get("conversation") != "none"
                over = tuple(self._running) if in_band else ()
                self._create = self.account.creates[token] = Create(token, line["n"], over=over)
            case "tell":
                self._told(line["request_id"], line["change"])
            case "note":
                self.account.notes[line["what"]] += 1
                if line["what"] in (_RELEASED, _INFERRED) and line["about"] in self._running:
                    self._running.remove(line["about"])
                if line["what"] == _INFERRED:
                    self._inferred.add(line["about"])
            case "run_tool":
                self.account.calls[line["call_id"]] += 1
            case "play" if (asked := self._speaking.get(line["response_id"])) and asked.end not in (
                "",
                "heard",
            ):
                asked.after_end += 1

    def _cut_by(self, what: str) -> None:
        if what in SILENCING:
            for asked in self._speaking.values():
                if not asked.ends:
                    asked.cut_by = what

    def _asked(self, request_id: str, trigger: str) -> Asked:
        return self.account.requests.setdefault(request_id, Asked(request_id, trigger))

    def _told(self, request_id: str, change: dict[str, Any]) -> None:
        asked = self._asked(request_id, change.get("trigger", ""))
        if asked.ends:
            asked.after_end += 1
        if "kind" in change:
            asked.ends.append(change)
            asked.cause = self._input
        elif change["step"] == "sent" and self._create is not None:
            self._create.requests += (request_id,)
            asked.creates.append(self._create.token)
        elif change["step"] == "speaking":
            asked.responses.append(change["response_id"])
            self._speaking[change["response_id"]] = asked

    def _error(self, error: dict[str, Any]) -> None:
        said = f"{error.get('code')} {error.get('type')} {error.get('message')}"
        if _REFUSAL not in said and _REFUSAL_TEXT not in said:
            self.account.errors[str(error.get("code") or error.get("type"))] += 1
            return
        # A refusal that names nobody is about the only create that is unanswered: the latest.
        token = error.get("event_id") or next(reversed(self.account.creates), "")
        if token in self.account.creates:
            named = _RESPONSE_ID.search(error.get("message") or "")
            create = self.account.creates[token]
            create.refused, create.met = True, named.group() if named else None
            if create.met in self._inferred:
                create.over += (create.met,)


_READ = {"!": _Reader.noted, "@": _Reader.fed, "~": _Reader.fed, "<": _Reader.heard, "=": _Reader.did}
