"""The journal itself: what its lines say, what it costs, and that nothing makes it raise, block or grow."""

import gc
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import charye
from charye.core.effects import Play, Send
from charye.core.requests import ResponseRequest
from charye.core.settings import Settings
from charye.errors import ConfigurationError
from charye.protocol import (
    AZURE_PREVIEW,
    ConversationItemCreate,
    InputAudioBufferAppend,
    InputAudioBufferCommit,
    InputText,
    MessageItem,
    ResponseCreate,
    ResponseParams,
    SessionUpdate,
    UnknownEvent,
    encode,
)
from charye.protocol.session import SessionConfig
from charye.session.journal import FORMAT, Journal, JournalSettings
from charye.session.redaction import Redaction
from charye.session.replay import replay
from tests.core.bench import audio_delta, want
from tests.protocol.samples import server_lines
from tests.session.recording import Recorded, story

AUDIO: Any = audio_delta("r1", 20.0)
AUDIO_DATA = encode(AUDIO)
WAIT_S = 30.0
"""For the disk; far more than it takes."""


def begun(**settings: Any) -> Journal:
    journal = Journal(JournalSettings(**settings), clock=lambda: 5.0)
    journal.began(Settings(), provider="openai")
    return journal


def facts(journal: Journal) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.lines()]


def last(journal: Journal) -> dict[str, Any]:
    return facts(journal)[-1]


# --- what the lines say --------------------------------------------------------------------------------------------


def test_the_header_says_what_a_replay_needs() -> None:
    header = facts(begun())[0]
    assert header.pop("unix_s") > 1.7e9
    assert header.pop("settings")["patience"]["answer_s"] == 10.0
    assert header == {
        "mark": "#",
        "journal": FORMAT,
        "charye": charye.__version__,
        "at": 5.0,
        "private": "words",
        "audio": False,
        "about": {"provider": "openai"},
    }


def test_it_begins_once() -> None:
    journal = begun()
    journal.began(Settings(name="other"), provider="other")
    assert len(facts(journal)) == 1
    assert facts(journal)[0]["about"] == {"provider": "openai"}


def test_lines_are_numbered_from_one_and_timed() -> None:
    journal = begun()
    journal.fed("connected", (), 6.0)
    journal.noted("reconnecting", 7.5, attempt=2)
    assert [(line["n"], line["at"]) for line in facts(journal)[1:]] == [(1, 6.0), (2, 7.5)]


def test_of_audio_only_the_length_is_kept() -> None:
    journal = begun()
    journal.received(AUDIO_DATA, AUDIO, 6.0)
    journal.performed([Play(AUDIO, 20.0)], 6.0)
    data = encode(InputAudioBufferAppend(audio="AAAA"))
    journal.sent(data, 6.0)
    heard, played, said = facts(journal)[1:]
    ids = {"response_id": "r1", "item_id": "item_1", "content_index": 0}
    event = {"type": "response.output_audio.delta", **ids, "audio_bytes": 960}
    assert heard == {"n": 1, "at": 6.0, "mark": "<", "size": len(AUDIO_DATA), "event": event}
    assert played == {"n": 2, "at": 6.0, "mark": "=", "do": "play", **ids, "duration_ms": 20.0}
    assert said == {
        "n": 3,
        "at": 6.0,
        "mark": ">",
        "size": len(data),
        "event": {"type": "input_audio_buffer.append"},
        "frames": 1,
    }


def test_of_the_users_audio_there_is_a_line_for_each_second_and_before_anything_else() -> None:
    journal = begun()
    data = encode(InputAudioBufferAppend(audio="AAAA"))
    for number in range(75):
        journal.sent(data, 6.0 + number / 50)
    journal.sent(encode(InputAudioBufferCommit()), 7.5)
    journal.sent(data, 7.6)
    journal.close()
    told = [(line["at"], line["event"]["type"], line.get("frames")) for line in facts(journal)[1:-1]]
    append, commit = "input_audio_buffer.append", "input_audio_buffer.commit"
    assert told == [
        (6.0, append, 1),
        (7.0, append, 50),
        (7.5, append, 24),
        (7.5, commit, None),
        (5.0, append, 1),
    ]
    assert sum(line["size"] for line in facts(journal)[1:-1] if "frames" in line) == 76 * len(data)


def test_audio_is_kept_where_it_is_asked_for() -> None:
    journal = begun(audio=True)
    journal.received(AUDIO_DATA, AUDIO, 6.0)
    assert last(journal)["event"]["delta"] == AUDIO.delta
    journal.performed([Play(AUDIO, 20.0)], 6.0)
    assert "delta" not in json.dumps(last(journal))  # once is enough
    journal.sent(encode(InputAudioBufferAppend(audio="AAAA")), 6.0)
    assert last(journal)["event"] == {"type": "input_audio_buffer.append", "audio": "AAAA"}


def test_what_is_no_event_is_counted_and_not_quoted() -> None:
    journal = begun()
    journal.received(b"Kim is here", None, 6.0)
    assert last(journal) == {"n": 1, "at": 6.0, "mark": "<", "size": 11, "malformed": True}
    journal.sent(b"Kim is here", 6.0)
    assert last(journal) == {"n": 2, "at": 6.0, "mark": ">", "size": 11, "malformed": True}


def test_what_was_sent_is_read_in_the_dialect_of_the_line() -> None:
    journal = Journal(JournalSettings(), clock=lambda: 5.0)
    journal.began(Settings(dialect=AZURE_PREVIEW))
    config = SessionConfig(instructions="Be kind.", output_modalities=("text",))
    journal.sent(encode(SessionUpdate(session=config), AZURE_PREVIEW), 6.0)
    written = last(journal)["event"]["session"]
    assert written["output_modalities"] == ["text"]
    assert written["instructions"] == "<8 chars>"


def test_facts_of_the_shell_hide_what_is_called_private() -> None:
    journal = begun()
    journal.noted("blocked", 6.0, blocked_ms=310.5, where="loop", private_who="Kim", odd=object())
    assert last(journal) == {
        "n": 1,
        "at": 6.0,
        "mark": "!",
        "what": "blocked",
        "with": {"blocked_ms": 310.5, "where": "loop", "private_who": "<3 chars>", "odd": "<object>"},
    }
    open_ = begun(private=Redaction.NOTHING)
    open_.noted("blocked", 6.0, private_who="Kim")
    assert last(open_)["with"] == {"private_who": "Kim"}


def test_a_request_comes_back_from_its_line_as_it_was() -> None:
    request = want(
        "q", parameters=ResponseParams(instructions="Say hi.", metadata={"a": "b"}), expires_after_s=3.0
    )
    recorded = Recorded(journal=JournalSettings(private=Redaction.NOTHING))
    recorded.connected(100.0)
    recorded.request(request, 100.0)
    (send,) = [effect for effect in replay(recorded.lines()).effects[1] if isinstance(effect, Send)]
    assert isinstance(send.event, ResponseCreate)
    assert isinstance(send.event.response, ResponseParams)
    assert send.event.response.instructions == "Say hi."


def test_after_the_end_nothing_is_kept() -> None:
    journal = begun()
    journal.close()
    journal.close()
    journal.noted("late", 7.0)
    journal.fed("tick", (), 7.0)
    assert last(journal) == {"n": 1, "at": 5.0, "mark": "#", "closed": True}


def test_lines_are_those_of_the_moment_they_were_asked_for() -> None:
    journal = begun()
    lines = journal.lines()
    journal.fed("connected", (), 6.0)
    assert len(list(lines)) == 1


def test_lines_are_in_utf_8_and_one_each() -> None:
    journal = begun(private=Redaction.NOTHING)
    journal.fed("add_item", (MessageItem("user", (InputText("안녕\n\u2028\u0085하세요"),), id="i"),), 6.0)
    (line,) = list(journal.lines())[1:]
    assert "안녕" in line
    assert "\n" not in line
    assert json.loads(line)["with"]["item"]["content"][0]["text"] == "안녕\n\u2028\u0085하세요"


# --- bounds --------------------------------------------------------------------------------------------------------


def test_the_oldest_are_forgotten_and_counted() -> None:
    journal = begun(keep_bytes=2000)
    for number in range(100):
        journal.fed("tick", (), float(number))
    header, dropped, *rest = facts(journal)
    assert header["journal"] == FORMAT
    assert dropped == {"mark": "#", "dropped": 100 - len(rest)}
    assert 0 < len(rest) < 20
    assert [line["n"] for line in rest] == list(range(101 - len(rest), 101))


def test_lines_can_be_read_by_another_thread_while_others_are_written() -> None:
    journal, done = begun(keep_bytes=3000), threading.Event()
    found: list[bool] = []

    def read() -> None:
        while not done.is_set():
            found.append(all(line["n"] == line["at"] for line in facts(journal) if "n" in line))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 20_001):
        journal.fed("tick", (), float(number))
    done.set()
    reader.join()
    assert found
    assert all(found)


def test_what_is_larger_than_the_bound_is_not_kept_at_all() -> None:
    journal = begun(keep_bytes=1000)
    item = MessageItem("user", (InputText("x" * 5000),), id="i")
    journal.performed([Send(ConversationItemCreate(item=item))], 6.0)
    assert facts(journal)[1:] == [{"mark": "#", "dropped": 1}]
    nothing = begun(keep_bytes=0)
    nothing.fed("tick", (), 1.0)
    assert facts(nothing)[1:] == [{"mark": "#", "dropped": 1}]


def kinds_of_records() -> dict[str, Any]:
    """What fills a journal: each gives something new with every call, as the wire does."""
    counted = iter(range(10_000_000))

    def events(journal: Journal) -> None:
        from charye.protocol import decode_server_event

        for line in server_lines():
            event = decode_server_event(line)
            if not isinstance(event, UnknownEvent):
                journal.received(line, event, 6.0 + next(counted))

    def audio(journal: Journal) -> None:
        event: Any = audio_delta("r1", 20.0, f"item_{next(counted) // 100}")
        journal.received(AUDIO_DATA, event, 6.0 + next(counted))
        journal.performed([Play(event, 20.0 + next(counted))], 6.0)

    def requests(journal: Journal) -> None:
        words = f"Say {next(counted)} things. " * 20
        request: ResponseRequest = want(f"q{next(counted)}", parameters=ResponseParams(instructions=words))
        journal.fed("request", (request,), 6.0 + next(counted))

    def ticks(journal: Journal) -> None:
        journal.fed("tick", (), 6.0 + next(counted))

    def sent(journal: Journal) -> None:
        journal.sent(encode(ResponseCreate(event_id=f"c.1.{next(counted)}")), 6.0 + next(counted))

    return {"events": events, "audio": audio, "requests": requests, "ticks": ticks, "sent": sent}


@pytest.mark.parametrize("kind", kinds_of_records())
def test_it_takes_no_more_memory_than_it_says(kind: str) -> None:
    bound = 300_000
    fill = kinds_of_records()[kind]
    journal = begun(keep_bytes=bound)
    fill(journal)  # what is made once, for all journals
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        while not any("dropped" in line for line in list(journal.lines())[1:2]):
            for _ in range(50):
                fill(journal)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert bound / 4 < used < bound * 1.1


def test_the_garbage_collector_does_not_look_at_audio() -> None:
    journal = begun()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1000):
        journal.received(AUDIO_DATA, AUDIO, 6.0)
        journal.performed([Play(AUDIO, 20.0)], 6.0)
    gc.collect()
    assert len(gc.get_objects()) - before < 100


@pytest.mark.parametrize("option", ["keep_bytes", "file_max_bytes", "file_keep", "file_queue_bytes"])
def test_a_bound_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        begun(**{option: -1})
    assert caught.value.option == option


# --- nothing makes it raise ----------------------------------------------------------------------------------------


def nested() -> Any:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize("private", Redaction)
def test_nonsense_is_written_down_somehow(private: Redaction) -> None:
    journal = begun(private=private)
    nonsense: Any = object()
    item = MessageItem("\ud800", (InputText("half \udfff"),), id="\ud800")
    journal.fed("fly", (nonsense,), 6.0)
    journal.fed("request", (nonsense,), 6.0)
    journal.fed("cancel", (b"bytes", 1, 2, 3), 6.0)
    journal.fed("add_item", (item,), 6.0)
    journal.fed("add_item", (MessageItem("user", nested(), id="i"),), 6.0)
    journal.fed("microphone", (2**100,), 6.0)
    journal.received(b"", nonsense, 6.0)
    journal.performed([nonsense, Send(nonsense), Send(ConversationItemCreate(item=item))], 6.0)
    journal.sent(b"\xff", 6.0)
    journal.noted("\ud800", float("nan"), **{"\ud800": "\ud800", "huge": 2**100})
    lines = facts(journal)
    assert len(lines) == 13
    assert [line["mark"] for line in lines] == ["#", *"@@@@@@", "<", *"===", ">", "!"]
    assert all("unwritable" in line or "do" in line for line in lines[1:7])


def test_a_line_that_cannot_be_written_does_not_hide_the_others(tmp_path: Path) -> None:
    nonsense: Any = object()
    journal = begun(file=tmp_path / "talk.jsonl")
    journal.fed("connected", (), 6.0)
    journal.performed([nonsense], 6.0)
    journal.fed("tick", (), 7.0)
    journal.close(wait_s=WAIT_S)
    assert (tmp_path / "talk.jsonl").read_text(encoding="utf-8").splitlines() == list(journal.lines())
    assert facts(journal)[2] == {"n": 2, "at": 6.0, "mark": "=", "unwritable": "KeyError"}


def test_what_was_not_begun_can_be_read_but_not_replayed() -> None:
    journal = Journal(JournalSettings(), clock=lambda: 5.0)
    journal.fed("connected", (), 6.0)
    journal.close()
    assert [line["n"] for line in facts(journal)] == [1, 2]
    with pytest.raises(ConfigurationError, match="this is not a journal"):
        replay(journal.lines())


# --- the file ------------------------------------------------------------------------------------------------------


def lines_of(*paths: Path) -> list[str]:
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_file_has_the_same_lines_and_belongs_to_one_person(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    recorded = Recorded(journal=JournalSettings(file=file))
    story(recorded, seed=3, steps=80, words=lambda: "hello")
    recorded.journal.close(wait_s=WAIT_S)
    assert lines_of(file) == recorded.lines()
    assert replay(lines_of(file)).is_whole
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_has_all_though_the_memory_has_not(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    journal = begun(file=file, keep_bytes=500)
    for number in range(500):
        journal.fed("tick", (), float(number))
    journal.close(wait_s=WAIT_S)
    assert [json.loads(line).get("n") for line in lines_of(file)] == [None, *range(1, 502)]


def test_files_rotate_by_size_and_replay_one_after_another(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    recorded = Recorded(journal=JournalSettings(file=file, file_max_bytes=4000, file_keep=1000))
    story(recorded, seed=3, steps=80, words=lambda: "hello")
    recorded.journal.close(wait_s=WAIT_S)
    others = sorted(tmp_path.glob("talk.jsonl.*"), key=lambda path: -int(path.suffix[1:]))
    assert len(others) > 3
    longest = max(len(line.encode()) for line in lines_of(file, *others))
    assert all(path.stat().st_size <= 4000 + longest + 1 for path in (*others, file))
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in others)
    assert replay(lines_of(*others, file)).is_whole
    with pytest.raises(ConfigurationError, match="the front of the journal is lost"):
        replay(lines_of(file))
    with pytest.raises(ConfigurationError, match="lines of the journal are missing"):
        replay(lines_of(others[0], file))


@pytest.mark.parametrize("keep", [0, 2])
def test_no_more_files_are_kept_than_are_wanted(tmp_path: Path, keep: int) -> None:
    file = tmp_path / "talk.jsonl"
    journal = begun(file=file, file_max_bytes=3000, file_keep=keep)
    for number in range(500):
        journal.fed("tick", (), float(number))
    journal.close(wait_s=WAIT_S)
    wanted = {file.name, *(f"{file.name}.{number}" for number in range(1, keep + 1))}
    assert {path.name for path in tmp_path.iterdir()} == wanted
    header, before, first, *_ = map(json.loads, lines_of(file))
    assert header == facts(journal)[0]
    assert before == {"mark": "#", "before": first["n"] - 1}


def test_a_file_of_an_earlier_talk_is_moved_on(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text("yesterday", encoding="utf-8")
    journal = begun(file=file)
    journal.close(wait_s=WAIT_S)
    assert lines_of(tmp_path / "talk.jsonl.1") == ["yesterday"]
    assert len(lines_of(file)) == 2


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "somebody's"
    target.write_text("his", encoding="utf-8")
    file = tmp_path / "talk.jsonl"
    file.symlink_to(target)
    journal = begun(file=file)
    journal.close(wait_s=WAIT_S)
    assert target.read_text(encoding="utf-8") == "his"
    assert len(lines_of(file)) == 2


def test_nor_one_that_leads_to_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "talk.jsonl"
    file.symlink_to(tmp_path / "not there")
    begun(file=file).close(wait_s=WAIT_S)
    assert not (tmp_path / "not there").exists()
    assert len(caplog.records) == 1


def test_what_the_disk_does_not_take_is_left_out_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    journal = begun(file=file, file_queue_bytes=2000)
    for number in range(5000):  # in less time than the first batch waits for
        journal.fed("tick", (), float(number))
    journal.close(wait_s=WAIT_S)
    lines = [json.loads(line) for line in lines_of(file)[1:]]
    lost = sum(line.get("lost", 0) for line in lines)
    assert lost > 0
    assert lost + sum("n" in line for line in lines) == 5001
    assert lines[-1]["closed"]
    with pytest.raises(ConfigurationError, match="lines of the journal are missing"):
        replay(lines_of(file))
    assert len(facts(journal)) == 5002  # in memory it is whole


def test_a_folder_that_is_not_there_is_told_once_and_the_journal_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        journal = begun(file=tmp_path / "nowhere" / "talk.jsonl")
        journal.fed("connected", (), 6.0)
        journal.close(wait_s=WAIT_S)
    (record,) = caplog.records
    assert str(tmp_path) not in record.getMessage()
    assert len(facts(journal)) == 3


FULL_DISK = """
import logging, resource, sys
from pathlib import Path
from charye.core.settings import Settings
from charye.session.journal import Journal, JournalSettings

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
journal = Journal(JournalSettings(file=Path(sys.argv[1])), clock=lambda: 1.0)
journal.began(Settings())
for _ in range(3):
    for number in range(200):
        journal.fed("tick", (), float(number))
journal.close(wait_s=30)
print(len(list(journal.lines())))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="CI cannot: Windows has no limit for the size of a file")
def test_a_full_disk_is_told_once_and_the_journal_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "talk.jsonl")],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    told, count = done.stdout.splitlines()
    assert told == "WARNING the journal cannot be written to its file; it is kept in memory"
    assert count == "602"


NEVER_CLOSED = """
import sys
from pathlib import Path
from charye.core.settings import Settings
from charye.session.journal import Journal, JournalSettings

journal = Journal(JournalSettings(file=Path(sys.argv[1])), clock=lambda: 1.0)
journal.began(Settings())
for number in range(200):
    journal.fed("tick", (), float(number))
if sys.argv[2] == "close":
    journal.close()
"""


@pytest.mark.parametrize(("way", "lines"), [("close", 202), ("forget", 201)])
def test_the_end_of_the_program_waits_for_what_is_unwritten(tmp_path: Path, way: str, lines: int) -> None:
    file = tmp_path / "talk.jsonl"
    subprocess.run([sys.executable, "-c", NEVER_CLOSED, str(file), way], check=True, timeout=60)
    assert len(lines_of(file)) == lines


def test_several_journals_share_one_thread(tmp_path: Path) -> None:
    journals = [begun(file=tmp_path / f"{number}.jsonl") for number in range(20)]
    for journal in journals:
        journal.fed("connected", (), 6.0)
    for journal in journals:
        journal.close(wait_s=WAIT_S)
    assert all(len(lines_of(tmp_path / f"{number}.jsonl")) == 3 for number in range(20))


# --- a copy on request ---------------------------------------------------------------------------------------------


def test_a_dump_has_the_lines_and_replaces_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "dump.jsonl"
    file.write_text("old", encoding="utf-8")
    os.chmod(file, 0o644)
    journal = begun()
    journal.fed("connected", (), 6.0)
    journal.dump(file)
    assert lines_of(file) == list(journal.lines())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["dump.jsonl"]


def test_a_dump_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    journal = begun()
    with pytest.raises(ConfigurationError, match="the journal cannot be written there"):
        journal.dump(tmp_path / "nowhere" / "dump.jsonl")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="the journal cannot be written there"):
        journal.dump(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
