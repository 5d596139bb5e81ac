"""pytest has two configurations in one folder and reads one of them.

The first file that it finds counts, and the others not at all: `pytest.ini`, even if it is empty, comes before
`pyproject.toml`, that before `tox.ini`, and this before `setup.cfg`. What the others say of paths, markers, plugins or
warnings looks as if it held. Tests aren't found then, or run in another mode than on the page.

Anti-pattern:

    # pytest.ini
    [pytest]
    testpaths = tests
    # pyproject.toml
    [tool.pytest.ini_options]
    asyncio_mode = "auto"      # is never read

Better:

    # pyproject.toml, and no pytest.ini
    [tool.pytest.ini_options]
    testpaths = ["tests"]
    asyncio_mode = "auto"

Recommendation:

    Write all options into one file, and remove the section of the other.

References:

- https://docs.pytest.org/en/stable/reference/customize.html#initialization-determining-rootdir-and-configfile
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ALWAYS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
"""What counts by its name, in the order in which pytest looks for it."""
_SECTIONS = {"pyproject.toml": "[tool.pytest.ini_options]", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}
"""What counts with such a section, in the same order."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each folder with more than one of them, unless a command names the file that it is to read."""
    if _is_chosen(inventory):
        return
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in inventory.files:
        folder, name = posixpath.split(path)
        if name in _ALWAYS:
            found[folder].add(name)
    for item in inventory.manifests:
        folder, name = posixpath.split(item.path)
        if name in _SECTIONS and "pytest" in item.tools:
            found[folder].add(name)
    for folder, names in found.items():
        if len(names) > 1:
            yield _evidence(folder, [name for name in (*_ALWAYS, *_SECTIONS) if name in names])


def _is_chosen(inventory: Inventory) -> bool:
    """Whether a command gives pytest a file (`pytest -c pyproject.toml`)."""
    texts = (" ".join(command.words) for command in deployment.commands(inventory) if "pytest" in command.words)
    return any(" -c " in text or "--config-file" in text for text in texts)


def _evidence(folder: str, names: list[str]) -> Evidence:
    first, *others = (posixpath.join(folder, name) for name in names)
    lost = [f"{_SECTIONS[posixpath.basename(path)]} of {path}" if posixpath.basename(path) in _SECTIONS else path
            for path in others]  # fmt: skip
    return Evidence(
        f"pytest reads {first} alone: what {listed(lost)} {'says' if len(lost) == 1 else 'say'} has no effect.",
        Location(others[0]),
        subject=f"{folder}/pytest",
        related=(
            Related(Location(first), "is read in its place"),
            *(Related(Location(path), "isn't read either", member=True) for path in others[1:]),
        ),
        recommendation=f"Write the options that are to count into {first}, and take {listed(lost)} out.",
        example=files.into(first, f"<the options of {lost[0]} that are to count>"),
    )
