"""Which packages of npm bring the programs that scripts of package.json start.

Source: the `bin` field of each package (https://docs.npmjs.com/cli/v11/configuring-npm/package-json#bin).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import command_words
from auditlib.inventory.delivery import Command, Manifest

_PACKAGES: dict[str, tuple[str, ...]] = {
    "vite": ("vite",), "tsc": ("typescript",), "vue-tsc": ("vue-tsc",), "webpack": ("webpack", "webpack-cli"),
    "next": ("next",), "nuxt": ("nuxt",), "nest": ("@nestjs/cli",), "ng": ("@angular/cli",),
    "react-scripts": ("react-scripts",), "craco": ("@craco/craco",), "vue-cli-service": ("@vue/cli-service",),
    "rollup": ("rollup",), "esbuild": ("esbuild",), "tsup": ("tsup",), "astro": ("astro",), "parcel": ("parcel",),
    "svelte-kit": ("@sveltejs/kit",), "remix": ("@remix-run/dev",), "mix": ("laravel-mix",),
    "gulp": ("gulp", "gulp-cli"), "babel": ("@babel/cli",), "swc": ("@swc/cli",),
    "tailwindcss": ("tailwindcss", "@tailwindcss/cli"),
    "sass": ("sass", "sass-embedded"), "turbo": ("turbo",), "nx": ("nx",), "ts-node": ("ts-node",), "tsx": ("tsx",),
    "rimraf": ("rimraf",), "tsc-alias": ("tsc-alias",), "cross-env": ("cross-env",), "prisma": ("prisma",),
    "quasar": ("@quasar/app-vite", "@quasar/app-webpack", "@quasar/cli"), "ember": ("ember-cli",),
}  # fmt: skip
_DEPTH = 5
"""How many scripts deep one calls another."""


def started(manifest: Manifest, script: str, depth: int = _DEPTH) -> Iterator[tuple[str, tuple[str, ...], Command]]:
    """The known programs that a script starts, with the packages of which one brings it, and the command."""
    wanted = (f"pre{script}", script)
    for target in (item for name in wanted for item in manifest.targets if item.name == name):
        for command in target.commands:
            words = command_words.core(list(command.words))
            program = posixpath.basename(words[0]) if words else ""
            if program in command_words.PACKAGE_MANAGERS and depth:
                if name := command_words.script_name(program, words[1:]):
                    yield from started(manifest, name, depth - 1)
            elif program in _PACKAGES:
                yield program, _PACKAGES[program], command
