"""Tables of environment files, settings and images."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.tables._facts import Facts, Row, at, value

_REFERENCE = regex(r"(?P<repository>[^@]*?)(?::(?P<tag>[\w.${}?-][^/@]*))?(?:@(?P<digest>.+))?$")


def env_templates(facts: Facts) -> Iterator[Row]:
    """A row for each line of each environment file."""
    for file in facts.inventory.env_files:
        for line in file.lines:
            yield {
                "template": file.template,
                "variable": line.name,
                **value(line.value),
                "commented": line.commented,
                "malformed": line.malformed,
                **at(line.location),
            }


def settings(facts: Facts) -> Iterator[Row]:
    """A row for each variable that code reads."""
    for setting in facts.inventory.settings:
        shown = value(setting.default)
        yield {
            "variable": setting.name,
            "attribute": setting.attribute,
            "type": setting.type,
            "default": shown.pop("value"),
            "default_kind": setting.default_kind,
            "required": setting.required,
            **shown,
            "style": setting.style,
            **at(setting.location),
        }


def images(facts: Facts) -> Iterator[Row]:
    """A row for each use of an image; a stage that starts from an earlier stage uses none."""
    inventory = facts.inventory
    for service in inventory.services:
        if service.image and not service.build:
            yield _image(service.image, service.name, "service", service.image_location)
    for dockerfile in inventory.dockerfiles:
        stages = {stage.name for stage in dockerfile.stages}
        for stage in dockerfile.stages:
            if stage.base not in stages and stage.base != "scratch":
                yield _image(stage.base, stage.name, "stage", stage.location)
    for job in inventory.jobs:
        for item in job.services:
            yield _image(item.image, f"{job.id}/{item.name}", "job", item.location)


def _image(reference: str, used_by: str, kind: str, place: Location) -> Row:
    match = _REFERENCE.match(reference)
    repository, tag, digest = match.group("repository", "tag", "digest") if match else (reference, "", "")
    return {
        "image": reference,
        "repository": repository,
        "tag": tag or "",
        "digest": digest or "",
        "pinned": bool(digest) or (tag or "latest") != "latest",
        "used_by": used_by,
        "kind": kind,
        **at(place),
    }
