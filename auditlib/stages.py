"""The words in the names of files, jobs and scripts that tell what is for production, for development, or to be copied.

Sources: the conventions of https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/, of deployment tools,
and of Vite's and dotenv-flow's env files.
"""

from __future__ import annotations

import posixpath
import re

from auditlib.patterns import regex

_PRODUCTION = regex(
    r"(?:^|[^a-z])(?:prod|production|produ[cç][aã]o|producci[oó]n|produktion|deploy|"
    r"deployment|deploys|rollout|staging)(?![a-z])",
    re.I,
)
_TRIAL = regex(r"(?:^|[^a-z])(?:staging|stage|stg|pre-?prod|uat|qa|demo|preview|review|sandbox)(?![a-z])", re.I)
_DEVELOPMENT = regex(
    r"(?:^|[._-])(?:override|dev|devel|development|local|test|tests|testing|ci|e2e|debug|example|sample)(?=$|[._-])"
)
_FOLDER = frozenset({".devcontainer", "dev", "development", "examples", "example", "test", "tests", "e2e", "fixtures"})
_RETIRED = frozenset({"_archive", "_archived", "archived", "deprecated", "obsolete", "attic", "_old"})
"""Folders of what is kept and runs no more; `archive` and `old` are only where they stand at the root."""

FOREIGN_FOLDERS = frozenset({"vendor", "third_party", "node_modules", "testdata", "fixtures"})
"""Folders of what others wrote, or of what tests are given: nobody here mends it."""


def names_production(text: str) -> bool:
    """Whether a name or a title speaks of production or of a deployment (`compose.prod.yml`, `deploy.sh`)."""
    return bool(_PRODUCTION.search(text))


def names_trial(text: str) -> bool:
    """Whether a name speaks of what runs as production does and isn't it (`compose.staging.yml`, `deploy-uat`)."""
    return bool(_TRIAL.search(text))


def names_development(name: str) -> bool:
    """Whether the name of a file or a profile says that it is for development and tests."""
    return bool(_DEVELOPMENT.search(name.lower()))


def is_for_development(path: str) -> bool:
    """Whether a file is, by its name or folder, for development and tests only (`compose.override.yml`, `dev/…`).

    What is retired (`_archived/…`) isn't in production either.
    """
    *folders, name = path.lower().split("/")
    return is_retired(path) or names_development(name) or not _FOLDER.isdisjoint(folders)


def is_retired(path: str) -> bool:
    """Whether a file lies among what is kept and runs no more (`_archived/…`)."""
    folders = path.lower().split("/")[:-1]
    return not _RETIRED.isdisjoint(folders) or folders[:1] in (["archive"], ["old"])


_TEMPLATE_WORDS = frozenset({
    "j2", "jinja", "jinja2", "erb", "example", "examples", "sample", "template", "tmpl", "tpl", "dist", "default",
    "defaults", "exemple", "exemplo", "ejemplo", "beispiel",
})  # fmt: skip
_MISSPELT = frozenset("".join(sorted(word)) for word in ("example", "sample", "template"))
"""The letters of words that people write in another order (`.env.exmaple`)."""


def is_template(path: str) -> bool:
    """Whether a file's name says that it is there to be copied: `.env.example`, `production.env.tpl`."""
    return any(map(_says_template, re.split(r"[._-]", posixpath.basename(path).lower())))


def _says_template(word: str) -> bool:
    return word in _TEMPLATE_WORDS or "".join(sorted(word)) in _MISSPELT


def without_template_word(path: str) -> str:
    """The file that a template is copied to, beside it: `.env` for `.env.example`, `env_sample` and `example.env`."""
    folder, name = posixpath.split(path)
    words = [word for word in re.split(r"(?=[._-])", name) if not _says_template(word.strip("._-").lower())]
    joined = "".join(words).lstrip("_-")
    return posixpath.join(folder, ".env" if joined == "env" else joined)


ONE_HOST = regex(
    r"\b(?:single|one)[- ](?:host|server|node|machine|vps)\b|\bhome ?(?:lab|server)\b|"
    r"\b(?:ein|einzelner) (?:host|server)\b",
    re.I,
)
"""Words with which people say that a system is meant for one host."""
