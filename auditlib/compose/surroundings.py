"""What surrounds a project's files: the environment with its env files, and the project's name.

Follows compose-go's `cli/options.go` and `loader.projectName`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from auditlib.compose.errors import ComposeError
from auditlib.compose.gopath import join
from auditlib.compose.session import Environment, Session, read_env_files
from auditlib.compose.template import InvalidTemplateError, MissingRequiredError, substitute
from auditlib.compose.tree import Map

NAME = "COMPOSE_PROJECT_NAME"
"""The variable that may name the project, and that files may refer to."""


def read_environment(
    session: Session,
    folder: str,
    environ: Mapping[str, str] | None,
    env_files: Iterable[str | os.PathLike[str]] | None,
) -> Environment:
    """The process environment above the env files."""
    values = dict(os.environ if environ is None else environ)
    values.setdefault("PWD", os.getcwd())
    process = Environment(values)
    if env_files is None:
        default = join(folder, ".env")
        try:
            there = session.sources.exists(default) and not session.sources.is_dir(default)
        except ComposeError as error:
            session.add(error)
            there = False
        env_files = [default] if there and not _truth(values.get("COMPOSE_DISABLE_ENV_FILE", "")) else []
    found = read_env_files(session, ((os.path.abspath(f), None) for f in env_files), process)
    return process.with_more(found.values, found.marks)


def _truth(text: str) -> bool:
    return text in ("1", "t", "T", "true", "TRUE", "True")


def normal_name(text: str) -> str:
    """A text as a project's name: lower case, with only letters, digits, `-` and `_`."""
    return "".join(re.findall(r"[a-z0-9_-]", text.lower())).lstrip("_-")


def project_name(
    session: Session, paths: tuple[str, ...], folder: str, given: str | None, environment: Environment
) -> str:
    """The name that the caller gives, or the environment, or the last file that has one, or the folder's."""
    chosen = given or environment.values.get(NAME)
    if chosen:
        if normal_name(chosen) != chosen:
            message = f"invalid project name {chosen!r}: expected lower case letters, digits, - and _, no - or _ first"
            session.add(ComposeError(message))
        return chosen
    name = normal_name(os.path.basename(folder))
    for path in paths:
        for value in _names(session, path):
            try:
                name = normal_name(substitute(value, environment.get)) or name
            except (InvalidTemplateError, MissingRequiredError) as error:
                session.add(ComposeError(f"name: {error}"))
    if not name:
        session.add(ComposeError("the project has no name; give one"))
    return name


def _names(session: Session, path: str) -> list[str]:
    try:
        documents = session.documents(path)
    except ComposeError:
        return []
    found = [d.value.get("name") for d in documents if isinstance(d.value, Map)]
    return [name for name in found if isinstance(name, str) and name]
