"""The proxy lets uploads through that the application refuses.

`client_max_body_size` was raised for large files, and what stands behind still has a smaller limit of its own: PHP
takes files of 2 MB where nothing says otherwise, and no form of more than 8 MB. What is larger is thrown away after it
was sent, in PHP without an error that anybody sees.

Anti-pattern:

    # nginx.conf
    client_max_body_size 100m;
    location ~ \\.php$ { fastcgi_pass php:9000; }   # php: image php:8.3-fpm, no php.ini

Better:

    # php.ini, mounted in /usr/local/etc/php/conf.d
    upload_max_filesize = 95M
    post_max_size = 100M

Recommendation:

    Set `upload_max_filesize`, `post_max_size` and the proxy's limit to fit, each a little above the one before.

References:

- https://www.php.net/manual/en/ini.core.php#ini.post-max-size
- https://docs.spring.io/spring-boot/appendix/application-properties/index.html
- https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, nginx_sites, proxied, server_traits, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import PhpLimit, ServerTrait
from auditlib.inventory.proxy import Directive, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SIZE = regex(r"(?P<number>\d{1,12})(?P<unit>[kmg]?)", re.I)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_MEGABYTE = 2**20
_PHP_USUAL = {"upload_max_filesize": 2 * _MEGABYTE, "post_max_size": 8 * _MEGABYTE}
_ROOM = 1.25
"""How much more a proxy may let through: a form is larger than the file in it, and each takes a little more."""
_SPRING_USUAL = 10 * _MEGABYTE
_PHP = regex(r"(?:docker\.io/)?(?:library/)?php:[\w.-]+")
_SETS_ALL = regex(r"\bPHP_(?:UPLOAD|POST|MEMORY)\w*|upload_max_filesize|post_max_size|\.ini\b")


class _Taken(Struct, frozen=True):
    """How much an application takes, where that shows, and how it is said."""

    amount: int
    location: Location
    said: str
    mend: str


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Forms of PHP smaller than its uploads; each application that takes less than the Nginx before it was told."""
    yield from _forms(inventory)
    yield from _forms_of_spring(inventory)
    for config in inventory.reverse_proxies:
        for runner in nginx_sites.runners(inventory, config) if config.tree and config.body_limits else ():
            if not environments.only_for_development(runner):
                yield from _of_runner(inventory, config, runner)
                break


def _forms(inventory: Inventory) -> Iterator[Evidence]:
    """Where a form may be no larger than a file in it."""
    by_file: dict[str, dict[str, PhpLimit]] = {}
    for item in inventory.php_limits:
        by_file.setdefault(item.location.file, {})[item.name] = item
    for file, mine in by_file.items():
        upload, form = mine.get("upload_max_filesize"), mine.get("post_max_size")
        allowed = form.amount if form else _PHP_USUAL["post_max_size"]
        if upload and 0 < allowed < upload.amount and (form or not _elsewhere(inventory, file)):
            yield _form_evidence(file, upload, form, allowed)


def _forms_of_spring(inventory: Inventory) -> Iterator[Evidence]:
    """The same of Spring, which takes forms of 10 MB where nothing says otherwise."""
    forms = {item.location.file: item for item in inventory.server_traits if item.kind == "form"}
    for item in inventory.server_traits:
        file = item.location.file
        if item.kind == "body" and file.endswith((".properties", ".yml", ".yaml")):
            form = forms.get(file)
            allowed = form.amount if form else _SPRING_USUAL
            if item.amount > allowed and (form or not (forms or _told_otherwise(inventory))):
                yield _spring_evidence(item, form, allowed)


def _told_otherwise(inventory: Inventory) -> bool:
    """Whether the size of a form is said in a way that isn't read, or by a variable."""
    names = (entry.name for service in inventory.services for entry in service.environment)
    unread = any(item.kind == "unread form" for item in inventory.server_traits)
    return unread or any("MULTIPART_MAX" in name for name in names)


def _spring_evidence(upload: ServerTrait, form: ServerTrait | None, allowed: int) -> Evidence:
    file = upload.location.file
    said = "max-request-size is" if form else "nothing sets max-request-size, which is then"
    name = "spring.servlet.multipart.max-request-size=" if file.endswith(".properties") else "max-request-size: "
    line = f"{name}{upload.amount // _MEGABYTE + 1}MB"
    return Evidence(
        f"{file} lets files of {_megabytes(upload.amount)} be uploaded, and {said} {_megabytes(allowed)}: a request "
        "with a larger file is refused.",
        form.location if form else upload.location,
        subject=f"{file}/max-request-size",
        related=(Related(upload.location, "what a file may have"),) if form else (),
        recommendation=f"Set `{line}` beside it in {file}.",
        confidence=Confidence.HIGH if form else None,
        example=files.into(file, line),
    )


def _elsewhere(inventory: Inventory, file: str) -> bool:
    return any(item.name == "post_max_size" and item.location.file != file for item in inventory.php_limits)


def _form_evidence(file: str, upload: PhpLimit, form: PhpLimit | None, allowed: int) -> Evidence:
    said = "post_max_size is" if form else "nothing sets post_max_size, which is then"
    line = f"post_max_size = {upload.amount // _MEGABYTE + 1}M"
    return Evidence(
        f"{file} lets files of {_megabytes(upload.amount)} be uploaded, and {said} {_megabytes(allowed)}: a form with "
        "a larger file arrives empty.",
        form.location if form else upload.location,
        subject=f"{file}/post_max_size",
        related=(Related(upload.location, "what a file may have"),) if form else (),
        recommendation=f"Set `{line}` in {file}.",
        confidence=Confidence.HIGH,
        example=files.into(file, line),
    )


def _of_runner(inventory: Inventory, config: ReverseProxy, runner: Service) -> Iterator[Evidence]:
    told: dict[str, tuple[Directive, int]] = {}
    mine = inventory.services_of(runner.project)
    for server in nginx_sites.servers(inventory, config):
        for chain in nginx_sites.locations(server):
            limit = next(iter(nginx_sites.holding(chain, "client_max_body_size")), None)
            match = _SIZE.fullmatch(limit.words[1]) if limit and len(limit.words) > 1 else None
            for statement in nginx_sites.own(chain, *nginx_sites.PASSES)[:1] if limit and match else ():
                size = int(match["number"]) * _UNITS[match["unit"].lower()] if match else 0
                for host in nginx_sites.host(config, statement):
                    if limit and host in mine and size > told.get(host, (limit, 0))[1]:
                        told[host] = (limit, size)
    for host, (limit, size) in told.items():
        taken = _taken(inventory, mine[host])
        if taken and taken.amount * _ROOM < size:
            yield _evidence(config, mine[host], taken, limit, size)


def _taken(inventory: Inventory, service: Service) -> _Taken | None:
    """What PHP is told of uploads in a service, or takes by itself; what Spring is told."""
    mine = [item for item in inventory.php_limits if proxied.runs_with(inventory, service, item.location.file)]
    uploads = [item for item in mine if item.name == "upload_max_filesize"]
    if uploads:
        said = f"upload_max_filesize of {_megabytes(uploads[-1].amount)}"
        return _Taken(uploads[-1].amount, uploads[-1].location, said, "upload_max_filesize = {}M")
    if _is_plain_php(inventory, service):
        amount = _PHP_USUAL["upload_max_filesize"]
        said = "nothing sets upload_max_filesize, so that PHP takes 2 MB"
        return _Taken(amount, service.location, said, "upload_max_filesize = {}M\npost_max_size = {}M")
    forms = server_traits.of(inventory, service, "form")
    if forms:
        said = f"max-request-size of {_megabytes(forms[0].amount)}"
        return _Taken(forms[0].amount, forms[0].location, said, "spring.servlet.multipart.max-request-size={}MB")
    return None


def _is_plain_php(inventory: Inventory, service: Service) -> bool:
    """Whether a service runs the image of PHP, and nothing in the repository may set its limits."""
    base, steps = services.built_from(inventory, service)
    if not _PHP.fullmatch((base or service.image).partition("@")[0]) or any(
        item.name == "upload_max_filesize" for item in inventory.php_limits
    ):
        return False
    texts = [item.argument for item in steps]
    texts += [f"{entry.name}={entry.value.text if entry.value else ''}" for entry in service.environment]
    inis = any(path.endswith(".ini") and "supervisor" not in path for path in inventory.files)
    return not inis and not any(map(_SETS_ALL.search, texts))


def _megabytes(amount: int) -> str:
    return f"{amount / _MEGABYTE:.4g} MB"


def _evidence(config: ReverseProxy, service: Service, taken: _Taken, limit: Directive, size: int) -> Evidence:
    line = taken.mend.replace("{}", str(size // _MEGABYTE))
    return Evidence(
        f"{config.file} lets bodies of {_megabytes(size)} through to {service.name}, which takes less ({taken.said}): "
        "what lies between is refused after it was sent.",
        limit.location,
        subject=f"{config.file}/{service.name}/uploads",
        service=service.name,
        related=(Related(taken.location, f"{service.name} takes {_megabytes(taken.amount)}"),),
        recommendation=f"Let {service.name} take as much as {config.file} lets through, or lower the proxy's limit.",
        example=files.into("php.ini" if "upload" in taken.mend else taken.location.file, line),
    )
