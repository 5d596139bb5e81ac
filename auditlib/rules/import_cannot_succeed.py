"""A file imports a module whose file has a name that no import can name.

The name of a module is an identifier, in which a hyphen can't stand. A file `job-runner.py` is a program to start, and
`import job_runner` ends with ModuleNotFoundError: a test with that import never runs.

Anti-pattern:

    # job-runner.py holds the program
    # test_job_runner.py
    from job_runner import run

Better:

    # job_runner.py holds the program
    from job_runner import run

Recommendation:

    Rename the file, with underscores for hyphens, where it is copied and started too.

References:

- https://docs.python.org/3/reference/simple_stmts.html#import
- https://peps.python.org/pep-0008/#package-and-module-names
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import UnfitImport
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each module that is imported and that is a file with a hyphen in its name, unless a package gives it."""
    found: defaultdict[str, list[UnfitImport]] = defaultdict(list)
    packages = {need.name.replace("-", "_").lower() for file in inventory.manifests for need in file.requirements}
    for item in inventory.unfit_imports:
        if item.module.lower() not in packages:
            found[item.module].append(item)
    for module, items in found.items():
        yield _evidence(module, items)


def _evidence(module: str, items: list[UnfitImport]) -> Evidence:
    first, *others = items
    folder = posixpath.dirname(first.file)
    new = posixpath.join(folder, f"{module}.py")
    return Evidence(
        f"{first.location.file} imports {module}, and the repository has {first.file}, which no import finds by that "
        "name: a hyphen can't stand in it.",
        first.location,
        subject=module,
        related=(
            Related(Location(first.file), "can be started, not imported"),
            *(Related(item.location, f"imports {module} too", member=True) for item in others),
        ),
        recommendation=f"Rename it to {posixpath.basename(new)}, also where it is copied and started.",
        example=f"git mv {first.file} {new}",
    )
