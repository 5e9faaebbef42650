"""What a response writes: its items and their parts, and the events that say so, in the recorded order.

    message   output_item.added, item.added, content_part.added, deltas,
              output_audio.done, output_audio_transcript.done   (or output_text.done),
              content_part.done, item.done, output_item.done
    call      output_item.added, item.added, arguments.delta*, arguments.done, item.done, output_item.done

Items may overlap. `conversation.item.*` are sent only when it writes into the conversation, and its `done` stands
before `response.output_item.done` (recorded sessions, against the specification).
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from charye.protocol import (
    AudioPart,
    FunctionCallItem,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    TextPart,
    audio_base64,
)
from charye.server.conversation import Conversation, Entry
from charye.server.outbox import Outbox
from charye.server.parts import Arguments, Audio, Call, CallEnd, MessageEnd, Text
from charye.server.usage import Counter
from charye.server.wire_audio import duration_ms, from_pcm

__all__ = ["BrokenMind", "Generation", "Output"]

Output: TypeAlias = Text | Audio | MessageEnd | Call | Arguments | CallEnd

# G.711 makes one sample of three, so chunks end on six bytes; PCM does not mind.
_CHUNK_UNIT = 6


class BrokenMind(Exception):
    """The mind broke its contract: it named a call that is not open."""


@dataclass(slots=True, eq=False)
class _Written:
    """An item of the output, from its begin to its end."""

    index: int
    entry: Entry
    previous_id: str | None
    position: int
    open: bool = True
    words: list[str] = field(default_factory=list)
    rest: bytes = b""

    @property
    def text(self) -> str:
        """The words so far, or the arguments."""
        return "".join(self.words)


class Generation:
    """The output of one response.

    Args:
        conversation: what it writes into; None for an out-of-band response.
        spoken: audio with a transcript, else text.
        audio_format: of the wire.
        delta_bytes: samples in one event at most.
        cap: of tokens, or None.
    """

    def __init__(
        self,
        response_id: str,
        outbox: Outbox,
        conversation: Conversation | None,
        *,
        spoken: bool,
        audio_format: str,
        delta_bytes: int,
        cap: int | None,
    ) -> None:
        self._response_id = response_id
        self._box = outbox
        self._conversation = conversation
        self._spoken = spoken
        self._audio_format = audio_format
        self._delta_bytes = max(delta_bytes // _CHUNK_UNIT * _CHUNK_UNIT, _CHUNK_UNIT)
        self._cap = cap
        self._written: list[_Written] = []
        self._message: _Written | None = None
        self._calls: dict[str, _Written] = {}
        self.counter = Counter()
        self.audio_ms = 0.0

    @property
    def output(self) -> tuple[Item, ...]:
        """The items, as they are by now."""
        return tuple(one.entry.item for one in self._written)

    def write(self, output: Output) -> bool:
        """Write it down and say so. True: the cap is reached, and what was beyond it is not written.

        Raises:
            BrokenMind: a call is named that is not open.
        """
        match output:
            case Text(delta=delta):
                return self._text(delta)
            case Audio(pcm=pcm):
                return self._audio(pcm)
            case MessageEnd():
                self._end_message()
            case Call():
                self._begin_call(output)
            case Arguments(key=key, delta=delta):
                return self._arguments(self._call(key), delta)
            case CallEnd(key=key):
                self._close(self._call(key), complete=True)
                del self._calls[key]
        return False

    def close(self, *, complete: bool) -> None:
        """Everything that is open ends, in the order of the output."""
        for one in self._written:
            if one.open:
                self._close(one, complete=complete)
        self._message = None
        self._calls.clear()

    # messages

    def _text(self, delta: str) -> bool:
        message = self._message or self._begin_message()
        fitting = self.counter.fitting_text(delta, self._cap)
        if fitting:
            message.words.append(fitting)
            kind = ResponseOutputAudioTranscriptDelta if self._spoken else ResponseOutputTextDelta
            self._box.send(
                kind(
                    event_id=self._box.id(),
                    response_id=self._response_id,
                    item_id=message.entry.id,
                    output_index=message.index,
                    delta=fitting,
                )
            )
        return fitting != delta

    def _audio(self, pcm: bytes) -> bool:
        if not self._spoken:
            self._box.note("audio in a text response is dropped", self._response_id)
            return False
        message = self._message or self._begin_message()
        fitting = self.counter.fitting_audio(pcm, self._cap)
        data = message.rest + fitting
        whole = len(data) // _CHUNK_UNIT * _CHUNK_UNIT
        message.rest = data[whole:]
        for start in range(0, whole, self._delta_bytes):
            self._send_audio(message, data[start : min(start + self._delta_bytes, whole)])
        return len(fitting) < len(pcm)

    def _send_audio(self, message: _Written, pcm: bytes) -> None:
        samples = from_pcm(pcm, self._audio_format)
        if not samples:
            return
        length_ms = duration_ms(pcm)
        self.audio_ms += length_ms
        if message.entry.truncated_ms is None:
            message.entry.audio_ms += length_ms
        self._box.send(
            ResponseOutputAudioDelta(
                event_id=self._box.id(),
                response_id=self._response_id,
                item_id=message.entry.id,
                output_index=message.index,
                delta=audio_base64(samples),
            )
        )

    def _begin_message(self) -> _Written:
        item = MessageItem(role="assistant", content=(), id=self._box.ids.item(), status="in_progress")
        message = self._message = self._begin(item)
        self._box.send(
            ResponseContentPartAdded(
                event_id=self._box.id(),
                response_id=self._response_id,
                item_id=message.entry.id,
                output_index=message.index,
                part=self._part(""),
            )
        )
        return message

    def _end_message(self) -> None:
        if self._message is not None:
            self._close(self._message, complete=True)
            self._message = None

    # calls

    def _begin_call(self, call: Call) -> None:
        if call.key in self._calls:
            raise BrokenMind("a call was begun twice")
        item = FunctionCallItem(
            name=call.name,
            arguments="",
            call_id=call.call_id or self._box.ids.call(),
            id=self._box.ids.item(),
            status="in_progress",
        )
        self._calls[call.key] = self._begin(item)

    def _call(self, key: str) -> _Written:
        if key not in self._calls:
            raise BrokenMind("no such call is open")
        return self._calls[key]

    def _arguments(self, call: _Written, delta: str) -> bool:
        fitting = self.counter.fitting_text(delta, self._cap)
        item = call.entry.item
        if fitting and isinstance(item, FunctionCallItem):
            call.words.append(fitting)
            self._box.send(
                ResponseFunctionCallArgumentsDelta(
                    event_id=self._box.id(),
                    response_id=self._response_id,
                    item_id=call.entry.id,
                    output_index=call.index,
                    call_id=item.call_id,
                    delta=fitting,
                )
            )
        return fitting != delta

    # all items

    def _begin(self, item: Item) -> _Written:
        entry = Entry(item)
        index = len(self._written)
        self._box.send(
            ResponseOutputItemAdded(
                event_id=self._box.id(), response_id=self._response_id, output_index=index, item=item
            )
        )
        previous, position = None, 0
        if self._conversation is not None:
            previous = self._conversation.add(entry)
            position = self._conversation.position(entry.id)
            self._box.item_added(item, previous)
        written = _Written(index, entry, previous, position)
        self._written.append(written)
        return written

    def _close(self, one: _Written, *, complete: bool) -> None:
        one.open = False
        status = "completed" if complete else "incomplete"
        item = one.entry.item
        if isinstance(item, FunctionCallItem):
            final: Item = FunctionCallItem(
                name=item.name, arguments=one.text, call_id=item.call_id, id=item.id, status=status
            )
            # Not for a call that was cut off: half of the arguments must not be taken for all of them.
            if complete:
                self._arguments_done(one, item)
        else:
            self._part_done(one)
            content = OutputAudio(transcript=one.text) if self._spoken else OutputText(one.text)
            final = MessageItem(role="assistant", content=(content,), id=one.entry.id, status=status)
        if self._conversation is None:
            one.entry.item = final
        else:
            self._conversation.settle(one.entry, final)
            if one.entry.id in self._conversation:
                # Recorded in every session: null for the item at position 1, although `added` was right.
                self._box.item_done(final, None if one.position == 1 else one.previous_id)
        one.entry.item = final if one.entry.truncated_ms is None else one.entry.item
        self._box.send(
            ResponseOutputItemDone(
                event_id=self._box.id(),
                response_id=self._response_id,
                output_index=one.index,
                item=final,
            )
        )

    def _arguments_done(self, one: _Written, item: FunctionCallItem) -> None:
        self._box.send(
            ResponseFunctionCallArgumentsDone(
                event_id=self._box.id(),
                response_id=self._response_id,
                item_id=one.entry.id,
                output_index=one.index,
                call_id=item.call_id,
                name=item.name,
                arguments=one.text,
            )
        )

    def _part_done(self, one: _Written) -> None:
        box, words, part = self._box, one.text, self._part(one.text)
        response_id, item_id, index = self._response_id, one.entry.id, one.index
        if self._spoken:
            if one.rest:
                # What is no whole chunk is filled up with silence, less than two samples of it.
                rest, one.rest = one.rest, b""
                self._send_audio(one, rest.ljust(_CHUNK_UNIT, b"\0"))
            box.send(
                ResponseOutputAudioDone(
                    event_id=box.id(), response_id=response_id, item_id=item_id, output_index=index
                )
            )
            box.send(
                ResponseOutputAudioTranscriptDone(
                    event_id=box.id(),
                    response_id=response_id,
                    item_id=item_id,
                    output_index=index,
                    transcript=words,
                )
            )
        else:
            box.send(
                ResponseOutputTextDone(
                    event_id=box.id(),
                    response_id=response_id,
                    item_id=item_id,
                    output_index=index,
                    text=words,
                )
            )
        box.send(
            ResponseContentPartDone(
                event_id=box.id(), response_id=response_id, item_id=item_id, output_index=index, part=part
            )
        )

    def _part(self, words: str) -> AudioPart | TextPart:
        # `text` and `audio` here, `output_text` and `output_audio` in the item: recorded, also in GA.
        return AudioPart(transcript=words) if self._spoken else TextPart(words)
