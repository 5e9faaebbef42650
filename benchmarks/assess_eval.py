"""How well the offline assessor agrees with graded texts: `python -m benchmarks.assess_eval --data DIR`.

DIR holds files `*.tsv`, UTF-8, one text a line, three columns with a header line:

    level   text                                    group
    A2      어제 친구를 만났어요. 영화를 봤어요.      weekend

level  A1 to C2, or 1 to 6; B2+ where the graders did not tell B2, C1 and C2 apart (left out of the six levels)
text   line breaks and tabs as spaces
group  anything: a topic, a first language; may be empty, and the column may be missing

Printed for four bands (A1, A2, B1, B2+) and for six levels: exact and adjacent agreement, quadratic weighted kappa, who
was taken for whom, and how far each group is above or below its grades. The assessor says no more than B2+; among
six levels that counts as B2. No text is too short here, though in an interview it would be.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from charye.assessment.linguistic import estimate_text
from charye.assessment.morphology import load_kiwi
from charye.assessment.rubric import Band, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charye.assessment.morphology import Kiwi

__all__ = ["Agreement", "Graded", "Judged", "agreement", "judge", "kappa", "main", "read_folder"]

_UNKNOWN_GROUP = "-"


@dataclass(frozen=True, slots=True)
class Graded:
    """A text and its grade: a band of four, and a level of six if it is known."""

    text: str
    band: Band
    level: Level | None
    group: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A graded text, and what the assessor says."""

    graded: Graded
    band: Band
    position: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Between graders and assessor.

    Args:
        names: of the steps of the scale.
        texts: how many.
        exact: share that is the same.
        adjacent: share that is at most one step off.
        kappa: quadratic weighted; 1 is perfect, 0 is chance.
        confusion: row by row, the graders' steps; columns, the assessor's.
        residuals: by group: how many, and the mean of the assessor's step minus the graders'.
    """

    names: tuple[str, ...]
    texts: int
    exact: float
    adjacent: float
    kappa: float
    confusion: tuple[tuple[int, ...], ...]
    residuals: dict[str, tuple[int, float]]


def read_folder(folder: Path) -> list[Graded]:
    """All texts of all `*.tsv` in a folder, or of one file.

    Raises:
        ValueError: a line is not as it should be; the message names file and line, never the text.
    """
    files = [folder] if folder.is_file() else sorted(folder.glob("*.tsv"))
    found: list[Graded] = []
    for file in files:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            if not {"level", "text"} <= set(rows.fieldnames or ()):
                raise ValueError(f"{file.name}:1: the columns `level` and `text` are needed")
            for row in rows:
                try:
                    found.append(_graded(row))
                except ValueError as error:
                    raise ValueError(f"{file.name}:{rows.line_num}: {error}") from None
    if not found:
        raise ValueError(f"{folder.name}: no texts in *.tsv")
    return found


def _graded(row: dict[str, str]) -> Graded:
    grade, text = (row["level"] or "").strip().upper(), (row["text"] or "").strip()
    if not text:
        raise ValueError("no text")
    group = (row.get("group") or "").strip() or _UNKNOWN_GROUP
    if grade == Band.B2_PLUS:
        return Graded(text, Band.B2_PLUS, None, group)
    levels = list(Level)
    if grade in {"1", "2", "3", "4", "5", "6"}:
        level = levels[int(grade) - 1]
    elif grade in levels:
        level = Level(grade)
    else:
        raise ValueError("the level is none of A1 to C2, 1 to 6, B2+")
    return Graded(text, Band.near(level.step), level, group)


def judge(texts: Iterable[Graded], kiwi: Kiwi, *, first: int | None = None) -> list[Judged]:
    """What the assessor says of each, or of its first so many eojeol. Texts without a word of Korean are left out."""
    found = []
    for graded in texts:
        words = graded.text.split()
        estimate = estimate_text(" ".join(words[:first]), kiwi=kiwi)
        if estimate is not None:
            found.append(Judged(graded, estimate.band, estimate.position))
    return found


def agreement(names: Sequence[str], pairs: Sequence[tuple[int, int, str]]) -> Agreement:
    """How two agree.

    Args:
        names: of the steps.
        pairs: the graders' step, the assessor's, and the group.
    """
    confusion = [[0] * len(names) for _ in names]
    by_group: dict[str, list[int]] = defaultdict(list)
    for true, said, group in pairs:
        confusion[true][said] += 1
        by_group[group].append(said - true)
    total = len(pairs)
    return Agreement(
        names=tuple(names),
        texts=total,
        exact=sum(true == said for true, said, _ in pairs) / total,
        adjacent=sum(abs(true - said) <= 1 for true, said, _ in pairs) / total,
        kappa=kappa(confusion),
        confusion=tuple(map(tuple, confusion)),
        residuals={group: (len(off), sum(off) / len(off)) for group, off in sorted(by_group.items())},
    )


def kappa(confusion: Sequence[Sequence[int]]) -> float:
    """Quadratic weighted kappa of a square table; 1 if there is nothing to disagree about."""
    size = range(len(confusion))
    total = sum(map(sum, confusion))
    rows = [sum(confusion[row]) for row in size]
    columns = [sum(confusion[row][column] for row in size) for column in size]
    seen = sum((row - column) ** 2 * confusion[row][column] for row in size for column in size)
    expected = (
        sum((row - column) ** 2 * rows[row] * columns[column] for row in size for column in size) / total
    )
    return 1 - seen / expected if expected else 1.0


def _both(judged: Sequence[Judged]) -> dict[str, Agreement]:
    bands, levels = list(Band), list(Level)
    four = [(bands.index(one.graded.band), bands.index(one.band), one.graded.group) for one in judged]
    six = [
        (one.graded.level.step, one.band.level.step, one.graded.group)
        for one in judged
        if one.graded.level is not None
    ]
    found = {"4 bands": agreement(bands, four)}
    if six:
        found["6 levels"] = agreement(levels, six)
    return found


def _print(title: str, found: Agreement) -> None:
    print(f"{title}: {found.texts} texts")
    print(f"  exact {found.exact:.3f}   adjacent {found.adjacent:.3f}   QWK {found.kappa:.3f}")
    print("  graded as \\ said " + "".join(f"{name:>6}" for name in found.names))
    for name, row in zip(found.names, found.confusion, strict=True):
        print(f"  {name:<16} " + "".join(f"{count:>6}" for count in row))
    print("  mean of said minus graded, in steps, by group")
    for group, (count, mean) in found.residuals.items():
        print(f"    {group:<24} {count:>5} texts  {mean:+.2f}")
    print()


def main(argv: list[str] | None = None) -> int:
    """Do what the module says. Returns the exit status: 2 if the data cannot be read."""
    parser = argparse.ArgumentParser(description="Agreement of the offline assessor with graded texts.")
    parser.add_argument(
        "--data", type=Path, required=True, help="a folder with *.tsv: level, text, group; or a file"
    )
    parser.add_argument("--first", type=int, help="judge only the first so many words of each text")
    parser.add_argument("--json", action="store_true", help="the same for programs")
    options = parser.parse_args(argv)
    try:
        texts = read_folder(options.data)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    judged = judge(texts, load_kiwi(), first=options.first)
    if not judged:
        print("no text has a word of Korean", file=sys.stderr)
        return 2
    left_out = len(texts) - len(judged)
    tables = _both(judged)
    if options.json:
        print(json.dumps({"left_out": left_out, **{name: asdict(one) for name, one in tables.items()}}))
        return 0
    for title, table in tables.items():
        _print(title, table)
    bands = list(Band)
    for band in bands:
        positions = [one.position for one in judged if one.graded.band is band]
        if positions:
            print(
                f"mean position of texts graded {band}: {sum(positions) / len(positions):.2f} ({bands.index(band)})"
            )
    if left_out:
        print(f"{left_out} texts without a word of Korean were left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
