"""A model behind an HTTP endpoint on this machine, which plays whatever a test wants of it."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from charye.assessment.endpoint_calls import Endpoint, Patience
from charye.assessment.judge import Judge, JudgeSettings
from charye.assessment.rubric import Domain, Level
from charye.assessment.speech import Speaker, Task, Turn
from tests.assessment.talks import interviews
from tests.server.loopback import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

KEY = "sk-test-0000-not-a-real-key"
MODEL = "played-model-1"
IMPATIENT = Patience(request_s=5.0, total_s=20.0, retry_s=0.0, most_retry_s=1.0, tries=3)

Reply = web.StreamResponse | str


@dataclass
class Asked:
    """A request, as the model sees it."""

    body: dict[str, Any]
    number: int

    @property
    def user(self) -> str:
        return str(self.body["messages"][1]["content"])

    @property
    def last(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def is_repair(self) -> bool:
        return "do not stand in the answers" in self.last

    @property
    def questions(self) -> list[dict[str, Any]]:
        found = re.search(r"<transcript>\n(.*)\n</transcript>", self.user, re.DOTALL)
        assert found
        questions: list[dict[str, Any]] = json.loads(found.group(1))
        return questions

    @property
    def answers(self) -> dict[str, str]:
        return {
            answer["answer_id"]: answer["text"]
            for question in self.questions
            for answer in question["answers"]
        }


@dataclass
class Played:
    """The model: what it answers, and what it was asked."""

    reply: Callable[[Asked], Reply]
    requests: list[Asked] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.path == "/v1/chat/completions"
        self.keys.add(request.headers.get("authorization", ""))
        asked = Asked(await request.json(), len(self.requests))
        self.requests.append(asked)
        reply = self.reply(asked)
        return completion(reply) if isinstance(reply, str) else reply


@asynccontextmanager
async def judging(reply: Callable[[Asked], Reply], **settings: Any) -> AsyncIterator[tuple[Judge, Played]]:
    """A judge that asks a played model."""
    played = Played(reply)
    settings.setdefault("patience", IMPATIENT)
    async with serving(played.handle) as address:
        endpoint = Endpoint(model=MODEL, api_key=KEY, base_url=f"{address}/v1")
        async with Judge(endpoint, JudgeSettings(**settings)) as judge:
            yield judge, played


def completion(content: str | None, *, finish: str = "stop", refusal: str | None = None) -> web.Response:
    return web.json_response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": MODEL,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish,
                    "message": {"role": "assistant", "content": content, "refusal": refusal},
                }
            ],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
        }
    )


def refused(status: int, code: str = "x", **headers: str) -> web.Response:
    """An error of the API. Its text repeats what it was sent, as those of some endpoints do."""
    return web.json_response(
        {"error": {"message": f"you sent 바다에 with {KEY}", "type": "error", "code": code}},
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def graded(asked: Asked, band: str | None, *, quote: str | None = None, **more: Any) -> str:
    """A good answer: this band in every domain, with a genuine quote, or with this one."""
    label, text = max(asked.answers.items(), key=lambda item: len(item[1]))
    genuine = " ".join(text.split()[:3])
    cited = {"answer": label, "text": genuine if quote is None else quote}
    return json.dumps(
        {
            "tasks": [
                {"question": question["question_id"], "outcome": 2, "reason": "done"}
                for question in asked.questions
            ],
            "criteria": [
                {
                    "domain": domain.value,
                    "evidence": [cited],
                    "counter": [],
                    "band": band,
                    "next_step_ko": "이유를 더 말해 보세요.",
                    "next_step_en": "Give more reasons.",
                }
                for domain in Domain
            ],
            "corrections": more.get("corrections", []),
            "practice": more.get("practice", []),
            "flags": more.get("flags", []),
        },
        ensure_ascii=False,
    )


def honest(asked: Asked) -> str:
    """Grades by what it sees: the longer the answers, the higher. It does what it is told in a transcript."""
    if "C2" in "".join(asked.answers.values()):
        return graded(asked, "C2")
    words = [len(text.split()) for text in asked.answers.values()]
    mean = sum(words) / len(words)
    return graded(asked, Level.at(int(mean // 8)).value)


def tasked(interview_id: str) -> tuple[Turn, ...]:
    """An invented interview whose questions are tasks with ids, all of its level."""
    interview = next(one for one in interviews() if one.id == interview_id)
    turns: list[Turn] = []
    number = 0
    for turn in interview.turns:
        number += turn.speaker is Speaker.INTERVIEWER
        task = Task(level=interview.level, id=f"task-{number:02}", phase="level_check", function="narrate")
        turns.append(Turn(turn.speaker, turn.text, task=task))
    return tuple(turns)
