"""A service waits without an end for an answer of another one.

A server that accepts a connection and doesn't answer, as one does that is overloaded, holds the caller for ever where
no limit of time is set: one thread or task after the other hangs, until the caller answers nobody either. The fault of
one service becomes that of all which ask it.

Anti-pattern:

    requests.post(url, json=order)
    resp, err := http.Get(url)

Better:

    requests.post(url, json=order, timeout=(3, 10))
    client := &http.Client{Timeout: 10 * time.Second}

Recommendation:

    Set a limit of time for each request to another service, and say what happens when it has passed.

References:

- https://requests.readthedocs.io/en/latest/user/advanced/#timeouts
- https://pkg.go.dev/net/http#Client
- https://axios-http.com/docs/req_config
- https://docs.spring.io/spring-boot/reference/io/rest-client.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import code_traits, mounts
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_INSTEAD = {
    "requests": "requests.post(url, json=body, timeout=(3, 10))   # seconds to connect, and to wait for an answer",
    "httpx": "httpx.Timeout(10)   # in the place of None",
    "urlopen": "urlopen(request, timeout=10)",
    "http.Get": "client := &http.Client{Timeout: 10 * time.Second}\nresp, err := client.Get(url)",
    "http.DefaultClient": "client := &http.Client{Timeout: 10 * time.Second}",
    "http.Client{}": "&http.Client{Timeout: 10 * time.Second}",
    "RestTemplate": "builder.connectTimeout(Duration.ofSeconds(3)).readTimeout(Duration.ofSeconds(10)).build()",
    "RestClient": "spring.http.client.read-timeout=10s   # and inject RestClient.Builder",
    "curl": "curl_setopt_array($handle, [CURLOPT_CONNECTTIMEOUT => 3, CURLOPT_TIMEOUT => 10]);",
    "axios": "axios.create({ timeout: 10_000 })",
}
_BROWSER = frozenset({"react", "vue", "svelte", "@angular/core", "solid-js", "preact", "next", "nuxt"})


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each client the requests of deployed services without a limit of time, those of browsers left out."""
    found = code_traits.of(inventory, "endless")
    pages = _folders_of_pages(inventory) if found else []
    served = [use for use in found if not _is_of_page(use, pages)]
    ways: defaultdict[str, list[Use]] = defaultdict(list)
    for use in code_traits.without(inventory, served, "timed", same=True) if served else ():
        ways[use.trait.word].append(use)
    for word, uses in ways.items():
        yield _evidence(word, uses)


def _folders_of_pages(inventory: Inventory) -> list[str]:
    """The folders of packages whose code runs in browsers."""
    packages = (item for item in inventory.manifests if item.kind == "npm")
    return [
        posixpath.dirname(item.path) for item in packages if _BROWSER & {needed.name for needed in item.requirements}
    ]


def _is_of_page(use: Use, pages: list[str]) -> bool:
    path = use.trait.location.file
    return use.trait.word == "axios" and any(mounts.is_below(path, folder) for folder in pages)


def _evidence(word: str, uses: list[Use]) -> Evidence:
    trait = uses[0].trait
    several = len({item.key for use in uses for item in use.services}) > 1
    how = f"`{word}`" if word != "httpx" else "httpx with `timeout=None`"
    return Evidence(
        f"{code_traits.names(uses)} {'ask' if several else 'asks'} other services by {how} without a limit of time: "
        "one that accepts a connection and doesn't answer holds the caller for ever.",
        trait.location,
        subject=f"timeout/{word}",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses, "the same here"),
        recommendation=f"Set a timeout for the requests in {trait.location.file}.",
        example=files.into(trait.location.file, _INSTEAD[word]),
    )
