"""How a report looks and what is in it: `report.toml`.

The one at the root of the audited repository may come from anybody, so it is data within limits: texts that get
escaped, a colour, a small image, and which sections are left out, which the page says. Notebooks are code: only a file
that the caller names can add them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from auditlib import shipped
from auditlib.errors import UsageError
from auditlib.listing import read_regular
from auditlib.report import colours, logos
from auditlib.toml_document import TomlDocument

FILE = "report.toml"
SIZE_LIMIT = 100_000
"""Bytes of the largest settings that are read."""
TEXT_LIMIT = 120
"""Characters of a title or an organisation."""

_KEYS = ("title", "organisation", "logo", "accent", "sections", "notebooks")


@dataclass(frozen=True)
class Settings:
    """What `report.toml` says; the defaults are a report without one."""

    title: str = ""
    organisation: str = ""
    logo: str = ""
    """The image as a data URI."""
    accent: str = ""
    """A colour, as #rrggbb."""
    left_out: tuple[str, ...] = ()
    """Sections that are switched off, by the names of their notebooks without number and ending."""
    notebooks: tuple[Path, ...] = ()
    """Notebooks of the caller's own, which become sections after all others."""

    @cached_property
    def style(self) -> Markup:
        """The CSS that brings the accent, fit to be read in light and dark."""
        if not self.accent:
            return Markup()
        light, dark = (_accent(self.accent, mode) for mode in ("light", "dark"))
        dark_mode = f"@media screen and (prefers-color-scheme: dark) {{ body, .auditlib {{ {dark} }} }}"
        return Markup(f"body, .auditlib {{ {light} }}\n{dark_mode}")  # noqa: S704 - made of hexadecimal digits


def _accent(colour: str, mode: str) -> str:
    readable = colours.readable(colour, mode)
    return f"--accent: {readable}; --accent-soft: {colours.soft(readable, mode)};"


def load(project: Path, named: Path | None, sections: Sequence[str]) -> Settings:
    """The settings in the file that the caller named, else those of the audited repository, else the defaults.

    `sections` are the names of those that can be switched off. Raises UsageError, with file and line.
    """
    path = named or project / FILE
    if not named and (path.is_symlink() or not path.exists()):  # the listing tells of a link
        return Settings()
    data = read_regular(path, SIZE_LIMIT, follow=named is not None)
    if data is None:
        raise UsageError(f"{path if named else FILE}:1: is no regular file of at most {SIZE_LIMIT} bytes")
    document = TomlDocument(str(named or FILE), data.decode("utf-8", "replace"))
    return _Reader(document, path.parent, named is not None, sections).read()


@dataclass
class _Reader:
    document: TomlDocument
    folder: Path
    trusted: bool
    """Whether the caller named the file."""
    sections: Sequence[str]

    def read(self) -> Settings:
        table = self.document.parse()
        self.document.check_keys(table, _KEYS, "setting")
        return Settings(
            title=self._text(table, "title"),
            organisation=self._text(table, "organisation"),
            logo=self._logo(self._text(table, "logo")),
            accent=self._colour(self._text(table, "accent")),
            left_out=self._left_out(table.get("sections", {})),
            notebooks=self._notebooks(table.get("notebooks", [])),
        )

    def _text(self, table: dict[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or len(value) > TEXT_LIMIT:
            raise self.document.error(key, f"{key} is a text of at most {TEXT_LIMIT} characters")
        return " ".join(value.split())

    def _colour(self, value: str) -> str:
        if value and not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise self.document.error("accent", f"{value!r} is no colour; write it as accent = '#2c5a96'")
        return value.lower()

    def _logo(self, name: str) -> str:
        try:
            return logos.embedded(self.folder, name) if name else ""
        except (ValueError, OSError, RuntimeError) as error:
            raise self.document.error("logo", str(error)) from None

    def _left_out(self, table: Any) -> tuple[str, ...]:
        if not isinstance(table, dict) or not all(isinstance(value, bool) for value in table.values()):
            raise self.document.error("sections", "sections is a table: write [sections] and below it scope = false")
        self.document.check_keys(table, self.sections, "section")
        off = tuple(name for name in self.sections if table.get(name) is False)
        if off and len(off) == len(self.sections):
            raise self.document.error("sections", "all sections are switched off; leave one of them on")
        return off

    def _notebooks(self, names: Any) -> tuple[Path, ...]:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.document.error("notebooks", "notebooks is a list of files: ['ops/cost.ipynb']")
        if names and not self.trusted:
            raise self.document.error(
                "notebooks",
                "a notebook is code, and this file belongs to the audited repository; if you trust both, name it with "
                f"--config {FILE}",
            )
        paths = tuple(self.folder / name for name in names)
        problem = next((f"{path.name} {why}" for path in paths if (why := _problem(path))), "") or _clash(
            paths, self.sections
        )
        if problem:
            raise self.document.error("notebooks", problem)
        return paths


def _problem(path: Path) -> str:
    """Why this notebook can't be a section; empty if it can."""
    if path.suffix != ".ipynb" or not re.fullmatch(r"[\w-]+", path.stem):
        return "is no name of a notebook: write letters, digits, - and _, and .ipynb at the end"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    except (OSError, ValueError, KeyError, TypeError):
        return "can't be read as a notebook"
    if not any(re.search(r"^snapshot\s*=", source, re.M) for source in tagged):
        return "needs a cell tagged `parameters` with `snapshot = None`, which it passes to sections.load"
    return ""


def _clash(paths: Iterable[Path], sections: Sequence[str]) -> str:
    taken = set(sections)
    for path in paths:
        if {path.stem, re.sub(r"^\d+-", "", path.stem)} & taken or (shipped.notebooks() / path.name).exists():
            return f"there are two notebooks named {path.stem}; rename yours"
        taken.add(path.stem)
    return ""
