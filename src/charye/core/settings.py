"""What can be set about the core, resolved once, frozen.

The seconds are chosen, not measured: long enough for a slow server, short enough for a person who waits.
"""

from dataclasses import dataclass, field

from charye.core.playout import Reporting
from charye.core.waiting import WhenFull
from charye.protocol import OPENAI, Dialect

__all__ = ["Patience", "Settings", "ToolPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long silence is borne before something is done about it. Seconds.

    Args:
        answer_s: a create with neither `response.created` nor an error.
        silence_s: a running response without any event of its own. Its length does not matter.
        ending_s: the same, where every item that it has shown is complete, so that it owes its done or another item.
            Then whoever waits is asked for, and the answer tells whether it runs (decision 0007). `math.inf`: never.
        probe_s: the answer to a probe, and what should follow once the line has proved alive.
        cancel_s: the answer to a cancel.
        blocked_s, blocked_max_s: before asking again after a refusal that named nobody; doubles up to the second.
        reply_s: the server's own reply after the user's turn. Noise turns never get one.
        speech_s: a user turn without any speech event; a lost end must not close the floor for ever.
        playout_s: the loudspeaker's report after the audio should have ended.
    """

    answer_s: float = 10.0
    silence_s: float = 15.0
    ending_s: float = 2.0
    probe_s: float = 5.0
    cancel_s: float = 5.0
    blocked_s: float = 1.0
    blocked_max_s: float = 8.0
    reply_s: float = 2.0
    speech_s: float = 60.0
    playout_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPolicy:
    """How tool calls become one reply.

    Args:
        timeout_s: a call's own time; then the model reads a typed failure.
        cap_s: how long the finished calls of a response wait for the slowest before they are spoken about.
        after_message: what follows a response that spoke and called: `speak` asks for the follow-up as usual,
            `shorten` asks for only what is new, `skip` asks for none.
    """

    timeout_s: float = 60.0
    cap_s: float = 8.0
    after_message: str = "speak"

    def __post_init__(self) -> None:
        if self.after_message not in ("speak", "shorten", "skip"):
            raise ValueError("after_message is one of speak, shorten, skip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a peer needs to know before the first event.

    Args:
        name: goes into tokens and event ids; give each client of one conversation (sideband) its own.
        max_waiting: requests in the line, joined ones included.
        when_full: what a full line does with one more.
        ageing_s: waiting that counts as one class higher; 0 turns ageing off.
        max_out_of_band: out-of-band responses at once.
        max_unanswered: creates of one request that may get lost before it ends as `failed(unanswered)`.
        max_failures: retryable `failed` responses of one request before it ends as `failed`.
        backoff_s: before the first retry of a failed response; doubles each time.
        asks_for_replies: ask for the reply to each user turn ourselves, because the server is set not to.
        mirror_items: conversation items remembered for a rebuild.
    """

    name: str = "c"
    dialect: Dialect = OPENAI
    patience: Patience = field(default_factory=Patience)
    tools: ToolPolicy = field(default_factory=ToolPolicy)
    reporting: Reporting = Reporting.CLOCK
    max_waiting: int = 1000
    when_full: WhenFull = WhenFull.REFUSE
    ageing_s: float = 20.0
    max_out_of_band: int = 4
    max_unanswered: int = 3
    max_failures: int = 3
    backoff_s: float = 1.0
    asks_for_replies: bool = False
    mirror_items: int = 200
