"""The model's messages as the API's events."""

from functools import lru_cache

from charye.core.requests import TOKEN_KEY
from charye.protocol import (
    AudioConfig,
    AudioInputConfig,
    ConversationItemAdded,
    ErrorDetail,
    ErrorEvent,
    FunctionCallOutputItem,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    MessageItem,
    Response,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ServerEvent,
    Session,
    SessionCreated,
    StatusDetails,
    TurnDetection,
)
from tests.model.server import Form, Message

__all__ = ["event"]

HUNDRED_MS = "A" * 6400  # PCM16, mono, 24 kHz, base64


@lru_cache(maxsize=4096)
def event(message: Message, form: Form) -> ServerEvent:  # noqa: C901, PLR0911, PLR0912  one return a message
    """What the client receives."""
    match message:
        case ("created", str(response_id), token, bool(aside)):
            return ResponseCreated(response=_response(response_id, token, aside, "in_progress", None))
        case ("done", str(response_id), token, bool(aside), str(status), reason):
            return ResponseDone(response=_response(response_id, token, aside, status, reason))
        case ("refused", event_id, named, _):
            return ErrorEvent(error=_refusal(_text(event_id), _text(named), form))
        case ("not_active", event_id):
            text = "Cancellation failed: no active response found"
            return _error("response_cancel_not_active", text, _text(event_id))
        case ("unknown_item", item_id, event_id):
            text = f"Error retrieving item: the item with id '{item_id}' does not exist."
            return _error("item_retrieve_invalid_item_id", text, _text(event_id))
        case ("started",):
            return InputAudioBufferSpeechStarted(item_id="U")
        case ("stopped",):
            return InputAudioBufferSpeechStopped(item_id="U")
        case ("committed",):
            return InputAudioBufferCommitted(item_id="U")
        case ("call", str(response_id), str(call_id)):
            return ResponseFunctionCallArgumentsDone(
                response_id=response_id,
                item_id=f"I{call_id}",
                output_index=0,
                call_id=call_id,
                name="f",
                arguments="{}",
            )
        case ("audio", str(response_id), str(item_id)):
            return ResponseOutputAudioDelta(
                response_id=response_id, item_id=item_id, output_index=0, content_index=0, delta=HUNDRED_MS
            )
        case ("item_added", str(response_id), str(item_id)):
            begun = MessageItem(id=item_id, role="assistant", content=(), status="in_progress")
            return ResponseOutputItemAdded(response_id=response_id, item=begun)
        case ("item_done", str(response_id), str(item_id), str(status)):
            item = MessageItem(id=item_id, role="assistant", content=(), status=status)
            return ResponseOutputItemDone(response_id=response_id, item=item)
        case ("added", str(item_id), str(call_id)):
            return ConversationItemAdded(
                item=FunctionCallOutputItem(id=item_id, call_id=call_id, output="{}")
            )
        case ("session", bool(replies), bool(interrupts)):
            ears = TurnDetection(type="server_vad", create_response=replies, interrupt_response=interrupts)
            audio = AudioConfig(input=AudioInputConfig(turn_detection=ears))
            return SessionCreated(session=Session(audio=audio))
    raise AssertionError(message)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _error(code: str, text: str, event_id: str | None) -> ErrorEvent:
    return ErrorEvent(
        error=ErrorDetail(type="invalid_request_error", code=code, message=text, event_id=event_id)
    )


def _refusal(event_id: str | None, named: str | None, form: Form) -> ErrorDetail:
    code = "conversation_already_has_active_response"
    text = "Conversation already has an active response"
    if named is not None:
        text += f" in progress: {named}. Wait until the response is finished before creating a new one."
    where = form.value[0]
    return ErrorDetail(
        type=code if where == "type" else "invalid_request_error",
        code=code if where == "code" else None,
        message=text,
        event_id=event_id,
    )


def _response(response_id: str, token: object, aside: bool, status: str, reason: object) -> Response:
    details = None
    if status == "failed":
        details = StatusDetails(type=status, error=ResponseError(type="server_error", code=_text(reason)))
    elif isinstance(reason, str):
        details = StatusDetails(type=status, reason=reason)
    return Response(
        id=response_id,
        status=status,
        status_details=details,
        conversation_id=None if aside else "conv",
        metadata={TOKEN_KEY: token} if isinstance(token, str) else None,
    )
