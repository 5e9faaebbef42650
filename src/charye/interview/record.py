"""Writes the transcript of an interview down while it goes on. Pure: the caller brings the time."""

from typing import Any

from msgspec.structs import replace

from charye.interview.listening import Said
from charye.interview.progress import Progress
from charye.interview.transcript import Speaker, Transcript, Utterance
from charye.session.events import Utterance as Heard

__all__ = ["Record"]


class Record:
    """Of one interview. Times are seconds of the caller's clock; those of the transcript count from `began_s`.

    Args:
        began_s: now.
        earlier: what was said before an interruption; the times go on where it ended.
    """

    def __init__(self, began_s: float, earlier: Transcript | None = None) -> None:
        self.transcript = earlier or Transcript()
        times = [said.end_ms or said.start_ms or 0.0 for said in self.transcript.utterances]
        self._offset_ms = max(times, default=0.0) - began_s * 1000
        # Ids of a new session may be those of the one before.
        self._prefix = f"{len(self.transcript.utterances)}." if self.transcript.utterances else ""
        self._sounding: list[str] = []
        self._last_turn: tuple[str, ...] = ()

    def learner(self, said: Said, progress: Progress, *, goes_on: bool = False) -> tuple[Utterance, ...]:
        """The learner's turn, about the task of `progress`. What was not understood is left out.

        Args:
            goes_on: it is more of their last one.
        """
        written = tuple(
            Utterance(
                id=self._prefix + piece.item_id,
                speaker=Speaker.LEARNER,
                text=piece.text,
                source=piece.source,
                start_ms=self._ms(piece.began_s),
                end_ms=self._ms(piece.ended_s),
                **_about(progress),
            )
            for piece in said.pieces
            if piece.text
        )
        for utterance in written:
            self.transcript = self.transcript.add(utterance)
        before = self._last_turn if goes_on else ()
        self._last_turn = (*before, *(utterance.id for utterance in written))
        return written

    def withhold_last(self) -> None:
        """Forget the words of the learner's last turn."""
        for utterance_id in self._last_turn:
            self.transcript = self.transcript.withhold(utterance_id)

    def interviewer(self, heard: Heard, now_s: float, progress: Progress) -> None:
        """The interviewer says this, as far as it is known by now."""
        if not heard.text:
            return
        utterance = self._find(self._prefix + heard.item_id)
        if utterance is None:
            utterance = Utterance(
                id=self._prefix + heard.item_id,
                speaker=Speaker.INTERVIEWER,
                text="",
                start_ms=self._ms(now_s),
                **_about(progress),
            )
            self._sounding.append(utterance.id)
        utterance = replace(utterance, text=heard.text)
        if heard.heard_ms is not None and utterance.start_ms is not None:
            cut_ms = utterance.start_ms + heard.heard_ms
            utterance = replace(utterance, end_ms=cut_ms, interrupted_at_ms=cut_ms)
        self.transcript = self.transcript.add(utterance)

    def quiet(self, now_s: float) -> None:
        """What the interviewer said has been heard, or stopped, by now."""
        for utterance_id in self._sounding:
            utterance = self._find(utterance_id)
            if utterance is not None and utterance.end_ms is None:
                self.transcript = self.transcript.add(replace(utterance, end_ms=self._ms(now_s)))
        self._sounding.clear()

    def _find(self, utterance_id: str) -> Utterance | None:
        return next((said for said in self.transcript.utterances if said.id == utterance_id), None)

    def _ms(self, at_s: float | None) -> float | None:
        return None if at_s is None else round(at_s * 1000 + self._offset_ms, 1)


def _about(progress: Progress) -> dict[str, Any]:
    task, phase = progress.task, progress.state.phase.value
    if task is None:
        return {"phase": phase}
    return {"task": task.id, "level": task.level, "function": task.function, "phase": phase}
