"""Every failure charye can report, and whose fault it is.

Branch on the type and on the fields, never on the text::

    CharyeError
    |-- LocalProtocolError          our side broke a rule of the protocol or of a state machine
    |-- ConfigurationError          our side: the options contradict each other, or one is missing
    |   `-- ModelMissing            a local model, or a file of it, is not where it should be
    |-- MissingExtra                our side: an optional dependency is not installed
    |-- DeviceError                 this machine: microphone or loudspeaker
    |-- ToolError                   the application's tool
    |   |-- ToolTimedOut
    |   |-- ToolFailed
    |   `-- ToolResultTooLarge
    |-- RealtimeError               the other side, or the way to it
    |   |-- RemoteProtocolError     it broke a rule of the protocol
    |   |   `-- MalformedEvent      it sent bytes that are no event
    |   |-- ResponseRefused         it refused a request for a response
    |   |-- ResponseFailed          it began a response and could not finish it
    |   |-- ServerError             it reported an error about something else
    |   |-- QuotaExhausted          it wants to be paid
    |   |-- ConnectionFailed        there is no session yet
    |   |   |-- AuthenticationFailed
    |   |   |-- ModelUnavailable
    |   |   |-- EndpointNotFound
    |   |   |-- CallNotFound
    |   |   |-- ShapeRefused
    |   |   |-- HostUnreachable
    |   |   |-- TlsFailed
    |   |   |-- ServerUnavailable   it answers, but takes nobody in now
    |   |   |-- NoGreeting          it lets us in, and says nothing
    |   |   `-- CannotReopen        the way in was one that somebody else opened
    |   `-- ConnectionLost          there was a session
    |       `-- SessionExpired
    `-- RequestEnded                a request for a response ended without being heard in full
        |-- Denied                  never sent
        |-- Cancelled               the asker took it back
        |-- Interrupted             the user spoke into it
        |-- Expired                 it waited too long
        |-- Failed                  it was tried and could not be had
        `-- Disconnected            the connection was cut and the request does not replay

Three rules hold for the whole tree, and tests keep them:

* The message (``str(error)``) is constant for one cause, so it can be counted. What varies is a field, keyword-only.
  The fields are shown in a traceback (as a note) and in ``repr``.
* What a person said, or free text that may repeat it, is only in fields that start with ``private_``. These are
  shown nowhere by themselves.
* Every error survives `pickle` and `copy`: it may cross a process boundary.

Errors of other libraries are translated into this tree at the edge where they appear, with ``raise ... from``.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationFailed",
    "CallNotFound",
    "Cancelled",
    "CannotReopen",
    "CharyeError",
    "ConfigurationError",
    "ConnectionFailed",
    "ConnectionLost",
    "Denied",
    "DeviceError",
    "Disconnected",
    "EndpointNotFound",
    "Expired",
    "Failed",
    "HostUnreachable",
    "Interrupted",
    "LocalProtocolError",
    "MalformedEvent",
    "MissingExtra",
    "ModelMissing",
    "ModelUnavailable",
    "NoGreeting",
    "QuotaExhausted",
    "RealtimeError",
    "RemoteProtocolError",
    "RequestEnded",
    "ResponseFailed",
    "ResponseRefused",
    "ServerError",
    "ServerUnavailable",
    "SessionExpired",
    "ShapeRefused",
    "TlsFailed",
    "ToolError",
    "ToolFailed",
    "ToolResultTooLarge",
    "ToolTimedOut",
]


class CharyeError(Exception):
    """Base of everything that charye raises on purpose.

    What to do: catch it where you would otherwise catch `Exception` around charye; catch a subclass to act on it.

    Args:
        message: constant text, free of anything a person said.
        fields: what varies. Each becomes an attribute; those that are None or start with ``private_`` are not shown.
    """

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.__dict__.update(fields)
        shown = self._shown()
        if shown:
            self.add_note(shown)

    @property
    def message(self) -> str:
        """The constant text, the same as ``str(error)``."""
        return str(self.args[0])

    def __repr__(self) -> str:
        shown = self._shown()
        return f"{type(self).__name__}({self.message!r}{', ' + shown if shown else ''})"

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls `cls(*args)`, which cannot work: a subclass takes keywords and supplies its own message.
        return _rebuild, (type(self), self.args, dict(self.__dict__))

    def _shown(self) -> str:
        return ", ".join(
            f"{name}={value!r}"
            for name, value in self.__dict__.items()
            if value is not None and not name.startswith(("private_", "__"))
        )


def _rebuild(cls: type[CharyeError], args: tuple[object, ...], fields: dict[str, object]) -> CharyeError:
    """Make the error again from its parts, without running a constructor. For `pickle` and `copy`."""
    error = cls.__new__(cls, *args)
    error.__dict__.update(fields)
    return error


# ---------------------------------------------------------------------------------------------------------------------
# Our side
# ---------------------------------------------------------------------------------------------------------------------


class LocalProtocolError(CharyeError):
    """Our side broke a rule: an input that is illegal in this state, or an event that may not be sent. Nothing changed.

    What to do: mend the caller. If the caller is charye itself, it is a bug of charye; report it with the journal.

    Attributes:
        state: the state the machine was in, and still is.
        given: the input that has no row there, or the field that is wrong.
    """

    state: str | None
    given: str | None

    def __init__(self, message: str, *, state: str | None = None, given: str | None = None) -> None:
        super().__init__(message, state=state, given=given)


class ConfigurationError(CharyeError):
    """Our side: options contradict each other, or a needed one is missing or out of range. Nothing was started.

    What to do: set `option` as the message says.
    """

    option: str | None

    def __init__(self, message: str, *, option: str | None = None, **fields: object) -> None:
        super().__init__(message, option=option, **fields)


class ModelMissing(ConfigurationError):
    """Our side: a model should be in a local folder; the folder, or something in it, is not there. Nothing was started.

    What to do: check the path; if the folder is right, fetch what is missing, for it may be an aborted download.

    Attributes:
        folder: where it was looked for.
        missing: what is not there, as file names or patterns; empty if the folder itself is missing.
    """

    folder: str
    missing: tuple[str, ...]

    def __init__(self, *, folder: str, missing: tuple[str, ...] = (), option: str | None = None) -> None:
        message = "the model folder is incomplete" if missing else "the model folder does not exist"
        super().__init__(message, option=option, folder=folder, missing=missing)


class MissingExtra(CharyeError):
    """Our side: a feature needs packages that are not installed.

    What to do: run the command in the message.

    Attributes:
        feature: what was asked for, in words.
        extra: the extra of the charye package that brings it.
    """

    feature: str
    extra: str

    def __init__(self, *, feature: str, extra: str) -> None:
        super().__init__(
            f'{feature} needs packages that are not installed; run: uv add "charye[{extra}]"',
            feature=feature,
            extra=extra,
        )


class DeviceError(CharyeError):
    """This machine: a microphone or loudspeaker is missing, busy, forbidden, or does not take the format.

    What to do: choose another device, or let the user plug it in or allow it; then open it again.
    """

    device: str | None

    def __init__(self, message: str, *, device: str | None = None) -> None:
        super().__init__(message, device=device)


# ---------------------------------------------------------------------------------------------------------------------
# The application's tools
# ---------------------------------------------------------------------------------------------------------------------


class ToolError(CharyeError):
    """The application's tool gave no usable result. The model is told so, and the conversation goes on.

    What to do: look at the subclass. `tool` is the name of the tool, `call_id` the call.
    """

    tool: str
    call_id: str | None

    def __init__(self, message: str, *, tool: str, call_id: str | None = None, **fields: object) -> None:
        super().__init__(message, tool=tool, call_id=call_id, **fields)


class ToolTimedOut(ToolError):
    """The tool did not answer in time. It may still be at work, and its late result is dropped with a note.

    What to do: make the tool faster, raise its limit, or let it answer at once and work in the background.
    """

    timeout_ms: float

    def __init__(self, *, tool: str, timeout_ms: float, call_id: str | None = None) -> None:
        super().__init__("the tool did not answer in time", tool=tool, call_id=call_id, timeout_ms=timeout_ms)


class ToolFailed(ToolError):
    """The tool raised. The exception itself is `__cause__`; only the name of its type goes further.

    What to do: mend the tool.
    """

    exception_type: str

    def __init__(self, *, tool: str, exception_type: str, call_id: str | None = None) -> None:
        super().__init__(
            "the tool raised an exception", tool=tool, call_id=call_id, exception_type=exception_type
        )


class ToolResultTooLarge(ToolError):
    """The tool's result is larger than what may be sent to the server. It was not sent.

    What to do: return less, for instance a summary or the first page.
    """

    size_bytes: int
    limit_bytes: int

    def __init__(self, *, tool: str, size_bytes: int, limit_bytes: int, call_id: str | None = None) -> None:
        super().__init__(
            "the tool's result is too large",
            tool=tool,
            call_id=call_id,
            size_bytes=size_bytes,
            limit_bytes=limit_bytes,
        )


# ---------------------------------------------------------------------------------------------------------------------
# The other side, and the way to it
# ---------------------------------------------------------------------------------------------------------------------


class RealtimeError(CharyeError):
    """The other side, or the network on the way to it.

    What to do: look at the subclass; most end one request or one connection, never the program.
    """


class RemoteProtocolError(RealtimeError):
    """The other side broke a rule of the protocol.

    The core never raises this for what a server sends: it notes the event and goes on. It is raised where one
    event alone is read, and where a connection cannot be used at all.

    What to do: log it and read on. If it repeats, the dialect profile is the wrong one, or the server is broken.
    """

    event_type: str | None

    def __init__(self, message: str, *, event_type: str | None = None, **fields: object) -> None:
        super().__init__(message, event_type=event_type, **fields)


class MalformedEvent(RemoteProtocolError):
    """The bytes are no event: not JSON, not an object, no `type`, a field of the wrong type, or beyond a limit.

    What to do: drop this event and read on; the stream itself is intact, because each event is a message of its own.

    Attributes:
        event_type: the `type` of the event, if so much could be read.
        size_bytes: length of what was received. The bytes themselves are not kept: they may be someone's speech.
    """

    size_bytes: int

    def __init__(self, message: str, *, event_type: str | None = None, size_bytes: int = 0) -> None:
        super().__init__(message, event_type=event_type, size_bytes=size_bytes)


class ResponseRefused(RealtimeError):
    """The server refused a `response.create`; the conversation is unchanged.

    What to do: mend the request (`code` and `param` tell where) and send a new one; the same will fail again.
    A request that met another speaker never ends here: it waits its turn.
    """

    code: str | None
    param: str | None
    private_message: str | None

    def __init__(
        self, *, code: str | None = None, param: str | None = None, private_message: str | None = None
    ) -> None:
        super().__init__(
            "the server refused the response", code=code, param=param, private_message=private_message
        )


class ResponseFailed(RealtimeError):
    """The server began a response and ended it as `failed`. What was generated before is in the conversation.

    What to do: nothing, if the reason passes by itself (rate limit, server error): charye has tried again, with a
    bound. Otherwise mend what `code` names.
    """

    code: str | None
    response_id: str | None
    private_message: str | None

    def __init__(
        self, *, code: str | None = None, response_id: str | None = None, private_message: str | None = None
    ) -> None:
        super().__init__(
            "the server could not finish the response",
            code=code,
            response_id=response_id,
            private_message=private_message,
        )


class ServerError(RealtimeError):
    """The server sent an `error` event that is about no response: about another command of ours, or about itself.

    What to do: if `client_event_id` is set, mend that command. If not, it cannot be attributed: log it and go on; the
    session is open unless a `ConnectionLost` follows.
    """

    error_type: str | None
    code: str | None
    param: str | None
    client_event_id: str | None
    private_message: str | None

    def __init__(
        self,
        *,
        error_type: str | None = None,
        code: str | None = None,
        param: str | None = None,
        client_event_id: str | None = None,
        private_message: str | None = None,
    ) -> None:
        super().__init__(
            "the server reported an error",
            error_type=error_type,
            code=code,
            param=param,
            client_event_id=client_event_id,
            private_message=private_message,
        )


class QuotaExhausted(RealtimeError):
    """The account has no credit, has met its limit, or is closed. Connecting again does not help.

    What to do: settle the account with the provider; `code` tells which limit.
    """

    is_retryable = False

    code: str | None
    retry_after_s: float | None

    def __init__(self, *, code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__("the account's quota is exhausted", code=code, retry_after_s=retry_after_s)


class ConnectionFailed(RealtimeError):
    """No session came about. No event was sent, so it is safe to try again once the cause is gone.

    What to do: look at the subclass. If it is this one itself, the cause has no name of its own here: look at `status`
    and `code`, and at `is_retryable`.

    Attributes:
        host: where to; never a whole URL, which may carry a key in its query.
        status: the HTTP status of the refused handshake, if there was one.
        code: the server's own word for the cause, if it gave one.
        retry_after_s: how long the server asks to wait, if it does.
    """

    _MESSAGE = "the connection could not be made"

    host: str | None
    status: int | None
    code: str | None
    retry_after_s: float | None

    def __init__(
        self,
        *,
        host: str | None = None,
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        **fields: object,
    ) -> None:
        super().__init__(
            self._MESSAGE, host=host, status=status, code=code, retry_after_s=retry_after_s, **fields
        )

    @property
    def is_retryable(self) -> bool:
        """Whether the same, tried again later, may succeed.

        Each subclass has its answer. Of the rest: what broke off by itself, yes; what the server gave a reason for,
        no, because it is then our request that is wrong.
        """
        return self.status is None and self.code is None


class AuthenticationFailed(ConnectionFailed):
    """The server does not accept the key or token.

    What to do: check the key, its project and its expiry (an ephemeral token lives for a minute or so). Do not retry.
    """

    _MESSAGE = "the server does not accept the credentials"
    is_retryable = False


class ModelUnavailable(ConnectionFailed):
    """The model or deployment does not exist, or this key may not use it.

    What to do: check `model` for spelling (on Azure it is the name of the deployment), or ask for access. Do not retry.
    """

    _MESSAGE = "the model is not available to these credentials"
    is_retryable = False

    model: str | None

    def __init__(
        self,
        *,
        model: str | None = None,
        host: str | None = None,
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(host=host, status=status, code=code, retry_after_s=retry_after_s, model=model)


class EndpointNotFound(ConnectionFailed):
    """The host answers, but there is no Realtime endpoint at this path.

    What to do: check the path and, on Azure, the API version and the kind of the resource. Do not retry.
    """

    _MESSAGE = "there is no realtime endpoint at this address"
    is_retryable = False


class CallNotFound(ConnectionFailed):
    """There is no call with this id (`call_id_not_found`): it has ended, or the id is another account's.

    What to do: take the id from the answer to the offer, or from the webhook, and connect while the call lasts. Do not
    retry.
    """

    _MESSAGE = "there is no such call"
    is_retryable = False


class ShapeRefused(ConnectionFailed):
    """The server no longer speaks the shape of the protocol that was chosen (`beta_api_shape_disabled`).

    What to do: choose the GA profile for this endpoint. Do not retry with the same one.
    """

    _MESSAGE = "the server refuses this shape of the protocol"
    is_retryable = False


class HostUnreachable(ConnectionFailed):
    """The name does not resolve, nobody listens or answers in time, or the network is down.

    What to do: check the host, the network and the proxy in between; retrying later may help.
    """

    _MESSAGE = "the host cannot be reached"
    is_retryable = True


class TlsFailed(ConnectionFailed):
    """No secure channel: the certificate is not trusted, has expired, or is for another name.

    What to do: check the clock of this machine, the proxy in between and the trusted certificates. Never turn the
    check off for a key that is worth anything.
    """

    _MESSAGE = "no secure connection could be made"
    is_retryable = False


class ServerUnavailable(ConnectionFailed):
    """The server answers, but takes nobody in now: too many requests, a restart, a failure of its own.

    What to do: try again later, not before `retry_after_s`; if it lasts, look at the provider's status page.
    """

    _MESSAGE = "the server takes no connections at the moment"
    is_retryable = True


class NoGreeting(ConnectionFailed):
    """The connection stands, but the server said nothing in time.

    What to do: try again. If it repeats, this is no Realtime server, or a proxy in between swallows the messages.
    """

    _MESSAGE = "the server did not begin the session in time"
    is_retryable = True

    waited_s: float

    def __init__(
        self,
        *,
        waited_s: float,
        host: str | None = None,
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(host=host, status=status, code=code, retry_after_s=retry_after_s, waited_s=waited_s)


class CannotReopen(ConnectionFailed):
    """The connection was opened by somebody else and handed over, and it is used up: nobody here knows how to make one.

    What to do: give an endpoint that can open a new one each time, if the session shall survive a lost connection.
    """

    _MESSAGE = "the connection that was handed over is used up"
    is_retryable = False


# 1008 is a breach of policy (RFC 6455, 7.4.1). 3000: the key; 4000: a request that is fatal (recorded sessions).
_CLOSED_BECAUSE_OF_US = frozenset({1008, 3000, 4000})


class ConnectionLost(RealtimeError):
    """A session was open and is gone. Nothing of it (ids, calls, cancels) is valid in the next one.

    What to do: nothing, if reconnecting is on. Otherwise connect again and rebuild the conversation from the mirror.

    Attributes:
        close_code: WebSocket close code; 1005 or 1006 when there was none. None on other transports.
        reason: the close reason as received, at most 123 bytes.
    """

    _MESSAGE = "the connection was lost"

    close_code: int | None
    reason: str

    def __init__(self, *, close_code: int | None = None, reason: str = "") -> None:
        super().__init__(self._MESSAGE, close_code=close_code, reason=reason)

    @property
    def is_retryable(self) -> bool:
        """Whether a new session may be had: not where the server closed because of us (key, policy, request)."""
        return self.close_code not in _CLOSED_BECAUSE_OF_US

    @property
    def retry_after_s(self) -> float | None:
        """None: a close has no place for it. Here so that it can be asked of each error of a connection."""
        return None


class SessionExpired(ConnectionLost):
    """The session reached the server's maximum duration (60 minutes at OpenAI); the server gives no warning.

    What to do: as for `ConnectionLost`. To avoid it, let the session be renewed earlier, at a quiet moment.
    """

    _MESSAGE = "the session reached its maximum duration"


# ---------------------------------------------------------------------------------------------------------------------
# How a request for a response may end, other than heard
# ---------------------------------------------------------------------------------------------------------------------


class RequestEnded(CharyeError):
    """A request for a response ended, and it was not heard in full. Each request ends exactly once.

    Raised by awaiting a step of the request's handle that will not come any more.

    What to do: look at the subclass.

    Attributes:
        request_id: which request.
        reason: a constant such as `queue full`, `asker` or `stuck`; for people, and for programs to count.
        code: the server's error code, where it gave one.
        attempts: how many times a `response.create` was sent for it; 0 is never.
        waited_s: seconds from the request to its last `response.create`; to its end, when none was sent.
        uncertain: no trace tells whether the server spoke it: it may have been generated, even heard.
    """

    _MESSAGE = "the request ended"

    request_id: str
    reason: str
    code: str | None
    attempts: int
    waited_s: float
    uncertain: bool

    def __init__(
        self,
        *,
        request_id: str,
        reason: str = "",
        code: str | None = None,
        attempts: int = 0,
        waited_s: float = 0.0,
        uncertain: bool = False,
        **fields: object,
    ) -> None:
        super().__init__(
            self._MESSAGE,
            request_id=request_id,
            reason=reason,
            code=code,
            attempts=attempts,
            waited_s=waited_s,
            uncertain=uncertain,
            **fields,
        )


class Denied(RequestEnded):
    """The request was not taken, or gave up its place by a stated policy, or the server calls it invalid.

    It was never spoken.

    What to do: without `code`, by `reason`: ask later, ask less, or let it be. With `code`, mend the request: the
    same will be refused again, and the `ResponseRefused` in `__cause__` tells where.
    """

    _MESSAGE = "the request was denied"


class Cancelled(RequestEnded):
    """The asker took the request back. Not to be confused with `asyncio.CancelledError`, which ends a task.

    What to do: nothing.
    """

    _MESSAGE = "the request was cancelled by its asker"


class Interrupted(RequestEnded):
    """Somebody spoke into the response. The conversation was cut at what was really heard.

    What to do: nothing, or ask again for what is still worth saying. `heard_ms` is how much audio was played.
    """

    _MESSAGE = "the response was interrupted"

    heard_ms: float

    def __init__(
        self,
        *,
        request_id: str,
        heard_ms: float,
        reason: str = "",
        attempts: int = 1,
        waited_s: float = 0.0,
        uncertain: bool = False,
    ) -> None:
        super().__init__(
            request_id=request_id,
            reason=reason,
            attempts=attempts,
            waited_s=waited_s,
            uncertain=uncertain,
            heard_ms=heard_ms,
        )


class Expired(RequestEnded):
    """The request waited longer than its asker allowed. It was not spoken.

    What to do: allow more time or a higher priority, or let it be: what it had to say may no longer be true.
    """

    _MESSAGE = "the request waited longer than it may"


class Failed(RequestEnded):
    """The request was sent, tried again as often as makes sense, and could not be had. The last error is `__cause__`.

    What to do: with `code`, mend what it names. Without, the server is unwell (`reason` tells how): ask again later.
    """

    _MESSAGE = "the request could not be fulfilled"


class Disconnected(RequestEnded):
    """The connection was cut while the request was on its way, and the request's policy is not to be replayed.

    What to do: ask again, if hearing it twice does less harm than not hearing it; or choose the replay policy at once.
    """

    _MESSAGE = "the connection was lost before the response was complete"
