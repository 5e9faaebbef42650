"""A handle says where its request stands, and how it ended."""

import asyncio

import pytest

from charye.core.requests import Outcome, OutcomeKind, Progress, RequestId, Step
from charye.errors import (
    Cancelled,
    Denied,
    Disconnected,
    Expired,
    Failed,
    Interrupted,
    RequestEnded,
    ResponseFailed,
    ResponseRefused,
)
from charye.session.handles import Handle, Handles, error_of

ERRORS = {
    OutcomeKind.CANCELLED: Cancelled,
    OutcomeKind.INTERRUPTED: Interrupted,
    OutcomeKind.EXPIRED: Expired,
    OutcomeKind.DENIED: Denied,
    OutcomeKind.FAILED: Failed,
    OutcomeKind.DISCONNECTED: Disconnected,
}


def handle(cancelled: list[str] | None = None) -> Handle:
    async def explain(request_id: str) -> str:
        return f"{request_id} waits"

    return Handle(
        RequestId("say.1"),
        "say",
        loop=asyncio.get_running_loop(),
        cancel=(cancelled if cancelled is not None else []).append,
        explain=explain,
    )


@pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind is not OutcomeKind.HEARD])
def test_every_bad_end_is_an_error_of_its_own(kind: OutcomeKind) -> None:
    outcome = Outcome(kind, reason="why", attempts=2, waited_s=1.5, uncertain=True, heard_ms=300.0)
    error = error_of("say.1", outcome)
    assert type(error) is ERRORS[kind]
    assert (error.request_id, error.reason, error.attempts, error.waited_s, error.uncertain) == (
        "say.1",
        "why",
        2,
        1.5,
        True,
    )


def test_the_servers_code_is_in_the_cause() -> None:
    refused = error_of("a", Outcome(OutcomeKind.DENIED, code="invalid_value"))
    failed = error_of("a", Outcome(OutcomeKind.FAILED, code="server_error"))
    assert isinstance(refused.__cause__, ResponseRefused)
    assert isinstance(failed.__cause__, ResponseFailed)
    assert refused.__cause__.code == "invalid_value"
    assert failed.__cause__.code == "server_error"


def test_a_step_wakes_who_waits_for_it_or_for_less() -> None:
    async def story() -> None:
        one = handle()
        waiting = {
            name: asyncio.create_task(getattr(one, name)())
            for name in ("sent", "speaking", "generated", "heard", "ended")
        }

        async def done() -> set[str]:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return {name for name, task in waiting.items() if task.done()}

        assert await done() == set()
        one.tell(Progress(Step.QUEUED))
        assert await done() == set()
        one.tell(Progress(Step.SPEAKING, response_id="resp_1"))  # `sent` was not told by itself
        assert await done() == {"sent", "speaking"}
        assert one.response_id == "resp_1"
        one.tell(Progress(Step.GENERATED))
        assert await done() == {"sent", "speaking", "generated"}
        one.tell(Outcome(OutcomeKind.HEARD))
        assert await done() == set(waiting)

    asyncio.run(story())


def test_a_step_that_was_reached_stays_reached_though_the_request_falls_back() -> None:
    async def story() -> None:
        one = handle()
        one.tell(Progress(Step.SENT))
        one.tell(Progress(Step.QUEUED, reason="the floor was taken"))
        await one.sent()
        assert one.step is Step.QUEUED
        assert one.reason == "the floor was taken"

    asyncio.run(story())


def test_an_end_before_the_step_raises_and_after_it_does_not() -> None:
    async def story() -> None:
        one = handle()
        one.tell(Progress(Step.SPEAKING))
        one.tell(Outcome(OutcomeKind.INTERRUPTED, heard_ms=250))
        await one.speaking()
        with pytest.raises(Interrupted) as caught:
            await one.heard()
        assert caught.value.heard_ms == 250
        with pytest.raises(RequestEnded):
            await one.generated()
        assert (await one).kind is OutcomeKind.INTERRUPTED

    asyncio.run(story())


def test_cancel_asks_once_there_is_something_to_cancel() -> None:
    async def story() -> None:
        cancelled: list[str] = []
        one = handle(cancelled)
        one.cancel()
        one.tell(Outcome(OutcomeKind.CANCELLED))
        one.cancel()
        assert cancelled == ["say.1"]
        assert await one.explain() == "say.1 waits"
        assert "cancelled" in repr(one)

    asyncio.run(story())


def test_the_book_forgets_what_has_ended_and_ends_what_is_left() -> None:
    async def story() -> None:
        book = Handles()
        first = book.add(handle())
        book.tell(first.id, Outcome(OutcomeKind.HEARD))
        assert len(book) == 0
        book.tell(RequestId("nobody's"), Progress(Step.SENT))
        second = book.add(handle())
        book.end_all(Outcome(OutcomeKind.DISCONNECTED, reason="the session is over"))
        assert second.outcome is not None
        assert second.outcome.kind is OutcomeKind.DISCONNECTED
        assert first.outcome == Outcome(OutcomeKind.HEARD)

    asyncio.run(story())
