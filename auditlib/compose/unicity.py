"""Lists that hold each thing once: of two entries for the same variable, port or mount the later one stays.

Follows compose-go's `override/uncity.go`. The later entry takes the place of the earlier one and its mark remembers it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.rules import Rewrite, Rule, Rules
from auditlib.compose.tree import Map, Mark, Seq, over
from auditlib.compose.volumes import parse_volume

Fault = Callable[[str, Mark, Path], None]
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what Compose takes a port without an address for


def enforce_unicity(project: Map, fault: Fault) -> Map:
    """The project with repeated entries of its lists removed."""
    return Rewrite(UNIQUE, fault).run(project)


def is_unique_list(rule: Rule | None) -> bool:
    """Whether a list at this step of the rules is one that holds each thing once."""
    return rule is not None and rule.act is not None


def _unique(key: Callable[[Any], Any]) -> Callable[[Any, Mark, Path], Any]:
    def act(value: Any, _mark: Mark, _path: Path) -> Any:
        if not isinstance(value, Seq) or (len(value) < 2 and all(isinstance(item, str) for item in value)):
            return value
        positions: dict[Any, int] = {}
        out = Seq()
        for item, mark in value.entries():
            index = positions.setdefault(key(item), len(out))
            if index == len(out):
                out.add(item, mark)
            else:
                out[index] = item
                out.marks[index] = over(mark, out.marks[index])
        return out if len(out) != len(value) else value

    return act


def _name(item: Any) -> str:
    if not isinstance(item, str):
        raise RefusedError("expected a list of texts")
    return item.partition("=")[0]


def _volume(item: Any) -> Any:
    if isinstance(item, Map):
        if not isinstance(item.get("target"), str):
            raise RefusedError("a service volume is missing its mount target")
        return item["target"]
    return parse_volume(item)["target"] if isinstance(item, str) else ""


def _device(item: Any) -> Any:
    if isinstance(item, Map):
        if not isinstance(item.get("target"), str):
            raise RefusedError("a service device is missing its mount target")
        return item["target"]
    if not isinstance(item, str):
        return ""
    parts = item.split(":")
    return parts[0] if len(parts) == 1 else parts[1]


def _exposed(item: Any) -> str:
    if isinstance(item, bool) or not isinstance(item, str | int):
        raise RefusedError("expected a port or a range of ports")
    return str(item)


def _mount(default: str) -> Callable[[Any], str]:
    def key(item: Any) -> str:
        if isinstance(item, str):
            return f"{default}/{item}"
        if not isinstance(item, Map):
            raise RefusedError("expected a name or a mapping")
        if "target" in item:
            if not isinstance(item["target"], str):
                raise RefusedError("target: expected a text")
            return item["target"]
        return f"{default}/{item.get('source')}"

    return key


def _port(item: Any) -> Any:
    if not isinstance(item, Map):
        return str(item) if isinstance(item, int | str) else ""
    if "target" not in item:
        raise RefusedError("a port is missing its target")
    published = item.get("published")
    return (
        item.get("host_ip", _ANY_ADDRESS),
        type(published).__name__,
        str(published),
        str(item["target"]),
        item.get("protocol", "tcp"),
    )


def _env_file(item: Any) -> Any:
    if not isinstance(item, Map):
        return item if isinstance(item, str) else ""
    if not isinstance(item.get("path"), str):
        raise RefusedError("an env file is missing its path")
    return item["path"]


_BY_NAME = (
    "networks.*.labels", "networks.*.ipam.options", "services.*.annotations", "services.*.build.args",
    "services.*.build.additional_contexts", "services.*.build.platform", "services.*.build.tags",
    "services.*.build.labels", "services.*.cap_add", "services.*.cap_drop", "services.*.deploy.labels",
    "services.*.dns", "services.*.dns_opt", "services.*.dns_search", "services.*.environment", "services.*.labels",
    "services.*.links", "services.*.networks.*.aliases", "services.*.networks.*.link_local_ips",
    "services.*.profiles", "services.*.sysctls", "services.*.tmpfs",
)  # fmt: skip
UNIQUE = Rules(
    {
        **dict.fromkeys(_BY_NAME, _unique(_name)),
        "services.*.configs": _unique(_mount("")),
        "services.*.secrets": _unique(_mount("/run/secrets")),
        "services.*.devices": _unique(_device),
        "services.*.env_file": _unique(_env_file),
        "services.*.expose": _unique(_exposed),
        "services.*.ports": _unique(_port),
        "services.*.volumes": _unique(_volume),
    }
)
