"""Nothing in the repository gets the certificate that Nginx serves, or nothing renews it.

Nginx doesn't start without its certificate, and the authority asks Nginx before it signs one: the first has to come
from somewhere. What Let's Encrypt signs is good for ninety days: where nobody renews it, visitors are turned away
after that.

Anti-pattern:

    # nginx.conf: ssl_certificate /etc/letsencrypt/live/shop.example.org/fullchain.pem;
    nginx:
      image: nginx:1.29
      volumes: ["certificates:/etc/letsencrypt:ro"]
    certbot:
      image: certbot/certbot:v4.2.0
      command: certonly --webroot -w /var/www/certbot -d shop.example.org    # once

Better:

    certbot:
      image: certbot/certbot:v4.2.0
      volumes: ["certificates:/etc/letsencrypt", "challenges:/var/www/certbot"]
      entrypoint: sh -c "while :; do certbot renew; sleep 12h; done"

Recommendation:

    Have a script ask for the first certificate, and a service or a timer renew it.

References:

- https://eff-certbot.readthedocs.io/en/stable/using.html#renewing-certificates
- https://letsencrypt.org/docs/faq/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, mounts, nginx_sites
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.document import Document
from auditlib.inventory.proxy import Directive, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_AUTHORITY = regex(r"/letsencrypt/|/live/[^/]+/(?:fullchain|cert)\.pem$|acme")
_GETS = regex(
    r"\bcertonly\b|\bcertbot\s+(?:run\b|--nginx|--apache|--standalone)|\bacme\.sh\b|\blego\b|\bdehydrated\b|"
    r"\bopenssl\s+req\b|\bmkcert\b|init[-_]letsencrypt|\bcertbot\b[^\n]{0,200}\s-d\s"
)
_RENEWS = regex(
    r"\brenew\b|--cron\b|\bcron(?:tab|d)?\b|certbot\.timer|\b(?:apt|apt-get|snap|dnf|yum)\b[^\n]{0,80}\binstall\b[^\n]{0,80}"
    r"\bcertbot\b|\bdehydrated\b"
)
"""What renews certificates, or brings a timer that does."""
_WAYS = ("certonly", "webroot", "standalone", "obtain", "obtaining", "obtained", "issuance", "init-letsencrypt")
_ON_CERTIFICATES = regex(
    r"\b(?:ssl|tls|https|certificates?|certbot|let.?s ?encrypt|zertifikat\w*|certificat\w*)\b", re.I
)
_IMAGES = regex(r"acme-companion|letsencrypt-nginx-proxy-companion|swag|nginx-certbot|acme\.sh|lego|dehydrated")
"""Images of programs that get and renew certificates by themselves."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx with a certificate of an authority in a folder of the project, that nothing gets or nothing renews."""
    for config in inventory.reverse_proxies:
        named = _certificate(config)
        for runner in nginx_sites.runners(inventory, config) if named else ():
            if named and _keeps(runner, named.words[1]) and not environments.only_for_development(runner):
                yield from _of_runner(inventory, config, runner, named)
                break


def _certificate(config: ReverseProxy) -> Directive | None:
    """The first statement that names a certificate of an authority."""
    statements = nginx_sites.everything(config.tree) if config.tree and "443" in config.listens else ()
    return next(
        (
            item
            for item in statements
            if item.words[0] == "ssl_certificate" and len(item.words) > 1 and _OF_AUTHORITY.search(item.words[1])
        ),
        None,
    )


def _keeps(runner: Service, path: str) -> bool:
    """Whether the certificate lies in a volume, or in a folder of the repository; the host may see to its own."""
    mount = mounts.holding(runner, path)
    return mount is not None and (mount.kind == "volume" or not mount.outside)


@answered_once
def _texts(inventory: Inventory) -> list[str]:
    """What services, commands, images and documents say that may speak of certificates."""
    found = [" ".join((*item.entrypoint, *item.command)) for item in inventory.services]
    found += [" ".join(item.words) for item in deployment.commands(inventory)]
    found += [" ".join(item.words) for step in inventory.steps for item in step.remote]
    found += [item.argument for file in inventory.dockerfiles for item in file.instructions]
    return found + [item.text for document in inventory.documents for item in document.mentions]


def _tells_how(document: Document) -> bool:
    """Whether a document may say how to get the first certificate, and doesn't only list what renews it."""
    named = not document.words.isdisjoint(("certbot", "letsencrypt"))
    headed = any(_ON_CERTIFICATES.search(heading.text) for heading in document.headings)
    return named and (headed or not document.words.isdisjoint(_WAYS))


def _of_runner(inventory: Inventory, config: ReverseProxy, runner: Service, named: Directive) -> Iterator[Evidence]:
    texts = _texts(inventory)
    by_image = any(_IMAGES.search(item.image) for item in inventory.services)
    speaks = any("certbot" in document.words or "letsencrypt" in document.words for document in inventory.documents)
    timed = any("cron" in path.rpartition("/")[2] or path.endswith(".timer") for path in inventory.files)
    if by_image:
        return
    told = any(map(_tells_how, inventory.documents))
    if not any(map(_GETS.search, texts)) and not told:
        yield _evidence(inventory, config, runner, named, first=True)
    elif not (timed or speaks or any(map(_RENEWS.search, texts))):
        yield _evidence(inventory, config, runner, named, first=False)


def _evidence(
    inventory: Inventory, config: ReverseProxy, runner: Service, named: Directive, *, first: bool
) -> Evidence:
    says = (
        "nothing in the repository asks for the first one: Nginx doesn't start on a new host"
        if first
        else "nothing in the repository renews it: ninety days later visitors are turned away"
    )
    call = compose_lines.call(inventory, runner.project)
    name = next(iter(word for word in _names(config) if "." in word and "*" not in word), "<the name of the site>")
    line = (
        f"{call} run --rm --entrypoint certbot <the service of certbot> certonly --standalone -d {name}"
        if first
        else f"0 3 * * * cd <folder of the repository> && {call} run --rm --entrypoint certbot <its service> renew"
    )
    return Evidence(
        f"{runner.name} serves {named.words[1]}, and {says}, unless somebody sees to it by hand.",
        named.location,
        subject=f"{runner.project}/{runner.name}/{'first' if first else 'renewal'}",
        service=runner.name,
        related=(Related(runner.location, f"{runner.name} runs with {config.file}"),),
        recommendation="Have a script ask for the first certificate before Nginx starts."
        if first
        else f"Let a service or a timer renew the certificate of {name}, and reload {runner.name}.",
        example=files.into("init-certificates.sh" if first else "the crontab of the host", line),
    )


def _names(config: ReverseProxy) -> list[str]:
    statements = nginx_sites.everything(config.tree) if config.tree else ()
    return [word for item in statements if item.words[0] == "server_name" for word in item.words[1:]]
