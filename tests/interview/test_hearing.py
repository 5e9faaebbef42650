from __future__ import annotations

import pytest

from charye.assessment.speech import Source
from charye.interview.hearing import Control, Kind, TurnEvidence, kind_of, says

WORDS: dict[Kind, tuple[str, ...]] = {
    Kind.REPEAT: (
        "다시 한번 말씀해 주세요",
        "네? 다시 말해 주세요.",
        "뭐라고요?",
        "잘 못 들었어요",
        "please repeat",
    ),
    Kind.SLOWER: (
        "천천히 말해 주세요",
        "너무 빨라요",
        "죄송하지만 좀 천천히 말씀해 주시겠어요?",
        "slowly please",
    ),
    Kind.REPHRASE: ("무슨 뜻이에요?", "질문을 이해 못 했어요", "이해가 안 돼요", "더 쉽게 말해 주세요"),
    Kind.STOP: ("그만할게요", "그만하고 싶어요", "여기까지 할게요", "I want to stop"),
    Kind.PAUSE: ("잠깐 쉬고 싶어요", "잠시 쉴게요"),
    Kind.WAIT: ("잠깐만요", "생각 좀 할게요"),
    Kind.CORRECTION: ("제 문법이 맞아요?", "맞아요?"),
    Kind.HELP: ("힌트 주세요", "뭐라고 대답해야 돼요?"),
    Kind.LANGUAGE_GAP: ("한국어로 어떻게 말해요?", "못 하겠어요", "단어를 몰라요", "너무 어려워요."),
    Kind.DONT_KNOW: ("모르겠어요", "잘 모르겠어요.", "음... 죄송해요, 모르겠어요", "생각이 안 나요"),
    Kind.UNCLEAR: ("시청해 주셔서 감사합니다.", "네 네 네 네 네 네", "3", "...", ""),
    Kind.FOREIGN: (
        "I like coffee very much",
        "私は学生です",
        "Я не знаю",
        "저 student is university very good",
    ),
    Kind.DISTRESS: (
        "죽고 싶어요",
        "저를 때려요. 도와주세요",
        "씨발",
        "어제 친구가 저를 협박했어요. 무서워요",
    ),
    Kind.ANSWER: (
        "네",
        "없어요",
        "배가 고파서 죽겠어요",
        "커피 한 잔 주세요",
        "저는 한국어 공부해요. 어려워요.",
        "안녕하세요. 약 주세요. 머리 아파요.",
        "저는 K-pop을 좋아해요",
        "저는 회사를 그만두고 싶어서 친구한테 이야기했어요",
        "사람마다 달라요. 저는 돈도 필요하고 시간도 필요해요. 그래서 잘 모르겠어요.",
        "친구를 만나서 다시 한번 이야기해 보려고 해요. 그래서 오늘 저녁에 전화할 거예요",
        "자살률이 높아지는 것은 사회의 책임이라고 생각합니다",
    ),
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in WORDS.items() for text in texts])
def test_what_is_said_is_of_a_kind(kind: Kind, text: str) -> None:
    assert kind_of(TurnEvidence(text=text)) is kind


def test_words_that_nobody_can_have_said_are_unclear() -> None:
    text = "저는 어제 친구하고 같이 영화를 보고 밥을 먹었어요"
    assert kind_of(TurnEvidence(text=text, duration_ms=6000.0)) is Kind.ANSWER
    assert kind_of(TurnEvidence(text=text, duration_ms=1000.0)) is Kind.UNCLEAR
    assert kind_of(TurnEvidence(text=text, confidence=0.1)) is Kind.UNCLEAR


def test_typed_words_are_never_unclear_for_their_speed() -> None:
    text = "저는 어제 친구하고 같이 영화를 보고 밥을 먹었어요"
    typed = TurnEvidence(text=text, duration_ms=10.0, confidence=0.0, source=Source.TYPED)
    assert kind_of(typed) is Kind.ANSWER


def test_silence_is_silence_only_if_it_was_measured() -> None:
    assert kind_of(TurnEvidence(silence_ms=6000.0)) is Kind.SILENCE
    assert kind_of(TurnEvidence(text="네", silence_ms=6000.0)) is Kind.ANSWER


@pytest.mark.parametrize("control", list(Control))
def test_a_button_goes_before_the_words(control: Control) -> None:
    assert kind_of(TurnEvidence(text="저는 학생이에요", control=control)).value == control.value


def test_what_was_said_does_not_show() -> None:
    assert "비밀" not in repr(TurnEvidence(text="비밀이에요"))


@pytest.mark.parametrize(
    "text",
    [
        "밤에 갑자기 불이 꺼져서 정말 무서웠어요.",
        "휴대폰이 자꾸 꺼져요.",
        "어려운 일이 닥쳐도 포기하지 않고 노력했어요.",
        "작년에 회사를 그만두었어요.",
        "집에서 여기까지 버스로 왔어요.",
        "꿈을 포기할 수 없어요.",
        "일을 끝내요",
        "주말에 집에서 잠깐 쉬었어요.",
    ],
)
def test_an_ordinary_answer_is_no_wish_and_no_distress(text: str) -> None:
    assert not any(says(name, text) for name in ("distress", "stop", "pause"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stop", "그만할래요"),
        ("stop", "이제 그만요"),
        ("stop", "그만두고 싶어요"),
        ("stop", "여기까지 할게요"),
        ("stop", "끝내고 싶어요"),
        ("stop", "포기할래요"),
        ("pause", "잠깐 쉬고 싶어요"),
        ("pause", "잠시 쉴게요"),
        ("distress", "죽고 싶어요"),
        ("distress", "야 꺼져"),
        ("distress", "닥쳐라"),
        ("not_wanted", "아니요, 그만하고 싶지 않아요."),
    ],
)
def test_a_wish_is_understood(name: str, text: str) -> None:
    assert says(name, text)
