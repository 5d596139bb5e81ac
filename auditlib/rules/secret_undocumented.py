"""Secrets that the workflows need are written down nowhere.

Who sets the repository up anew, forks it or replaces a leaked key can't know which secrets to enter, where each comes
from and what it may do. The workflow then runs with an empty value and fails somewhere else.

Anti-pattern:

    env:
      DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}     # no document knows DEPLOY_TOKEN

Better:

    <!-- docs/deployment.md -->
    | secret | what for | where from |
    |---|---|---|
    | `DEPLOY_TOKEN` | writes to the registry | the robot account "ci", renewed each quarter |

Recommendation:

    List each secret of the workflows in the documentation: its purpose, its source, its rights, how it is renewed.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets
- https://docs.github.com/en/actions/reference/security/secure-use
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment, secret_lists
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import PairUse
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ORDINARY = frozenset({"server", "host", "user", "username", "password", "port", "token", "key", "domain", "secret"})
"""Words of which a document is full, and that tell of no secret that is called so."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all secrets of the workflows that neither a document nor an environment template names.

    Those that a document's list of the same workflow lacks are a finding on that list.
    """
    known = _documented(inventory)
    uses = {item.file: secret_lists.uses(item) for item in inventory.workflows}
    missed = {
        (file, name)
        for item in secret_lists.of(inventory) for file, lacking in item.lacking(uses) for name in lacking
    }  # fmt: skip
    found: dict[str, PairUse] = {}
    for file, names in uses.items():
        for name, use in names.items():
            if not use.optional and name.upper() not in known and (file, name) not in missed:
                found.setdefault(name, use)
    if found:
        yield _evidence(inventory, list(found.values()))


def _documented(inventory: Inventory) -> set[str]:
    mentions = (item for document in inventory.documents for item in document.mentions if item.kind == "variable")
    lines = (line for file in inventory.env_files if file.template for line in file.lines)
    words = (word.upper() for document in inventory.documents for word in document.words if word not in _ORDINARY)
    told = {name for workflow in inventory.workflows for name in workflow.told}
    return told | {item.text.upper() for item in mentions} | {line.name.upper() for line in lines} | set(words)


def _table(uses: list[PairUse]) -> str:
    rows = "".join(f"\n| `{use.name}` | <purpose> | <who gives it out> | <how it is renewed> |" for use in uses)
    return f"| secret | what for | where from | renewed |\n|---|---|---|---|{rows}"


def _evidence(inventory: Inventory, uses: list[PairUse]) -> Evidence:
    first, *others = uses
    names = listed(use.name for use in uses)
    main = deployment.main_document(inventory)
    unread = deployment.unread_documents(inventory)
    return Evidence(
        f"The workflows need {counted(len(uses), 'secret')} that no document names: {names}.",
        first.location,
        subject="secrets",
        related=tuple(Related(use.location, f"{use.name} is used here", member=True) for use in others),
        recommendation=f"Describe {names} in {main.file if main else 'README.md'}: purpose, source, rights.",
        confidence=Confidence.MEDIUM if unread else None,
        example=files.into(main.file if main else "README.md", _table(uses)),
    )
