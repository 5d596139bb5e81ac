"""Which module of a repository with several a service runs, where one Dockerfile may build each of them.

Sources: https://maven.apache.org/guides/mini/guide-multiple-modules.html and
https://docs.gradle.org/current/userguide/multi_project_builds.html: each module has its `src/main/resources`, and only
those of the module that is packaged are in the image.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import Service

_RESOURCES = "/src/main/"


def own_settings(settings: Iterable[Setting], builder: Service) -> tuple[Setting, ...]:
    """The settings less those of other modules; where no word of the build names the module, less those of all."""
    found = tuple(settings)
    modules = {_module(item) for item in found} - {""}
    if len(modules) < 2:
        return found
    named = _names(builder)
    return tuple(item for item in found if not (module := _module(item)) or posixpath.basename(module) in named)


def _module(setting: Setting) -> str:
    """The folder of the module that a setting belongs to; empty outside of modules."""
    module, resources, _ = setting.location.file.partition(_RESOURCES)
    return module if resources else ""


def _names(builder: Service) -> set[str]:
    """The words by which a build may name its module: its arguments, its folders, and the service."""
    build = builder.build
    if build is None:
        return {builder.name}
    values = {posixpath.basename(value.text) for _, value in build.arguments if value is not None and not value.secret}
    folders = {posixpath.basename(build.context), posixpath.basename(posixpath.dirname(build.dockerfile))}
    return values | folders | {builder.name}
