"""How Korean is said. The right-hand sides are the standard pronunciation, spelt in hangul."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.server.korean import is_hangul, respell, syllables_in
from charye.server.korean_numbers import native, sino

SAID = {
    "liaison [13-15]": """
        먹어요=머거요 옷이=오시 있어요=이써요 앉아=안자 값이=갑씨 넋이=넉씨 닮은=달믄 이름은=이르믄
        앞으로=아프로 꽃이=꼬치 밖에=바께 핥아=할타 읽었습니다=일걷씀니다 옷=옫 부엌=부억 밥=밥
        여덟=여덜
    """,
    "where ㅎ meets others [12]": """
        좋아요=조아요 않아요=아나요 싫어=시러 많다=만타 놓고=노코 좋습니다=조씀니다 넣는=넌는 놓는=논는
        못하다=모타다 법학=버팍 축하해요=추카해요 특히=트키 얹혀=언처 괜찮아요=괜차나요 앓는=알른
        뚫네=뚤레 값하다=가파다 끓이다=끄리다
    """,
    "ㄷ and ㅌ before 이 [17]": """
        굳이=구지 같이=가치 붙이다=부치다 닫히다=다치다 묻혀=무처 핥이다=할치다
    """,
    "nasals [18, 19]": """
        국물=궁물 읽는=잉는 입니다=임니다 막내=망내 앞문=암문 밟는=밤는 학년=항년 십만=심만 작년=장년
        십리=심니 독립=동닙 대통령=대통녕 강릉=강능 담력=담녁 한국말=한궁말
    """,
    "liquids [20]": """
        신라=실라 난로=날로 칼날=칼랄 판단력=판단녁
    """,
    "tension [23-28]": """
        학교=학꾜 국밥=국빱 값도=갑또 앉고=안꼬 넓다=널따 젊다=점따 읽고=일꼬 닭도=닥또 닭과=닥꽈
        삶도=삼도 밟다=밥따 문법=문뻡
    """,
    "where two words meet [15, 29]": """
        꽃잎=꼰닙 한여름=한녀름 서울역=서울력 색연필=생년필 맛없다=마덥따 맛있어요=마시써요
        스물여섯=스물려섣
    """,
    "vowels [5]": """
        희망=히망 협의=혀비 의사=의사 계세요=게세요 묻혀=무처
    """,
    "native numerals": """
        3명=세명 2시=두시 20살=스무살 21살=스물한살 99개=아흐나홉깨 1번째=첟뻔째 4시간=네시간
        5마리=다선마리
    """,
    "sino-korean numerals": """
        30분=삼십뿐 6월=유월 10월=시월 3개월=삼개월 1,000원=처눤 10,000원=마눤 110000원=시빌마눤 0=영
        007=공공칠 16=심뉵 2026년=이처니심늉년 20달러=이십딸러
    """,
    "other numbers": """
        3.5=삼쩌모 15%=시보퍼센트 170cm=백칠씹쎈티미터 14:30=십싸시삼십뿐 2:05=두시오분 3~4명=사메서네명
        2026-09-05=이처니심늉년구워로일 010-1234-5678=공일공,이리삼사,오육칠팔
    """,
    "left alone": """
        AI를=AI를 hello=hello ㅋㅋ=ㅋㅋ ...=... 안녕!=안녕!
    """,
}
PAIRS = [(rule, *pair.split("=")) for rule, pairs in SAID.items() for pair in pairs.split()]


@pytest.mark.parametrize(
    ("rule", "written", "said"), PAIRS, ids=[f"{rule}: {pair[0]}" for rule, *pair in PAIRS]
)
def test_a_word_is_said(rule: str, written: str, said: str) -> None:
    assert respell([written]) == [said], rule


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3 명이 왔어요", "세 명이 와써요"),  # the counter stands behind a space
        ("2 시간 걸려요", "두 시간 걸려요"),
        ("2시 30분에 만나요", "두시 삼십뿌네 만나요"),
        ("내일 갈 거예요.", "내일 갈 꺼예요."),  # [27]
        ("할 수 있어요", "할 쑤 이써요"),
        ("한국어를 할 줄 알아요", "한구거를 할 쭐 아라요"),
        ("밥을 줄 사람", "바블 줄 사람"),  # 줄 is a verb here
        ("서울 거리를 걸어요", "서울 거리를 거러요"),
        ("무슨 일이에요?", "무슨 니리에요?"),  # [29]
        ("할 일이 많아요", "할 리리 마나요"),
    ],
)
def test_a_neighbour_changes_a_word(written: str, said: str) -> None:
    assert " ".join(respell(written.split())) == said


@given(
    st.lists(
        st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=6), max_size=5
    )
)
def test_any_hangul_keeps_its_words_and_its_syllables(words: list[str]) -> None:
    said = respell(words)
    assert len(said) == len(words)
    for written, spoken in zip(words, said, strict=True):
        assert len(spoken) == len(written)
        assert all(map(is_hangul, spoken))


@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_text_keeps_its_words(text: list[str]) -> None:
    words = " ".join(text).split()
    said = respell(words)
    assert len(said) == len(words)
    assert not any(any(map(str.isspace, word)) for word in said)


@given(st.integers(0, 10**25))
def test_every_number_has_a_name_without_digits(number: int) -> None:
    assert all(map(is_hangul, sino(number)))
    assert all(map(is_hangul, native(number)))


def test_numerals() -> None:
    assert sino(10_000) == "만"
    assert sino(110_000) == "십일만"
    assert sino(100_000_000) == "일억"
    assert sino(12_345) == "만이천삼백사십오"
    assert sino(20_010_000) == "이천일만"
    assert [native(n) for n in (1, 2, 11, 20, 21, 99)] == ["한", "두", "열한", "스무", "스물한", "아흔아홉"]
    assert native(100) == "백"


def test_syllables() -> None:
    assert syllables_in("안녕하세요!") == 5
    assert syllables_in("summary") == 3
    assert syllables_in("...") == 1
