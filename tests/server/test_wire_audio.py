"""Audio out of the wire: what is taken for base64 is exactly what the strict reading of it takes."""

from __future__ import annotations

import binascii

from hypothesis import example, given
from hypothesis import strategies as st

from charye.server.refusals import Refused
from charye.server.wire_audio import decoded


@given(st.text("ABab01+/=-_ \n\0é", max_size=40))
@example("AAAA")
@example("AA==AAAA")
@example("AAAA====")
@example("A\nAAA")
@example("A\nAAAAA\n")
@example("AAA=\nAAA")
def test_any_text_is_read_as_strictly_as_it_can_be(text: str) -> None:
    try:
        strict = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        strict = b""
    try:
        ours = decoded(text, "audio/pcm", "audio")
    except Refused:
        ours = b""
    assert ours == strict
