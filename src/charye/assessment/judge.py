"""The model assessor: a rubric, the transcript as data, and a model behind any OpenAI-compatible endpoint.

    judge = Judge(Endpoint(model="gpt-4.1", api_key=key))
    outcome = await judge.assess(turns, names=("Maria",))
    outcome.status                  # JudgeStatus: OK, or why there is nothing
    outcome.consensus               # for `compose.make_report(judge=outcome)`
    await judge.close()

It is asked three times, each answer is checked (`judge_answer`), and the middle counts (`consensus`). It never raises
for what the endpoint or the model does: whatever happens there, the offline report stands.

Bounds: for each of the three at most one more request, for wrong quotes or for broken JSON; so six requests that are
answered, besides those that were refused for the moment. `Patience` bounds the time, `most_output_tokens` and
`most_characters` the price. What it is shown, and why the level does not move by what stands in a transcript, is
written in `judge_view` and in `docs/reference/assessment-judge.md`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from charye.assessment.consensus import agree
from charye.assessment.endpoint_calls import Endpoint, Failure, Patience, call, make_client
from charye.assessment.judge_answer import answer_schema, check, read_answer
from charye.assessment.judge_outcome import JudgeOutcome, JudgeStatus
from charye.assessment.judge_prompt import ask, ask_again_for_json, ask_again_for_quotes, prompt_version
from charye.assessment.judge_view import view_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charye.assessment.consensus import Run
    from charye.assessment.judge_prompt import Message
    from charye.assessment.judge_view import View
    from charye.assessment.speech import Turn

__all__ = ["Endpoint", "Judge", "JudgeSettings", "Patience"]

log = logging.getLogger(__name__)

_FORM = "assessment"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """How it is asked.

    Args:
        runs: how many answers; two must be usable.
        most_output_tokens: of one answer. Reasoning models count their thoughts here.
        most_characters: of the learner's answers that are sent.
        temperature: None for the endpoint's own, which is above zero everywhere; some models take no other.
        patience: how long is waited.
    """

    runs: int = 3
    most_output_tokens: int = 6000
    most_characters: int = 12_000
    temperature: float | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True)
class _Count:
    """What was spent, over all runs."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""

    def sent(self) -> None:
        self.requests += 1


@dataclass(frozen=True, slots=True)
class _Written:
    """What the model wrote."""

    text: str = field(repr=False)


class Judge:
    """Asks a model. One instance serves many reports; `assess` may run several times at once.

    Args:
        endpoint: where.
        settings: how.
    Raises:
        MissingExtra: the extra `judge` is not installed. This is said at once, not after the interview.
    """

    def __init__(self, endpoint: Endpoint, settings: JudgeSettings | None = None) -> None:
        self._endpoint = endpoint
        self._settings = settings or JudgeSettings()
        self._client = make_client(endpoint, self._settings.patience, feature="the model assessor")
        # Known after the first refusal; then nobody tries the other way again.
        self._structured = True

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """Close the connections. Safe to call twice."""
        await self._client.close()

    async def assess(self, turns: Sequence[Turn], *, names: Iterable[str] = ()) -> JudgeOutcome:
        """Assess a conversation. Safe to cancel. Never raises for what the other side does.

        Args:
            turns: of both speakers, in order: the same that the report is made from.
            names: of the learner; hidden from the model, with those that the learner says.
        """
        given = tuple(turns)
        view = view_of(given, names=names, most_characters=self._settings.most_characters)
        if not view.blocks:
            return JudgeOutcome(status=JudgeStatus.NOTHING_TO_READ)
        count = _Count()
        tasks = [
            asyncio.create_task(self._run(view, given, number, count), name=f"charye-judge-{number}")
            for number in range(self._settings.runs)
        ]
        try:
            await asyncio.wait(tasks, timeout=self._settings.patience.total_s)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        results = [JudgeStatus.TIMED_OUT if task.cancelled() else task.result() for task in tasks]
        outcome = self._outcome(results, count, view.eojeols)
        log.info(
            "the judge was asked",
            extra={
                "status": outcome.status.value,
                "runs": [status.value for status in outcome.runs],
                "requests": outcome.requests,
                "input_tokens": outcome.input_tokens,
                "output_tokens": outcome.output_tokens,
            },
        )
        return outcome

    def _outcome(self, results: Sequence[Run | JudgeStatus], count: _Count, eojeols: int) -> JudgeOutcome:
        runs = [result for result in results if not isinstance(result, JudgeStatus)]
        statuses = tuple(
            result
            if isinstance(result, JudgeStatus)
            else (JudgeStatus.NO_VOTE if result.vote is None else JudgeStatus.OK)
            for result in results
        )
        consensus = agree(
            runs, model=count.model or self._endpoint.model, prompt=prompt_version(), eojeols=eojeols
        )
        return JudgeOutcome(
            status=_whole(statuses) if consensus is None else JudgeStatus.OK,
            consensus=consensus,
            runs=statuses,
            requests=count.requests,
            input_tokens=count.input_tokens,
            output_tokens=count.output_tokens,
        )

    async def _run(
        self, view: View, turns: tuple[Turn, ...], number: int, count: _Count
    ) -> Run | JudgeStatus:
        """One answer, and one more request if it is broken or quotes what was not said."""
        asked = ask(view, run=number, schema_in_text=not self._structured)
        written = await self._write(asked, count)
        if isinstance(written, Failure) and self._structured_is_to_blame(written):
            asked = ask(view, run=number, schema_in_text=True)
            written = await self._write(asked, count)
        if isinstance(written, Failure):
            return written.status
        answer = read_answer(written.text)
        if answer is None:
            again = await self._write(ask_again_for_json(asked), count)
            if isinstance(again, Failure):
                return again.status
            answer = read_answer(again.text)
            if answer is None:
                return JudgeStatus.BROKEN_ANSWER
            return check(answer, view, turns).run
        checked = check(answer, view, turns)
        if not checked.wrong:
            return checked.run
        mended = await self._write(ask_again_for_quotes(asked, written.text, checked.wrong), count)
        better = None if isinstance(mended, Failure) else read_answer(mended.text)
        # A repair that fails costs the wrong quotes, not the answer.
        return checked.run if better is None else check(better, view, turns, repaired=True).run

    def _structured_is_to_blame(self, failure: Failure) -> bool:
        """Whether the request may be fine without structured output; from then on it is not asked for."""
        if failure.status is not JudgeStatus.REQUEST_REFUSED or failure.code not in (400, 422, 501):
            return False
        if self._structured:
            log.info("the endpoint takes no structured output", extra={"http_status": failure.code})
        self._structured = False
        return True

    async def _write(self, messages: Sequence[Message], count: _Count) -> _Written | Failure:
        request = self._request(messages)
        completion = await call(
            lambda: self._client.chat.completions.create(**request),
            self._settings.patience,
            count=count.sent,
        )
        if isinstance(completion, Failure):
            return completion
        return _read(completion, count)

    def _request(self, messages: Sequence[Message]) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "stream": False,
        }
        if self._settings.temperature is not None:
            request["temperature"] = self._settings.temperature
        if self._structured:
            form = {"name": _FORM, "strict": True, "schema": answer_schema()}
            request["response_format"] = {"type": "json_schema", "json_schema": form}
            request["max_completion_tokens"] = self._settings.most_output_tokens
        else:
            # Who does not know the one does not know the newer name of the other either.
            request["max_tokens"] = self._settings.most_output_tokens
        return request


def _read(completion: Any, count: _Count) -> _Written | Failure:
    """What is in an answer of the API. The SDK does not check it, so nothing in it is certain."""
    try:
        count.model = str(completion.model or count.model)
        if completion.usage is not None:
            count.input_tokens += int(completion.usage.prompt_tokens)
            count.output_tokens += int(completion.usage.completion_tokens)
        choice = completion.choices[0]
        refusal = getattr(choice.message, "refusal", None)
        content, reason = choice.message.content, choice.finish_reason
    except (AttributeError, IndexError, TypeError, ValueError):
        return Failure(JudgeStatus.BROKEN_ANSWER)
    if refusal or reason == "content_filter":
        return Failure(JudgeStatus.REFUSED)
    if reason == "length":
        return Failure(JudgeStatus.CUT_OFF)
    return _Written(content) if isinstance(content, str) else Failure(JudgeStatus.BROKEN_ANSWER)


def _whole(statuses: Sequence[JudgeStatus]) -> JudgeStatus:
    """One word for all: what went wrong most often; `NO_CONSENSUS` if an answer was usable, but alone."""
    if JudgeStatus.OK in statuses:
        return JudgeStatus.NO_CONSENSUS
    (most, _), *_ = Counter(statuses).most_common(1)
    return most
