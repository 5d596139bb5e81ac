"""Where the time of `auditlib report` goes: `python -m benchmarks.stages PROJECT OUTPUT` prints its stages as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

NAMES = ("reading and judging", "notebooks and tables", "page and publication")


def main() -> None:
    """Print each stage's seconds; the start of the program is what is left of its whole time."""
    from auditlib import workbook

    marks = [time.perf_counter()]
    steps: list[float] = []
    workbook.report(Path(sys.argv[1]), Path(sys.argv[2]), lambda *_: steps.append(time.perf_counter()))
    marks += [steps[0], steps[-1], time.perf_counter()]
    print(json.dumps({name: marks[n + 1] - marks[n] for n, name in enumerate(NAMES)}))


if __name__ == "__main__":
    main()
