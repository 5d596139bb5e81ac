"""The words that tell, in the names of files, jobs and scripts, what is for production and what for development.

Sources: the conventions of https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/, of deployment tools,
and of Vite's and dotenv-flow's env files.
"""

from __future__ import annotations

import re

from auditlib.patterns import regex

_PRODUCTION = regex(r"(?:^|[^a-z])(?:prod|production|deploy|deployment|deploys|rollout|staging)(?![a-z])", re.I)
_DEVELOPMENT = regex(
    r"(?:^|[._-])(?:override|dev|devel|development|local|test|tests|testing|ci|e2e|debug|example|sample)(?=$|[._-])"
)
_FOLDER = frozenset({".devcontainer", "dev", "development", "examples", "example", "test", "tests", "e2e", "fixtures"})


def names_production(text: str) -> bool:
    """Whether a name or a title speaks of production or of a deployment (`compose.prod.yml`, `deploy.sh`)."""
    return bool(_PRODUCTION.search(text))


def names_development(name: str) -> bool:
    """Whether the name of a file or a profile says that it is for development and tests."""
    return bool(_DEVELOPMENT.search(name.lower()))


def is_for_development(path: str) -> bool:
    """Whether a file is, by its name or folder, for development and tests only (`compose.override.yml`, `dev/…`)."""
    *folders, name = path.lower().split("/")
    return names_development(name) or not _FOLDER.isdisjoint(folders)
