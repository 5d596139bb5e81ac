"""A script for `sh`, a recipe of make or a step of an image uses what only Bash knows.

`#!/bin/sh` is dash on Debian and Ubuntu, and BusyBox on Alpine. Neither knows arrays or `{1..30}`: a loop over the
latter runs once, with the braces as its word. dash doesn't know `[[` or `source` either: the test is a command that
isn't found, and the other branch is taken. Make runs its recipes by `/bin/sh` unless `SHELL` says otherwise, and Docker
its steps: `mkdir -p storage/{cache,views}` makes one folder with the braces in its name.

Anti-pattern:

    #!/bin/sh
    for i in {1..30}; do
      curl -fs localhost:8080/health && exit 0
      sleep 2
    done

Better:

    #!/bin/bash
    for i in {1..30}; do
      curl -fs localhost:8080/health && exit 0
      sleep 2
    done

Recommendation:

    Let Bash run it, or write what every shell knows.

References:

- https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
- https://www.gnu.org/software/make/manual/html_node/Choosing-the-Shell.html
- https://wiki.ubuntu.com/DashAsBinSh
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib import bashisms
from auditlib.conventions import calls, deployment, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Pair, RecipeFault, Script
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HANDLES = frozenset(
    {"chmod", "cp", "mv", "rm", "ls", "cat", "echo", "printf", "shellcheck", "git", "test", "[", "scp", "install"}
)
"""What does something with a script other than to start it."""
_MAKES = regex(rf"(?:^|[;&|\s])(?:mkdir|touch)\s(?:[^;&|#\"']{{0,2000}}?[\s/\w.-])?(?P<braces>{bashisms.BRACES})")
_WITH_DASH = frozenset({
    "debian", "ubuntu", "alpine", "python", "node", "php", "ruby", "golang", "rust", "nginx", "httpd", "openjdk",
    "eclipse-temurin", "postgres", "redis", "wordpress", "composer", "busybox",
})  # fmt: skip
"""Official images on Debian or Alpine, whose `sh` is dash or BusyBox's."""
_ONLY_DASH = "dash "
_ONCE = "`{1..n}`"


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script for `sh`, each makefile and each Dockerfile, with lines that only Bash understands."""
    for script in inventory.scripts:
        if script.for_bash and script.shebang and (found := _unknown(inventory, script)):
            yield _of_script(script, found)
    for file in inventory.dockerfiles:
        if steps := list(_in_image(file)):
            yield _of_dockerfile(file.path, steps)
    makefiles: defaultdict[str, list[RecipeFault]] = defaultdict(list)
    for item in inventory.recipe_faults:
        if item.kind == "bash":
            makefiles[item.location.file].append(item)
    for path, faults in makefiles.items():
        yield _of_makefile(path, faults)


def _unknown(inventory: Inventory, script: Script) -> list[Pair]:
    """What the shell of a script doesn't know; the one of a container may be BusyBox's, which knows more."""
    name = posixpath.basename(script.path)
    if _is_run_by_bash(inventory, name) or any(_goes_on_in_bash(item) for item in script.commands):
        return []
    inside = name in calls.given_to_containers(inventory)
    return [item for item in script.for_bash if not (inside and item.name.startswith(_ONLY_DASH))]


def _is_run_by_bash(inventory: Inventory, name: str) -> bool:
    """Whether all that starts a script gives it to Bash, whatever its first line says."""
    found = [
        posixpath.basename(item.words[0])
        for item in deployment.commands(inventory)
        if item.words[0] not in _HANDLES and any(posixpath.basename(word) == name for word in item.words)
    ]
    return bool(found) and set(found) == {"bash"}


def _goes_on_in_bash(command: Command) -> bool:
    """Whether a script starts itself anew by Bash: a shell reads no further then."""
    return command.words[0] == "exec" and "bash" in map(posixpath.basename, command.words[1:2])


def _of_script(script: Script, found: list[Pair]) -> Evidence:
    first, *others = found
    said = first.name.removeprefix(_ONLY_DASH)
    shell = "dash, which is `sh` on Debian and Ubuntu," if said != first.name else "another shell than Bash"
    return Evidence(
        f"{script.path} is for {script.interpreter} and uses {said}: to {shell} it is {first.value}.",
        first.location,
        subject=script.path,
        related=tuple(
            Related(item.location, f"{item.name.removeprefix(_ONLY_DASH)} too", member=True) for item in others
        ),
        confidence=Confidence.HIGH if said == first.name else None,
        severity=Severity.MEDIUM if said == first.name else None,
        recommendation=f"Begin {script.path} with `#!/bin/bash`, or write what every shell knows.",
        example=files.into(script.path, "#!/bin/bash  # as the first line"),
    )


def _in_image(file: Dockerfile) -> Iterator[Instruction]:
    """The steps in which the `sh` of Debian or Alpine makes one folder of alternatives in braces."""
    bases = {stage.name: stage.base for stage in file.stages}
    shells = {item.stage for item in file.instructions if item.keyword == "SHELL"}
    for item in file.instructions:
        base, seen = item.stage, {""}
        while base in bases and base not in seen:
            seen.add(base)
            base = bases[base]
        plain = item.keyword == "RUN" and item.shell and "<<" not in item.argument and "bash" not in item.argument
        if plain and not shells & seen and images.repository(base) in _WITH_DASH and _MAKES.search(item.argument):
            yield item


def _of_dockerfile(path: str, found: list[Instruction]) -> Evidence:
    first, *others = found
    match = _MAKES.search(first.argument)
    said = match["braces"] if match else ""
    return Evidence(
        f"RUN in {path} makes `{said}` by the `sh` of its image, which isn't Bash: it is one name, with the braces in "
        "it, and the folders that are meant aren't there.",
        first.location,
        subject=f"{path}/braces",
        related=tuple(Related(item.location, "braces here too", member=True) for item in others),
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        recommendation=f"Name each folder in {path}, or let Bash run its steps with SHELL, where the image has it.",
        example=files.into(
            path, f"RUN mkdir -p {' '.join(f'<the path before>/{name}' for name in said[1:-1].split(','))}"
        ),
    )


def _of_makefile(path: str, found: list[RecipeFault]) -> Evidence:
    first, *others = found
    said, _, outcome = first.text.partition(": ")
    return Evidence(
        f"{first.target} of {path} uses {said}, and make runs its lines by `/bin/sh`: where that isn't Bash, it is "
        f"{outcome}.",
        first.location,
        subject=f"{path}/{first.target}",
        related=tuple(
            Related(item.location, f"{item.text.partition(': ')[0]} in {item.target}", member=True) for item in others
        ),
        recommendation=f"Say `SHELL := /bin/bash` at the top of {path}.",
        example=files.into(path, "SHELL := /bin/bash"),
    )
