"""How asking the assessor can fail. The errors follow the rules on top of `charye.errors`."""

from __future__ import annotations

from charye.errors import CharyeError

__all__ = ["AssessorBusy", "AssessorDied", "AssessorFailed", "AssessorTimedOut", "AssessorUnavailable"]


class AssessorFailed(CharyeError):
    """The assessor's process could not read this speech. It is unharmed, and serves others.

    What to do: report it as a bug of charye; the same speech will fail again. The transcript is not lost.

    Attributes:
        exception_type: name of what was raised there. Its text is not kept: it may repeat what a person said.
    """

    _MESSAGE = "the assessor could not read the speech"

    exception_type: str | None

    def __init__(self, *, exception_type: str | None = None, **fields: object) -> None:
        super().__init__(self._MESSAGE, exception_type=exception_type, **fields)


class AssessorBusy(AssessorFailed):
    """Too many requests wait already. This one was not taken.

    What to do: ask later, or do without: an interview can go on without the score of one answer.

    Attributes:
        waiting: how many there are.
    """

    _MESSAGE = "too many requests wait for the assessor"

    waiting: int

    def __init__(self, *, waiting: int) -> None:
        super().__init__(waiting=waiting)


class AssessorTimedOut(AssessorFailed):
    """The answer did not come in time.

    What to do: ask again with more time; the first answer after a start waits for the model to load, some seconds.

    Attributes:
        timeout_s: how long was waited.
    """

    _MESSAGE = "the assessor did not answer in time"

    timeout_s: float

    def __init__(self, *, timeout_s: float) -> None:
        super().__init__(timeout_s=timeout_s)


class AssessorDied(AssessorFailed):
    """Its process ended while it worked on this request, twice. A new one has been started for the others.

    What to do: not to send the same again. `exit_code` tells how it ended; negative is a signal (-9: out of memory?).
    """

    _MESSAGE = "the assessor's process ended while it worked"

    exit_code: int | None

    def __init__(self, *, exit_code: int | None = None) -> None:
        super().__init__(exit_code=exit_code)


class AssessorUnavailable(AssessorFailed):
    """There is no assessor: its process does not come up, or it was stopped.

    What to do: see `exit_code`. It needs about 600 MB of memory; after freeing them, make a new one.

    Attributes:
        starts: how many times it was started in vain.
        exit_code: of the last one.
    """

    _MESSAGE = "the assessor is not available"

    starts: int
    exit_code: int | None

    def __init__(self, *, starts: int = 0, exit_code: int | None = None) -> None:
        super().__init__(starts=starts, exit_code=exit_code)
