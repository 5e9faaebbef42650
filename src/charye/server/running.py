"""One response from its create to its `response.done`: what is known of it, and the table of how it may end.

RUNNING    the mind is at work
STOPPING   cancelled; what was on its way may still come, the `response.done` says `cancelled`
OVER       its `response.done` is sent
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from charye.errors import LocalProtocolError
from charye.protocol import AudioConfig, AudioOutputConfig, Response, StatusDetails
from charye.server.conversation import Entry
from charye.server.generation import Generation
from charye.server.parts import Context, Finished
from charye.server.usage import input_tokens, usage

__all__ = ["CLIENT_CANCELLED", "TRANSITIONS", "TURN_DETECTED", "Input", "Phase", "Running"]

Phase = Enum("Phase", "RUNNING STOPPING OVER")
Input = Enum("Input", "CANCEL FINISH FAIL FILL STOPPED")
"""What may happen to a response: CANCEL by the client or by speech, FINISH and FAIL by the mind, FILL: the cap of
tokens is reached, STOPPED: the shell says that mind and voice are at rest."""

TRANSITIONS: Mapping[tuple[Phase, Input], tuple[Phase, str | None]] = MappingProxyType(
    {
        (Phase.RUNNING, Input.CANCEL): (Phase.STOPPING, None),
        (Phase.RUNNING, Input.FINISH): (Phase.OVER, "completed"),
        (Phase.RUNNING, Input.FAIL): (Phase.OVER, "failed"),
        (Phase.RUNNING, Input.FILL): (Phase.OVER, "incomplete"),
        # A mind that is at rest without a word has nothing more to say.
        (Phase.RUNNING, Input.STOPPED): (Phase.OVER, "completed"),
        # The cancel was accepted, so it counts, however the mind ended in the meantime.
        (Phase.STOPPING, Input.FINISH): (Phase.OVER, "cancelled"),
        (Phase.STOPPING, Input.FAIL): (Phase.OVER, "cancelled"),
        (Phase.STOPPING, Input.FILL): (Phase.OVER, "cancelled"),
        (Phase.STOPPING, Input.STOPPED): (Phase.OVER, "cancelled"),
    }
)
"""(phase, what happened) -> (phase, status of `response.done`).

A pair that is not here cannot happen: a second cancel is refused before, and nothing finds a response that is OVER.
"""

CLIENT_CANCELLED, TURN_DETECTED = "client_cancelled", "turn_detected"


@dataclass(slots=True, eq=False)
class Running:
    """A response without a `response.done`.

    Args:
        in_band: it writes into the conversation, and so holds the floor.
        context: what its mind is told, without the items; those are `entries`, whose transcripts may still come.
        metadata: as it is echoed.
        reason: why it is cancelled or incomplete, once it is.
        stop_at: when its mind has taken too long to stop.
        finished: what the mind said at its end.
    """

    id: str
    in_band: bool
    context: Context
    entries: tuple[Entry, ...]
    output: AudioOutputConfig
    max_output_tokens: int | str
    metadata: dict[str, str] | None
    generation: Generation
    phase: Phase = Phase.RUNNING
    reason: str = CLIENT_CANCELLED
    stop_at: float | None = None
    finished: Finished = field(default_factory=Finished)

    def step(self, given: Input) -> str | None:
        """Something happened.

        Returns:
            the status it ends with, or None: it goes on.
        Raises:
            LocalProtocolError: this cannot happen to it now; nothing changed.
        """
        try:
            self.phase, status = TRANSITIONS[self.phase, given]
        except KeyError:
            raise LocalProtocolError(
                "a response cannot take this", state=self.phase.name, given=given.name
            ) from None
        return status

    def context_now(self) -> Context:
        """What the mind is told, with the transcripts that are known by now."""
        return replace(self.context, items=tuple(entry.for_the_mind() for entry in self.entries))

    def described(self, status: str, details: StatusDetails | None = None) -> Response:
        """The response as the wire says it: everything but output and usage is final from the begin on."""
        over = status != "in_progress"
        bill = None
        if over and status != "failed":
            bill = usage(
                input_tokens(self.context.instructions, self.entries),
                self.generation.counter,
                input_total=self.finished.input_tokens,
                output_total=self.finished.output_tokens,
            )
        return Response(
            id=self.id,
            status=status,
            status_details=details,
            output=self.generation.output if over else (),
            conversation_id=self.context.conversation_id,
            output_modalities=self.context.output_modalities,
            max_output_tokens=self.max_output_tokens,
            audio=AudioConfig(output=self.output),
            usage=bill,
            metadata=self.metadata,
        )
