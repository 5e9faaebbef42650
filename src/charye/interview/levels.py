"""Levels as steps that can be counted: 0 is A1, 5 is C2, as `Level.step` has it; and what lies below and above.

CEFR, "Common Reference Levels: global scale". Below A1 there is no level, only `PRE_A1`.
"""

from charye.assessment.rubric import Level

__all__ = ["LEVELS", "NO_CEILING", "PRE_A1", "Level", "level_name"]

LEVELS = tuple(Level)
PRE_A1 = -1
"""A floor: not even A1 was sustained."""
NO_CEILING = len(LEVELS)
"""A ceiling: nothing broke down."""


def level_name(step: int) -> str:
    """`A1` to `C2`; `pre-A1` below, `above C2` for a ceiling that was not found."""
    if step < 0:
        return "pre-A1"
    return LEVELS[step].value if step < NO_CEILING else "above C2"
