"""`extends`: a service that begins as a copy of another, of the same file or a further one.

Follows compose-go's `loader/extends.go`, including which folder relative paths count from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.merge import Merge
from auditlib.compose.paths import is_remote
from auditlib.compose.places import prune
from auditlib.compose.session import Session
from auditlib.compose.tree import Map, Mark

DEPTH_LIMIT = 100


class Scope(Struct, frozen=True):
    """The services that a name may refer to, the file they are from, and what `!reset` cleared in it."""

    services: Map
    file: str
    cleared: tuple[Path, ...]


LoadBase = Callable[[str], Scope]
"""Loads the services of another file, canonical and with paths relative to the extending project."""


class Extends:
    """Resolves the `extends` of one file's services."""

    def __init__(self, session: Session, load_base: LoadBase, file: str) -> None:
        self.session, self.load_base, self.file = session, load_base, file
        self.merge = Merge(session.fault)

    def run(self, document: Map, cleared: tuple[Path, ...]) -> Map:
        """The document with every `extends` resolved."""
        if "services" not in document:
            return document
        services = document["services"]
        mark = document.marks.get("services")
        out = document.copy()
        if not isinstance(services, Map):
            self.session.fault("expected a mapping of services", mark, ("services",))
            out.drop("services")
            return out
        scope = Scope(services.copy(), self.file, cleared)
        for name in services:
            merged = self._service(name, scope, (), cleared)
            if merged is not None or services[name] is None:
                scope.services[name] = merged
            else:
                scope.services.drop(name)
        out["services"] = scope.services
        return out

    def _service(
        self, name: str, scope: Scope, trail: tuple[tuple[str, str], ...], post: tuple[Path, ...]
    ) -> Map | None:
        service = scope.services.get(name)
        mark = scope.services.marks.get(name)
        path: Path = ("services", name)
        if service is None:
            return None
        if not isinstance(service, Map):
            self.session.fault("expected a mapping", mark, path)
            return None
        if "extends" not in service:
            return service
        at = service.marks.get("extends", mark)
        base = self._base(name, service["extends"], scope, trail, at)
        if base is None:
            out = service.copy()
            out.drop("extends")
            return out
        for cleared in post:
            if len(cleared) > 2 and cleared[:2] == path and all(isinstance(part, str) for part in cleared):
                base = prune(base, cleared[2:])
        merged = self.merge.service(base or Map(), service, name).copy()
        merged.drop("extends")
        scope.services[name] = merged
        return merged

    def _base(
        self, name: str, extends: Any, scope: Scope, trail: tuple[tuple[str, str], ...], mark: Mark
    ) -> Map | None:
        """The service that is extended, its own `extends` resolved; `None` (and a fault) if there is none."""
        path: Path = ("services", name, "extends")
        service = extends.get("service") if isinstance(extends, Map) else extends
        file = extends.get("file") if isinstance(extends, Map) else None
        if not isinstance(service, str):
            self.session.fault("expected a service's name, or a mapping with the key service", mark, path)
            return None
        where, post = self.file, tuple[Path, ...]()
        if file is not None:
            mark = extends.marks.get("file", mark)
            found = self._other_file(file, mark, path)
            if found is None:
                return None
            scope, where, post = found, str(file), found.cleared
        if service not in scope.services:
            self.session.fault(f"no service {service!r} in {where}", mark, path, "undefined-service")
            return None
        if len(trail) > DEPTH_LIMIT:
            self.session.fault(f"extends goes through more than {DEPTH_LIMIT} services", mark, path, "too-deep")
            return None
        if (where, name) in trail:
            chain = " -> ".join(f"{n} ({f})" for f, n in (*trail, (where, name)))
            self.session.fault(f"extends leads back to itself: {chain}", mark, path, "cycle")
            return None
        return self._service(service, scope, (*trail, (where, name)), post)

    def _other_file(self, file: Any, mark: Mark, path: Path) -> Scope | None:
        if not isinstance(file, str):
            self.session.fault("expected a file's path", mark, (*path, "file"))
            return None
        if is_remote(file):
            self.session.fault(f"{file} is remote and was not fetched", mark, (*path, "file"), "remote")
            return None
        try:
            return self.load_base(file)
        except ComposeError as error:
            self.session.add(
                ComposeError(f"cannot extend from {file}: {error.reason}", error.location, path, error.kind), mark
            )
            return None
