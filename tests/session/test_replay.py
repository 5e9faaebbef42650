"""A journal replays: the same inputs give the same effects, without words and audio too; and a lie is found."""

import inspect
import json
import random
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import charye
from charye.core.effects import Effect, Play
from charye.core.peer import Peer
from charye.core.playout import Reporting
from charye.core.requests import OutcomeKind, ResponseRequest
from charye.core.settings import Settings, ToolPolicy
from charye.errors import ConfigurationError, RequestEnded
from charye.protocol import DIALECTS, ResponseParams
from charye.session.journal import JournalSettings
from charye.session.journal_inputs import INPUTS
from charye.session.journal_lines import DO
from charye.session.redaction import Redaction
from charye.session.replay import Replayed, describe, replay
from charye.testing import run_virtually
from tests.core.bench import audio_delta, want
from tests.howto.pages import load
from tests.model.core import Walked
from tests.model.server import Form
from tests.model.test_long_walks import go_on, specs
from tests.model.world import Spec, World
from tests.session.recording import Recorded, story
from tests.session.talking import talk

SECRET = "Ωλ"
"""Two letters that are in nothing but what was said."""

settings_of_the_core = st.builds(
    Settings,
    dialect=st.sampled_from(tuple(DIALECTS.values())),
    reporting=st.sampled_from(Reporting),
    tools=st.builds(ToolPolicy, after_message=st.sampled_from(("speak", "shorten", "skip"))),
    asks_for_replies=st.booleans(),
    mirror_items=st.sampled_from((3, 200)),
    max_waiting=st.sampled_from((2, 1000)),
)


def words_of(chance: random.Random) -> str:
    return "" if chance.random() < 0.3 else f"{SECRET} {'x' * chance.randrange(9)}"


def recorded_story(
    seed: int = 1,
    steps: int = 120,
    core: Settings | None = None,
    journal: JournalSettings | None = None,
) -> Recorded:
    recorded, chance = Recorded(core, journal), random.Random(seed)
    story(recorded, seed=seed, steps=steps, words=lambda: words_of(chance))
    return recorded


def replayed(lines: list[str]) -> Replayed:
    """With the whole story in the message, if it parts."""
    found = replay(lines)
    assert found.parted is None, describe(found, last=5)
    return found


# --- the same again ------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), settings_of_the_core)
def test_any_story_replays_without_its_words_and_without_its_audio(seed: int, core: Settings) -> None:
    lines = recorded_story(seed, core=core).lines()
    assert SECRET not in "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in lines)
    assert replayed(lines).is_whole


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.booleans())
def test_and_with_them(seed: int, audio: bool) -> None:
    open_ = JournalSettings(private=Redaction.NOTHING, audio=audio)
    recorded = recorded_story(seed, journal=open_)
    found = replayed(recorded.lines())
    heard = [effect for effects in found.effects for effect in effects if isinstance(effect, Play)]
    assert all(audio or set(effect.event.delta) <= set("A=") for effect in heard)


class WalkedAndRecorded(Walked):
    """The model's way through the core, with a journal."""

    def __init__(self, core: Settings, asks: tuple[ResponseRequest, ...], form: Form) -> None:
        super().__init__(core, asks, form)
        self.recorded = Recorded(core)
        self.recorded.peer = self._peer
        self._peer = cast("Peer", self.recorded)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(specs(), st.randoms(use_true_random=False))
def test_the_long_ways_of_the_model_replay(spec: Spec, chance: Any) -> None:
    walked = WalkedAndRecorded(spec.settings, spec.asks, spec.rules.form)
    world = World(spec, walked)
    node = world.start()
    for _ in range(150):
        after = go_on(world, node, chance.randrange(1_000_000), fair=False)
        if after is None:
            break
        node = after
    assert len(replayed(walked.recorded.lines()).inputs) > 20


@pytest.mark.parametrize("fault", ["", "vad_wins", "lost_done:nth=1", "drop:at=audio"])
def test_a_session_with_a_server_replays(fault: str) -> None:
    async def story() -> list[str]:
        async with talk(fault=fault) as t:
            for handle in [t.session.say(f"{SECRET} number {n}") for n in range(3)]:
                with suppress(RequestEnded):
                    await handle
        return list(t.session.journal.lines())

    lines = run_virtually(story())
    assert SECRET not in "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in lines)
    found = replayed(lines)
    assert found.is_whole
    assert len(found.inputs) > 20


def test_the_effects_are_given_as_they_were() -> None:
    recorded = recorded_story(journal=JournalSettings(private=Redaction.NOTHING, audio=True), steps=200)
    again: list[Effect] = [effect for effects in replayed(recorded.lines()).effects for effect in effects]
    assert again == recorded.effects


def test_an_illegal_input_that_was_written_down_is_illegal_again() -> None:
    recorded = Recorded()
    recorded.press(100.0)
    recorded.journal.fed(
        "press", (), 100.0
    )  # a shell that writes first; the peer raises, so nothing comes of it
    assert replayed(recorded.lines()).effects[1] == ()


def test_what_was_told_to_nobody_is_passed_over() -> None:
    recorded = Recorded()
    recorded.journal.noted("reconnecting", 1.0, attempt=1)
    recorded.journal.received(b"{", None, 1.0)
    recorded.journal.sent(b"{", 1.0)
    assert replayed(recorded.lines()).inputs == ()


# --- a lie is found ------------------------------------------------------------------------------------------------

LINES = recorded_story(seed=7).lines()
FACTS = [json.loads(line) for line in LINES]
EFFECTS = [place for place, facts in enumerate(FACTS) if facts["mark"] == "="]
INPUT_MARKS = ("@", "~", "<")
CONSEQUENTIAL = [
    place
    for place, facts in enumerate(FACTS[:-1])
    if facts["mark"] in INPUT_MARKS and FACTS[place + 1]["mark"] == "=" and place > 1
]


def altered(facts: dict[str, Any]) -> dict[str, Any]:
    """The same effect with one text or number in it changed."""
    for name, value in facts.items():
        if name in ("mark", "n", "at"):
            continue
        if isinstance(value, dict):
            return facts | {name: altered(value)}
        if isinstance(value, str) and name != "do":
            return facts | {name: value + "x"}
        if isinstance(value, float):
            return facts | {name: value + 0.001}
    return facts | {"more": 1}


def numbered(facts: list[dict[str, Any]]) -> list[str]:
    """Lines, numbered anew behind the header, so that none seems to be missing."""
    return [json.dumps(each | {"n": number} if number else each) for number, each in enumerate(facts)]


@pytest.mark.parametrize("place", EFFECTS)
def test_an_effect_that_was_altered_is_found(place: int) -> None:
    lie = altered(FACTS[place])
    parted = replay([*LINES[:place], json.dumps(lie), *LINES[place + 1 :]]).parted
    assert parted is not None
    assert (parted.line, parted.expected) == (
        FACTS[place]["n"],
        {name: value for name, value in lie.items() if name not in ("n", "at")},
    )
    assert parted.got is not None
    before = max(
        at for at in range(place) if FACTS[at]["mark"] in INPUT_MARKS and "malformed" not in FACTS[at]
    )
    assert parted.input.line == FACTS[before]["n"]


@pytest.mark.parametrize("place", EFFECTS)
def test_an_effect_that_was_taken_out_is_found(place: int) -> None:
    parted = replay(numbered([*FACTS[:place], *FACTS[place + 1 :]])).parted
    assert parted is not None
    assert parted.line <= FACTS[place]["n"]
    assert parted.got is not None


@pytest.mark.parametrize("place", CONSEQUENTIAL)
def test_an_input_that_was_taken_out_is_found(place: int) -> None:
    parted = replay(numbered([*FACTS[:place], *FACTS[place + 1 :]])).parted
    assert parted is not None
    assert parted.line == FACTS[place]["n"]  # where its first effect is now, which nothing has caused
    assert parted.got is None


def test_another_time_is_found() -> None:
    recorded = Recorded()
    recorded.connected(100.0)
    recorded.request(want(expires_after_s=3.0), 100.0)
    recorded.disconnected(101.0)
    recorded.tick(104.0)
    lines = recorded.lines()
    at = next(place for place, line in enumerate(lines) if '"tick"' in line)
    parted = replay([*lines[:at], lines[at].replace("104.0", "102.0"), *lines[at + 1 :]]).parted
    assert parted is not None
    assert parted.got is None
    assert parted.line == at + 1


def test_settings_that_are_others_are_found() -> None:
    header = json.loads(LINES[0])
    header["settings"]["name"] = "other"
    parted = replay([json.dumps(header), *LINES[1:]]).parted
    assert parted is not None
    assert parted.expected is not None
    assert parted.expected["event"]["type"] == "response.create"


# --- journals that are not whole -----------------------------------------------------------------------------------


def test_of_a_journal_without_its_end_the_last_effects_are_not_missed() -> None:
    for end in range(1, len(LINES)):
        found = replay(LINES[:end])
        assert found.parted is None
        assert not found.is_whole


def test_a_last_line_that_was_cut_off_is_passed_over() -> None:
    assert replay([*LINES[:20], LINES[20][:15]]).parted is None


@pytest.mark.parametrize(
    ("lines", "message", "line"),
    [
        ([], "this is not a journal", 1),
        (["", "  "], "this is not a journal", 1),
        (["garbage"], "this is not a journal", 1),
        (["[1, 2]", "{}"], "this is not a journal", 1),
        (['{"type": "session.created"}'], "this is not a journal", 1),
        (LINES[1:], "this is not a journal", 1),
        (['{"journal": "1"}'], "the journal is of a newer format", 1),
        (['{"journal": 2}'], "the journal is of a newer format", 1),
        (['{"journal": 1}'], "the journal's header does not fit", 1),
        ([LINES[0].replace('"words"', '"all"')], "the journal's header does not fit", 1),
        ([LINES[0].replace('"speak"', '"shout"')], "the journal's settings do not fit", 1),
        ([LINES[0], "garbage", LINES[1]], "this is not a line of a journal", 2),
        ([LINES[0], '{"n": 1}'], "this is not a line of a journal", 2),
        ([LINES[0], '{"n": "1", "at": 1, "mark": "@"}'], "this is not a line of a journal", 2),
        ([LINES[0], *LINES[2:]], "the front of the journal is lost, so it cannot be replayed", 2),
        ([*LINES[:5], *LINES[6:]], "lines of the journal are missing, so it cannot be replayed", 6),
        ([*LINES[:5], LINES[0].replace("openai", "azure", 1)], "another journal begins", 6),
        ([LINES[0], '{"n": 1, "at": 1, "mark": "=", "do": "note"}'], "an effect without an input", 2),
        (
            [LINES[0], '{"n": 1, "at": 1, "mark": "@", "do": "fly"}'],
            "an input of the journal does not fit",
            2,
        ),
        ([LINES[0], '{"n": 1, "at": 1, "mark": "@"}'], "an input of the journal does not fit", 2),
        (
            [LINES[0], '{"n": 1, "at": 1, "mark": "@", "do": "cancel", "with": {"who": 1}}'],
            "an input of the journal does not fit",
            2,
        ),
        (
            [LINES[0], '{"n": 1, "at": 1, "mark": "@", "do": "cancel"}'],
            "an input of the journal does not fit",
            2,
        ),
        ([LINES[0], '{"n": 1, "at": 1, "mark": "<"}'], "an input of the journal does not fit", 2),
        (
            [LINES[0], '{"n": 1, "at": 1, "mark": "<", "event": {"type": "new"}}'],
            "an input of the journal does not fit",
            2,
        ),
        (
            [LINES[0], '{"n": 1, "at": 1, "mark": "<", "event": {"audio_bytes": 1e12}}'],
            "an input of the journal does not fit",
            2,
        ),
    ],
)
def test_what_cannot_be_replayed_is_said_so_and_where(lines: list[str], message: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        replay(lines)
    assert caught.value.message == message
    assert vars(caught.value)["line"] == line


@given(st.lists(st.text(max_size=20) | st.sampled_from(LINES[:9]), max_size=6))
def test_anything_is_replayed_or_refused(lines: list[str]) -> None:
    with suppress(ConfigurationError):
        replay(lines)


def test_a_ring_that_has_lost_its_front_says_so() -> None:
    recorded = recorded_story(journal=JournalSettings(keep_bytes=20_000))
    with pytest.raises(ConfigurationError, match="the front of the journal is lost"):
        replay(recorded.lines())


def test_another_version_is_a_warning() -> None:
    (warning,) = replay([LINES[0].replace(charye.__version__, "0.0.1"), *LINES[1:]]).warnings
    assert "0.0.1" in warning
    assert charye.__version__ in warning
    assert replay(LINES).warnings == ()


# --- the table of inputs, and the words for people -----------------------------------------------------------------


def test_every_input_of_the_core_has_its_row_as_its_signature_is() -> None:
    inputs = {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(Peer, inspect.isfunction)
        if inspect.signature(method).return_annotation in (list[Effect], None)
        if name not in ("__init__", "receive")
    }
    assert set(INPUTS) == set(inputs)
    for name, signature in inputs.items():
        row = INPUTS[name]
        parameters = [each for each in signature.parameters.values() if each.name != "self"]
        assert [each.name for each in parameters if each.name != "now"] == list(row.takes)
        assert {each.name for each in parameters if each.kind is each.KEYWORD_ONLY} == row.by_name
        assert row.timed is ("now" in signature.parameters)


def told_story() -> Recorded:
    recorded = Recorded()
    recorded.connected(100.0)
    parameters = ResponseParams(instructions="Say it snows.")
    recorded.request(want("weather", trigger="say:weather", parameters=parameters), 100.5)
    recorded.receive(audio_delta("r1", 20.0), 101.0)
    recorded.journal.noted("connecting again", 102.0, after_s=0.25)
    recorded.now = 130.0
    recorded.tick(130.0)
    recorded.journal.close()
    return recorded


def test_the_story_is_told_in_the_marks_of_the_transcripts() -> None:
    text = describe(replay(told_story().lines()))
    assert text.splitlines() == [
        f"charye {charye.__version__}: 4 inputs, 7 effects",
        "     0.000 @ connected",
        "     0.500 @ request weather say:weather",
        "           = tell weather queued",
        "           > response.create c.1.1.1",
        "           = tell weather sent",
        "     1.000 < response.output_audio.delta r1 item_1 960bytes",
        '           = note "a response runs whose created was not seen" r1',
        "           = play r1 item_1 20ms",
        "    30.000 ~ tick",
        '           = note "silence: asking whether the line lives" probe_1',
        "           > conversation.item.retrieve probe_1 probe_1",
        "the same throughout",
    ]


def test_a_parting_is_told_with_both_sides() -> None:
    lines = [line.replace('"duration_ms":20.0', '"duration_ms":21.0') for line in told_story().lines()]
    text = describe(replay(lines), last=1)
    assert text.splitlines()[1:] == [
        "     1.000 < response.output_audio.delta r1 item_1 960bytes",
        '           = note "a response runs whose created was not seen" r1',
        "           = play r1 item_1 20ms",
        "parted at line 9, after the input of line 7",
        "  the journal: = play r1 item_1 21ms",
        "  now:         = play r1 item_1 20ms",
    ]


def test_any_story_can_be_told_and_says_no_word() -> None:
    for seed in range(20):
        assert SECRET not in describe(replay(recorded_story(seed).lines()))
    open_ = JournalSettings(private=Redaction.NOTHING)
    assert SECRET not in describe(replay(recorded_story(journal=open_).lines()))


# --- the pages -----------------------------------------------------------------------------------------------------

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "journal.md").read_text(encoding="utf-8")
HOWTO = (DOCS / "howto" / "read-a-journal.md").read_text(encoding="utf-8")


def test_the_reference_shows_lines_as_they_are() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", REFERENCE, re.MULTILINE | re.DOTALL)
    header, *rest = block.splitlines()
    real_header, *real = told_story().lines()
    assert rest == real
    shown_header, written = json.loads(header), json.loads(real_header)
    assert list(shown_header) == list(written)
    varies = ("charye", "unix_s", "settings")
    assert all(shown_header[name] == written[name] for name in written if name not in varies)


def test_the_reference_names_every_effect_and_every_bound_as_it_is() -> None:
    assert [name for name in DO.values() if f"`{name}`" not in REFERENCE] == []
    defaults = JournalSettings()
    assert (defaults.keep_bytes, defaults.file_max_bytes) == (4 * 1024**2, 64 * 1024**2)
    assert (defaults.file_queue_bytes, defaults.file_keep) == (8 * 1024**2, 3)
    assert "4 MiB, estimated" in REFERENCE
    assert "64 MiB, three more beside it" in REFERENCE
    assert "8 MiB, estimated" in REFERENCE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the journal that the page speaks of."""
    recorded = told_story()
    recorded.journal.dump(tmp_path / "talk.jsonl")
    return tmp_path


def test_the_howto_keeps_a_journal_and_replays_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    made = load("read-a-journal.md", "keep it").__dict__["settings"]
    assert made.journal.file == Path("talk.jsonl")
    load("read-a-journal.md", "replay it")
    told = capsys.readouterr().out.splitlines()
    assert "request weather" in "".join(told)
    assert told[-1] == "the same throughout"
    assert told[-1] in HOWTO


@pytest.mark.skipif(sys.platform == "win32", reason="CI cannot: Windows has no grep")
def test_the_howto_greps_find_something(folder: Path) -> None:
    text = (folder / "talk.jsonl").read_text(encoding="utf-8")
    ended = text.replace('{"step":"sent"}', '{"kind":"heard"}')
    (folder / "talk.jsonl").write_text(ended, encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```$", HOWTO, re.MULTILINE | re.DOTALL):
        for command in block.splitlines():
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout, command


def test_every_word_that_the_howto_looks_for_is_one() -> None:
    kinds = {kind.value for kind in OutcomeKind}
    named = re.findall(r'`"(?:kind":")?(\w+)"`', HOWTO[HOWTO.index("| was not said") :].splitlines()[0])
    assert named
    assert set(named) <= kinds
