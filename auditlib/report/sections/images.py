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
"""How firmly a reference fixes what is run: the same bytes; a release, whose tag can be overwritten all the same; any
release of a line; whatever is newest."""


def image_versions(audit: Audit) -> Blocks:
    """The images that services run, by how much of the version is fixed."""
    users: defaultdict[str, list[Service]] = defaultdict(list)
    for service in audit.inventory.deployed_services:
        if service.image and service.build is None:
            users[service.image].append(service)
    if not users:
        return Blocks(Prose("No service runs an image that is not built here."))
    images = sorted(users, key=lambda image: (-references.precision(image), image))
    by_level = {level: [image for image in images if references.precision(image) == level] for level in range(3)}
    loose = [image for image in images if references.precision(image) >= 3]
    several = sorted({repository(image) for image in images if _versions(image, images) > 1})
    words = f"{wording.count(len(images), 'image')} made elsewhere."
    words += f" Without a version: {wording.listing(loose)}." if loose else ""
    words += f" Moving on within their line: {wording.listing(by_level[2])}." if by_level[2] else ""
    words += f" Fixed by a full version, whose tag can still be overwritten: {len(by_level[1])}." if by_level[1] else ""
    words += f" Fixed for good by a digest: {len(by_level[0])}." if by_level[0] else ""
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
