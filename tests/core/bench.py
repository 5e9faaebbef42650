"""A peer on the bench: a clock that the test moves, the server's sentences as methods, and readers for effects."""

import base64
from collections.abc import Callable
from typing import Any, cast

import pytest

from charye.core.effects import Effect, Note, Send, Tell
from charye.core.floor import State
from charye.core.peer import Peer, Speaker
from charye.core.requests import Outcome, Progress, RequestId, ResponseRequest
from charye.core.settings import Settings
from charye.core.tools import Answer
from charye.core.turns import Turn
from charye.protocol import (
    AudioConfig,
    AudioInputConfig,
    ClientEvent,
    ErrorDetail,
    ErrorEvent,
    FunctionCallItem,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    Item,
    MessageItem,
    OutputAudio,
    Response,
    ResponseCancel,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    ResponseOutputAudioDelta,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseParams,
    ServerEvent,
    Session,
    SessionUpdated,
    StatusDetails,
    TurnDetection,
)

START = 1000.0
TEXT_ONLY = ResponseParams(output_modalities=("text",))


def want(name: str = "a", **wish: Any) -> ResponseRequest:
    """A request with an id and whatever else the test cares about."""
    return ResponseRequest(**{"id": RequestId(name), "trigger": f"test:{name}", **wish})


def aside(name: str = "a", **wish: Any) -> ResponseRequest:
    """A silent out-of-band request."""
    return want(name, **{"conversation": "none", "parameters": TEXT_ONLY, **wish})


def close_to(number: float) -> float:
    """Equal but for rounding; a float to the type checker, so that it may stand inside a tuple."""
    return cast("float", pytest.approx(number))


def sent(effects: list[Effect]) -> list[ClientEvent]:
    return [effect.event for effect in effects if isinstance(effect, Send)]


def creates(effects: list[Effect]) -> list[str | None]:
    """The tokens of the creates, in order."""
    return [event.event_id for event in sent(effects) if isinstance(event, ResponseCreate)]


def cancels(effects: list[Effect]) -> list[str | None]:
    """The responses that are being cancelled, in order."""
    return [event.response_id for event in sent(effects) if isinstance(event, ResponseCancel)]


def told(effects: list[Effect], name: str) -> list[Progress | Outcome]:
    return [each.change for each in effects if isinstance(each, Tell) and each.request_id == name]


def steps(effects: list[Effect], name: str) -> list[str]:
    """The steps and the end that this asker was told, as words."""
    return [
        change.step.value if isinstance(change, Progress) else change.kind.value
        for change in told(effects, name)
    ]


def outcome(effects: list[Effect], name: str) -> Outcome:
    """The one end that this asker was told."""
    (end,) = (change for change in told(effects, name) if isinstance(change, Outcome))
    return end


def notes(effects: list[Effect]) -> list[str]:
    return [effect.what for effect in effects if isinstance(effect, Note)]


def audio_delta(response_id: str, ms: float, item_id: str = "item_1", index: int = 0) -> ServerEvent:
    """So much PCM16 at 24 kHz."""
    samples = base64.b64encode(bytes(int(ms * 48))).decode()
    return ResponseOutputAudioDelta(
        response_id=response_id, item_id=item_id, content_index=index, delta=samples
    )


class Bench:
    """Everything returns the effects of that one input; `log` keeps all of them."""

    def __init__(self, settings: Settings | None = None, *, online: bool = True) -> None:
        self.peer = Peer(settings)
        self.now = START
        self.log: list[Effect] = []
        if online:
            self.connect()

    def did(self, effects: list[Effect]) -> list[Effect]:
        self.log += effects
        return effects

    # Methods, not properties: what they say changes from one line of a test to the next.

    def state(self) -> State:
        return self.peer.floor.state

    def turn(self) -> Turn:
        return self.peer.turn

    def speaker(self) -> Speaker:
        return self.peer.speaker

    def is_idle(self) -> bool:
        return self.peer.is_idle

    def held(self) -> str | None:
        return self.peer.held

    def can_rotate(self) -> bool:
        return self.peer.can_rotate

    def ends(self) -> dict[str, list[str]]:
        """Every end that was told so far, by asker."""
        ends: dict[str, list[str]] = {}
        for effect in self.log:
            if isinstance(effect, Tell) and isinstance(effect.change, Outcome):
                ends.setdefault(effect.request_id, []).append(effect.change.kind.value)
        return ends

    # the app

    def connect(self) -> list[Effect]:
        return self.did(self.peer.connected(self.now))

    def drop(self) -> list[Effect]:
        return self.did(self.peer.disconnected(self.now))

    def close(self) -> list[Effect]:
        return self.did(self.peer.close(self.now))

    def ask(self, request: ResponseRequest) -> list[Effect]:
        return self.did(self.peer.request(request, self.now))

    def cancel(self, name: str = "a") -> list[Effect]:
        return self.did(self.peer.cancel(RequestId(name), self.now))

    def interrupt(self) -> list[Effect]:
        return self.did(self.peer.interrupt(self.now))

    def hold(self, name: str = "h") -> list[Effect]:
        return self.did(self.peer.hold(name, self.now))

    def let_go(self, name: str = "h") -> list[Effect]:
        return self.did(self.peer.let_go(name, self.now))

    def press(self) -> list[Effect]:
        return self.did(self.peer.press(self.now))

    def release(self, reply: ResponseRequest | None = None, *, ms: float = 500.0) -> list[Effect]:
        self.peer.microphone(ms)
        return self.did(self.peer.release(self.now, reply=reply))

    def played(self, ms: float, item_id: str = "item_1") -> list[Effect]:
        return self.did(self.peer.played(item_id, ms, self.now))

    def tool_finished(self, call_id: str, answer: Answer) -> list[Effect]:
        return self.did(self.peer.tool_finished(call_id, answer, self.now))

    def why(self, name: str = "a") -> str:
        return self.peer.explain(RequestId(name), self.now)

    # time

    def tick(self, after_s: float = 0.0) -> list[Effect]:
        self.now += after_s
        return self.did(self.peer.tick(self.now))

    def tick_at_deadline(self) -> list[Effect]:
        deadline = self.peer.next_deadline(self.now)
        assert deadline is not None
        self.now = max(self.now, deadline)
        return self.tick()

    # the server

    def hear(self, event: ServerEvent) -> list[Effect]:
        return self.did(self.peer.receive(event, self.now))

    def created(
        self, response_id: str | None, token: str | None = None, *, out_of_band: bool = False
    ) -> list[Effect]:
        response = Response(
            id=response_id,
            status="in_progress",
            conversation_id=None if out_of_band else "conv",
            metadata=None if token is None else {"charye": token},
        )
        return self.hear(ResponseCreated(response=response))

    def done(
        self,
        response_id: str | None,
        token: str | None = None,
        *,
        status: str = "completed",
        reason: str | None = None,
        error: str | None = None,
        out_of_band: bool = False,
        output: tuple[Item, ...] = (),
    ) -> list[Effect]:
        details = None
        if reason is not None or error is not None:
            failure = None if error is None else ResponseError(code=error)
            details = StatusDetails(type=status, reason=reason, error=failure)
        response = Response(
            id=response_id,
            status=status,
            status_details=details,
            output=output,
            conversation_id=None if out_of_band else "conv",
            metadata=None if token is None else {"charye": token},
        )
        return self.hear(ResponseDone(response=response))

    def refused(self, named: str | None = None, event_id: str | None = None) -> list[Effect]:
        where = f" in progress: {named}. Wait until it is finished." if named else "."
        return self.error(
            "conversation_already_has_active_response",
            event_id,
            message=f"Conversation already has an active response{where}",
        )

    def not_active(self, response_id: str | None = None) -> list[Effect]:
        return self.error(
            "response_cancel_not_active", None if response_id is None else f"cancel.{response_id}"
        )

    def error(self, code: str | None, event_id: str | None = None, *, message: str = "") -> list[Effect]:
        detail = ErrorDetail(
            type="invalid_request_error", code=code, message=message or "No.", event_id=event_id
        )
        return self.hear(ErrorEvent(error=detail))

    def audio(self, response_id: str, ms: float, item_id: str = "item_1", index: int = 0) -> list[Effect]:
        return self.hear(audio_delta(response_id, ms, item_id, index))

    def message_added(self, response_id: str, item_id: str = "item_1") -> list[Effect]:
        item = MessageItem(id=item_id, role="assistant", status="in_progress", content=())
        return self.hear(ResponseOutputItemAdded(response_id=response_id, item=item))

    def message_done(
        self, response_id: str, status: str = "completed", item_id: str = "item_1"
    ) -> list[Effect]:
        item = MessageItem(
            id=item_id, role="assistant", status=status, content=(OutputAudio(transcript="Hm."),)
        )
        return self.hear(ResponseOutputItemDone(response_id=response_id, item=item))

    def call_done(
        self, response_id: str, call_id: str, name: str = "look", status: str | None = "completed"
    ) -> list[Effect]:
        item = FunctionCallItem(
            id=f"fc_{call_id}", call_id=call_id, name=name, arguments='{"x": 1}', status=status
        )
        return self.hear(ResponseOutputItemDone(response_id=response_id, item=item))

    def speech_started(self) -> list[Effect]:
        return self.hear(InputAudioBufferSpeechStarted())

    def speech_stopped(self) -> list[Effect]:
        return self.hear(InputAudioBufferSpeechStopped())

    def committed(self) -> list[Effect]:
        return self.hear(InputAudioBufferCommitted())

    def configured(self, detection: TurnDetection | None) -> list[Effect]:
        audio = AudioConfig(input=AudioInputConfig(turn_detection=detection))
        return self.hear(SessionUpdated(session=Session(audio=audio)))

    # both

    def speaking(self, request: ResponseRequest, response_id: str = "r1") -> str:
        """Ask, and the server grants it; gives the token."""
        (token,) = creates(self.ask(request))
        assert token is not None
        self.created(response_id, token)
        return token


def offline() -> Bench:
    return Bench(online=False)


def open_() -> Bench:
    return Bench()


def claimed() -> Bench:
    bench = Bench()
    bench.ask(want())
    return bench


def contested() -> Bench:
    bench = claimed()
    bench.created("r0")
    return bench


def withdrawn() -> Bench:
    bench = claimed()
    bench.cancel()
    return bench


def withdrawn_contested() -> Bench:
    bench = contested()
    bench.cancel()
    return bench


def held() -> Bench:
    bench = Bench()
    bench.speaking(want())
    return bench


def owing_its_end(settings: Settings | None = None) -> Bench:
    """`a` has said all that it began; its done should follow at once."""
    bench = Bench(settings)
    bench.speaking(want())
    bench.message_added("r1")
    bench.message_done("r1")
    return bench


def yielding() -> Bench:
    bench = held()
    bench.cancel()
    return bench


def blocked() -> Bench:
    bench = claimed()
    bench.refused(event_id="c.1.1.1")
    return bench


IN_STATE: dict[State, Callable[[], Bench]] = {
    State.OFFLINE: offline,
    State.OPEN: open_,
    State.CLAIMED: claimed,
    State.CONTESTED: contested,
    State.WITHDRAWN: withdrawn,
    State.WITHDRAWN_CONTESTED: withdrawn_contested,
    State.HELD: held,
    State.YIELDING: yielding,
    State.BLOCKED: blocked,
}
"""A short way into every state of the floor, by what the server and the app say. `a` is asked for in most."""
