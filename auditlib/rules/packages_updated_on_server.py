"""A deployment installs whatever versions are newest.

`composer update` and `npm update` pass over the lock file and take the newest versions that the constraints allow: what
runs in production is what nobody has tested, differs from host to host, and can't be brought back. They also rewrite
the lock file in the checkout, so that the next `git pull` stops.

Anti-pattern:

    git pull
    docker compose up -d --build
    docker compose exec -T app composer update

Better:

    git pull
    docker compose up -d --build  # the image has run composer install --no-dev

Recommendation:

    Install from the lock file when the image is built, and update packages where tests run.

References:

- https://getcomposer.org/doc/01-basic-usage.md#commit-your-composer-lock-file-to-version-control
- https://docs.npmjs.com/cli/commands/npm-ci
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import on_servers
from auditlib.pipeline.on_servers import ServerText
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_UPDATES = regex(
    r"(?:^|\s)(?P<said>composer(?:\.phar)? (?:update|upgrade|u)|npm (?:update|upgrade|up)|yarn upgrade|"
    r"pnpm (?:update|up)|bundle update|pip3? install (?:\S+ ){0,6}(?:-U|--upgrade)(?! (?:pip|setuptools|wheel)\b)|"
    r"poetry update|uv lock --upgrade|cargo update|go get -u)(?= |$)"
)
_BETTER = {
    "composer": "composer install --no-dev --prefer-dist --no-interaction",
    "npm": "npm ci",
    "yarn": "yarn install --immutable",
    "pnpm": "pnpm install --frozen-lockfile",
    "bundle": "bundle install --deployment",
    "pip": "pip install -r requirements.txt",
    "pip3": "pip3 install -r requirements.txt",
    "poetry": "poetry install --only main",
    "uv": "uv sync --locked",
    "cargo": "cargo build --release --locked",
    "go": "go mod download",
}
_ASIDE = frozenset({"--dry-run", "--lock", "-g", "--global"})
_FILES = frozenset({"-r", "--requirement"})
_CONSTRAINTS = frozenset({"-c", "--constraint"})
_ONE_VERSION = regex(
    r"==|^\.|/|\.whl$|^(?:pip|setuptools|wheel|certbot\S*|awscli|docker-compose|ansible\S*|virtualenv|poetry|pipenv|uv|"
    r"supervisor)$"
)
"""What names one version, or is a tool of the host and no part of the application."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that deploys, or that a container starts by, with a command that updates packages."""
    for text in on_servers.texts(inventory):
        found = [item for item in text.commands if _said(item) and not (_is_aside(item) or _is_held(inventory, item))]
        if found:
            yield _evidence(text, found)


def _is_aside(command: Command) -> bool:
    return not _ASIDE.isdisjoint(command.words)


def _is_held(inventory: Inventory, command: Command) -> bool:
    """Whether pip takes only what has its version: from files of the repository that say it, or by its own words."""
    if not _said(command).startswith("pip"):
        return False
    words = command.words[command.words.index("install") + 1 :]
    if _CONSTRAINTS & set(words):
        return True
    lists = {after for word, after in itertools.pairwise(words) if word in _FILES}
    lists |= {word[2:] for word in words if word.startswith("-r") and len(word) > 2}
    named = [word for word in words if not word.startswith("-") and word not in lists]
    return all(map(_has_version, named)) and all(_is_exact(inventory, path) for path in lists)


def _has_version(name: str) -> bool:
    """Whether a word of pip's call names one version, a folder or a file, whose own packages stay as they are."""
    return bool(_ONE_VERSION.search(name))


def _is_exact(inventory: Inventory, path: str) -> bool:
    """Whether a file of requirements gives each package its version, or isn't known."""
    name = posixpath.basename(path)
    known = [item for item in inventory.manifests if posixpath.basename(item.path) == name]
    return all(item.constrained or all("==" in one.constraint for one in item.requirements) for item in known)


def _said(command: Command) -> str:
    match = _UPDATES.search(" ".join(command.words))
    return match["said"] if match else ""


def _evidence(text: ServerText, found: list[Command]) -> Evidence:
    first, *others = found
    said = _said(first)
    better = _BETTER[said.split()[0].removesuffix(".phar")]
    return Evidence(
        f"{text.opening} runs `{said}`: each run takes the newest versions, which nobody has tested together, and none "
        "of those before can be brought back.",
        first.location,
        subject=f"{text.path}/{said}",
        related=tuple(Related(item.location, f"`{_said(item)}` too", member=True) for item in others),
        recommendation=f"Install from the lock file when the image is built: `{better}`.",
        example=files.into(text.path, better),
    )
