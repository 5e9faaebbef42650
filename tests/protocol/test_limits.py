"""The numbers of the wire, held against the places where they can be seen."""

import re

from charye.protocol import limits


def test_every_number_is_public_and_says_its_unit() -> None:
    units = ("BYTES", "CHARS", "HZ", "MS", "S", "PAIRS", "MIN", "MAX", "DEFAULT", "PATTERN", "SAMPLE")
    constants = {name for name in vars(limits) if name.isupper()}
    assert constants == set(limits.__all__)
    assert all(name.rsplit("_", 1)[1] in units for name in constants)


def test_ranges_are_ranges() -> None:
    for name in limits.__all__:
        if "_MIN" in name and (upper := name.replace("_MIN", "_MAX")) in limits.__all__:
            assert getattr(limits, name) < getattr(limits, upper)
    assert limits.SPEED_MIN < limits.SPEED_DEFAULT < limits.SPEED_MAX
    assert (
        limits.CLIENT_SECRET_TTL_MIN_S < limits.CLIENT_SECRET_TTL_DEFAULT_S < limits.CLIENT_SECRET_TTL_MAX_S
    )


def test_the_numbers_that_servers_name_in_their_errors() -> None:
    too_short = "Expected at least 100ms of audio, but buffer only has 0.00ms of audio."
    too_long = "Expected a string with maximum length 32, but got a string with length 39 instead."
    assert f"{limits.COMMIT_MIN_MS}ms" in too_short
    assert f"length {limits.ITEM_ID_MAX_CHARS}," in too_long
    assert limits.SESSION_MAX_S == 60 * 60
    assert limits.APPEND_MAX_BYTES == 15 << 20


def test_the_ids_of_recorded_sessions_are_within_the_limits() -> None:
    for item_id in ("item_AAAAAAAAAAAAAAAAAAAAA", "item_u1"):
        assert re.fullmatch(limits.ITEM_ID_PATTERN, item_id)
        assert len(item_id) <= limits.ITEM_ID_MAX_CHARS
    assert not re.fullmatch(limits.ITEM_ID_PATTERN, "item 1")
    assert re.fullmatch(limits.TOOL_NAME_PATTERN, "get_weather")
