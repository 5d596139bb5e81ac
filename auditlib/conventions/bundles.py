"""Bundles of front ends: what an image builds for browsers, with the variables that stand in it from then on.

Follows https://vite.dev/guide/env-and-mode and
https://nextjs.org/docs/app/guides/environment-variables#bundling-environment-variables-for-the-browser.
"""

from __future__ import annotations

from auditlib.inventory.dockerfile import Dockerfile
from auditlib.model import Location
from auditlib.patterns import regex

BUILD = regex(r"\b(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?build\b|\b(?:next|vite|react-scripts|vue-cli-service)\s+build\b")
"""A command that makes a bundle."""
VARIABLE = regex(r"^(?:NEXT_PUBLIC|VITE|REACT_APP|VUE_APP|GATSBY)_\w+$")
"""Variables that the build writes into the bundle; Nuxt and SvelteKit read theirs when they run."""


def built_at(file: Dockerfile) -> Location | None:
    """Where an image builds its bundle."""
    runs = (item for item in file.instructions if item.keyword == "RUN")
    return next((item.location for item in runs if BUILD.search(item.argument)), None)
