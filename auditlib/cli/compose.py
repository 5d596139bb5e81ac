"""Compose projects as Docker Compose resolves them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditlib.errors import UsageError

if TYPE_CHECKING:
    from auditlib.compose import Project

app = typer.Typer(
    help="Compose projects as Docker Compose resolves them.\n\nExample: `auditlib compose config -f compose.yaml`",
    no_args_is_help=True,
)


def _default_files() -> list[str]:
    """What `docker compose` reads in the current folder: the base file, and its override if there is one."""
    from auditlib import compose

    found = compose.discover(Path(), [path.name for path in Path().iterdir()])
    files = next((list(one.files) for one in found if one.role in ("base", "broken")), None)
    if files is None:
        raise UsageError("there is no compose.yaml or docker-compose.yml in this folder; name one with -f FILE")
    return files


class ConfigFormat(StrEnum):
    """The forms that `compose config` prints."""

    yaml = "yaml"
    json = "json"


@app.command()
def config(
    file: Annotated[
        list[Path] | None, typer.Option("--file", "-f", metavar="FILE", help="A Compose file; later ones win.")
    ] = None,
    profile: Annotated[list[str] | None, typer.Option(help="Enable this profile; `*` enables all.")] = None,
    env_file: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Instead of the .env beside the first file.")
    ] = None,
    project_name: Annotated[str | None, typer.Option("--project-name", "-p", help="Instead of the folder's name.")] = (
        None
    ),
    output_format: Annotated[ConfigFormat, typer.Option("--format", help="How it is written.")] = ConfigFormat.yaml,
    no_interpolate: Annotated[bool, typer.Option("--no-interpolate", help="Leave `${VARIABLES}` as they are.")] = False,
    services: Annotated[bool, typer.Option("--services", help="Only the services' names.")] = False,
    variables: Annotated[bool, typer.Option("--variables", help="Only the variables, with their defaults.")] = False,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Follow each line by the file and line that it comes from.")
    ] = False,
) -> None:
    """Print what `docker compose config` prints, without Docker. Values are shown as they are, secrets included.

    Example: `auditlib compose config -f compose.yaml -f compose.override.yaml --profile '*' --provenance`
    """
    from auditlib import compose

    if services + variables + provenance + (output_format is ConfigFormat.json) > 1:
        raise UsageError("--services, --variables, --provenance and --format json exclude each other; choose one")
    try:
        project = compose.load(
            file or _default_files(),
            profiles=profile or (),
            project_name=project_name,
            env_files=env_file,
            interpolate=not no_interpolate,
        )
        text = _rendered(project, output_format, services=services, variables=variables, provenance=provenance)
    except compose.ComposeError as error:
        raise UsageError(str(error)) from None
    for warning in project.warnings:
        typer.echo(f"auditlib: warning: {warning}", err=True)
    typer.echo(text, nl=False)


def _rendered(
    project: Project, output_format: ConfigFormat, *, services: bool, variables: bool, provenance: bool
) -> str:
    """The project in the form that was asked for."""
    from auditlib.compose import render

    if services:
        return render.render_services(project)
    if variables:
        return render.render_variables(project)
    if output_format is ConfigFormat.json:
        return render.render_json(project)
    return render.render_yaml(project, provenance=provenance)
