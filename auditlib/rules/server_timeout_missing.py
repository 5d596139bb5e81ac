"""A server in Go waits for its clients without an end.

`http.ListenAndServe`, and gin's `Run` or echo's `Start` that call it, set no limit of time: who opens connections and
sends a header a minute holds them all, until the program has no file descriptors left. One laptop is enough for that.

Anti-pattern:

    router.Run(":8080")

Better:

    server := &http.Server{
        Addr: ":8080", Handler: router,
        ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
    }
    server.ListenAndServe()

Recommendation:

    Serve through an http.Server with ReadHeaderTimeout at least, which also has a Shutdown.

References:

- https://pkg.go.dev/net/http#Server
- https://gin-gonic.com/en/docs/server-config/custom-http-config/
- https://blog.cloudflare.com/the-complete-guide-to-golang-net-http-timeouts/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, published_ports
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules import _go_servers as go_servers
from auditlib.rules._rule import Evidence, rule

_HANDLERS = {"gin's Run": "router", "echo's Start": "e"}
_SERVER = """\
server := &http.Server{{
	Addr: <address>, Handler: {handler},
	ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
}}
server.ListenAndServe()"""
_FIBER = "app := fiber.New(fiber.Config{ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute})"


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The servers that others can reach, or that a framework starts, in files that set no limit of time for reading."""
    uses = go_servers.untimed(inventory)
    if uses:
        unended = {use.trait.location for use in go_servers.unended(inventory, ("go server",), (".go",))}
        yield _evidence(uses, all(use.trait.location in unended for use in uses))


def _evidence(uses: list[Use], unended: bool) -> Evidence:
    trait = uses[0].trait
    several = len({item.key for use in uses for item in use.services}) > 1
    reached = any(published_ports.is_exposed(item) for use in uses for item in use.services)
    at = ", at a published port" if reached else ""
    cut = " Nothing handles SIGTERM either: each stop cuts off the requests at hand." if unended else ""
    lines = _FIBER if trait.word == "fiber's Listen" else _SERVER.format(handler=_HANDLERS.get(trait.word, "mux"))
    return Evidence(
        f"{code_traits.names(uses)} {'serve' if several else 'serves'} by `{trait.word}` without a limit "
        f"of time for reading a request{at}: slow clients hold all connections that they open.{cut}",
        trait.location,
        subject="go/timeouts",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses),
        recommendation=f"Set ReadHeaderTimeout and ReadTimeout of the server in {trait.location.file}.",
        example=files.into(trait.location.file, lines),
    )
