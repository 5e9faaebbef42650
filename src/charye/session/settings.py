"""What can be set about a session; frozen, resolved once.

The numbers are chosen, not measured, unless they name their source.
"""

from dataclasses import dataclass, field

from charye.core.settings import Settings
from charye.session.journal import JournalSettings

__all__ = ["LineSettings", "SessionSettings", "ToolLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """How a session connects, and connects again. Seconds, but for the audio.

    Args:
        open_s: from the first packet to the server's first event.
        configure_s: for the answer to a `session.update`. Then it is taken for granted, with a note.
        first_wait_s, longest_wait_s: between two tries; doubles, and a random half of it is left out, so that a
            thousand clients of one server do not come back in the same moment.
        give_up_s: tries without success before the session ends with the last error. 0: never connect again.
        renew_before_s: a quiet moment is looked for so long before the server's time limit, and the line changed in it.
        flush_s, leave_s: when the session is closed, for what is still unsent, and for the server's goodbye. Together
            under a second, because that is what a person waits who has pressed Ctrl-C.
        max_audio_bytes: of audio that may wait unsent: about four seconds of PCM at 24 kHz as base64.
    """

    open_s: float = 15.0
    configure_s: float = 5.0
    first_wait_s: float = 0.25
    longest_wait_s: float = 8.0
    give_up_s: float = 120.0
    renew_before_s: float = 300.0
    flush_s: float = 0.3
    leave_s: float = 0.4
    max_audio_bytes: int = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLimits:
    """Bounds for what the program's tools may cost.

    Args:
        max_running: calls at work at once; the others wait, and their time runs.
        result_max_bytes: of one answer. The API's limit is not published; a larger answer costs more than it tells.
    """

    max_running: int = 32
    result_max_bytes: int = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Everything about a session but where it connects to and what it says.

    Args:
        core: how the floor is shared out; its `dialect`, `reporting` and `asks_for_replies` are set by the session.
        io_thread: the engine has a thread of its own, shared by all sessions of the process, so that the server's
            pings are answered while the program's loop is blocked. Switch it off where all code is yours, to save
            two crossings for each event you listen to, and where the clock is virtual.
        lag_bound_s: the program's loop blocked for longer is named in the log. 0: it is not watched.
        drain_s: how long `close(drain=True)` waits for what is still to be said and heard.
        seed: of all chance; None: a new one each time.
    """

    core: Settings = field(default_factory=Settings)
    line: LineSettings = field(default_factory=LineSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    tools: ToolLimits = field(default_factory=ToolLimits)
    io_thread: bool = True
    lag_bound_s: float = 0.25
    drain_s: float = 120.0
    seed: int | None = None
