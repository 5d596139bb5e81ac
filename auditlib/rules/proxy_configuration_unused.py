"""A configuration of Nginx is read by nobody.

It lies in the repository, and no service mounts it, no image copies it and no command names it; or it is mounted among
the sites, and the `nginx.conf` mounted beside it includes none. Whoever changes it, or
follows a document that says so, wonders why nothing happens; and what it promises, limits, headers or TLS, is missing.

Anti-pattern:

    services:
      web:
        image: nginx:1.29
        volumes: ["./nginx/site-ssl.conf:/etc/nginx/conf.d/default.conf:ro"]
    # nginx/site.conf is there, too

Better:

    services:
      web:
        image: nginx:1.29
        volumes: ["./nginx/site.conf:/etc/nginx/conf.d/default.conf:ro"]
    # and no other

Recommendation:

    Mount the file, or remove it together with what documents say of it.

References:

- https://nginx.org/en/docs/beginners_guide.html
- https://hub.docker.com/_/nginx
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Collection, Iterator

from auditlib.conventions import deployment, environments, mounts, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(
    r"(?:^|/)(?:examples?|samples?|docs?|tests?|vendor|templates?|snippets?|legacy|archive)/|sites-available/"
)
_TAKES = regex(r"^(?:sudo\s+)?(?:cp|mv|scp|rsync|ln|install|docker)\b")
_SHOWN = 3


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each site of Nginx that no service, image or command takes, where Compose says what runs."""
    sites = [item for item in inventory.reverse_proxies if item.kind == "nginx" and item.passages]
    if not sites or not inventory.deployed_services or deployment.uses_orchestrator(inventory):
        return
    for item in sites:
        pairs = ((service, proxies.left_out(inventory, service, item)) for service in inventory.deployed_services)
        if (pair := next((each for each in pairs if each[1]), None)) and not proxies.runners(inventory, item):
            yield _not_included(item, *pair)
    run = [item for item in sites if proxies.runners(inventory, item)]
    read = {item.file for item in run}
    products = (services.product(inventory, item) for item in inventory.services)
    if not run and any(found is not None and found.name == "Nginx" for found in products):
        return  # it runs with a file that is made elsewhere, perhaps of this one
    left = [item for item in sites if item.file not in read and not _is_aside(item.file)]
    named = {(text.strip("./\"'"), "/" in text) for text in _texts(inventory)} if left else set()
    for item in left:
        if not item.for_host and not _is_named(item.file, named):
            yield _evidence(inventory, item, run)


def _is_aside(file: str) -> bool:
    return bool(_ASIDE.search(file)) or environments.is_for_development(file)


def _texts(inventory: Inventory) -> list[str]:
    """What commands, Dockerfiles and mounts name."""
    commands = [command.words for command in deployment.commands(inventory)]
    texts = [word for words in commands if words and words[0] != "git" for word in words]
    texts += [
        beside if (beside := posixpath.join(posixpath.dirname(file.path), word)) in inventory.file_set else word
        for file in inventory.dockerfiles
        for item in file.instructions
        for word in item.words
    ]
    texts += [mount.source for service in inventory.services for mount in service.mounts if mount.source != "."]
    texts += [item.source for item in inventory.file_objects]
    texts += [
        word
        for document in inventory.documents
        for item in document.mentions
        if item.kind == "command" and _TAKES.search(item.text)
        for word in item.text.split()
    ]
    return [*texts, *(item for config in inventory.reverse_proxies for item in config.includes)]


def _is_named(file: str, named: Collection[tuple[str, bool]]) -> bool:
    """Whether one of the words, each with whether it is a path, is the file, its name alone, or a folder around it."""
    name = posixpath.basename(file)
    folders = {posixpath.dirname(file), posixpath.basename(posixpath.dirname(file))} - {""}
    return any(
        text.endswith(file) or text == name or (is_path and text.removesuffix("/*") in folders)
        for text, is_path in named
    )


def _not_included(item: ReverseProxy, service: Service, main: ReverseProxy | None) -> Evidence:
    """A site in the folder from which only the image's own configuration takes sites."""
    taker = main.file if main else "nginx.conf"
    folder = posixpath.dirname(mounts.path_inside(service, item.file))
    return Evidence(
        f"{service.name} mounts {item.file} in {folder}, and {taker}, which it runs with in place of its image's own, "
        "includes nothing from there: Nginx doesn't read the site.",
        Location(item.file),
        subject=item.file,
        service=service.name,
        related=(Related(main.location, "the configuration that is read"),) if main else (),
        recommendation=f"Include {folder} in the `http` block of {taker}, or remove {item.file}.",
        example=f"# {taker}\nhttp {{\n    include {folder}/*.conf;\n}}",
        confidence=Confidence.HIGH,
    )


def _is_surely_read(inventory: Inventory, item: ReverseProxy) -> bool:
    """Whether a service has a configuration where Nginx looks for one, or in an image that is built with it."""
    runners = proxies.runners(inventory, item)
    inside = [mounts.path_inside(service, item.file) for service in runners]
    return any(service.build for service in runners) or any(path.startswith("/etc/nginx/") for path in inside)


def _evidence(inventory: Inventory, item: ReverseProxy, run: list[ReverseProxy]) -> Evidence:
    told = [
        mention.location
        for document in inventory.documents
        for mention in document.mentions
        if mention.kind == "path" and mention.text.endswith(item.file)
    ]
    sure = bool(run) and _is_surely_read(inventory, run[0])
    what = "what runs is" if sure else "what a service has is"
    instead = f"; {what} {run[0].file}" if run else ", and no service runs Nginx"
    return Evidence(
        f"No service mounts {item.file}, no image copies it and no command names it{instead}: a change of it has no "
        "effect, unless a host outside of the repository takes it.",
        Location(item.file),
        subject=item.file,
        related=(
            *(
                Related(other.location, f"the configuration that {'is read' if sure else 'a service has'}")
                for other in run[:1]
            ),
            *(Related(place, "a document speaks of it") for place in told[:_SHOWN]),
        ),
        recommendation=f"Mount {item.file} where it is wanted, or remove it with what documents say of it.",
        example=f"git rm {shlex.quote(item.file)}",
    )
