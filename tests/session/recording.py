"""A peer that writes its own journal, as the driver does it, and a story that has everything in it."""

import random
from collections.abc import Callable
from typing import Any

from charye.core.effects import Effect, RunTool, Send
from charye.core.peer import Peer
from charye.core.requests import OnInterruption, Priority, RequestId, ResponseRequest
from charye.core.settings import Settings
from charye.core.tools import Answer, Reply
from charye.errors import LocalProtocolError
from charye.protocol import (
    AudioConfig,
    AudioInputConfig,
    AudioPart,
    ConversationItemAdded,
    ConversationItemInputAudioTranscriptionCompleted,
    ErrorDetail,
    ErrorEvent,
    FunctionCallItem,
    FunctionTool,
    InputAudio,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputImage,
    InputText,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
    Response,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputItemDone,
    ResponseParams,
    ServerEvent,
    Session,
    SessionUpdated,
    StatusDetails,
    TurnDetection,
    UnknownEvent,
    UnknownItem,
    UnknownPart,
    audio_base64,
    encode,
)
from charye.session.journal import Journal, JournalSettings
from charye.session.journal_inputs import INPUTS

__all__ = ["Recorded", "Walk", "story"]


class Recorded:
    """A peer, or what looks like one, and its journal."""

    def __init__(self, settings: Settings | None = None, journal: JournalSettings | None = None) -> None:
        self.now = 100.0
        self.settings = settings or Settings()
        self.journal = Journal(journal or JournalSettings(), clock=lambda: self.now)
        self.journal.began(self.settings, provider="openai")
        self.peer = Peer(self.settings)
        self.effects: list[Effect] = []

    def __getattr__(self, name: str) -> Any:
        """Every input of the peer, written down; whatever else it has, as it is."""
        its_own = getattr(self.peer, name)
        row = INPUTS.get(name)
        if row is None:
            return its_own

        def told(*args: Any, **by_name: Any) -> list[Effect] | None:
            effects: list[Effect] | None = its_own(*args, **by_name)
            now = args[-1] if row.timed else self.now
            given = args[:-1] if row.timed else args
            self.journal.fed(name, (*given, *(by_name[key] for key in row.takes if key in by_name)), now)
            self._did(effects, now)
            return effects

        return told

    def receive(self, event: ServerEvent, now: float) -> list[Effect]:
        self.journal.received(encode(event), event, now)
        effects = self.peer.receive(event, now)
        self._did(effects, now)
        return effects

    def lines(self) -> list[str]:
        return list(self.journal.lines())

    def _did(self, effects: list[Effect] | None, now: float) -> None:
        if effects:
            self.journal.performed(effects, now)
            self.effects += effects
        for effect in effects or ():
            if isinstance(effect, Send):
                self.journal.sent(encode(effect.event), now)


class Walk:
    """Anything an app and a server may do, in any order, with words wherever there can be words."""

    def __init__(self, recorded: Recorded, chance: random.Random, words: Callable[[], str]) -> None:
        self.recorded = recorded
        self.chance = chance
        self.words = words
        self.tokens: list[str] = []
        self.calls: list[str] = ["call_unknown"]
        self.count = 0
        self.steps: tuple[Callable[[], list[Effect] | None], ...] = (
            *(self.request, self.created, self.done, self.audio) * 3,
            *(self.item, self.error, self.call, self.tool_finished, self.transcript, self.add_item) * 2,
            *(self.tick, self.tick, self.cancel, self.press, self.microphone, self.release, self.played),
            *(self.speech, self.hold, self.let_go, self.interrupt, self.cut, self.session, self.unknown),
            *(self.connect,) * 6,
            *(self.garbage, self.words_of_response),
        )

    def step(self) -> None:
        self.recorded.now += self.chance.choice((0.0, 0.02, 0.3, 2.0))
        try:
            effects = self.chance.choice(self.steps)()
        except LocalProtocolError:
            return
        for effect in effects or ():
            if isinstance(effect, RunTool):
                self.calls.append(effect.call_id)
            elif isinstance(effect, Send) and isinstance(effect.event, ResponseCreate):
                self.tokens.append(str(effect.event.event_id))

    # the app

    def request(self) -> list[Effect]:
        return self._given(self.recorded.request(self._request(), self.recorded.now))

    def cancel(self) -> list[Effect]:
        return self._given(self.recorded.cancel(RequestId(f"q{self.count}"), self.recorded.now))

    def press(self) -> list[Effect]:
        return self._given(self.recorded.press(self.recorded.now))

    def microphone(self) -> None:
        self.recorded.microphone(80.0)

    def release(self) -> list[Effect]:
        reply = self.chance.choice((None, self._request()))
        return self._given(self.recorded.release(self.recorded.now, reply=reply))

    def add_item(self) -> list[Effect]:
        item = self._item(f"app{self.chance.randrange(5)}")
        return self._given(self.recorded.add_item(item, self.recorded.now))

    def tool_finished(self) -> list[Effect]:
        reply = self.chance.choice(tuple(Reply))
        answer = Answer(self.words(), reply, self.words(), failed=self.chance.random() < 0.2)
        return self._given(
            self.recorded.tool_finished(self.chance.choice(self.calls[-3:]), answer, self.recorded.now)
        )

    def played(self) -> list[Effect]:
        item_id, played_ms = f"i{self.chance.randrange(3)}", self.chance.choice((10.0, 333.3))
        return self._given(
            self.recorded.played(
                item_id, played_ms, self.recorded.now, content_index=self.chance.randrange(2)
            )
        )

    def hold(self) -> list[Effect]:
        return self._given(self.recorded.hold("h", self.recorded.now))

    def let_go(self) -> list[Effect]:
        return self._given(self.recorded.let_go("h", self.recorded.now))

    def interrupt(self) -> list[Effect]:
        return self._given(self.recorded.interrupt(self.recorded.now))

    def cut(self) -> list[Effect]:
        return self._given(self.recorded.disconnected(self.recorded.now))

    def connect(self) -> list[Effect]:
        return self._given(self.recorded.connected(self.recorded.now))

    def tick(self) -> list[Effect]:
        due = self.recorded.peer.next_deadline(self.recorded.now)
        if due is not None and self.chance.random() < 0.7:
            self.recorded.now = max(self.recorded.now, due)
        return self._given(self.recorded.tick(self.recorded.now))

    # the server

    def created(self) -> list[Effect]:
        return self._hear(ResponseCreated(response=self._response("in_progress")))

    def done(self) -> list[Effect]:
        status = self.chance.choice(("completed", "completed", "cancelled", "incomplete", "failed"))
        return self._hear(ResponseDone(response=self._response(status)))

    def audio(self) -> list[Effect]:
        response_id, item_id = self._running(), f"i{self.chance.randrange(3)}"
        samples = audio_base64(self.chance.randbytes(self.chance.choice((1, 960, 2401))))
        event = ResponseOutputAudioDelta(
            response_id=response_id,
            item_id=item_id,
            content_index=self.chance.randrange(2),
            delta=self.chance.choice((samples, samples, "!" * 5)),
        )
        return self._hear(event)

    def words_of_response(self) -> list[Effect]:
        return self._hear(
            ResponseOutputAudioTranscriptDelta(response_id=self._running(), item_id="i0", delta=self.words())
        )

    def item(self) -> list[Effect]:
        item = self._item(f"s{self.chance.randrange(5)}")
        kinds: tuple[ServerEvent, ...] = (
            ConversationItemAdded(item=item, previous_item_id=self.chance.choice((None, "s1", "app1"))),
            ResponseOutputItemDone(response_id=self._running(), item=item),
        )
        return self._hear(self.chance.choice(kinds))

    def transcript(self) -> list[Effect]:
        item_id = f"s{self.chance.randrange(5)}"
        return self._hear(
            ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript=self.words())
        )

    def call(self) -> list[Effect]:
        call_id = f"call_{self.chance.randrange(30)}"
        name = self.chance.choice(("look", "look", ""))
        event = ResponseFunctionCallArgumentsDone(
            response_id=self._running(), item_id="f", call_id=call_id, name=name, arguments=self.words()
        )
        return self._hear(event)

    def speech(self) -> list[Effect]:
        kinds = (InputAudioBufferSpeechStarted, InputAudioBufferSpeechStopped, InputAudioBufferCommitted)
        return self._hear(self.chance.choice(kinds)(item_id="s1"))

    def session(self) -> list[Effect]:
        detection = self.chance.choice((None, TurnDetection(), TurnDetection(create_response=False)))
        audio = AudioConfig(input=AudioInputConfig(turn_detection=detection))
        return self._hear(SessionUpdated(session=Session(instructions=self.words(), audio=audio)))

    def error(self) -> list[Effect]:
        words, running = self.words(), self._running()
        text = self.chance.choice(
            (
                f"Conversation already has an active response in progress: {running}. {words}",
                f"Conversation already has an active response, {words}",
                f"Cancellation failed: {words}",
                f"Error committing input audio buffer: {words}",
                f"Error retrieving item: the item with id 'probe_{self.chance.randrange(9)}' is not there, {words}",
                f"Your session hit the maximum duration of {words}",
                words,
            )
        )
        named = self.chance.choice((None, None, "commit", f"cancel.{running}", *self.tokens[-2:]))
        code = self.chance.choice((None, None, None, "conversation_already_has_active_response"))
        return self._hear(
            ErrorEvent(error=ErrorDetail(type="invalid", message=text, code=code, event_id=named))
        )

    def unknown(self) -> list[Effect]:
        data = encode(ErrorEvent(error=ErrorDetail(message=self.words())))
        return self._hear(UnknownEvent("response.new", "event_1", data, self._running()))

    def garbage(self) -> None:
        self.recorded.journal.received(self.words().encode(), None, self.recorded.now)
        self.recorded.journal.noted("odd", self.recorded.now, about="x", private_words=self.words())

    # what these are made of

    def _hear(self, event: ServerEvent) -> list[Effect]:
        return self.recorded.receive(event, self.recorded.now)

    def _given(self, effects: Any) -> list[Effect]:
        assert isinstance(effects, list)
        return effects

    def _running(self) -> str:
        known = self.recorded.peer.floor.response
        return known if known and self.chance.random() < 0.8 else f"r{self.chance.randrange(6)}"

    def _response(self, status: str) -> Response:
        token = self.chance.choice((None, *self.tokens[-2:], *self.tokens[-1:] * 3))
        starts = status == "in_progress"
        error = ResponseError(type="server_error", message=self.words())
        details = StatusDetails(
            reason=self.chance.choice((None, "turn_detected")), error=error if status == "failed" else None
        )
        aside = self.chance.random() < 0.1
        return Response(
            id=f"r{self.chance.randrange(6)}" if starts else self._running(),
            status=status,
            status_details=None if starts else details,
            output=() if starts else (self._item("s0"),),
            conversation_id=None if aside else "conv",
            metadata=None if token is None else {"mood": self.words(), "charye": token},
        )

    def _request(self) -> ResponseRequest:
        self.count += 1
        words = self.words()
        parameters = ResponseParams(
            instructions=words,
            output_modalities=self.chance.choice((("text",), ("audio",))),
            metadata=self.chance.choice(({}, {words or "k": words})),
            input=(self._item("in"),),
            tools=(FunctionTool(name="look", description=words, parameters={words: [words]}),),
        )
        return ResponseRequest(
            id=RequestId(f"q{self.count}"),
            trigger="walk",
            priority=self.chance.choice(tuple(Priority)),
            conversation=self.chance.choice(("auto", "auto", "none")),
            parameters=self.chance.choice((ResponseParams(), parameters)),
            coalesce_key=self.chance.choice((None, None, "key")),
            on_interruption=self.chance.choice(tuple(OnInterruption)),
            hold=self.chance.choice((None, None, None, "h")),
            cuts_in=self.chance.random() < 0.3,
        )

    def _item(self, item_id: str) -> Item:
        words = self.words
        role = self.chance.choice(("user", "assistant", "system"))
        parts = (
            InputText(words()),
            InputAudio(audio=audio_base64(words().encode()), transcript=words()),
            InputImage(image_url=words()),
            OutputText(words()),
            OutputAudio(transcript=words()),
            AudioPart(transcript=self.chance.choice((None, words()))),
            UnknownPart({"type": "new", "words": words()}),
        )
        content = tuple(self.chance.choice(parts) for _ in range(self.chance.randrange(4)))
        call = FunctionCallItem(
            id=item_id, name="look", arguments=words(), call_id=f"call_{self.chance.randrange(30)}"
        )
        unknown = UnknownItem({"type": "message", "id": item_id, "role": 1, words(): [words()]})
        return self.chance.choice((MessageItem(role, content, id=item_id, status="completed"), call, unknown))


def story(recorded: Recorded, *, seed: int, steps: int, words: Callable[[], str]) -> Walk:
    """So many steps of a walk that is the same for a seed, connected at first and closed at the end."""
    walk = Walk(recorded, random.Random(seed), words)
    walk.connect()
    for _ in range(steps):
        walk.step()
    recorded.close(recorded.now)
    recorded.journal.close()
    return walk
