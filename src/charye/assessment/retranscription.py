"""Hearing kept audio again, before it is assessed. Optional.

The transcript of a realtime session comes from a recogniser that was made to please: it mends errors and drops fillers,
and may write another language. Where audio was kept and there is an endpoint, each answer is written down once more, as
it sounds. What cannot be heard again keeps the words it had.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self

from charye.assessment.endpoint_calls import Endpoint, Failure, Patience, call, make_client
from charye.assessment.judge_outcome import JudgeStatus
from charye.assessment.speech import Source, Speaker, Turn
from charye.assessment.sufficiency import doubtful_turns
from charye.assessment.units import has_hangul

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Ears", "EndpointEars", "HeardAgain", "hear_again"]

log = logging.getLogger(__name__)

_VERBATIM = "고치지 말고 들리는 대로 적어 주세요. 음, 어 같은 소리와 틀린 말도 그대로 적습니다."
_MOST_AT_ONCE = 3


class Ears(Protocol):
    """Whoever can write down what is said in a recording."""

    async def hear(self, wav: bytes) -> str | None:
        """The Korean in it, as it sounds; None if it could not be had. Does not raise for what the other side does."""
        ...


@dataclass(frozen=True, slots=True)
class HeardAgain:
    """What came of it.

    Args:
        turns: all of them, those that were heard again with their new words.
        heard: indexes of these.
        failed: indexes of those that were tried in vain.
    """

    turns: tuple[Turn, ...]
    heard: tuple[int, ...]
    failed: tuple[int, ...]

    def __repr__(self) -> str:
        return f"HeardAgain(heard={self.heard}, failed={self.failed})"


class EndpointEars:
    """The `/audio/transcriptions` of an OpenAI-compatible endpoint.

    Args:
        endpoint: where, and which model.
        patience: how long is waited for one recording.
    Raises:
        MissingExtra: the extra `judge` is not installed.
    """

    def __init__(self, endpoint: Endpoint, patience: Patience | None = None) -> None:
        self._model = endpoint.model
        self._patience = patience or Patience()
        self._client = make_client(endpoint, self._patience, feature="hearing audio again")

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """Close the connections. Safe to call twice."""
        await self._client.close()

    async def hear(self, wav: bytes) -> str | None:
        """See `Ears`."""
        result = await call(
            lambda: self._client.audio.transcriptions.create(
                model=self._model,
                file=("answer.wav", wav, "audio/wav"),
                language="ko",
                prompt=_VERBATIM,
                response_format="json",
            ),
            self._patience,
            count=lambda: None,
        )
        status = result.status if isinstance(result, Failure) else JudgeStatus.OK
        text = getattr(result, "text", None)
        if not isinstance(text, str):
            log.info("a recording was not heard again", extra={"status": status.value})
            return None
        return text.strip() or None


async def hear_again(
    turns: Sequence[Turn], recordings: Mapping[int, bytes], ears: Ears, *, total_s: float = 60.0
) -> HeardAgain:
    """Write the learner's answers down once more. Safe to cancel.

    Args:
        turns: of both speakers.
        recordings: WAV files, by the index of the turn. Those of typed and of corrected turns are passed over: nobody
            knows better than the learner what was said.
        ears: who hears.
        total_s: for all of it; what is not heard by then keeps its words.
    """
    wanted = [
        index
        for index, turn in enumerate(turns)
        if index in recordings and turn.speaker is Speaker.LEARNER and turn.source is Source.SPEECH
    ]
    room = asyncio.Semaphore(_MOST_AT_ONCE)

    async def one(index: int) -> str | None:
        async with room:
            return await ears.hear(recordings[index])

    tasks = {index: asyncio.create_task(one(index), name=f"charye-hear-{index}") for index in wanted}
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=total_s)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    written = list(turns)
    heard = []
    for index, task in tasks.items():
        text = None if task.cancelled() else task.result()
        if text is not None and _is_better(turns[index], text):
            # The times of the words belong to the words that were there before.
            written[index] = replace(turns[index], text=text, words=())
            heard.append(index)
    failed = tuple(index for index in wanted if index not in heard)
    return HeardAgain(tuple(written), tuple(heard), failed)


def _is_better(turn: Turn, text: str) -> bool:
    """Recognisers make things up from silence; what looks made up does not replace what was there."""
    return has_hangul(text) and not doubtful_turns((replace(turn, text=text, words=()),))
