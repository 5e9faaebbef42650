"""What each kind of server promises."""

from dataclasses import replace

import pytest

from charye.protocol import (
    AZURE,
    AZURE_PREVIEW,
    CODE_IN_TYPE,
    COMPATIBLE,
    DIALECTS,
    NO_EVENT_ID,
    NO_METADATA,
    OPENAI,
    SUPERSEDES,
    Dialect,
    RefusalCode,
    Shape,
    named,
)


def test_a_dialect_is_found_by_its_name() -> None:
    assert {named(name).name for name in DIALECTS} == set(DIALECTS)
    assert named("openai") is OPENAI
    with pytest.raises(ValueError, match="azure-preview") as caught:
        named("klingon")
    assert all(name in str(caught.value) for name in DIALECTS)


def test_the_providers_echo_metadata_and_promise_no_event_id() -> None:
    for dialect in (OPENAI, AZURE, AZURE_PREVIEW):
        assert dialect.echoes_metadata
        assert dialect.echoes_event_id is None
        assert dialect.server_replies
        assert not dialect.supersedes
    assert [dialect.name for dialect in DIALECTS.values() if dialect.shape is Shape.PREVIEW] == [
        "azure-preview"
    ]


def test_nothing_is_promised_by_a_server_of_which_nothing_is_known() -> None:
    assert not COMPATIBLE.echoes_metadata
    assert COMPATIBLE.echoes_event_id is None
    assert not COMPATIBLE.names_active_response
    assert not COMPATIBLE.out_of_band


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (CODE_IN_TYPE, replace(OPENAI, name="code-in-type", refusal_code=RefusalCode.IN_TYPE)),
        (NO_EVENT_ID, replace(OPENAI, name="no-event-id", echoes_event_id=False)),
        (NO_METADATA, replace(OPENAI, name="no-metadata", echoes_metadata=False)),
        (SUPERSEDES, replace(OPENAI, name="supersedes", supersedes=True)),
    ],
)
def test_each_misbehaving_dialect_breaks_one_promise(dialect: Dialect, expected: Dialect) -> None:
    assert dialect == expected
