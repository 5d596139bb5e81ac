"""What `docker compose config` prints, for the command line: JSON, YAML, and where each line came from.

Follows docker compose's `cmd/compose/config.go`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from auditlib.compose import emit
from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.floats import json_text
from auditlib.compose.project import Project
from auditlib.compose.rules import Rule
from auditlib.compose.unicity import UNIQUE, is_unique_list
from auditlib.compose.yaml_writer import deeply_ordered, lines
from auditlib.model import Location


def render_json(project: Project) -> str:
    """`config --format json`; of a project that was not interpolated, its model as far as it goes."""
    if project.interpolated:
        project.check_json()
        return _json(emit.as_json(project.resolved), "").replace("$", "$$")
    if emit.has_infinite(project.model):
        raise ComposeError("a number that is infinite or none has no JSON form")
    return _json(_sorted(project.model, UNIQUE.top), "")


def _sorted(value: Any, rule: Rule | None) -> Any:
    """A raw model in the order of its keys. Compose loses empty lists on its way, but those that it made itself."""
    if isinstance(value, dict):
        below = {key: rule.child(key) if rule and key not in ("environment", "args") else None for key in value}
        return {key: _sorted(value[key], below[key]) for key in sorted(value)}
    if not isinstance(value, list):
        return value
    return [_sorted(item, None) for item in value] or ([] if is_unique_list(rule) else None)


def _json(value: Any, pad: str) -> str:
    """JSON with Go's indentation, escapes and numbers."""
    inner = pad + "  "
    if isinstance(value, dict) and value:
        entries = ",\n".join(f"{inner}{_text(key)}: {_json(item, inner)}" for key, item in value.items())
        return f"{{\n{entries}\n{pad}}}"
    if isinstance(value, list) and value:
        items = ",\n".join(inner + _json(item, inner) for item in value)
        return f"[\n{items}\n{pad}]"
    if isinstance(value, float):
        return re.sub(r"e-0(\d)\Z", r"e-\1", json_text(value))
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def render_yaml(project: Project, *, provenance: bool = False) -> str:
    """`config`; with provenance each line says which file and line its value is from, and what it won over."""
    value = emit.as_yaml(project.resolved) if project.interpolated else deeply_ordered(project.model)
    dollars = "$$" if project.interpolated else "$"
    written = [(text.replace("$", dollars), path) for text, path in lines(value)]
    if not provenance:
        return "".join(f"{text}\n" for text, _ in written)
    return "".join(f"{text}\n" for text in _annotated(project, written))


def _annotated(project: Project, written: list[tuple[str, Path]]) -> list[str]:
    """Lines with comments in a column; the rows of a literal block stay as they are, and its head bears the comment."""
    width = min(max((len(text) for text, _ in written), default=0), 60) + 2
    out, block = [], False
    previous: Path | None = None
    for text, path in written:
        block = block and path == previous
        note = "" if block else _note(project, path)
        out.append(f"{text:<{width}}{'' if len(text) < width else ' '}{note}" if note else text)
        block = block or bool(re.search(r"(?:: |- )\|[0-9]?[-+]?\Z", text))
        previous = path
    return out


def _note(project: Project, path: Path) -> str:
    place = project.location(*path)
    if place is None:
        return ""
    losers = [f"{at(where)} {_was(project, where)}".rstrip() for where in reversed(project.overridden(*path))]
    return f"# {at(place)}" + (f", over {', '.join(losers)}" if losers else "")


def at(place: Location) -> str:
    """A place as people write it: file and line."""
    return f"{place.file}:{place.line}"


def _was(project: Project, place: Location) -> str:
    """The text of a value that lost, if it is short and on one line; of a list or mapping there is only the key."""
    text = project.text_at(place)
    return f"({text})" if text and not text.endswith(":") and len(text) <= 40 else ""


def render_services(project: Project) -> str:
    """`config --services`: the names of the enabled services, what a service depends on before it."""
    done: dict[str, None] = {}
    stack = [(name, False) for name in sorted(project.services, reverse=True)]
    while stack:
        name, ready = stack.pop()
        if name in done or name not in project.services:
            continue
        needs = [n for n in project.services[name].get("depends_on", ()) if n not in done and n in project.services]
        if ready or not needs:
            done[name] = None
        else:
            stack += [(name, True), *((n, False) for n in sorted(needs, reverse=True))]
    return "".join(f"{name}\n" for name in done)


def render_variables(project: Project) -> str:
    """`config --variables`: each variable, whether it is required, its default and its alternative."""
    rows = [("NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE")]
    for variable in project.variables:
        last = variable.uses[-1]
        alternate = last.argument if last.operator in ("+", ":+") else ""
        rows.append((variable.name, str(last.required).lower(), last.default or "", alternate))
    widths = [max(20, *(len(row[i]) + 3 for row in rows)) for i in range(3)]
    return "".join("".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=False)) + row[3] + "\n" for row in rows)
