"""Certificates are renewed, and the proxy that serves them is never told.

Nginx reads its certificates at the start and at a reload. A companion that runs `certbot renew` writes new files beside
it, while Nginx goes on with the old ones in its memory; after ninety days visitors see an expired certificate, although
a valid one lies on the disk.

Anti-pattern:

    nginx:
      image: nginx:1.27
      volumes: ["./certbot/conf:/etc/letsencrypt:ro"]
    certbot:
      image: certbot/certbot:v3.0.1
      volumes: ["./certbot/conf:/etc/letsencrypt"]
      entrypoint: sh -c "while :; do certbot renew; sleep 12h; done"

Better:

    nginx:
      image: nginx:1.27
      command: sh -c "while :; do sleep 6h; nginx -s reload; done & exec nginx -g 'daemon off;'"

Recommendation:

    Reload the proxy at intervals, or from a hook of the renewal (`--deploy-hook`).

References:

- https://nginx.org/en/docs/control.html
- https://eff-certbot.readthedocs.io/en/stable/using.html#renewing-certificates
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_RENEWS_ONCE = regex(
    r"(?:^|\s|/)certbot\S*\s(?:\S+\s+){0,8}?renew\b|(?:^|\s|/)acme\.sh\s.{0,300}--(?:renew|renew-all|cron|install-?cert)\b|"
    r"(?:^|\s|/)lego\s(?:\S+\s+){0,12}renew\b"
)
"""A renewal in a script that a host's table of cron starts."""
_STARTS_ANEW = regex(r"\brestart\b|\bup\b.{0,300}\s(?:-d|--detach)\b|\bstart\b|\bkill\b")
_RENEWS = regex(r"\bcertbot\s+(?:-\S+\s+){0,5}renew\b")
_REPEATS = regex(r"\b(?:while|until|for)\b|\bsleep\b|\bcrond?\b")
_RELOADS = regex(r"(?<!-)\breload\b|\bHUP\b|(?:deploy|post|renew)-hook|--reloadcmd")
"""What may reload a proxy; `--reload` is an option of development servers."""
_TIMED = regex(r"(?:^|/)(?:crontabs?|cron\.\w+)(?:$|/)|crontab$|\.(?:cron|timer)$")


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every companion, or script, that renews certificates for an Nginx of the project, where nothing reloads that."""
    renewing = [item for item in inventory.distinct_services if _renews(item)]
    by_script = [(item, command) for item in inventory.scripts if (command := _renewal(item))]
    if not (renewing or by_script) or _is_reloaded(inventory):
        return
    served = [item for item in inventory.deployed_services if _speaks_tls(inventory, item)]
    for script, command in by_script if served else ():
        yield _of_script(inventory, script, command, served)
    for companion in renewing:
        served = [
            item for item in inventory.services_of(companion.project).values() if _serves(inventory, item, companion)
        ]
        if served:
            yield _evidence(inventory, companion, served)


def _renews(service: Service) -> bool:
    text = " ".join((*service.entrypoint, *service.command))
    return bool(_RENEWS.search(text) and _REPEATS.search(text))


def _renewal(script: Script) -> Command | None:
    """The command by which a script renews certificates, if it starts nothing anew."""
    lines = [(command, " ".join(command.words)) for command in script.commands]
    if any(_STARTS_ANEW.search(line) for _, line in lines):
        return None
    return next((command for command, line in lines if _RENEWS_ONCE.search(line)), None)


def _speaks_tls(inventory: Inventory, service: Service) -> bool:
    """Whether a service is an Nginx with a configuration of the repository that listens on a port of TLS."""
    kind = services.product(inventory, service)
    listening = (item for item in inventory.reverse_proxies if "443" in item.listens and item.kind == "nginx")
    return (
        kind is not None
        and kind.name == "Nginx"
        and any(service in proxies.runners(inventory, item) for item in listening)
    )


def _of_script(inventory: Inventory, script: Script, command: Command, served: list[Service]) -> Evidence:
    names = listed(item.name for item in served)
    return Evidence(
        f"{script.path} renews certificates, and nothing in the repository makes {names} read them again: it goes on "
        "with the old ones until somebody restarts it.",
        command.location,
        subject=script.path,
        related=tuple(Related(item.location, f"{item.name} serves TLS") for item in served),
        recommendation=f"Reload {served[0].name} at the end of {script.path}.",
        example=f"# {script.path}\n"
        f"{compose_lines.call(inventory, served[0].project)} exec -T {served[0].name} nginx -s reload",
    )


def _serves(inventory: Inventory, service: Service, companion: Service) -> bool:
    """Whether a service is an Nginx that mounts the folder in which the companion keeps the certificates."""
    kind = services.product(inventory, service)
    kept = {mount.source for mount in companion.mounts if mount.source and "letsencrypt" in mount.target}
    return kind is not None and kind.name == "Nginx" and any(mount.source in kept for mount in service.mounts)


def _is_reloaded(inventory: Inventory) -> bool:
    """Whether anything may reload the proxy: a command, an image, a hook, a document, or a table of cron."""
    texts = [" ".join((*item.entrypoint, *item.command)) for item in inventory.services]
    first = _first_issues(inventory)
    texts += [" ".join(item.words) for item in deployment.commands(inventory) if _part(item) not in first]
    texts += [item.argument for file in inventory.dockerfiles for item in file.instructions]
    texts += [item.text for document in inventory.documents for item in document.mentions]
    return any(_RELOADS.search(text) for text in texts) or any(_TIMED.search(path) for path in inventory.files)


def _part(command: Command) -> tuple[str, str]:
    return command.location.file, command.function


def _first_issues(inventory: Inventory) -> set[tuple[str, str]]:
    """By file and function where scripts ask for the first certificate: a reload there follows no renewal."""
    texts = [(_part(item), " ".join(item.words)) for script in inventory.scripts for item in script.commands]
    renewing = {part for part, text in texts if _RENEWS.search(text) or _RENEWS_ONCE.search(text)}
    return {part for part, text in texts if part[1] and "certonly" in text} - renewing


def _evidence(inventory: Inventory, companion: Service, served: list[Service]) -> Evidence:
    names = listed(item.name for item in served)
    return Evidence(
        f"{companion.name} renews the certificates that {names} {'serves' if len(served) == 1 else 'serve'}, and "
        "nothing in the repository makes Nginx read them again: it goes on with the old ones until somebody restarts "
        "it.",
        companion.command_location or companion.location,
        subject=f"{companion.project}/{companion.name}",
        service=companion.name,
        related=tuple(Related(item.location, f"{item.name} mounts the same certificates") for item in served),
        recommendation=f"Run `nginx -s reload` in {served[0].name} at intervals, or from a hook of the renewal.",
        example=_reloading(inventory, served[0]),
    )


def _reloading(inventory: Inventory, proxy: Service) -> str:
    """A line of the host's own table of cron, which changes nothing in the containers."""
    compose = compose_lines.call(inventory, proxy.project)
    return (
        "# the crontab of the host\n"
        f"0 4 * * * cd <folder of the repository> && {compose} exec -T {proxy.name} nginx -s reload"
    )
