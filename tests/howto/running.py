"""Programs that stand in a page in several pieces, run as a reader would run them, and what the page says they print.

A piece is a block of Python behind `<!-- program: name -->`; a piece of several programs names them all, with commas.
A program is its pieces, in the order of the page. `<!-- output: name -->` stands before what it prints.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

from charye.session.events import UtteranceChanged

__all__ = ["DOCS", "loaded", "output", "program", "programs", "run", "said", "tidy"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
_PIECE = re.compile(
    r"^<!-- program: (?P<names>[^\n]+) -->\n```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)


def _text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def programs(page: str) -> list[str]:
    """The names of all programs, in the order of the page.

    Raises:
        AssertionError: there is a block of Python that belongs to none, so that nobody runs it.
    """
    text = _text(page)
    pieces = list(_PIECE.finditer(text))
    assert len(pieces) == len(re.findall(r"^ *```python\n", text, re.MULTILINE)), (
        f"{page}: a block has no marker"
    )
    return list(dict.fromkeys(name for piece in pieces for name in piece["names"].split(", ")))


def program(page: str, name: str) -> str:
    """Its source, each line where it is in the page, for tracebacks."""
    text = _text(page)
    source = ""
    for piece in _PIECE.finditer(text):
        if name in piece["names"].split(", "):
            source += "\n" * (text.count("\n", 0, piece.start("code")) - source.count("\n")) + piece["code"]
    assert source, f"{page}: there is no program {name!r}"
    return source


def output(page: str, name: str) -> str:
    """What the page says that it prints, tidy."""
    (found,) = re.findall(
        rf"^<!-- output: {re.escape(name)} -->\n```text\n(.*?)^```$", _text(page), re.DOTALL | re.MULTILINE
    )
    return tidy(found)


def tidy(printed: str) -> str:
    """Without the blanks at the ends of lines, which editors take away."""
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def loaded(page: str, name: str) -> ModuleType:
    """The program as a freshly imported module."""
    return _executed(page, name, re.sub(r"\W+", "_", name))


def run(page: str, name: str) -> ModuleType:
    """The program as `python program.py` runs it, but in this process."""
    return _executed(page, name, "__main__")


def _executed(page: str, name: str, module_name: str) -> ModuleType:
    module = ModuleType(module_name)
    exec(compile(program(page, name), str(DOCS / page), "exec"), module.__dict__)
    return module


async def said(events: AsyncIterator[object], text: str) -> None:
    """When somebody says this."""
    async for event in events:
        if isinstance(event, UtteranceChanged) and event.utterance.text == text:
            return
