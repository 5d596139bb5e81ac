"""Which image each service runs, and how firmly its version is fixed."""

from __future__ import annotations

from collections import defaultdict

from auditlib.audit import Audit
from auditlib.conventions import images as references
from auditlib.conventions.images import repository, tag
from auditlib.inventory.stack import Service
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import matrix

_LIMIT = 40
_LEVELS = (
    ("Digest", "good"),
    ("Full version", "good"),
    ("Part of one", "warn"),
    ("Name only", "warn"),
    ("None", "bad"),
)
"""How firmly a reference fixes what is run: the same bytes, a release, any release of a series, whatever is newest."""


def image_versions(audit: Audit) -> Blocks:
    """The images that services run, by how much of the version is fixed."""
    users: defaultdict[str, list[Service]] = defaultdict(list)
    for service in audit.inventory.distinct_services:
        if service.image and service.build is None:
            users[service.image].append(service)
    if not users:
        return Blocks(Prose("No service runs an image that is not built here."))
    images = sorted(users, key=lambda image: (-references.precision(image), image))
    loose = [image for image in images if references.precision(image) >= 3]
    several = sorted({repository(image) for image in images if _versions(image, images) > 1})
    words = f"{wording.count(len(images), 'image')} made elsewhere."
    words += f" Without a version that stays: {wording.listing(loose)}." if loose else " Each has a version that stays."
    words += f" In several versions: {wording.listing(several)}." if several else ""
    drawn = images[:_LIMIT]
    marks = {
        (row, references.precision(image)): matrix.Mark("", _LEVELS[references.precision(image)][1], tag(image) or "–")
        for row, image in enumerate(drawn)
    }
    note = f" The {_LIMIT} that are fixed least are drawn." if len(images) > _LIMIT else ""
    canvas = matrix.draw([repository(image) for image in drawn], [name for name, _ in _LEVELS], marks)
    return Blocks(canvas.picture(words + note, words, _table(audit, images, users)))


def _table(audit: Audit, images: list[str], users: dict[str, list[Service]]) -> Table:
    columns = (Column("Image", "code"), Column("Fixed by", "state"), Column("Services"), Column("Place", "code"))
    rows = tuple(
        (
            image,
            State(*_LEVELS[references.precision(image)]),
            wording.listing(map(audit.inventory.label, users[image]), 8),
            str(users[image][0].image_location),
        )
        for image in images
    )
    return Table("Images and the services that run them", columns, rows)


def _versions(image: str, images: list[str]) -> int:
    return len({tag(other) for other in images if repository(other) == repository(image)})
