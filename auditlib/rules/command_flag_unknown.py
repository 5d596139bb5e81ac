"""A program is given an option that it doesn't have.

It prints its usage and ends. In Compose the container then starts again and again, and what it would have done, such
as sending the alerts, nobody does; a script that checks a configuration that way fails whatever the configuration says.

Anti-pattern:

    alertmanager:
      image: prom/alertmanager:v0.27.0
      command: ["--config.file=/etc/alertmanager/alertmanager.yml", "--config.expand-env"]

Better:

    alertmanager:
      image: prom/alertmanager:v0.27.0
      command: ["--config.file=/etc/alertmanager/alertmanager.yml"]

Recommendation:

    Use the options that the program's documentation lists for the version that runs.

References:

- https://github.com/prometheus/alertmanager/blob/main/cmd/alertmanager/main.go
- https://prometheus.io/docs/prometheus/latest/command-line/prometheus/
- https://prometheus.io/docs/prometheus/latest/command-line/promtool/
- https://github.com/prometheus-community/elasticsearch_exporter/blob/master/CHANGELOG.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditlib.conventions import deployment, environments, image_flags
from auditlib.conventions.image_flags import Missing
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service, and every `docker run`, whose command has options that the image's program lacks."""
    for service in inventory.distinct_services:
        own = not service.entrypoint and not service.build and image_flags.is_known(service.image)
        if own and (missing := image_flags.missing(service.image, service.command)):
            yield _of_service(service, missing)
    for command in deployment.commands(inventory):
        image, words = _run(command)
        if image and (missing := image_flags.missing(image, words)):
            yield _of_command(command, image, words, missing)


def _run(command: Command) -> tuple[str, Sequence[str]]:
    """The known image that a `docker run` starts with its own entry point, and what this is given."""
    words = command.words
    if len(words) < 4 or words[:2] not in (("docker", "run"), ("podman", "run")):
        return "", ()
    at = next((index for index, word in enumerate(words) if index > 1 and image_flags.is_known(word)), 0)
    own = words[2:at]
    return (words[at], words[at + 1 :]) if at and not any(word.startswith("--entrypoint") for word in own) else ("", ())


def _of_service(service: Service, missing: list[Missing]) -> Evidence:
    left = [word for word in service.command if not _is_one_of(word, missing)]
    aside = environments.only_for_development(service)
    return Evidence(
        f"{service.name} is started with {_named(missing)}, which {service.image} doesn't have: it ends with an error "
        "in place of starting.",
        service.command_location or service.location,
        subject=f"{service.name}/{'/'.join(item.name for item in missing)}",
        service=service.name,
        recommendation=f"{missing[0].instead}.",
        severity=Severity.LOW if aside else None,
        example=compose_lines.of_service(service, _list(left)),
    )


def _of_command(command: Command, image: str, words: Sequence[str], missing: list[Missing]) -> Evidence:
    left = " ".join(word for word in words if not _is_one_of(word, missing))
    file = command.location.file
    checks = any(item.name == "check-config" for item in missing)
    call = f"docker run --rm --entrypoint {_checker(image)} <the options that stand there> {image} {_checked(image)}"
    return Evidence(
        f"{file} runs {image} with {_named(missing)}, which it doesn't have: the command fails, whatever it is given "
        "besides.",
        command.location,
        subject=f"{file}/{'/'.join(item.name for item in missing)}",
        recommendation=f"{missing[0].instead}.",
        example=files.into(file, call if checks else f"docker run <the options that stand there> {image} {left}"),
    )


def _checker(image: str) -> str:
    return "amtool" if "alertmanager" in image else "promtool"


def _checked(image: str) -> str:
    return "check-config <file>" if "alertmanager" in image else "check config <file>"


def _is_one_of(word: str, missing: list[Missing]) -> bool:
    return word.startswith("--") and word[2:].partition("=")[0] in {item.name for item in missing}


def _named(missing: list[Missing]) -> str:
    return listed(f"`--{item.name}`" for item in missing)


def _list(words: Sequence[str]) -> str:
    return "\n".join(("command:", *(f'  - "{word}"' for word in words))) if words else "# without command"
