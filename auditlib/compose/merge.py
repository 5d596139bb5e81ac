"""Two files, or a service and what it extends, merged by Compose's rules for each attribute.

Follows compose-go's `override` package. Mappings merge key by key and lists append, except where the table says
otherwise; a replaced value leaves its place in the mark of the one that won.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.floats import sprint
from auditlib.compose.rules import Rule, Rules
from auditlib.compose.tree import Map, Mark, Seq, over

Fault = Callable[[str, Mark, Path], None]


class Merge:
    """Merges an override into a base. Neither is changed."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def files(self, base: Map, override: Map) -> Map:
        """The project of a further file laid over what there is."""
        return self._mappings(base, override, _SPECIALS.top, ())

    def service(self, base: Map, override: Map, name: str) -> Map:
        """A service laid over the one that it extends."""
        services = _SPECIALS.top.below["services"].any
        return self._mappings(base, override, services, ("services", name))

    def _mappings(self, base: Map, override: Map, rule: Rule | None, path: Path) -> Map:
        if not base:
            return override
        out = base.copy()
        for key, value in override.items():
            mark = override.marks.get(key)
            if key not in out:
                out.put(key, value, mark)
                continue
            below = rule.child(key) if rule is not None else None
            try:
                merged, winner = self._value((out[key], out.marks.get(key)), (value, mark), below, (*path, key))
            except RefusedError as error:
                self.fault(str(error), mark, (*path, key))
                continue
            out.put(key, merged, winner)
        return out

    def _value(self, base: _Side, override: _Side, rule: Rule | None, path: Path) -> tuple[Any, Mark]:
        (old, old_mark), (new, mark) = base, override
        if rule is not None and rule.act is not None:
            merged: tuple[Any, Mark] = rule.act(self, base, override, rule, path)
            return merged
        if new is None:
            return old, old_mark
        if isinstance(old, Map):
            if not isinstance(new, Map):
                raise RefusedError("cannot replace a mapping by something else")
            return self._mappings(old, new, rule, path), old_mark
        if isinstance(old, Seq):
            if not isinstance(new, Seq):
                raise RefusedError("cannot replace a list by something else")
            return Seq([*old, *new], [*old.marks, *new.marks]), old_mark
        return new, over(mark, old_mark)

    def _replace(self, old: _Side, new: _Side, _rule: Rule, _path: Path) -> tuple[Any, Mark]:
        return new[0], over(new[1], old[1])

    def _sequence(self, old: _Side, new: _Side, _rule: Rule, _path: Path) -> tuple[Any, Mark]:
        left, right = as_sequence(*old), as_sequence(*new)
        return Seq([*left, *right], [*left.marks, *right.marks]), old[1]

    def _extra_hosts(self, old: _Side, new: _Side, _rule: Rule, _path: Path) -> tuple[Any, Mark]:
        out = as_sequence(*old).copy()
        before = list(out)
        for item, mark in as_sequence(*new).entries():
            if item not in before:
                out.add(item, mark)
        return out, old[1]

    def _build(self, old: _Side, new: _Side, rule: Rule, path: Path) -> tuple[Any, Mark]:
        left, right = (Map.all_at(mark, {"context": v}) if isinstance(v, str) else v for v, mark in (old, new))
        if not isinstance(right, Map):
            return left, old[1]  # Compose takes any other type for nothing at all.
        if not isinstance(left, Map):
            raise RefusedError("expected a path or a mapping in the file that this one overrides")
        return self._mappings(left, right, rule, path), old[1]

    def _logging(self, old: _Side, new: _Side, rule: Rule, path: Path) -> tuple[Any, Mark]:
        left, right = old[0], new[0]
        if not isinstance(left, Map) or not isinstance(right, Map):
            raise RefusedError("expected a mapping")
        if "driver" not in left or "driver" not in right or left["driver"] == right["driver"]:
            return self._mappings(left, right, rule, path), old[1]
        return right, over(new[1], old[1])

    def _keyed(
        self, default: dict[str, Any] | None, old: _Side, new: _Side, rule: Rule, path: Path
    ) -> tuple[Any, Mark]:
        left, right = as_mapping(*old, default), as_mapping(*new, default)
        if left is None and right:
            raise RefusedError("expected a list or a mapping in the file that this one overrides")
        return self._mappings(left or Map(), right or Map(), rule, path), old[1]

    def _depends_on(self, old: _Side, new: _Side, rule: Rule, path: Path) -> tuple[Any, Mark]:
        return self._keyed({"condition": "service_started", "required": True}, old, new, rule, path)

    def _names(self, old: _Side, new: _Side, rule: Rule, path: Path) -> tuple[Any, Mark]:
        return self._keyed(None, old, new, rule, path)

    def _ipam(self, old: _Side, new: _Side, _rule: Rule, path: Path) -> tuple[Any, Mark]:
        """Address pools merge by subnet."""
        if not isinstance(old[0], Seq) or not isinstance(new[0], Seq):
            raise RefusedError("expected a list")
        pools = Seq()
        for original, original_mark in old[0].entries():
            right = (as_mapping(original, original_mark, None) or Map()).copy()
            for other, mark in new[0].entries():
                left = as_mapping(other, mark, None) or Map()
                if left.get("subnet") != right.get("subnet") and _pool(pools, left) < 0:
                    pools.add(left, mark)
                    continue
                # In place, as in Compose: a pool that is listed already changes with it.
                merged = self._mappings(right, left, None, path)
                for key in merged:
                    right.put(key, merged[key], merged.marks.get(key))
                index = _pool(pools, right)
                if index >= 0:
                    pools[index] = right
                else:
                    pools.add(right, original_mark)
        return pools, old[1]


_Side = tuple[Any, Mark]
"""A value and where it stands: one side of a merge."""


def _pool(pools: Seq, pool: Map) -> int:
    return next((i for i, p in enumerate(pools) if p.get("subnet") == pool.get("subnet")), -1)


def as_sequence(value: Any, mark: Mark) -> Seq:
    """A mapping as a sorted list of `key=value`, a text as a list of one."""
    if isinstance(value, Seq):
        return value
    if isinstance(value, str):
        return Seq([value], [mark])
    if not isinstance(value, Map):
        return Seq()
    entries: list[tuple[str, Mark]] = []
    for key, item in value.items():
        each = item if isinstance(item, Seq) else [item]
        entries += [
            (key if i is None and each is not item else f"{key}={sprint(i)}", value.marks.get(key)) for i in each
        ]
    entries.sort(key=lambda entry: entry[0])
    return Seq([e for e, _ in entries], [m for _, m in entries])


def as_mapping(value: Any, _mark: Mark, default: dict[str, Any] | None) -> Map | None:
    """A list of names as a mapping from each name to the default."""
    if isinstance(value, Map):
        return value
    if not isinstance(value, Seq):
        return None
    out = Map()
    for name, mark in value.entries():
        if not isinstance(name, str):
            raise RefusedError(f"expected a name, found {sprint(name)}")
        out.put(name, Map.all_at(mark, default) if default is not None else None, mark)
    return out


_TO_SEQUENCE = (
    "networks.*.labels", "volumes.*.labels", "services.*.annotations", "services.*.build.args",
    "services.*.build.additional_contexts", "services.*.build.labels", "services.*.deploy.labels", "services.*.dns",
    "services.*.dns_opt", "services.*.dns_search", "services.*.env_file", "services.*.label_file",
    "services.*.environment", "services.*.labels", "services.*.sysctls", "services.*.tmpfs",
)  # fmt: skip
_SPECIALS = Rules(
    {
        **dict.fromkeys(_TO_SEQUENCE, Merge._sequence),
        **dict.fromkeys(("services.*.command", "services.*.entrypoint", "services.*.healthcheck.test"), Merge._replace),
        "services.*.ulimits.*": Merge._replace,
        "networks.*.ipam.config": Merge._ipam,
        "services.*.build": Merge._build,
        "services.*.build.extra_hosts": Merge._extra_hosts,
        "services.*.extra_hosts": Merge._extra_hosts,
        "services.*.depends_on": Merge._depends_on,
        "services.*.logging": Merge._logging,
        "services.*.models": Merge._names,
        "services.*.networks": Merge._names,
    }
)
