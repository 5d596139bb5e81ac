"""Interpolation: variables replaced, and texts cast where Compose wants a number or a boolean.

Follows compose-go's `interpolation` package and its table of casts (`loader/interpolate.go`). Keys are never
interpolated. A text that stands where a number is wanted is cast even when it has no variable in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.floats import float32, parse_float
from auditlib.compose.rules import DROP, Rules
from auditlib.compose.template import InvalidTemplateError, MissingRequiredError, substitute
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.patterns import regex

_TRUE = frozenset(("true", "y", "yes", "on"))
_FALSE = frozenset(("false", "n", "no", "off"))
_GO_INT = regex(r"[+-]?[0-9]+\Z")


def to_int(text: str) -> int:
    """A decimal integer of 64 bits, as Go's `strconv.Atoi` reads it."""
    if not _GO_INT.match(text) or len(text) > 25 or not -(2**63) <= int(text) < 2**63:
        raise RefusedError(f"expected an integer, found {text!r}")
    return int(text)


def to_float(text: str) -> float:
    """A number, as Go's `strconv.ParseFloat` reads it."""
    value = parse_float(text)
    if value is None:
        raise RefusedError(f"expected a number, found {text!r}")
    return value


def to_float32(text: str) -> float:
    """A number rounded to 32 bits."""
    return float32(to_float(text))


def to_bool(text: str) -> bool:
    """A boolean, YAML 1.1's words included."""
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise RefusedError(f"expected a boolean, found {text!r}")


_SERVICE_CASTS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(
        ("cpu_count", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "oom_score_adj",
         "pids_limit", "deploy.replicas", "deploy.update_config.parallelism", "deploy.rollback_config.parallelism",
         "deploy.restart_policy.max_attempts", "deploy.placement.max_replicas_per_node", "healthcheck.retries",
         "ports.[].target", "scale", "ulimits.*", "ulimits.*.hard", "ulimits.*.soft"), to_int),
    **dict.fromkeys(
        ("cpu_percent", "deploy.update_config.max_failure_ratio", "deploy.rollback_config.max_failure_ratio"),
        to_float),
    "cpus": to_float32,
    **dict.fromkeys(
        ("init", "healthcheck.disable", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty",
         "volumes.[].read_only", "volumes.[].volume.nocopy"), to_bool),
}  # fmt: skip
_TOP_CASTS = (
    "networks.*.external", "networks.*.internal", "networks.*.attachable", "networks.*.enable_ipv4",
    "networks.*.enable_ipv6", "volumes.*.external", "secrets.*.external", "configs.*.external",
)  # fmt: skip
_CASTS = Rules({**{f"services.*.{k}": v for k, v in _SERVICE_CASTS.items()}, **dict.fromkeys(_TOP_CASTS, to_bool)})

Fault = Callable[[str, str, Mark, Path], None]
"""Called with what is wrong, the kind of fault, its place and its path."""
Unset = Callable[[str, Mark, Path], None]


class Interpolation:
    """Replaces the variables of one document; `used` is called for every text that has a `$`."""

    def __init__(
        self, lookup: Callable[[str], str | None], fault: Fault, unset: Unset, used: Callable[[str, Mark, Path], None]
    ):
        self.lookup, self.fault, self.unset, self.used = lookup, fault, unset, used

    def run(self, document: Map) -> Map:
        """The document with its variables replaced; what is not text stays as it is."""
        return self._mapping(document, _CASTS.top, ())

    def _walk(self, value: Any, rule: Any, mark: Mark, path: Path) -> Any:
        kind = type(value)
        if kind is str:
            if "$" not in value and (rule is None or rule.act is None):
                return value
            return self._text(value, rule, mark, path)
        if kind is Map:
            return self._mapping(value, rule, path)
        if kind is Seq:
            return self._sequence(value, rule, path)
        return value

    def _mapping(self, value: Map, rule: Any, path: Path) -> Map:
        out = None
        for key, entry in value.items():
            if type(entry) is str and "$" not in entry and rule is None:
                continue
            below = rule.child(key) if rule is not None else None
            new = self._walk(entry, below, value.marks.get(key), (*path, key))
            if new is not entry:
                out = value.copy() if out is None else out
                if new is DROP:
                    out.drop(key)
                else:
                    out[key] = new
        return value if out is None else out

    def _sequence(self, value: Seq, rule: Any, path: Path) -> Seq:
        out = None
        below = rule.child("[]") if rule is not None else None
        for index, item in enumerate(value):
            new = self._walk(item, below, value.marks[index], (*path, index))
            if new is not item:
                out = value.copy() if out is None else out
                out[index] = None if new is DROP else new
        return value if out is None else out

    def _text(self, text: str, rule: Any, mark: Mark, path: Path) -> Any:
        """A text replaced and cast. One that cannot be replaced stays as it is written, unless it has to be cast."""
        act = rule.act if rule is not None else None
        result = text
        if "$" in text:
            self.used(text, mark, path)
            fault = self._failure(text)
            if fault is not None:
                self.fault(*fault, mark, path)
                return text if act is None else DROP
            result = substitute(text, self.lookup, lambda name: self.unset(name, mark, path))
        if act is None:
            return result
        try:
            return act(result)
        except RefusedError as error:
            self.fault(str(error), "invalid", mark, path)
            return DROP

    def _failure(self, text: str) -> tuple[str, str] | None:
        """Why the variables of a text cannot be replaced, and the kind of fault."""
        try:
            substitute(text, self.lookup)
        except MissingRequiredError as error:
            return str(error), "variable-required"
        except InvalidTemplateError:
            return "not a variable; a literal $ is written $$", "template"
        return None
