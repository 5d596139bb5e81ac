"""`auditlib.compose`: loading against PyYAML's C loader, importing, and the real program if it is named.

The variable DOCKER_COMPOSE holds the path of a `docker-compose` binary to compare with.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from auditlib import compose
from benchmarks import measure

SIZES = (500, 1000, 2000, 4000)
PROGRAM = os.environ.get("DOCKER_COMPOSE", "")


def main(show: Callable[[str], None] = print) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        files = {size: _write(Path(folder), size) for size in SIZES}
        _programs(files, show)  # first, as no child's peak memory counts as less than this process's own
        _loading(files, show)
    _importing(show)


def _write(folder: Path, size: int) -> Path:
    """A project of so many services, each with the attributes that most services have."""
    services = {f"service-{number}": _service(number) for number in range(size)}
    document = {"services": services, "networks": {"back": None}, "volumes": {"data": None}}
    path = folder / f"compose-{size}.yaml"
    path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))
    return path


def _service(number: int) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": f"registry/app-{number}:${{TAG:-1.0}}",
        "command": ["serve", "--port", "8000"],
        "environment": {"LOG_LEVEL": "info", "DATABASE_URL": "postgres://${DB_USER:-app}@db/app", "WORKERS": 4},
        "ports": [f"{10000 + number}:8000", "127.0.0.1::9000"],
        "volumes": ["data:/data", "./config:/config:ro"],
        "healthcheck": {"test": ["CMD", "curl", "-f", "http://localhost"], "interval": "10s", "retries": 3},
        "deploy": {"resources": {"limits": {"cpus": "0.5", "memory": "512m"}}},
        "labels": ["team=platform", f"number={number}"],
        "networks": ["back"],
        "restart": "unless-stopped",
    }
    if number:
        service["depends_on"] = {"service-0": {"condition": "service_healthy"}}
    return service


def _loading(files: dict[int, Path], show: Callable[[str], None]) -> None:
    """Seconds in this process, the best of five runs taken in turn."""
    rows = []
    first = None
    for size, path in files.items():
        text = path.read_text()
        plain, ours = _in_turn(
            lambda text=text: yaml.load(text, Loader=yaml.CSafeLoader),  # type: ignore[misc]
            lambda path=path: compose.load([path], environ={"HOME": "/"}, project_name="bench"),  # type: ignore[misc]
        )
        first = first or ours / size
        rows.append((size, plain, ours, ours / plain, ours / size / first))
    header = ("services", "yaml.load, C loader, s", "compose.load s", "ratio", "time a service, of the first row")
    measure.table("compose.load against yaml.load", header, rows, show)


def _in_turn(*actions: Callable[[], Any]) -> list[float]:
    best = [float("inf")] * len(actions)
    for _ in range(5):
        for index, action in enumerate(actions):
            started = time.perf_counter()
            action()
            best[index] = min(best[index], time.perf_counter() - started)
    return best


def _programs(files: dict[int, Path], show: Callable[[str], None]) -> None:
    """Whole processes, start-up included."""
    rows = []
    for size, path in files.items():
        commands = [measure.auditlib("compose", "config", "-f", path, "-p", "bench", "--format", "json")]
        if PROGRAM:
            commands.append([PROGRAM, "-p", "bench", "-f", str(path), "config", "--format", "json"])
        ours, *theirs = measure.in_turn(commands)
        other, ratio = (theirs[0].wall, ours.wall / theirs[0].wall) if theirs else ("-", "-")
        rows.append((size, ours.wall, ours.memory, other, ratio))
    header = ("services", "auditlib compose config s", "memory MB", "docker compose config s", "ratio")
    measure.table("the commands, whole processes", header, rows, show)


def _importing(show: Callable[[str], None]) -> None:
    bare, ours = measure.in_turn(
        [[sys.executable, "-c", "pass"], [sys.executable, "-c", "import auditlib.compose"]], runs=9
    )
    rows = [(bare.wall, ours.wall, ours.wall - bare.wall)]
    header = ("python s", "python, import auditlib.compose s", "the import s")
    measure.table("importing auditlib.compose", header, rows, show)


if __name__ == "__main__":
    main()
