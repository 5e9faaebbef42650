"""The laws can fail: what is planted is found."""

import json

import pytest

from tests.e2e.account import read
from tests.e2e.laws import violations
from tests.e2e.playing import play
from tests.e2e.scene import Scene
from tests.e2e.workloads import WORKLOADS

BUSY = "conversation_already_has_active_response"


def line(number: int, mark: str, **facts: object) -> str:
    return json.dumps({"n": number, "at": 0.0, "mark": mark, **facts})


def created(number: int, response_id: str) -> str:
    response = {"id": response_id, "conversation_id": "conv_1", "status": "in_progress"}
    return line(number, "<", event={"type": "response.created", "response": response})


def create(number: int, token: str) -> str:
    event = {"type": "response.create", "event_id": token, "response": {"metadata": {"charye": token}}}
    return line(number, "=", do="send", event=event)


def refused(number: int, token: str, response_id: str) -> str:
    error = {
        "code": BUSY,
        "event_id": token,
        "message": f"already has an active response in progress: {response_id}.",
    }
    return line(number, "<", event={"type": "error", "error": error})


def test_a_create_over_a_response_that_was_known_to_run_is_avoidable() -> None:
    account = read([created(1, "resp_a"), create(2, "c.1.1.1"), refused(3, "c.1.1.1", "resp_a")])
    assert account.creates["c.1.1.1"].is_avoidable


def test_a_create_that_lost_a_race_is_not_avoidable() -> None:
    account = read([create(1, "c.1.1.1"), created(2, "resp_a"), refused(3, "c.1.1.1", "resp_a")])
    assert account.refusals == 1
    assert not account.creates["c.1.1.1"].is_avoidable


@pytest.fixture(scope="module")
def played() -> Scene:
    scene, wrong = play(WORKLOADS["W6"], "", 1)
    assert wrong == []
    return scene


@pytest.fixture
def spoken(played: Scene) -> list[str]:
    """Responses that were heard, in their order."""
    return [response_id for response_id in played.room.heard_ms if played.truth.spoken[response_id].is_whole]


def test_what_nobody_has_heard_is_found(
    played: Scene, spoken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(played.room.heard_ms, spoken[0], 100.0)
    assert any("nobody in the room has heard all of it" in wrong for wrong in violations(played))


def test_what_was_never_whole_is_found(
    played: Scene, spoken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(played.truth.spoken[spoken[0]], "status", "cancelled")
    assert any("was never whole" in wrong for wrong in violations(played))


def test_what_was_heard_twice_is_found(
    played: Scene, spoken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in spoken[1:3]:  # one line was lost, so one may be
        monkeypatch.setattr(played.truth.spoken[one], "token", played.truth.spoken[spoken[0]].token)
    assert any("once more" in wrong for wrong in violations(played))


def test_a_wrong_order_is_found(played: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, wrong = play(WORKLOADS["W5"], "", 1)
    assert wrong == []
    monkeypatch.setattr(scene.room, "heard_ms", dict(reversed(scene.room.heard_ms.items())))
    assert any("was heard before" in wrong for wrong in violations(scene))


def test_an_end_without_a_cause_is_found(played: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        text.replace('"kind":"heard"', '"kind":"interrupted"') for text in played.session.journal.lines()
    ]
    monkeypatch.setattr(type(played.session.journal), "lines", lambda _: iter(lines))
    assert any("is to go on" in wrong or "was to go on" in wrong for wrong in violations(played))
