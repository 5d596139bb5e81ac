"""The kinds of lists and mappings that a Compose project has, and how each is read into its canonical form.

Follows compose-go's `types` package, as `values` does for single values.
"""

from __future__ import annotations

from typing import Any

from auditlib.compose.errors import RefusedError
from auditlib.compose.floats import sprint
from auditlib.compose.shellwords import split
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.compose.values import EMPTY, text, wrong


def texts(value: Any, _mark: Mark = None) -> Any:
    """A list of texts."""
    if not isinstance(value, Seq):
        raise wrong("a list", value)
    items = []
    for item in value:
        read = "" if item is None else text(item)
        items.append("" if read is EMPTY else read)
    return Seq(items, value.marks) if items else EMPTY


def text_or_list(value: Any, mark: Mark = None) -> Any:
    """A text or a list of texts."""
    if isinstance(value, str):
        return Seq([value], [mark])
    if isinstance(value, Seq) and all(isinstance(item, str) for item in value):
        return value if value else EMPTY
    raise wrong("a text or a list of texts", value)


def any_list(value: Any, mark: Mark = None) -> Any:
    """A text, or a list of texts and numbers, as a list of texts."""
    if isinstance(value, str):
        return Seq([value], [mark])
    if not isinstance(value, Seq):
        raise wrong("a list", value)
    return Seq([sprint(item) for item in value], value.marks) if value else EMPTY


def _pairs(value: Any, blank: str | None, trailing: bool = False) -> Map:
    """A mapping, or a list of `key=value`, as a mapping to texts; `blank` is what no value means."""
    out = Map()
    if isinstance(value, Map):
        for key, item in value.items():
            out.put(key, blank if item is None else sprint(item), value.marks.get(key))
        return out
    if not isinstance(value, Seq):
        raise wrong("a mapping or a list of key=value", value)
    for item, mark in value.entries():
        key, equals, rest = sprint(item).partition("=")
        if trailing and key and key[-1].isspace():
            raise RefusedError(f"variable {key!r} has a trailing space")
        out.put(key, rest if equals else blank, mark)
    return out


def mapping(value: Any, _mark: Mark = None) -> Any:
    """Texts by key; a key without a value has the empty text."""
    return _pairs(value, "") or EMPTY


def variables(value: Any, _mark: Mark = None) -> Any:
    """Texts by key; a key without a value stays without."""
    return _pairs(value, None, trailing=True) or EMPTY


def options(value: Any, _mark: Mark = None) -> Any:
    """Options passed on as they are."""
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    return _pairs(value, "") or EMPTY


def plain_mapping(value: Any, _mark: Mark = None) -> Any:
    """Texts by key, where only texts and whole numbers are allowed."""
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    out = Map()
    for key, item in value.items():
        read = EMPTY if item is None else text(item)
        out.put(key, "" if read is EMPTY else read, value.marks.get(key))
    return out or EMPTY


def multi_options(value: Any, _mark: Mark = None) -> Any:
    """Options that may be given more than once."""
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    out = Map()
    for key, item in value.items():
        mark = value.marks.get(key)
        items = item if isinstance(item, Seq) else Seq([item], [mark])
        out.put(key, Seq([sprint(i) for i in items], items.marks), mark)
    return out or EMPTY


def command(value: Any, mark: Mark = None) -> Any:
    """A command line; text is split into words as a shell would."""
    if isinstance(value, str):
        words = split(value)
        return Seq(words, [mark] * len(words))
    if isinstance(value, Seq):
        if not all(isinstance(item, str) for item in value):
            raise wrong("a list of texts", value)
        return value
    return EMPTY


def health_test(value: Any, mark: Mark = None) -> Any:
    """The command of a health check; text runs in a shell."""
    if isinstance(value, str):
        return Seq(["CMD-SHELL", value], [mark, mark])
    if isinstance(value, Seq) and all(isinstance(item, str) for item in value):
        return value if value else EMPTY
    raise wrong("a text or a list of texts", value)


def hosts(value: Any, _mark: Mark = None) -> Any:
    """`extra_hosts` as a sorted list of `host=address`."""
    entries: list[tuple[str, Mark]] = []
    for host, address, mark in _host_entries(value):
        if not host or ":" in host or "=" in host:
            raise RefusedError(f"expected a host name, found {host!r}")
        bracketed = len(address) > 2 and address[0] == "[" and address[-1] == "]"
        entries.append((f"{host}={address[1:-1] if bracketed else address}", mark))
    entries.sort(key=lambda entry: entry[0])
    return Seq([e for e, _ in entries], [m for _, m in entries]) if entries else EMPTY


def _host_entries(value: Any) -> list[tuple[str, str, Mark]]:
    found: list[tuple[str, str, Mark]] = []
    if isinstance(value, Map):
        for host, item in value.items():
            mark = value.marks.get(host)
            addresses = item if isinstance(item, Seq) else [item or ""]
            if not all(isinstance(a, str) for a in addresses) and not isinstance(item, Seq):
                raise wrong("an address or a list of them", item)
            found += [(host, sprint(a), mark) for a in addresses]
        return found
    if not isinstance(value, Seq):
        raise wrong("a mapping or a list", value)
    for item, mark in value.entries():
        line = sprint(item)
        separator = "=" if "=" in line else ":"
        host, there, addresses_text = line.partition(separator)
        if not there:
            raise RefusedError(f"expected host=address, found {line!r}")
        found += [(host, a, mark) for a in addresses_text.split(",")]
    return found


def ssh(value: Any, _mark: Mark = None) -> Any:
    """SSH keys of a build, sorted by name: a name, or a name with a path."""
    if not isinstance(value, Map):
        raise wrong("a mapping of SSH keys", value)
    keys = Seq()
    for name in sorted(value):
        path = "" if value[name] is None else sprint(value[name])
        keys.add((name, path), value.marks.get(name))
    return keys or EMPTY
