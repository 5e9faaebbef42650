"""A secret is shown nowhere, and given by one method only."""

from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest

from charye.transports.secret import HIDDEN, Secret, hidden
from tests.transports.doors import KEY


def test_it_is_given_by_one_method_only() -> None:
    secret = Secret(f" {KEY}\n")
    assert secret.reveal() == KEY
    record = logging.makeLogRecord({"msg": "key %s", "args": (secret,)})
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        f"{secret:>40}",
        f"{[secret]}",
        record.getMessage(),
    ]
    assert all(HIDDEN in text and KEY not in text for text in shown)
    assert not hasattr(secret, "__dict__")  # which loggers and debuggers print
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_it_does_not_leave_the_process() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(Secret(KEY), protocol)


def test_a_copy_is_the_same() -> None:
    secret = Secret(KEY)
    assert copy.copy(secret) is copy.deepcopy([secret])[0] is secret


def test_it_is_compared_by_value() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY


@pytest.mark.parametrize(
    ("text", "yes"), [(KEY, True), ("", False), (" ", False), ("a\nb", False), ("차", False)]
)
def test_it_knows_whether_a_header_can_carry_it(text: str, yes: bool) -> None:
    assert Secret(text).is_sendable is yes


def test_it_is_taken_out_of_what_others_say() -> None:
    assert hidden(f"key {KEY}, {KEY} and b", [Secret(KEY), Secret("b")]) == "key ***, *** and ***"
    assert hidden("as it was", [Secret("")]) == "as it was"
