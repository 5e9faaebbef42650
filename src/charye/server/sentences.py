"""Words that come in pieces, handed on as sentences, so that the voice can begin before the mind is finished."""

import re

__all__ = ["Sentences"]

# A mark that ends a sentence, with the quotes and brackets behind it, and the blank that shows that it was the end
# ("3.5" and "example.org" go on). Marks of full width need no blank.
_END = re.compile(r"""[.!?…]+["'”’)\]]*\s+|[。！？]+["'”’」』)]*\s*|\n+""")
# A sentence that never ends is spoken from a comma on, once it is this long.
_LONG_CHARS = 240
_PAUSE = re.compile(r"[,;:，、]\s+")


class Sentences:
    """Cuts a stream of text."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> list[str]:
        """The sentences that are complete by now, blanks behind them included: together they are the text."""
        self._held += text
        cuts = [found.end() for found in _END.finditer(self._held)]
        if not cuts and len(self._held) > _LONG_CHARS:
            cuts = [found.end() for found in _PAUSE.finditer(self._held)][-1:]
        sentences, start = [], 0
        for cut in cuts:
            sentences.append(self._held[start:cut])
            start = cut
        self._held = self._held[start:]
        return [sentence for sentence in sentences if sentence.strip()]

    def rest(self) -> list[str]:
        """What is left at the end of a message; afterwards nothing is held."""
        rest, self._held = self._held, ""
        return [rest] if rest.strip() else []
