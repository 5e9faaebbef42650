"""The two clocks of an interview: how long it has taken, and how long nobody has said a word. Pure."""

__all__ = ["SilenceClock", "Stopwatch"]


class Stopwatch:
    """How long the interview has taken, pauses left out.

    Args:
        began_s: now.
        before_s: what it had taken before it was interrupted.
    """

    def __init__(self, began_s: float, before_s: float = 0.0) -> None:
        self._running_since: float | None = began_s
        self._before_s = before_s
        self.paused_since: float | None = None

    def elapsed_s(self, now_s: float) -> float:
        """Up to now."""
        return self._before_s + (0.0 if self._running_since is None else now_s - self._running_since)

    def at_s(self, elapsed_s: float) -> float | None:
        """When it will have taken so long; None in a pause."""
        return None if self._running_since is None else self._running_since + elapsed_s - self._before_s

    def pause(self, now_s: float) -> None:
        """Stop it."""
        if self.paused_since is None:
            self._before_s, self._running_since, self.paused_since = self.elapsed_s(now_s), None, now_s

    def resume(self, now_s: float) -> None:
        """Let it go on."""
        if self.paused_since is not None:
            self._running_since, self.paused_since = now_s, None


class SilenceClock:
    """How long it has been silent since the question, the interviewer's own words left out.

    What the interviewer says into a silence (a kind word, the question once more) does not begin it anew: the learner
    has still said nothing.
    """

    def __init__(self) -> None:
        self._before_ms = 0.0
        self._quiet_since: float | None = None

    @property
    def runs(self) -> bool:
        """It is the learner's turn, and counts."""
        return self._quiet_since is not None

    def silent_ms(self, now_s: float) -> float:
        """Up to now."""
        return self._before_ms + (0.0 if self._quiet_since is None else (now_s - self._quiet_since) * 1000)

    def at_s(self, silent_ms: float) -> float | None:
        """When it will have been silent for so long; None while it does not run."""
        return None if self._quiet_since is None else self._quiet_since + (silent_ms - self._before_ms) / 1000

    def start(self, now_s: float) -> None:
        """The interviewer has finished."""
        if self._quiet_since is None:
            self._quiet_since = now_s

    def stop(self, now_s: float, *, broken: bool) -> None:
        """Somebody speaks.

        Args:
            broken: the silence is over; else it goes on after the interviewer's words.
        """
        self._before_ms = 0.0 if broken else self.silent_ms(now_s)
        self._quiet_since = None
