"""Which files of the repository the programs that it starts import as soon as they start, file by file.

Only what the top level of a file imports unconditionally counts: what stands in `try`, in a condition or in a function
may never be asked for. Read are the files that Dockerfiles, Compose files, scripts and package.json name, and what
these import. Python is read by its syntax tree; for JavaScript there is no parser, so that only a statement that
begins its line counts, comments and templates apart.
"""

from __future__ import annotations

import ast
import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator

from auditlib.inventory.code import Import, LocalImports
from auditlib.model import Location
from auditlib.module_paths import is_python, of_module
from auditlib.paths import upwards
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.dockerfiles import is_dockerfile
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

_FILES = 2_000
"""Files that are looked at; a program of more has long told where its modules are."""
_SCRIPTS = (".js", ".mjs", ".cjs")
_NAMING = regex(r"(?:[\w.-]*compose[\w.-]*\.ya?ml|package\.json|[\w.-]+\.sh|[\w-]*entrypoint[\w-]*)")
_WORD = regex(r"[A-Za-z_@][\w.@/-]*")
_ALTERS = regex(r"\bsys\.path\b|\b__path__\b|\baddsitedir\b|\bmeta_path\b|\bsys\.modules\b")
_BINDS_ANY = regex(r"\b(?:globals|exec|setattr)\(|\bsys\.modules\b")
"""How a module gets names that no statement of it shows."""

_STRING = r"""'(?:[^'\\\n]|\\.){0,5000}'|"(?:[^"\\\n]|\\.){0,5000}\""""
_SILENT = regex(rf"(?P<string>{_STRING})|//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?|`(?:[^`\\]|\\.)*+`?", re.S)
_PATH = r"""(?:'(?P<single>\.{1,2}/[^'\n]{1,200})'|"(?P<double>\.{1,2}/[^"\n]{1,200})")"""
_STATEMENTS = (
    regex(rf"^import\s*{_PATH}", re.M),
    regex(rf"^(?:import|export)\b(?!\s+type\b)[^'\"`;=()]{{1,1000}}\bfrom\s*{_PATH}", re.M),
    regex(rf"^(?:(?:const|let|var)\s+[\w$\s{{}},:]{{1,1000}}=\s*)?require\(\s*{_PATH}\s*\)", re.M),
    regex(rf"^[\w$.]{{1,100}}\((?:(?!=>|function|\?|&&|\|\|)[^\n;]){{0,200}}?\brequire\(\s*{_PATH}\s*\)", re.M),
)


def read(source: Source) -> Reading:
    """A record for each file that is looked at. It reports no coverage: files belong to other readers."""
    reading = Reading()
    if any(is_dockerfile(path) for path in source.files):
        reading.records += _followed(source, sorted(_named(source)))
    return reading


def _named(source: Source) -> Iterator[str]:
    """The files of code that may be what a container starts."""
    code = [path for path in source.files if is_python(path) or path.endswith(_SCRIPTS)]
    naming = [path for path in source.files if is_dockerfile(path) or _NAMING.fullmatch(posixpath.basename(path))]
    words = {word for path in naming if code for word in _WORD.findall(source.glance(path))}
    names = {posixpath.basename(word) for word in words if "." in word or "/" in word} | words
    modules = {word.rpartition(".")[2] for word in words}
    packages = {part for word in words for part in word.split(".")}
    for path in code:
        stem, ending = posixpath.splitext(posixpath.basename(path))
        package = posixpath.basename(posixpath.dirname(path)) if stem in ("__init__", "__main__") else stem
        inside = package in (packages if stem == "__init__" else modules)
        if stem + ending in names or (ending == ".py" and inside):
            yield path


def _followed(source: Source, waiting: list[str]) -> Iterator[LocalImports]:
    seen, known = set(waiting), frozenset(source.files)
    for path in waiting:  # which grows
        if len(seen) > _FILES:
            return
        found = _imports(source, path)
        if found is None:
            continue
        yield found
        new = {target for item in found.imports for target in _targets(known, item, path)} - seen
        seen |= new
        waiting += sorted(new)


def _targets(known: frozenset[str], item: Import, path: str) -> Iterator[str]:
    """The files of the repository that an import may mean."""
    roots = [*list(upwards(posixpath.dirname(path))), ""] if is_python(path) else []
    modules = [item.module, *(f"{item.module.rstrip('.')}.{name}" for name in item.names if is_python(path))]
    for module in modules:
        for found in of_module(module, path, roots):
            if found in known and (is_python(found) or found.endswith(_SCRIPTS)):
                yield found


def _imports(source: Source, path: str) -> LocalImports | None:
    """What a file imports; nothing of one that can't be read, which another reader says."""
    try:
        text = source.text(path)
        found = tuple(_python(source, path) if is_python(path) else of_javascript(text, path))
    except Unreadable:
        return None
    if not is_python(path):
        return LocalImports(path, found, Location(path))
    names = frozenset(_names(python_code.parse(source, path).tree))
    names |= {"*"} if _BINDS_ANY.search(text) else set()
    return LocalImports(path, found, Location(path), bool(_ALTERS.search(text)), names)


def _names(tree: ast.Module) -> Iterator[str]:
    """The names that a module or package binds, wherever in its file that is."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom() | ast.Import():
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield "*" if node.name == "__getattr__" else node.name


def _python(source: Source, path: str) -> Iterator[Import]:
    module = python_code.parse(source, path)
    for node in module.tree.body:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, (), module.location(node)) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = tuple(alias.name for alias in node.names)
            yield Import("." * node.level + (node.module or ""), names, module.location(node))


def of_javascript(text: str, path: str) -> Iterator[Import]:
    """What a file of JavaScript or TypeScript imports of its own repository as soon as it is loaded."""
    plain = _SILENT.sub(lambda match: match[0] if match["string"] else re.sub(r"[^\n]", " ", match[0]), text)
    starts = [0, *(match.end() for match in re.finditer(r"\n", plain))]
    matches = (match for pattern in _STATEMENTS for match in pattern.finditer(plain))
    for match in sorted(matches, key=lambda item: item.start()):
        last = bisect_right(starts, match.end() - 1)
        yield Import(match["single"] or match["double"], (), Location(path, last))
