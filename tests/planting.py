"""Plants a secret of its own at every `§` of the files in `planted/`, and tells which of them a text shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

MARK = "§"
FOLDER = Path(__file__).parent / "planted"
FILES: dict[str, str] = {
    path: text
    for document in sorted(FOLDER.glob("*.yml"))
    for path, text in yaml.safe_load(document.read_text(encoding="utf-8")).items()
}
"""The text of each file to plant, by its path."""
_PLANTED = re.compile(r"plumtree\d{4}|sunflower[a-df-hj-r]{4}")


def with_digits(number: int) -> str:
    """No word of a language, but nothing that a program would make up: `plumtree0042`."""
    return f"plumtree{number:04}"


def letters(number: int) -> str:
    """A plain word, which nothing but its context tells from others: `sunfloweraacc`.

    None ends like a participle, as "the password is encrypted" names none.
    """
    return "sunflower" + "".join("abcdfghjklmnopqr"[(number >> shift) % 16] for shift in (12, 8, 4, 0))


@dataclass(frozen=True)
class Planted:
    """The secrets that were planted, each with its file, line and the text of the line."""

    places: dict[str, str]

    def shown_in(self, text: str) -> list[str]:
        """The places whose secret stands in a text."""
        words = set(_PLANTED.findall(text))
        return [place for word, place in self.places.items() if word in words]


def plant(root: Path, word: Callable[[int], str]) -> Planted:
    """Write the files below `root`, with `word(number)` in the place of each mark."""
    places: dict[str, str] = {}
    for path, text in FILES.items():
        lines = [_planted(line, f"{path}:{number}", places, word) for number, line in enumerate(text.split("\n"), 1)]
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
    return Planted(places)


def _planted(line: str, place: str, places: dict[str, str], word: Callable[[int], str]) -> str:
    first, *rest = line.split(MARK)
    planted = first
    for part in rest:
        secret = word(len(places))
        places[secret] = f"{place}: {line.strip()}"
        planted += secret + part
    return planted
