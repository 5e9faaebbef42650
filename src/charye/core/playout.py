"""Playout: what has been heard. Generated audio waits in a queue; a person hears it in real time.

`appended -> played -> drained`, in milliseconds per audio part of an item, in the order of arrival, which is
the order of the loudspeaker. Whoever plays reports (`Reporting.DEVICE`: sound card, browser), or the server
does (`Reporting.SERVER`: WebRTC and SIP, `output_audio_buffer.*`), or nobody, then a clock does
(`Reporting.CLOCK`). The answers: has this response been heard to its end; how much of it was heard at a
barge-in; is the room quiet.

A cut tells the server what was really heard, so that the model does not believe it said more: truncate the part
that was playing, delete what nobody heard. Both wait for the end of the response they belong to.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from charye.core.effects import Effect, Note, Send, StopPlayback
from charye.protocol import ConversationItemDelete, ConversationItemTruncate, OutputAudioBufferClear

__all__ = ["Playout", "Repair", "Reporting"]

TRUNCATE_MARGIN_MS = 100.0
"""The server's idea of an item's length was seen 85 ms shorter than the bytes it sent, and a truncate beyond
it is refused. Source: recorded reports of "already shorter than"."""

DRAINED_WITHIN_MS = 1.0
"""A resampler may report a fraction less than was appended."""

ROUNDING_MS = 1e-6
"""A clock in seconds makes 299.9999999 of 300 ms."""

SERVER_BUFFER_MAX_S = 120.0
"""SERVER: how long after a response's end its `output_audio_buffer.stopped` is waited for."""


class Reporting(Enum):
    """Who knows what was played."""

    DEVICE = "device"
    SERVER = "server"
    CLOCK = "clock"


Repair = ConversationItemTruncate | ConversationItemDelete


@dataclass(slots=True)
class Track:
    """One audio part of an item."""

    response_id: str
    item_id: str
    content_index: int
    appended_ms: float = 0.0
    played_ms: float = 0.0
    beside: bool = False  # the conversation has no such item to repair

    @property
    def left_ms(self) -> float:
        return max(0.0, self.appended_ms - self.played_ms)


@dataclass(slots=True)
class Run:
    """One response, from its first sound, or a cut, until it is heard."""

    done: bool = False
    cut: bool = False
    audible: bool = False  # SERVER: it speaks, though we see no audio
    started_at: float | None = None  # SERVER
    heard_ms: float = 0.0  # of tracks that are gone
    repairs: list[Repair] = field(default_factory=list)  # for the server, once the response is over


class Playout:
    """All audio of one conversation that is still to be heard."""

    __slots__ = ("_heard", "_last", "_moved_at", "_patience_s", "_reporting", "_runs", "_tracks")

    def __init__(self, reporting: Reporting, *, patience_s: float) -> None:
        self._reporting = reporting
        self._patience_s = patience_s
        self._tracks: list[Track] = []
        self._last: Track | None = None
        self._runs: dict[str, Run] = {}
        self._heard: list[tuple[str, bool]] = []
        self._moved_at = 0.0

    # what the server generates

    def is_cut(self, response_id: str) -> bool:
        """Whether this response may not reach the loudspeaker any more."""
        run = self._runs.get(response_id)
        return run is not None and run.cut

    def append(
        self,
        response_id: str,
        item_id: str,
        content_index: int,
        ms: float,
        now: float,
        *,
        beside: bool = False,
    ) -> None:
        """Audio was handed to the loudspeaker's queue."""
        if self._reporting is Reporting.CLOCK:
            self._run_clock(now)
        if not self._tracks or self._tracks[-1].left_ms < DRAINED_WITHIN_MS:
            self._moved_at = now  # the loudspeaker had nothing to play, so it owed no report
        track = self._last
        if track is None or track.item_id != item_id or track.content_index != content_index:
            track = self._last = Track(response_id, item_id, content_index, beside=beside)
            self._tracks.append(track)
            self._runs.setdefault(response_id, Run())
        track.appended_ms += ms

    def speaks(self, response_id: str) -> None:
        """A response is going to have audio, seen by its content part or transcript."""
        if self._reporting is Reporting.SERVER:
            self._runs.setdefault(response_id, Run()).audible = True

    def response_done(self, response_id: str, now: float) -> list[Effect]:
        """Generated to its end, whatever its status; the repairs of a cut go out now."""
        run = self._runs.setdefault(response_id, Run())
        run.done = True
        if self._reporting is Reporting.SERVER and run.audible and not run.cut:
            self._moved_at = now
        repairs, run.repairs = run.repairs, []
        self._settle(response_id)
        return [Send(repair) for repair in repairs]

    # what the loudspeaker reports

    def played(self, item_id: str, played_ms: float, now: float, *, content_index: int = 0) -> None:
        """DEVICE: so much of this part was played by now, counted from its start. Never goes back."""
        for at, track in enumerate(self._tracks):
            if track.item_id == item_id and track.content_index == content_index:
                for earlier in self._tracks[:at]:
                    earlier.played_ms = earlier.appended_ms
                track.played_ms = min(track.appended_ms, max(track.played_ms, played_ms))
                self._moved_at = now
                self._drop_drained()
                return

    def buffer_started(self, response_id: str, now: float, *, runs: bool) -> list[Effect]:
        """SERVER: the first sound of the response went out. One that was cut before is silenced now."""
        if not runs and response_id not in self._runs:
            return [Note("sound of a response that is over", about=response_id)]
        run = self._runs.setdefault(response_id, Run())
        if run.cut:
            return [StopPlayback((response_id,)), Send(OutputAudioBufferClear())]
        run.audible, run.started_at = True, now
        return []

    def buffer_ended(self, response_id: str, now: float) -> None:
        """SERVER: stopped (all was played) or cleared (it was cut)."""
        run = self._runs.get(response_id)
        if run is not None:
            if run.started_at is not None:
                run.heard_ms = max(run.heard_ms, (now - run.started_at) * 1000)
            run.audible = False
            self._settle(response_id)

    # what time says

    def deadline(self) -> float | None:
        """When to look again: the clock's next end, or a report that is overdue."""
        left_ms = [each.left_ms for each in self._tracks if each.left_ms > 0 and not self._awaits_more(each)]
        if left_ms:
            if self._reporting is Reporting.CLOCK:  # each is heard at its own end, not with the last of them
                return self._moved_at + left_ms[0] / 1000
            grace_s = self._patience_s if self._reporting is Reporting.DEVICE else 0.0
            return self._moved_at + sum(left_ms) / 1000 + grace_s
        if any(run.done and run.audible for run in self._runs.values()):
            return self._moved_at + SERVER_BUFFER_MAX_S
        return None

    def tick(self, now: float) -> list[Effect]:
        """Let the clock run; believe that what should have been played was, when nobody says so in time."""
        if self._reporting is Reporting.CLOCK:
            self._run_clock(now)
            return []
        due = self.deadline()
        if due is None or now < due:
            return []
        for track in self._tracks:
            track.played_ms = track.appended_ms
        silent = [rid for rid, run in self._runs.items() if run.done]
        for run in self._runs.values():
            run.audible = run.audible and not run.done
        self._moved_at = now
        self._drop_drained(uncertain=True)
        for response_id in silent:
            self._settle(response_id, uncertain=True)
        return [Note("no playout report in time", about=self._reporting.value)]

    # what others ask

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left to be heard."""
        return not self._tracks and not any(run.audible for run in self._runs.values())

    def heard_ms(self, response_id: str) -> float:
        """How much of this response was heard by the last report."""
        run = self._runs.get(response_id)
        gone = run.heard_ms if run else 0.0
        return gone + sum(track.played_ms for track in self._tracks if track.response_id == response_id)

    def is_heard(self, response_id: str) -> bool:
        """Whether it is over and nothing of it is left. One that never had audio is heard when it is over."""
        return response_id not in self._runs

    @property
    def has_news(self) -> bool:
        """Whether `take_heard` has something to tell."""
        return bool(self._heard)

    def take_heard(self) -> list[tuple[str, bool]]:
        """Responses heard to their end since the last call, each with whether that is uncertain."""
        heard, self._heard = self._heard, []
        return heard

    # stopping

    def unheard(self) -> set[str]:
        """Responses of which something is or may be still to be heard."""
        return {rid for rid, run in self._runs.items() if not run.cut}

    def cut(self, now: float, response_ids: Collection[str]) -> list[Effect]:
        """Silence these responses and repair the server's memory of what was said.

        Args:
            response_ids: also ones without audio yet; what they still send is not played.
        Returns:
            `StopPlayback`, and the truncates and deletes of responses that are over; the others' come with
            `response_done`.
        """
        if self._reporting is Reporting.CLOCK:
            self._run_clock(now)
        wanted = set(response_ids)
        unheard = [track for track in self._tracks if track.response_id in wanted]
        stopped = {track.response_id for track in unheard}
        stopped |= {rid for rid, run in self._runs.items() if rid in wanted and run.audible}
        effects: list[Effect] = [StopPlayback(tuple(sorted(stopped)))] if stopped else []
        if stopped and self._reporting is Reporting.SERVER:
            # The server knows what was heard and truncates by itself (vendor guide, WebRTC interruption).
            effects.append(Send(OutputAudioBufferClear()))
        repaired: set[str] = set()
        for track in unheard:
            run = self._runs[track.response_id]
            run.heard_ms += track.played_ms
            if not track.beside and track.item_id not in repaired:  # the first part says how far it was heard
                run.repairs.append(_repair(track))
                repaired.add(track.item_id)
        self._tracks = [track for track in self._tracks if track.response_id not in wanted]
        if self._last is not None and self._last.response_id in wanted:
            self._last = None
        for response_id in sorted(wanted):
            run = self._runs.setdefault(response_id, Run())
            if run.started_at is not None and run.audible:
                run.heard_ms = (now - run.started_at) * 1000
            run.cut, run.audible = True, False
            if run.done:
                effects += [Send(repair) for repair in run.repairs]
                run.repairs = []
        return effects

    def take_cut(self) -> list[tuple[str, float]]:
        """Responses that are over and were cut before they were heard, each with what was heard, in ms."""
        cut = [(rid, run.heard_ms) for rid, run in self._runs.items() if run.done and run.cut]
        for response_id, _ in cut:
            del self._runs[response_id]
        return cut

    def disconnect(self) -> list[Repair]:
        """The connection is gone: what is queued here is still heard; gives the repairs that were not sent."""
        unsent = [repair for run in self._runs.values() for repair in run.repairs]
        for response_id, run in list(self._runs.items()):
            run.done, run.repairs, run.audible = True, [], False
            self._settle(response_id)
        for track in self._tracks:
            track.beside = True  # the next conversation has no item of this id
        return unsent

    # inside

    def _run_clock(self, now: float) -> None:
        """Consume the queue in real time since the last look; an empty queue consumes nothing."""
        ms = max(0.0, (now - self._moved_at) * 1000)
        self._moved_at = now
        if not self._tracks:
            return
        for track in self._tracks:
            step_ms = min(ms, track.left_ms)
            track.played_ms += step_ms
            ms -= step_ms
            if ms <= 0:
                break
        if self._tracks[0].left_ms < DRAINED_WITHIN_MS:
            self._drop_drained()

    def _drop_drained(self, *, uncertain: bool = False) -> None:
        """Forget parts that were played; the last part of a running response may still grow."""
        kept = []
        for track in self._tracks:
            if track.left_ms >= DRAINED_WITHIN_MS or self._awaits_more(track):
                kept.append(track)
            else:
                self._runs[track.response_id].heard_ms += track.played_ms
                if track is self._last:
                    self._last = None
        gone = {track.response_id for track in self._tracks} - {track.response_id for track in kept}
        self._tracks = kept
        for response_id in gone:
            self._settle(response_id, uncertain=uncertain)

    def _awaits_more(self, track: Track) -> bool:
        """Whether it is played to its end, but may still grow. Its end is no moment to wait for."""
        drained = track.left_ms < DRAINED_WITHIN_MS
        return drained and track is self._last and not self._runs[track.response_id].done

    def _settle(self, response_id: str, *, uncertain: bool = False) -> None:
        run = self._runs.get(response_id)
        if run is None or not run.done or run.audible:
            return
        if self._last is not None and self._last.response_id == response_id:
            self._last = None
        if any(track.response_id == response_id for track in self._tracks):
            self._drop_drained(uncertain=uncertain)  # which settles it again, if that was all of it
            return
        if not run.cut:
            self._heard.append((response_id, uncertain))
            del self._runs[response_id]


def _repair(track: Track) -> Repair:
    """What makes the server remember no more than was heard.

    A truncate beyond the audio that the server has is refused, and so is one of an item of which nothing was
    played: that one is deleted.
    """
    end_ms = int(min(track.played_ms, track.appended_ms - TRUNCATE_MARGIN_MS) + ROUNDING_MS)
    if end_ms <= 0:
        return ConversationItemDelete(item_id=track.item_id)
    return ConversationItemTruncate(
        item_id=track.item_id, content_index=track.content_index, audio_end_ms=end_ms
    )
