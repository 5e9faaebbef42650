"""The floor: which responses run, which may begin, how each one ends.

One response at a time writes into the conversation. It holds the floor from the moment its create is accepted until
its `response.done` is sent; a create in between is refused and forgotten, not queued. Out-of-band responses run
beside it. A cancel is not an end: the response ends when the mind has stopped, and until then the floor is held.

Source: API reference, `response.create` and `response.cancel`; recorded refusals. The states are in `running`.
"""

from collections.abc import Mapping

from charye.protocol import (
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    ResponseParams,
    StatusDetails,
)
from charye.protocol.wire import Json
from charye.server import refusals
from charye.server.asking import Asking
from charye.server.conversation import Conversation
from charye.server.effects import StartResponse, StopResponse
from charye.server.generation import BrokenMind, Output
from charye.server.outbox import Outbox
from charye.server.parts import Context, Failed, Finished, MindOutput
from charye.server.running import CLIENT_CANCELLED, TURN_DETECTED, Input, Phase, Running
from charye.server.session_config import Configuration, voice_name
from charye.server.settings import ServerSettings
from charye.server.usage import Budget

__all__ = ["Responses"]

_SERVER_ERROR = ResponseError(
    type="server_error", code="server_error", message="The server had an error while processing your request."
)


class Responses:
    """All responses of one session."""

    def __init__(
        self,
        settings: ServerSettings,
        config: Configuration,
        conversation: Conversation,
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._dialect = settings.dialect
        self._config = config
        self._conversation = conversation
        self._box = outbox
        self._asking = Asking(settings, config, conversation, outbox)
        self._running: dict[str, Running] = {}
        self._floor: Running | None = None
        self._reply_waits = False
        self._budget = Budget(settings.tokens_per_minute)
        self._plays_until = 0.0
        self.spoken = False
        """Whether the assistant has produced audio in this session."""
        self.quiet_from: float | None = None
        """When the last response will have been heard to its end; None while one runs, and before the first."""

    @property
    def holder(self) -> str | None:
        """The response that holds the floor."""
        return self._floor.id if self._floor else None

    @property
    def running(self) -> tuple[str, ...]:
        """All responses without a `response.done`."""
        return tuple(self._running)

    @property
    def next_deadline(self) -> float | None:
        """When a mind that was told to stop has taken too long."""
        return min((one.stop_at for one in self._running.values() if one.stop_at is not None), default=None)

    def create(self, params: ResponseParams, raw: Mapping[str, Json], now: float) -> None:
        """A client asks for a response.

        Args:
            raw: the same as it came, in the GA shape.
        Raises:
            Refused: another one holds the floor, or the request is wrong. Nothing has happened.
        """
        in_band = self._asking.check(params, raw)
        entries = self._asking.context(params, raw)
        if in_band and self._floor is not None:
            if not self._dialect.supersedes:
                named = self._floor.id if self._dialect.names_active_response else None
                raise refusals.active_response(named)
            # A reply that waited for the old one to stop gives way too: this create is the answer now.
            self._reply_waits = False
            self._box.do(StopResponse(self._floor.id))
            self._end(self._floor, "cancelled", now)
        elif not in_band and len(self._running) - bool(self._floor) >= self._settings.bounds.out_of_band:
            raise refusals.too_many_responses(self._settings.bounds.out_of_band)
        self._begin(self._asking.response(params, entries, in_band=in_band, unprompted=False))

    def reply(self, *, now: float) -> None:
        """The server answers by itself, after the user's turn. Nobody is told when it may not.

        A response that is being stopped is waited for; one that runs on is not disturbed.
        """
        if self._floor is None:
            everything = tuple(self._conversation)
            self._begin(self._asking.response(ResponseParams(), everything, in_band=True, unprompted=True))
        elif self._floor.phase is Phase.STOPPING:
            self._reply_waits = True
        else:
            self._box.note("no reply to this turn: a response runs", self._floor.id)

    def interrupt(self, now: float) -> None:
        """The user speaks: what holds the floor is to stop, and no reply to an earlier turn is wanted."""
        self._reply_waits = False
        if self._floor is not None and self._floor.phase is Phase.RUNNING:
            self._cancel(self._floor, TURN_DETECTED, now)

    def cancel(self, response_id: str | None, now: float) -> None:
        """A client cancels. Without an id: what holds the floor.

        Raises:
            Refused: no such response runs.
        """
        one = self._floor if response_id is None else self._running.get(response_id)
        if one is None or one.phase is not Phase.RUNNING:
            raise refusals.not_active()
        self._cancel(one, CLIENT_CANCELLED, now)

    def mind(self, response_id: str, output: MindOutput, now: float) -> None:
        """What the mind of a response says. What comes after its end is dropped with a note."""
        one = self._running.get(response_id)
        if one is None:
            self._box.note("late output of a mind is dropped", response_id)
            return
        match output:
            case Finished():
                one.finished = output
                if output.incomplete:
                    self._fill(one, output.incomplete, now)
                else:
                    self._step(one, Input.FINISH, now)
            case Failed(error=error):
                self._step(one, Input.FAIL, now, error)
            case _:
                self._write(one, output, now)

    def stopped(self, response_id: str, now: float) -> None:
        """Mind and voice of this response are at rest. For one that is over this says nothing new."""
        if (one := self._running.get(response_id)) is not None:
            self._step(one, Input.STOPPED, now)

    def tick(self, now: float) -> None:
        """Whoever was told to stop and did not is not waited for any longer."""
        for one in list(self._running.values()):
            if one.stop_at is not None and now >= one.stop_at:
                self._box.note("a mind did not stop in time", one.id)
                self._step(one, Input.STOPPED, now)

    def abandon(self) -> None:
        """The connection is gone: every mind may stop, nobody is told."""
        for one in self._running.values():
            self._box.do(StopResponse(one.id))
        self._running.clear()
        self._floor = None
        self._reply_waits = False

    def context(self, response_id: str) -> Context | None:
        """What the mind of this response is told, with the transcripts that are known by now; None: it is over."""
        one = self._running.get(response_id)
        return one.context_now() if one else None

    # how it begins

    def _begin(self, one: Running) -> None:
        self._running[one.id] = one
        if one.in_band:
            self._floor = one
            self.quiet_from = None
        self._box.send(ResponseCreated(event_id=self._box.id(), response=one.described("in_progress")))
        speed = self._config.output.speed
        self._box.do(
            StartResponse(
                one.id,
                one.context_now(),
                voice=voice_name(one.output.voice),
                speed=speed if isinstance(speed, int | float) else 1.0,
            )
        )

    # how it goes on, and how it ends

    def _write(self, one: Running, output: Output, now: float) -> None:
        before = one.generation.audio_ms
        try:
            full = one.generation.write(output)
        except BrokenMind as error:
            self._box.note(str(error), one.id)
            self._box.do(StopResponse(one.id))
            self._step(one, Input.FAIL, now, _SERVER_ERROR)
            return
        if (more_ms := one.generation.audio_ms - before) > 0:
            self.spoken = True
            if one.in_band:
                self._plays_until = max(self._plays_until, now) + more_ms / 1000
        if full:
            self._box.do(StopResponse(one.id))
            self._fill(one, "max_output_tokens", now)

    def _fill(self, one: Running, reason: str, now: float) -> None:
        if one.phase is Phase.RUNNING:
            one.reason = reason
        self._step(one, Input.FILL, now)

    def _cancel(self, one: Running, reason: str, now: float) -> None:
        one.reason = reason
        one.stop_at = now + self._settings.bounds.stop_s
        self._step(one, Input.CANCEL, now)
        self._box.do(StopResponse(one.id))

    def _step(self, one: Running, given: Input, now: float, error: ResponseError | None = None) -> None:
        status = one.step(given)
        if status is not None:
            self._end(one, status, now, error)

    def _end(self, one: Running, status: str, now: float, error: ResponseError | None = None) -> None:
        one.phase = Phase.OVER
        one.generation.close(complete=status == "completed")
        details = None
        if status == "failed":
            details = StatusDetails(type=status, error=error or _SERVER_ERROR)
        elif status != "completed":
            details = StatusDetails(type=status, reason=one.reason)
        response = one.described(status, details)
        self._box.send(ResponseDone(event_id=self._box.id(), response=response))
        del self._running[one.id]
        if self._dialect.rate_limits:
            spent = response.usage.total_tokens if response.usage else 0
            limit = self._budget.spend(spent, now)
            self._box.send(RateLimitsUpdated(event_id=self._box.id(), rate_limits=(limit,)))
        if one is self._floor:
            self._floor = None
            self.quiet_from = max(now, self._plays_until) if status != "cancelled" else now
            self._plays_until = self.quiet_from
            if self._reply_waits:
                self._reply_waits = False
                self.reply(now=now)
