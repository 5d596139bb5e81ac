"""Write the generated pages of this folder: `make docs`. A test fails when one of them is stale."""

from __future__ import annotations

from pathlib import Path

from auditlib import rules, suppressions, tables
from auditlib.formats import catalogue

HERE = Path(__file__).parent


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    return {
        "rules.md": catalogue.markdown([*rules.catalogue().values(), *suppressions.catalogue().values()]),
        "tables.md": tables.document(),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
