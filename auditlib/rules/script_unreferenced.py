"""Scripts that nothing calls and no document names.

No workflow, Compose file, image, makefile, cron table or other script starts them, and no document says that a person
should. Either they are left over, or the knowledge of when to run them is in somebody's head.

Anti-pattern:

    scripts/reindex.sh        # named nowhere

Better:

    # Makefile
    reindex: ## after a change of the mapping
        scripts/reindex.sh

Recommendation:

    Call the script where it is needed, name it in the documentation, or delete it.

References:

- https://www.gnu.org/software/make/manual/html_node/Phony-Targets.html
- https://google.github.io/styleguide/shellguide.html#s4.1-file-header
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import calls, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.readers.shell import is_shell
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BY_CONVENTION = regex(
    r"(?:^|/)(?:\.husky|\.githooks|hooks|\.github|\.devcontainer|\.ci|\.circleci|\.platform|\.ebextensions|debian|"
    r"init\.d|initdb\.d|docker-entrypoint-\w+\.d|cron\.\w+|profile\.d|completions?)/|"
    r"(?:^|/)(?:gradlew|mvnw|install\.sh|setup\.sh|bootstrap\.sh|configure|autogen\.sh|init-letsencrypt\.sh)$"
)
"""Scripts that a program or a person looks for under that name."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all shell scripts, and programs with a `#!` line, that nothing calls, copies, mounts or names."""
    named = calls.everything_named(inventory)
    idle = [item for item in inventory.scripts if _counts(item) and not _is_named(inventory, item, named)]
    if idle:
        yield _evidence(idle)


def _counts(script: Script) -> bool:
    is_program = is_shell(script.interpreter) or (script.shebang and "bin" not in script.path.split("/")[:-1])
    return is_program and not _BY_CONVENTION.search(script.path) and not environments.is_for_development(script.path)


def _is_named(inventory: Inventory, script: Script, named: dict[str, set[str]]) -> bool:
    """Whether something else names the script, as a file or a module, or all files of its folder."""
    name = posixpath.basename(script.path)
    folder = posixpath.basename(posixpath.dirname(script.path))
    names = [name, f"{folder}/*"]
    if not is_shell(script.interpreter):
        stem = posixpath.splitext(name)[0]
        names += [stem, f"{folder}.{stem}"]
        if any(document.names(stem) for document in inventory.documents):
            return True
    return any(named.get(item, set()) - {script.path} for item in names)


def _evidence(scripts: list[Script]) -> Evidence:
    first, *others = scripts
    return Evidence(
        f"{counted(len(scripts), 'script is', 'scripts are')} called by nothing in the repository and named by no "
        f"document: {listed(item.path for item in scripts)}. A host's cron table or a person may still run "
        f"{'it' if not others else 'them'}.",
        first.location,
        subject="scripts",
        related=tuple(Related(item.location, "called by nothing either", member=True) for item in others),
        recommendation=f"Name {first.path} in the documentation, call it where it belongs, or delete it"
        f"{'; likewise the others' if others else ''}.",
        example=files.into(
            "README.md", "\n".join(f"- `{item.path}`: <what for, who starts it, when>" for item in scripts)
        ),
    )
