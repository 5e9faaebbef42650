"""Korean words whose sound no rule gives: it depends on where the parts of a word meet, or on custom.

Not a dictionary: the words that come up in everyday conversation and in a speaking test. A word that is missing is said
by rule, which is at worst an accent.
"""

from __future__ import annotations

import re

__all__ = ["BEFORE_WORK", "LINK_AS_WORDS", "SPOKEN_AS", "VERB_ENDS_IN_L", "WORK"]

# Two words in one, where they meet: 꽃|잎. Then ㄴ comes between (꼰닙), or the first is closed (맏|없다: 마덥따).
_COMPOUNDS = """
꽃|잎 깻|잎 나뭇|잎 풀|잎 솔|잎 한|여름 늦|여름 첫|여름 색|연필 담|요 솜|이불 홑|이불 겹|이불 막|일
집안|일 볼|일 별|일 앞|일 뒷|일 잡|일 밭|일 알|약 물|약 두통|약 감기|약 소독|약 식용|유 휘발|유 영업|용
학생|용 어린이|용 가정|용 업무|용 여행|용 직행|열차 급행|열차 신|여성 눈|요기 서른|여섯 서른|여덟
마흔|여섯 마흔|여덟 쉰|여섯 쉰|여덟 스물|여섯 스물|여덟 스물|일곱 십|육 백|육 천|육 만|육 서울|역 강남|역
시청|역 잠실|역 신촌|역 용산|역 부산|역 대전|역 수원|역 종각|역 홍익|역 지하철|역 전철|역 맛|없 값|없
겉|옷 헛|웃음 첫|인상 첫|아들 윗|어른 몇|월 멋|없 밭|아래 꽃|위 무릎|위 부엌|안
"""
# Matches the empty place between the two.
LINK_AS_WORDS = re.compile(
    "|".join(f"(?<={a})(?={b})" for a, b in (w.split("|") for w in _COMPOUNDS.split()))
)

# Custom: consonants that are tense for no reason that can be seen [26, 28], and where ㄴㄹ is not ㄹㄹ [20]. Written
# half way: what rules do is left to them.
_CUSTOM = """
갈등=갈뜽 발달=발딸 결정=결쩡 발전=발쩐 출장=출짱 출신=출씬 일정=일쩡 일상=일쌍 일주일=일쭈일 활동=활똥
결석=결썩 실수=실쑤 열심=열씸 절대=절때 철도=철또 물질=물찔 실제=실쩨 실시=실씨 솔직=솔찍 발생=발쌩
설득=설뜩 질서=질써 열정=열쩡 칠십=칠씹 팔십=팔씹 일상생활=일쌍생활 글자=글짜 발자국=발짜국 물고기=물꼬기
술집=술찝 빨대=빨때 길가=길까 눈길=눈낄 밤길=밤낄 문법=문뻡 한자=한짜 인기=인끼 조건=조껀 사건=사껀
물건값=물건깝 성격=성껵 자격증=자격쯩 면허증=면허쯩 학생증=학생쯩 평가=평까 물가=물까 여권=여꿘 김밥=김빱
비빔밥=비빔빱 아침밥=아침빱 점심밥=점심빱 눈사람=눈싸람 손가락=손까락 발가락=발까락 등불=등뿔 산길=산낄
강가=강까 바닷가=바닫까 안과=안꽈 내과=내꽈 외과=외꽈 치과=치꽈 초점=초쩜 장점=장쩜 단점=단쩜 관점=관쩜
시점=시쩜 문제점=문제쩜 차이점=차이쩜 공통점=공통쩜 소수점=소수쩜 헌법=헌뻡 용돈=용똔
잠자리=잠짜리 아침잠=아침짬 보름달=보름딸 갯수=개쑤 횟수=회쑤 숫자=수짜 곳간=고깐 찻잔=차짠 셋방=세빵
의견란=의견난 생산량=생산냥 판단력=판단녁 결단력=결딴녁 입원료=이붠뇨 상견례=상견녜 음운론=으문논
이원론=이원논 횡단로=횡단노 맛있=마싰 멋있=머싰 넓죽=넙쭉 넓적=넙쩍
"""
# Longer words first: 일상생활 before 일상.
SPOKEN_AS: tuple[tuple[str, str], ...] = tuple(
    sorted(
        ((written, spoken) for written, _, spoken in (pair.partition("=") for pair in _CUSTOM.split())),
        key=lambda pair: -len(pair[0]),
    )
)

# A noun that cannot stand alone, behind a verb in ㄹ, followed by a space and the next word. With 줄 the next word
# must tell: 먹을 줄 알아요 (know how), but 밥을 줄 사람 (who gives).
VERB_ENDS_IN_L = re.compile(
    r"(?:(?:것|거|게|걸|건|겁니다|거예요|거에요|거야|거고|거지|거죠|거니까|거라고|거라|거든요|거든)"
    r"(?:이|은|을|도|만|입니다|이다)? .*"
    r"|(?:수|수가|수는|수밖에) .*|수도 [있없].*|(?:줄|줄은|줄을|줄도) [알모몰].*|적(?:이|은|도)? [있없].*)"
)

# 일, work, gets a ㄴ behind these, across the space: 무슨 일 is said 무슨 닐, 할 일 할 릴. [29, note 2]
BEFORE_WORK = frozenset(
    ["무슨", "할", "볼", "한", "하는", "했던", "하던", "좋은", "힘든", "어떤", "이런", "그런", "별"]
)
WORK = re.compile(r"일(?:[이을은도만]|이[에었네라죠지니].*|들.*|입니다|하.*|해.*|했.*)?[.,!?…]*")
