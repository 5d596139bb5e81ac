"""A linter's configuration has a name that its version no longer reads.

ESLint 9 looks for `eslint.config.js` and no longer for `.eslintrc`. Without the one it stops before the first file is
looked at, and with it the job that was to check pull requests.

Anti-pattern:

    # package.json, beside .eslintrc.js
    "scripts": {"lint": "eslint src"},
    "devDependencies": {"eslint": "^9.39.1"}

Better:

    // eslint.config.js
    import js from "@eslint/js";
    export default [js.configs.recommended];

Recommendation:

    Move the configuration into `eslint.config.js`; `npx @eslint/migrate-config .eslintrc.js` writes most of it.

References:

- https://eslint.org/docs/latest/use/configure/migration-guide
- https://eslint.org/docs/latest/use/migrate-to-9.0.0
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest, Requirement, ScriptTarget
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import upwards
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_NINE = regex(r"[\^~]?v?(?:9|[1-9]\d)(?:\.[\dx*]+){0,2}")
"""A constraint that no version before 9 fits."""
_OLD = regex(r"\.eslintrc(?:\.(?:js|cjs|json|ya?ml))?")
_NEW = tuple(f"eslint.config.{ending}" for ending in ("js", "mjs", "cjs", "ts", "mts", "cts"))
_CALL = regex(r"(?:^|[\s;&|])eslint(?:\s|$)")
_VARIABLE = "ESLINT_USE_FLAT_CONFIG"
_OTHERWISE = regex(r"ESLINT_USE_FLAT_CONFIG|(?:\s-c\s|--config\b)")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every npm package that calls ESLint 9 or newer, with a configuration of the old form and none of the new one."""
    if _is_told(inventory):
        return
    for manifest in inventory.manifests:
        required = next((item for item in manifest.requirements if item.name == "eslint"), None)
        call = next((item for item in manifest.targets if _CALL.search(item.text)), None)
        if manifest.kind == "npm" and required and call and _NINE.fullmatch(required.constraint.strip()):
            old = _old(inventory, posixpath.dirname(manifest.path))
            if old and not any(_OTHERWISE.search(item.text) for item in manifest.targets):
                yield _evidence(manifest, required, call, old)


def _is_told(inventory: Inventory) -> bool:
    """Whether a variable has ESLint 9 read the old form."""
    outer = (pair.name for workflow in inventory.workflows for pair in workflow.env)
    jobs = (pair.name for job in inventory.jobs for pair in job.env)
    steps = (pair.name for step in inventory.steps for pair in step.env)
    lines = (line.name for file in inventory.env_files for line in file.lines if not line.commented)
    built = (name for file in inventory.dockerfiles for item in file.instructions for name, _ in item.variables)
    said = any(_VARIABLE in step.run for step in inventory.steps)
    return said or any(_VARIABLE in names for names in (outer, jobs, steps, lines, built))


def _old(inventory: Inventory, folder: str) -> str:
    """The old configuration of a folder; empty where one of the new form is there or above."""
    above = dict.fromkeys((folder, *upwards(folder), ""))
    if any(posixpath.join(parent, name) in inventory.file_set for parent in above for name in _NEW):
        return ""
    mine = (path for path in inventory.files if posixpath.dirname(path) == folder)
    return next((path for path in mine if _OLD.fullmatch(posixpath.basename(path))), "")


def _evidence(manifest: Manifest, required: Requirement, call: ScriptTarget, old: str) -> Evidence:
    folder = posixpath.dirname(manifest.path)
    migrate = f"npx @eslint/migrate-config {shlex.quote(posixpath.basename(old))}"
    return Evidence(
        f"{manifest.path} asks for ESLint {required.constraint}, which no longer reads {old}, and there is no "
        f"eslint.config.js: `npm run {call.name}` stops before it looks at anything.",
        call.location,
        subject=manifest.path,
        related=(Related(Location(old), "isn't read"), Related(required.location, "asks for this version")),
        recommendation=f"Move {old} into {posixpath.join(folder, 'eslint.config.mjs')}.",
        example=f"cd {shlex.quote(folder)} && {migrate}" if folder else migrate,
    )
