"""The grammar patterns: each fires on its example, none of level 3 and above on another's, and quotes are verbatim."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from charye.assessment.patterns import Pattern, find, load_patterns, next_patterns
from charye.assessment.units import units_of
from tests.assessment.talks import answers

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi
    from charye.assessment.patterns import Hit

PATTERNS = load_patterns().patterns

# One pattern inside of another: -다는 점에서 is also -다는 N, and -다고 한들 reports.
NESTED = {("p121", "p108"), ("p124", "p057")}


def hits(text: str, kiwi: Kiwi) -> tuple[Hit, ...]:
    return find(units_of(answers(text), kiwi))


def used(text: str, kiwi: Kiwi) -> set[str]:
    return {hit.pattern for hit in hits(text, kiwi)}


def test_there_are_128_and_their_ids_are_in_order() -> None:
    assert [pattern.id for pattern in PATTERNS] == [f"p{number:03}" for number in range(1, 129)]
    assert {pattern.level for pattern in PATTERNS} == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_a_pattern_is_found_in_its_example(pattern: Pattern, kiwi: Kiwi) -> None:
    assert pattern.id in used(pattern.example, kiwi)


def test_no_higher_pattern_is_found_in_the_example_of_another(kiwi: Kiwi) -> None:
    level = {pattern.id: pattern.level for pattern in PATTERNS}
    crossed = {
        (pattern.id, other)
        for pattern in PATTERNS
        for other in used(pattern.example, kiwi)
        if other != pattern.id and level[other] >= 3
    }
    assert crossed == NESTED


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_the_jamo_of_a_pattern_are_those_that_kiwi_writes(pattern: Pattern) -> None:
    # U+3131 to U+318E look the same and would never be found.
    assert not re.search(r"[\u3131-\u318e]", pattern.regex)


def test_a_hit_quotes_the_words_it_is_in(kiwi: Kiwi) -> None:
    turns = answers("음, 한국에... 온 지, 어, 6개월 됐어요!")
    found = {hit.pattern: hit for hit in find(units_of(turns, kiwi))}
    assert found["p046"].quote.text == "온 지"
    for hit in found.values():
        quote = hit.quote
        assert turns[quote.turn].text[quote.start : quote.end] == quote.text


def test_a_pattern_does_not_go_over_the_end_of_a_turn(kiwi: Kiwi) -> None:
    whole = find(units_of(answers("한국에 가고 싶어요."), kiwi))
    cut = find(units_of(answers("한국에 가고", "싶어요."), kiwi))
    assert "p015" in {hit.pattern for hit in whole}
    assert "p015" not in {hit.pattern for hit in cut}


def test_each_use_is_a_hit(kiwi: Kiwi) -> None:
    found = hits("밥을 먹고 물을 마시고 책을 읽었어요.", kiwi)
    assert sum(hit.pattern == "p003" for hit in found) == 3
    assert sum(hit.pattern == "p012" for hit in found) == 2


def test_what_is_worth_learning_next_is_not_used_yet_and_near() -> None:
    found = next_patterns({"p025"}, 2)
    assert len(found) == 5
    assert {pattern.level for pattern in found} <= {2, 3}
    assert "p025" not in {pattern.id for pattern in found}
    assert list(found) == sorted(found, key=lambda pattern: (-pattern.seen[2], pattern.id))
    assert next_patterns(set(), 6)
