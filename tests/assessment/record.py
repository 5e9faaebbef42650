"""Write down again what the assessor says of the invented interviews: `python -m tests.assessment.record`.

Do this after a change of it that is meant, and read the difference before it is committed. With `--tsv FILE` the
learners' words go into a file for `benchmarks.assess_eval` instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from charye.assessment.linguistic import assess
from charye.assessment.morphology import load_kiwi
from charye.assessment.speech import Speaker
from tests.assessment.talks import FOLDER, interviews

if TYPE_CHECKING:
    from charye.assessment.linguistic import LinguisticResult

__all__ = ["RECORDED", "summary"]

RECORDED = FOLDER / "recorded.json"


def summary(result: LinguisticResult) -> dict[str, object]:
    """What is recorded of a result: enough to see what has changed, and why."""
    return {
        "band": result.estimate.band.value if result.estimate else None,
        "position": round(result.estimate.position, 3) if result.estimate else None,
        "sufficiency": result.sufficiency.verdict.value,
        "eojeols": result.sufficiency.eojeols,
        "features": {reading.name: round(reading.value, 3) for reading in result.text.readings}
        if result.text
        else None,
        "domains": {domain.domain.value: domain.band for domain in result.domains},
        "patterns": {use.pattern: use.count for use in sorted(result.patterns, key=lambda use: use.pattern)},
        "findings": [f"{finding.kind}: {finding.said}" for finding in result.accuracy],
        "style": result.register.main,
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Record what the assessor says of the invented interviews.")
    parser.add_argument("--tsv", type=Path, help="write level, text and group here, and record nothing")
    options = parser.parse_args(argv)
    if options.tsv:
        lines = ["level\ttext\tgroup"]
        for interview in interviews():
            said = " ".join(turn.text for turn in interview.turns if turn.speaker is Speaker.LEARNER)
            lines.append(f"{interview.level}\t{said}\tinvented")
        options.tsv.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return 0
    kiwi = load_kiwi()
    found = {interview.id: summary(assess(interview.turns, kiwi=kiwi)) for interview in interviews()}
    # One line for each, so that a difference can be read.
    lines = [f"  {json.dumps(id)}: {json.dumps(one, ensure_ascii=False)}" for id, one in found.items()]  # noqa: A001
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
