"""The report as one HTML file: well-formed, closed to the world, readable by everybody, the same each time."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from charye.assessment.grades import Grade
from charye.assessment.render import KINDS, as_file, content_security_policy, html, kind_of, language_for
from charye.assessment.render.markup import Markup, tag
from charye.assessment.report import (
    Assessor,
    Bilingual,
    Correction,
    Learner,
    Report,
    Severity,
    from_json,
    to_json,
)
from charye.assessment.speech import Quote, Speaker, Turn
from charye.assessment.sufficiency import Verdict
from charye.errors import ConfigurationError
from tests.assessment import reports

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;</style></title>\x1b[31m\u202e"
VOID = {"br", "hr", "img", "input", "link", "meta"}
MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def made(kiwi: Kiwi) -> dict[str, Report]:
    names = ("a1", "b1", "c1", "silent", "transcript_only")
    return {name: getattr(reports, name)(kiwi) for name in names}


@pytest.fixture(params=["a1", "b1", "c1", "silent", "transcript_only"])
def report(request: pytest.FixtureRequest, made: dict[str, Report]) -> Report:
    return made[request.param]


class Page(HTMLParser):
    """Reads strictly: what is opened is closed, in order; collects what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        names = [key for key, _ in attributes]
        assert len(names) == len(set(names)), f"{name} has an attribute twice"
        self.elements.append((name, {key: value or "" for key, value in attributes}))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"{name} closes itself outside of a picture"
        self.elements.append((name, {key: value or "" for key, value in attributes}))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name in names]

    @property
    def text(self) -> str:
        return " ".join(self.words)


# --- the file --------------------------------------------------------------------------------------------------------


def test_it_is_well_formed_and_small(report: Report) -> None:
    text = html(report)
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>\n<html ")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        named = attributes.get("aria-labelledby", "").split() + attributes.get("aria-describedby", "").split()
        named += [attributes["for"]] if "for" in attributes else []
        assert set(named) <= set(ids)
        if "href" in attributes:
            assert attributes["href"].removeprefix("#") in ids
    assert len(text.encode()) < MOST_BYTES


def test_it_asks_nobody_for_anything(report: Report) -> None:
    text = html(report)
    page = Page(text)
    assert not page.all("script", "link", "img", "iframe", "object", "embed", "base", "form")
    for name, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key in ("style", "src", "srcset")], (
            name
        )
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"https?:|[\"'=(]//|@import|url\(", text)


def test_its_policy_allows_its_own_style_and_nothing_else(report: Report) -> None:
    text = html(report)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    (meta,) = [one for one in Page(text).all("meta") if one.get("http-equiv")]
    assert meta == {"http-equiv": "Content-Security-Policy", "content": content_security_policy()}
    assert content_security_policy().startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    again = from_json(to_json(report))
    for kind in KINDS:
        assert as_file(report, f"r.{kind}") == as_file(again, f"r.{kind}")


# --- for everybody ---------------------------------------------------------------------------------------------------


def test_every_picture_says_in_words_what_it_shows(report: Report) -> None:
    text = html(report)
    pictures = re.findall(r'<svg class="picture".*?</figure>', text, re.DOTALL)
    assert bool(pictures) == bool(report.timeline or report.overall)
    for picture in pictures:
        assert re.search(r'role="img" aria-labelledby="[\w-]+" aria-describedby="[\w-]+"', picture)
        assert re.search(r"<title id=[^>]*>[^<]+</title><desc id=[^>]*>[^<]+</desc>", picture)
        assert re.search(r"<details.*<table><caption>.*<tbody><tr>", picture, re.DOTALL)
    hidden = [one for one in Page(text).all("svg") if one.get("class") != "picture"]
    assert all(one["aria-hidden"] == "true" for one in hidden)


def test_every_picture_is_there_for_a_full_report(made: dict[str, Report]) -> None:
    titles = re.findall(r'<title id="en-(\w+)-title">', html(made["b1"]))
    assert titles == ["ladder", "radar", "timeline", "progress", "strip"]
    assert re.findall(r'<title id="en-(\w+)-title">', html(made["a1"])) == [
        "ladder",
        "radar",
        "timeline",
        "strip",
    ]


def test_nothing_is_drawn_outside_of_its_picture(report: Report) -> None:
    for height, drawing in re.findall(
        r'<svg class="picture" viewBox="0 0 360 ([\d.]+)".*?</desc>(.*?)</svg>', html(report), re.DOTALL
    ):
        flat = re.sub(r"<g transform.*?</g>", "", drawing)
        xs = re.findall(r' (?:x|x1|x2|cx)="([-\d.]+)"', flat)
        ys = re.findall(r' (?:y|y1|y2|cy)="([-\d.]+)"', flat)
        assert xs
        assert all(0 <= float(x) <= 360 for x in xs)
        assert all(0 <= float(y) <= float(height) for y in ys)


def test_headings_come_in_order_in_each_language(report: Report) -> None:
    for main in re.findall(r"<main.*?</main>", html(report), re.DOTALL):
        levels = [int(level) for level in re.findall(r"<h(\d)", main)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_was_said_is_marked_as_korean(report: Report) -> None:
    page = Page(html(report))
    assert all(one.get("lang") == "ko" for one in page.all("q"))
    turns = re.findall(r'<li id="en-turn-\d+".*?</li>', html(report), re.DOTALL)
    assert len(turns) == len(report.transcript)
    assert all('<p lang="ko">' in turn for turn in turns)


def colours() -> list[dict[str, str]]:
    """The light, the dark and the printed set."""
    style = resources.files("charye.assessment.render").joinpath("page.css").read_text(encoding="utf-8")
    return [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast_is_enough_to_read(which: int) -> None:
    """Source: WCAG 2.2, 1.4.3 (text: 4.5) and 1.4.11 (marks: 3)."""
    palette = [found for found in colours() if found][which]
    for ground in ("paper", "ground"):
        for ink in ("ink", "soft", "accent", "good", "fair", "poor"):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    for ink, ground in (("on-accent", "accent"), ("notice-ink", "notice"), ("ink", "wash")):
        assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    for phase in ("warm-up", "level-check", "probe", "wind-down"):
        assert contrast(palette["ink"], palette[f"phase-{phase}"]) >= 4.5
    assert contrast(palette["heat3"], palette["paper"]) >= 3


# --- languages -------------------------------------------------------------------------------------------------------


def test_both_languages_are_in_it_and_it_opens_in_the_learners(made: dict[str, Report]) -> None:
    for name, language in (("a1", "en"), ("c1", "ko")):
        page = Page(html(made[name]))
        assert next(one["lang"] for one in page.all("main")) == language == page.all("html")[0]["lang"]
        assert [one["id"] for one in page.all("input") if "checked" in one] == [f"show-{language}"]
        assert {one["lang"] for one in page.all("main")} == {"ko", "en"}
    assert language_for(made["a1"]) == "en"
    asked = Page(html(made["a1"], language="ko"))
    assert asked.all("html")[0]["lang"] == "ko"


# --- what it says ----------------------------------------------------------------------------------------------------


def test_the_level_its_range_and_every_quote_are_there(made: dict[str, Report]) -> None:
    report = made["b1"]
    assert report.overall
    text = html(report, language="en")
    page = Page(text)
    assert f'<p class="badge">{report.overall.label}</p>' in text
    quotes = [quote.text for one in report.strengths for quote in one.quotes]
    quotes += [quote.text for one in report.domains for quote in (*one.quotes, *one.counter)]
    assert quotes
    assert all(quote in page.text for quote in quotes)
    assert all(turn.text in page.text for turn in report.transcript)
    for opinion in report.opinions:
        assert opinion.text.en in page.text
    assert report.agreement
    assert report.agreement.text.en in page.text


def test_too_little_speech_is_said_kindly_and_gives_no_level_away(made: dict[str, Report]) -> None:
    report = made["silent"]
    assert report.overall is None
    assert report.sufficiency.verdict is Verdict.INSUFFICIENT
    text = html(report)
    page = Page(text)
    assert "Not enough speech for a level yet" in page.text
    assert all(why.en in page.text and why.ko in page.text for why in report.sufficiency.why)
    assert "Mistakes are fine" in page.text
    assert 'class="badge' not in text
    assert not re.findall(r'<title id="\w+-(?:ladder|radar|strip)-title">', text)


def test_nobody_is_given_advice_when_the_fault_is_ours(made: dict[str, Report]) -> None:
    report = made["silent"]
    unread = changed(report, sufficiency=changed(report.sufficiency, unread=True))
    page = Page(html(unread))
    assert "The fault is ours" in page.text
    assert "Mistakes are fine" not in page.text
    assert "of 25 needed" not in page.text


def test_far_apart_is_told_in_the_first_section(made: dict[str, Report]) -> None:
    report = made["b1"]
    assert report.overall
    far = changed(report, overall=changed(report.overall, review=True))
    hero = html(far, language="en").partition('id="en-ladder"')[0]
    assert "A teacher should look at this result." in hero


def test_a_level_that_is_held_back_says_why(made: dict[str, Report]) -> None:
    report = made["b1"]
    assert report.overall
    held = changed(report, overall=changed(report.overall, held_back=Bilingual("아직입니다.", "Not yet.")))
    page = Page(html(held))
    assert "Not yet." in page.text
    assert "아직입니다." in page.text


def test_a_level_that_is_open_above_is_drawn_open(made: dict[str, Report]) -> None:
    report = made["transcript_only"]
    assert report.overall
    assert report.overall.open_above
    text = html(report)
    assert 'class="open"' in text
    assert "B2 or above" in Page(text).text


# --- hostile words ---------------------------------------------------------------------------------------------------


def hostile(report: Report) -> Report:
    turn = Turn(Speaker.LEARNER, ATTACK, start_ms=0.0, end_ms=1.0)
    quote = Quote(0, 0, len(turn.text), turn.text)
    text = Bilingual(ATTACK, ATTACK)
    return changed(
        report,
        id=ATTACK,
        learner=Learner(id=ATTACK, name=ATTACK, language=None),
        transcript=(turn, *report.transcript[1:]),
        domains=tuple(
            changed(one, quotes=(quote,), counter=(quote,), comment=text) for one in report.domains
        ),
        strengths=tuple(changed(one, title=text, quotes=(quote,)) for one in report.strengths),
        corrections=(
            Correction(quote=quote, better=ATTACK, why=text, severity=Severity.ERROR, source=Assessor.JUDGE),
        ),
        practice=tuple(changed(one, prompt=ATTACK, goal=text) for one in report.practice),
        flags=(),
        timeline=tuple(changed(one, phase=ATTACK) for one in report.timeline),
    )


def test_what_a_learner_says_or_is_called_stays_text(report: Report) -> None:
    text = html(hostile(report))
    page = Page(text)
    assert not page.all("script", "img")
    assert "<script" not in text
    assert text.count("</style>") == 1
    assert text.count("</title>") == 1 + len(re.findall("<title id=", text))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e]", text)
    assert "<script>alert(1)</script>" in page.text


def test_markup_lets_nothing_in_unescaped() -> None:
    assert tag("p", "<b>", Markup("<i>"), title='"><', hidden=True, class_=None) == (
        '<p title="&quot;&gt;&lt;" hidden>&lt;b&gt;<i></p>'
    )
    assert tag("circle", r=1.0, cx=0.123, cy=-0.001) == '<circle r="1" cx="0.12" cy="0"/>'


# --- shapes that reports may take ------------------------------------------------------------------------------------


def test_any_level_and_bracket_can_be_drawn(made: dict[str, Report]) -> None:
    report = made["a1"]
    assert report.overall
    assert report.bracket
    for low in Grade:
        for high in list(Grade)[list(Grade).index(low) :]:
            drawn = changed(
                report,
                overall=changed(report.overall, level=low, low=low, high=high, label=low.value),
                bracket=changed(report.bracket, floor=low, ceiling=None if high is Grade.C2 else high),
            )
            Page(html(drawn))
            test_nothing_is_drawn_outside_of_its_picture(drawn)


@pytest.mark.parametrize("answers", [1, 5, 60, 500])
def test_any_number_of_answers_can_be_drawn(made: dict[str, Report], answers: int) -> None:
    for name in ("b1", "transcript_only"):
        entry = made[name].timeline[0]
        many = tuple(changed(entry, number=at + 1, words=at % 40) for at in range(answers))
        test_nothing_is_drawn_outside_of_its_picture(changed(made[name], timeline=many))


@pytest.mark.parametrize("count", [1, 2, 11, 40])
def test_any_number_of_sessions_can_be_drawn(made: dict[str, Report], count: int) -> None:
    (first, *_), report = made["b1"].earlier, made["b1"]
    test_nothing_is_drawn_outside_of_its_picture(changed(report, earlier=(first,) * count))


# --- names of files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [("r.html", "html"), ("R.HTM", "html"), ("a.b.md", "md"), ("x/y.json", "json"), ("c.csv", "csv")],
)
def test_the_end_of_a_name_says_the_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize("name", ["report", "report.pdf", ".html", "html"])
def test_a_kind_that_there_is_not(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\.html, \.md, \.json or \.csv") as caught:
        kind_of(name)
    assert caught.value.option == name
