"""Code that stands in the pages of the documentation, to be run from there."""

import re
from pathlib import Path
from textwrap import dedent
from types import ModuleType

__all__ = ["code", "load"]

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"


def code(page: str, marker: str) -> str:
    """The Python block after `<!-- marker -->`, with its lines where they are in the page, for tracebacks."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    block = rf"^ *<!-- {re.escape(marker)} -->\n( *)```python\n(.*?)^\1```$"
    (found,) = re.finditer(block, text, re.DOTALL | re.MULTILINE)
    return "\n" * text.count("\n", 0, found.start(2)) + dedent(found[2])


def load(page: str, marker: str) -> ModuleType:
    """The block as a freshly imported module."""
    module = ModuleType(re.sub(r"\W+", "_", marker))
    exec(compile(code(page, marker), str(HOWTO / page), "exec"), module.__dict__)
    return module
