"""Run every benchmark, one after the other: `python -m benchmarks`, or `python -m benchmarks check`."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import benchmarks

NAMES = sorted(
    name.removeprefix("bench_") for _, name, _ in pkgutil.iter_modules(benchmarks.__path__) if "bench_" in name
)

for wanted in sys.argv[1:] or NAMES:
    if wanted not in NAMES:
        sys.exit(f"there is no benchmark {wanted!r}; there are {', '.join(NAMES)}")
    print(f"-- {wanted} --", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.bench_{wanted}"], check=True)
