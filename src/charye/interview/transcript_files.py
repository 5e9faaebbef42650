"""Transcripts of others: plain text with speaker labels, SubRip (SRT) and WebVTT, read and written.

    면접관: 이름이 어떻게 되세요?          a label and a colon begin an utterance; lines without a label go on with it
    학습자: 저는 마리아예요.

Subtitles carry the label in the same way, or as `<v Name>` in WebVTT. Neighbouring cues of one speaker are one
utterance. Errors name the line, never what stands in it.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from charye.errors import ConfigurationError
from charye.interview.transcript import Source, Speaker, Transcript, Utterance, from_json, to_json

__all__ = ["Naming", "parse", "parse_srt", "parse_text", "parse_vtt", "read", "write"]

# fmt: off
_LABELS = {
    Speaker.LEARNER: (
        "learner", "student", "candidate", "user", "l", "s", "a", "학습자", "학생", "응시자", "수험자", "답",
    ),
    Speaker.INTERVIEWER: (
        "interviewer", "teacher", "examiner", "assistant", "i", "t", "q",
        "면접관", "선생님", "교사", "시험관", "진행자", "질문",
    ),
}
# fmt: on
_SPEAKERS = {label: speaker for speaker, labels in _LABELS.items() for label in labels}
_SHOWN = {Speaker.LEARNER: "학습자", Speaker.INTERVIEWER: "면접관"}

_LABELLED = re.compile(r"^\s*(?:\[[\d:.]+\]\s*)?([^\W\d](?:[\w .'’()-]{0,30}[\w.)])?)\s*[:：](?!\d)\s*(.*)$")
_VOICE = re.compile(r"^<v(?:\.[^ >]*)?\s+([^>]+)>(.*)$")
_TAGS = re.compile(r"</?[^>]+>|\{\\[^}]*\}")
_TIME = re.compile(r"(?:(\d+):)?(\d{2}):(\d{2})[,.](\d{3})")
_CUE = re.compile(rf"^\s*({_TIME.pattern})\s*-->\s*({_TIME.pattern})(?:\s.*)?$")


@dataclass(frozen=True, slots=True)
class Naming:
    """Who is who in a file.

    Args:
        learner: the label of the learner, such as a name; then every other label is the interviewer's. None: the
            labels are words such as Learner, 학습자, Interviewer, 면접관.
        unlabelled: who speaks where no label says so; None: that is an error.
    """

    learner: str | None = None
    unlabelled: Speaker | None = None

    def speaker(self, label: str) -> Speaker | None:
        """Whose label this is; None: nobody's."""
        if self.learner is None:
            return _SPEAKERS.get(label.lower())
        return Speaker.LEARNER if label.lower() == self.learner.lower() else Speaker.INTERVIEWER


BY_WORD = Naming()


def read(path: Path, *, naming: Naming = BY_WORD) -> Transcript:
    """The transcript in a file: `.json`, `.srt`, `.vtt`, or anything else as plain text.

    Raises:
        ConfigurationError: it cannot be read or understood; `option` is the file, with the line where one is to blame.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "the file cannot be read", option=str(path), problem=error.strerror
        ) from error
    return parse(data, kind=path.suffix.lower().removeprefix("."), name=str(path), naming=naming)


def parse(data: bytes, *, kind: str, name: str = "transcript", naming: Naming = BY_WORD) -> Transcript:
    """The transcript in these bytes.

    Args:
        kind: `json`, `srt`, `vtt`, or else plain text.
        name: of the file, for errors.
        naming: who is who.
    Raises:
        ConfigurationError: it cannot be understood.
    """
    if kind == "json":
        return from_json(data, name=name)
    try:
        # macOS writes Korean taken apart into its letters.
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigurationError("the file is not UTF-8 text", option=f"{name}:{line}") from error
    if kind == "srt":
        return parse_srt(text, name=name, naming=naming)
    if kind == "vtt":
        return parse_vtt(text, name=name, naming=naming)
    return parse_text(text, name=name, naming=naming)


def parse_text(text: str, *, name: str = "transcript", naming: Naming = BY_WORD) -> Transcript:
    """Plain text with labels. A blank line ends nothing.

    Raises:
        ConfigurationError: the first words have no label, a label is not known, or nothing is said.
    """
    said: list[_Said] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words:
            continue
        speaker, words = _speaker_in(words, naming, f"{name}:{number}")
        if speaker is None and said:
            said[-1] = said[-1].more(words)
            continue
        speaker = speaker or naming.unlabelled
        if speaker is None:
            raise ConfigurationError("the first line does not say who speaks", option=f"{name}:{number}")
        said.append(_Said(speaker, words))
    return _transcript(said, name)


def parse_srt(text: str, *, name: str = "transcript", naming: Naming = BY_WORD) -> Transcript:
    """SubRip subtitles.

    Raises:
        ConfigurationError: a time is missing or malformed, or goes back; nobody knows who speaks; nothing is said.
    """
    return _transcript(_cues(text, name, naming, first=1), name)


def parse_vtt(text: str, *, name: str = "transcript", naming: Naming = BY_WORD) -> Transcript:
    """WebVTT subtitles. Notes, styles and regions are passed over.

    Raises:
        ConfigurationError: the first line is not WEBVTT, or as `parse_srt`.
    """
    head, _, rest = text.partition("\n")
    if not re.match(r"WEBVTT(?:\s|$)", head):
        raise ConfigurationError("a WebVTT file begins with WEBVTT", option=f"{name}:1")
    # What stands between that line and the first blank one tells about the file: `Kind: captions`, `Language: ko`.
    first = 2
    while rest and not rest.startswith(("\n", "\r")):
        _, _, rest = rest.partition("\n")
        first += 1
    return _transcript(_cues(rest, name, naming, first=first), name)


def write(transcript: Transcript, *, kind: str) -> bytes:
    """The transcript as `json`, `srt`, `vtt` or plain text (any other kind). What is withheld is left out.

    Raises:
        ConfigurationError: subtitles are asked for, and an utterance has no times.
    """
    if kind == "json":
        return to_json(transcript)
    kept = [utterance for utterance in transcript.utterances if not utterance.withheld]
    if kind not in ("srt", "vtt"):
        return "".join(f"{_SHOWN[said.speaker]}: {' '.join(said.text.split())}\n" for said in kept).encode()
    blocks = ["WEBVTT\n"] if kind == "vtt" else []
    for number, said in enumerate(kept, start=1):
        if said.start_ms is None or said.end_ms is None:
            raise ConfigurationError("subtitles need times, and an utterance has none", option=said.id)
        times = f"{_clock(said.start_ms, kind)} --> {_clock(said.end_ms, kind)}"
        words = " ".join(said.text.split())
        shown = f"<v {_SHOWN[said.speaker]}>{words}" if kind == "vtt" else f"{_SHOWN[said.speaker]}: {words}"
        blocks.append(f"{number}\n{times}\n{shown}\n")
    return "\n".join(blocks).encode()


@dataclass(frozen=True, slots=True)
class _Said:
    speaker: Speaker
    text: str
    start_ms: float | None = None
    end_ms: float | None = None

    def more(self, words: str, end_ms: float | None = None) -> "_Said":
        text = f"{self.text} {words}".strip()
        return _Said(self.speaker, text, self.start_ms, self.end_ms if end_ms is None else end_ms)


def _transcript(said: list[_Said], name: str) -> Transcript:
    utterances = [
        Utterance(
            id=str(number),
            speaker=one.speaker,
            text=one.text,
            start_ms=one.start_ms,
            end_ms=one.end_ms,
            source=Source.SPEECH,
        )
        for number, one in enumerate((one for one in said if one.text), start=1)
    ]
    if not utterances:
        raise ConfigurationError("nothing is said in the file", option=name)
    return replace(Transcript(), utterances=tuple(utterances))


def _speaker_in(words: str, naming: Naming, place: str) -> tuple[Speaker | None, str]:
    """Who the label names, and the words behind it; None and all the words without a label."""
    found = _VOICE.match(words) or _LABELLED.match(words)
    if found is None:
        return None, _TAGS.sub("", words).strip()
    speaker = naming.speaker(found[1].strip())
    if speaker is None:
        raise ConfigurationError(
            "the label is not known; use Learner and Interviewer, or say which label is the learner's",
            option=place,
        )
    return speaker, _TAGS.sub("", found[2]).strip()


def _cues(text: str, name: str, naming: Naming, *, first: int) -> list[_Said]:
    said: list[_Said] = []
    lines = text.splitlines()
    at, last_start = 0, 0.0
    while at < len(lines):
        begin = at
        while at < len(lines) and lines[at].strip():
            at += 1
        block = lines[begin:at]
        at += 1
        if not block or re.match(r"(NOTE|STYLE|REGION)\b", block[0]):
            continue
        # An identifier, a number in SRT, may stand above the time.
        offset = 1 if len(block) > 1 and "-->" in block[1] else 0
        place = f"{name}:{first + begin + offset}"
        cue = _CUE.match(block[offset])
        if cue is None:
            raise ConfigurationError("a cue needs a time such as 00:00:01,000 --> 00:00:02,500", option=place)
        start_ms, end_ms = _ms(cue, 2), _ms(cue, 7)
        if end_ms < start_ms or start_ms < last_start:
            raise ConfigurationError("the times go back", option=place)
        last_start = start_ms
        for index, line in enumerate(block[offset + 1 :], start=offset + 1):
            here = f"{name}:{first + begin + index}"
            speaker, words = _speaker_in(line.strip(), naming, here)
            speaker = speaker or (said[-1].speaker if said else naming.unlabelled)
            if speaker is None:
                raise ConfigurationError("the first cue does not say who speaks", option=here)
            if said and said[-1].speaker is speaker:
                said[-1] = said[-1].more(words, end_ms)
            else:
                said.append(_Said(speaker, words, start_ms, end_ms))
    return said


def _ms(cue: re.Match[str], group: int) -> float:
    hours, minutes, seconds, thousandths = (int(cue[group + index] or 0) for index in range(4))
    return float(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths)


def _clock(ms: float, kind: str) -> str:
    whole = round(ms)
    mark = "." if kind == "vtt" else ","
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{mark}{whole % 1000:03}"
