"""Which code a service runs, which variables it is given, and which of them somebody reads."""

from __future__ import annotations

import posixpath
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from auditlib.conventions import (
    environments,
    go_packages,
    images,
    library_variables,
    modules,
    names,
    own_images,
    services,
)
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.configuration import EnvFile, EnvLine, Setting
from auditlib.inventory.delivery import Script
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Endpoint, EnvironmentEntry, Service
from auditlib.patterns import regex
from auditlib.readers.endpoints import endpoints
from auditlib.redaction import SHOWN

OTHER_LANGUAGES = (".go", ".java", ".kt", ".rb", ".php", ".rs", ".cs", ".ex", ".scala", ".clj", ".cpp", ".c", ".swift")
_TESTS = frozenset({"tests", "test", "__tests__", "e2e", "spec", "fixtures", "docs", "node_modules", "scripts"})

_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_ENDINGS_OF = {
    **dict.fromkeys(("node", "npm", "npx", "yarn", "pnpm", "bun", "bunx", "vite", "next", "nuxt", "nodemon"), _SCRIPTS),
    **dict.fromkeys(("python", "python3", "uvicorn", "gunicorn", "hypercorn", "daphne", "flask", "celery"), (".py",)),
    **dict.fromkeys(("php", "php-fpm"), (".php",)),
    **dict.fromkeys(("ruby", "bundle", "rails", "puma", "sidekiq", "rake"), (".rb",)),
}
"""By the program that a command starts, the endings of the code that it runs."""
_ALL_ENDINGS = frozenset({*_SCRIPTS, ".py", *OTHER_LANGUAGES})

_PACKED = regex(r"(?P<module>(?:[^*]{1,200}/)?)(?:target|build/libs)/[^/]{1,100}\.[jw]ar$")
"""An archive that Maven or Gradle makes of a module's code before the image is built."""
_EXPANSION = regex(r"\$\{?(\w+)")
"""A variable that a shell puts in its place."""


_MIGRATORS = frozenset(
    {"goose", "dbmate", "atlas", "sqlx", "diesel", "refinery", "tern", "sqitch", "flyway", "liquibase"}
)
"""Programs of others that an image fetches, and that read the address of a database themselves."""


class Program(Struct, frozen=True):
    """What the files tell of the code of a service."""

    service: Service
    roots: tuple[str, ...]
    """The folders and files that its image or its mounts hold; an empty text is the whole repository."""
    settings: tuple[Setting, ...]
    given: frozenset[str]
    """The variables that it is given, in capitals: by Compose, in all overlays, and by its image."""
    named: frozenset[str]
    """The variables that any file of it names, in lower case."""
    foreign: bool
    """Whether a part of it is written in a language whose settings aren't read."""
    serves: bool
    """Whether routes of it are known, so that its code is there and is read."""
    plain_go: frozenset[str] | None = None
    """Of a program in Go or Rust that asks for variables by name alone: all that any file of the repository names."""

    started: str = ""
    """What its last command starts (`goose`)."""
    packages: frozenset[str] = frozenset()
    """Of a program in Go the folders that it is made of, where these are known; an image may hold others beside it."""

    def holds(self, path: str) -> bool:
        """Whether a file is a part of the program."""
        return _is_of(self.packages, path) and any(
            path == root or not root or path.startswith(f"{root}/") for root in self.roots
        )


def _is_of(packages: frozenset[str], path: str) -> bool:
    """Whether a file is none of another program in Go than that of these packages."""
    return not packages or not path.endswith(".go") or posixpath.dirname(path) in packages


@answered_once
def programs(inventory: Inventory) -> tuple[Program, ...]:
    """The services that are built from code of the repository, or run the image that such a one builds, or that a
    workflow makes of the same Dockerfile.
    """
    code = _Code(inventory)
    own = [item for item in inventory.distinct_services if _is_built_here(item)]
    built = {item.image: item for item in own if item.image}
    made = {file.path: item for item in reversed(own) if (file := services.dockerfile(inventory, item)) is not None}
    pairs = ((item, _builder(inventory, item, built, made)) for item in inventory.distinct_services)
    return tuple(
        _program(inventory, service, builder, code)
        for service, builder in pairs
        if builder is not None and _is_built_here(builder)
    )


def _builder(
    inventory: Inventory, service: Service, built: Mapping[str, Service], made: Mapping[str, Service]
) -> Service | None:
    """The service of the repository that is built as another one's image is."""
    if service.build is not None:
        return service
    file = own_images.dockerfile(inventory, service) if made and service.image not in built else None
    return built.get(service.image) or (made.get(file.path) if file is not None else None)


@answered_once
def of_only_image(inventory: Inventory) -> tuple[Program, ...]:
    """The services of an image that is built elsewhere, where the repository makes one image alone: it is probably
    that one. Whoever uses this names the assumption or looks for another sign of it.
    """
    if len(inventory.dockerfiles) != 1 or any(item.build for item in inventory.services):
        return ()
    code, instructions = _Code(inventory), inventory.dockerfiles[0].instructions
    own = {name.upper() for item in instructions if item.keyword == "ENV" for name, _ in item.variables}
    return tuple(
        Program(
            service, ("",), _run(service, code.settings_below(("",))),
            frozenset(own | {entry.name.upper() for each in inventory.versions(service) for entry in each.environment})
            | code.set_at_start(service, instructions),
            code.named_below(("",)), bool(code.foreign), bool(code.routes), code.plain(("",)),
        )
        for service in inventory.distinct_services
        if _is_own(inventory, service)
    )  # fmt: skip


def _is_own(inventory: Inventory, service: Service) -> bool:
    """Whether an image isn't one of a known product or exporter, nor of Docker's own library."""
    known = services.product(inventory, service) or images.product(service.image)
    return bool(service.image) and not known and "/" in images.repository(service.image)


def _is_built_here(service: Service) -> bool:
    return service.build is not None and not service.build.outside and not service.build.inline


class _Code:
    """What stands below a folder, found without looking at every file of the repository for each service."""

    def __init__(self, inventory: Inventory) -> None:
        self.settings = sorted(
            (item for item in inventory.settings if not is_aside(item)),
            key=lambda item: (item.location.file, item.location.line, item.location.column),
        )
        naming = (item for item in inventory.named_variables if not item.commented)
        self.named = sorted(naming, key=lambda item: item.path)
        self.foreign = sorted(path for path in inventory.files if path.endswith(OTHER_LANGUAGES))
        self.routes = sorted({item.location.file for item in inventory.web_routes})
        in_part = (item.file for item in inventory.coverage if item.kind == "settings code" and item.reason)
        self._in_part = sorted(in_part)
        self._all_named = frozenset(name for item in self.named for name in item.names)
        self._scripts: defaultdict[str, list[Script]] = defaultdict(list)
        for path, script in inventory.scripts_by_path.items():
            self._scripts[posixpath.basename(path)].append(script)
        self._setting_files = [item.location.file for item in self.settings]
        self._naming_files = [item.path for item in self.named]

    def plain(self, roots: tuple[str, ...], packages: frozenset[str] = frozenset()) -> frozenset[str] | None:
        """What all files name, where all code of other languages below these folders is Go or Rust and asks for names
        that it spells.
        """
        foreign = [self.foreign[index] for index in _below(self.foreign, roots)]
        in_part = any(_is_of(packages, self._in_part[index]) for index in _below(self._in_part, roots))
        if in_part or not foreign or not all(path.endswith((".go", ".rs")) for path in foreign):
            return None
        return self._all_named

    def set_at_start(self, service: Service, instructions: Iterable[Instruction]) -> frozenset[str]:
        """What the script by which a container starts gives a value (`export INSTANCE_ID=$(hostname)`)."""
        starts = [item.words for item in instructions if item.keyword in ("CMD", "ENTRYPOINT")]
        called = (
            posixpath.basename(word) for words in (service.entrypoint, service.command, *starts) for word in words
        )
        found = (self._scripts.get(name, ()) for name in called)
        return frozenset(name.upper() for scripts in found if len(scripts) == 1 for name in scripts[0].sets)

    def settings_below(self, roots: tuple[str, ...]) -> tuple[Setting, ...]:
        """The settings that the code of these folders and files reads."""
        return tuple(self.settings[index] for index in _below(self._setting_files, roots))

    def named_below(self, roots: tuple[str, ...]) -> frozenset[str]:
        """The variables that these folders and files name."""
        found = (self.named[index].names for index in _below(self._naming_files, roots))
        return frozenset(name for names in found for name in names)


def _below(paths: list[str], roots: tuple[str, ...]) -> list[int]:
    """The indexes of those sorted paths that are one of the roots or below one."""
    found: set[int] = set()
    for root in roots:
        if not root:
            return list(range(len(paths)))
        found.update(range(bisect_left(paths, root), bisect_right(paths, root)))
        found.update(range(bisect_left(paths, f"{root}/"), bisect_left(paths, f"{root}0")))  # `0` follows `/`
    return sorted(found)


def _program(inventory: Inventory, service: Service, builder: Service, code: _Code) -> Program:
    roots = _roots(inventory, service, builder)
    given = {entry.name.upper() for other in inventory.versions(service) for entry in other.environment}
    _, final = services.built_from(inventory, builder)
    given |= {name.upper() for item in final if item.keyword == "ENV" for name, _ in item.variables}
    given |= code.set_at_start(service, final)
    starts = (item.argument for item in final if item.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"))
    named = code.named_below(roots).union(name.lower() for text in starts for name in _EXPANSION.findall(text))
    commands = services.commands(inventory, service)
    packages = go_packages.reached(inventory, builder)
    settings = _run(service, modules.own_settings(code.settings_below(roots), builder))
    return Program(
        service, roots, tuple(item for item in settings if _is_of(packages, item.location.file)), frozenset(given),
        named, bool(_below(code.foreign, roots)), bool(_below(code.routes, roots)), code.plain(roots, packages),
        posixpath.basename(commands[-1].words[0]) if commands and commands[-1].words else "", packages,
    )  # fmt: skip


def _run(service: Service, settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """The settings less those of a language that the service's own command doesn't run: Vite reads nothing of PHP."""
    last = service.commands[-1].words if service.commands else ()
    own = _ENDINGS_OF.get(posixpath.basename(last[0])) if last else None
    if own is None:
        return settings
    others = _ALL_ENDINGS.difference(own)
    return tuple(item for item in settings if posixpath.splitext(item.location.file)[1] not in others)


def _roots(inventory: Inventory, service: Service, builder: Service) -> tuple[str, ...]:
    context = _plain(builder.build.context) if builder.build else ""
    mounted = [_plain(mount.source) for mount in service.mounts if mount.kind == "bind" and not mount.outside]
    build = services.dockerfile(inventory, builder)
    copied: list[str] = []
    for item in build.instructions if build is not None else ():
        if (folder := _copied_from(item, builder, context)) is not None:
            sources = (source for source in item.words[:-1] if not source.startswith("<<"))
            copied += [_plain(posixpath.join(folder, source.lstrip("/"))) for source in sources]
    folders = [path.partition("*")[0].rstrip("/") for path in copied]
    folders += [f"{match['module']}src" for path in copied if (match := _PACKED.match(path))]
    return tuple(dict.fromkeys([*(folders or [context]), *mounted]))


def _copied_from(item: Instruction, builder: Service, context: str) -> str | None:
    """The folder of the repository that an instruction copies from: the context, or a further one by its name."""
    if item.copies_context:
        return context
    names = [flag.partition("=")[2] for flag in item.flags if flag.startswith("--from=")]
    further = zip(builder.build.additional_contexts, builder.build.context_paths, strict=True) if builder.build else ()
    return next((_plain(path) for name, path in further if name in names and "://" not in path), None)


def _plain(path: str) -> str:
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal


def by_template(inventory: Inventory) -> Iterator[tuple[Service, EnvLine]]:
    """What templates say of the environment files that services are given and that the repository leaves out.

    Only the variables that the service's own code reads, since such a file is often one for all services.
    """
    templates = {file.copied_to: file for file in inventory.env_files if file.template}
    if not any(_templates_of(inventory, service, templates) for service in inventory.distinct_services):
        return
    for program in programs(inventory):
        if services.is_one_shot(program.service):
            continue  # a task reads of the common settings what it is for, and no file tells what that is
        names = {name.upper() for item in _beside_build(inventory, program) for name in (item.name, *item.aliases)}
        for template in _templates_of(inventory, program.service, templates):
            for line in template.lines:
                if line.name.upper() in names - program.given and not line.commented:
                    yield program.service, line


def by_default(inventory: Inventory) -> Iterator[tuple[Service, Setting, tuple[Endpoint, ...]]]:
    """The hosts that a service's own code takes where it isn't given the variable (`redis://redis:6379`)."""
    for program in programs(inventory):
        for setting in () if services.is_one_shot(program.service) else _beside_build(inventory, program):
            names = {name.upper() for name in (setting.name, *setting.aliases)}
            if setting.default is not None and setting.default_kind == "literal" and not names & program.given:
                found = endpoints(setting.name, SHOWN.sub("hidden", setting.default.text))
                if found:
                    yield program.service, setting, found


def _beside_build(inventory: Inventory, program: Program) -> list[Setting]:
    """The settings of the folder of the Dockerfile: an image with the whole repository holds others' code too."""
    dockerfile = services.dockerfile(inventory, program.service)
    folder = posixpath.dirname(dockerfile.path) if dockerfile and "" in program.roots else ""
    return [item for item in program.settings if not folder or item.location.file.startswith(f"{folder}/")]


def _templates_of(inventory: Inventory, service: Service, templates: dict[str, EnvFile]) -> list[EnvFile]:
    """The templates that stand for environment files of a service which the repository lacks."""
    paths = [posixpath.normpath(reference.path) for reference in service.env_files]
    return [templates[path] for path in paths if path in templates and path not in inventory.file_set]


def is_aside(setting: Setting) -> bool:
    """Whether a setting is read by tests, scripts or tools, not by the program that a service runs."""
    path = setting.location.file
    parts = path.split("/")
    return not _TESTS.isdisjoint(parts[:-1]) or environments.is_for_development(path) or ".config." in parts[-1]


def is_read_by_libraries(variable: str) -> bool:
    """Whether a framework or library reads a variable of this name by itself."""
    return library_variables.is_read(variable)


def unread(program: Program) -> list[EnvironmentEntry]:
    """The variables that Compose sets for a program and that nothing in it names.

    Empty where its languages are none whose settings are read, or where neither a setting nor a route of it is known.
    """
    if program.started in _MIGRATORS:
        return []
    by_name = program.plain_go is not None and any(item.style in ("go", "rust") for item in program.settings)
    if not (program.settings or program.serves) or (program.foreign and not by_name):
        return []
    return _unnamed(program)


def _unnamed(program: Program) -> list[EnvironmentEntry]:
    """The variables that Compose sets for a program and that neither its files, its command nor a library name."""
    named = program.named | (program.plain_go or frozenset())
    read = {variable.lower() for item in program.settings for variable in (item.name, *item.aliases)}
    service = program.service
    text = " ".join([*service.command, *service.entrypoint, *(service.healthcheck.test if service.healthcheck else ())])
    return [
        entry
        for entry in service.environment
        if entry.origin == "environment"
        and entry.name.lower() not in read
        and entry.name.lower() not in named
        and entry.name not in text
        and "__" not in entry.name
        and not library_variables.is_read(entry.name)
    ]


def _is_laravel(program: Program) -> bool:
    """Whether a program is written for Laravel, whose `config` asks for variables by name."""
    return any(item.style == "php" and item.location.file.rpartition("/")[0].endswith("config")
               for item in program.settings)  # fmt: skip


def _unread_in_laravel(program: Program) -> list[EnvironmentEntry]:
    """What neither the code nor Laravel's own configuration asks for; packages may ask for the rest."""
    return [entry for entry in _unnamed(program) if not library_variables.is_read_by_laravel(entry.name)]


def near_misses(inventory: Inventory) -> Iterator[tuple[Program, EnvironmentEntry, Setting]]:
    """Each variable that nothing reads with the setting that it was likely meant for, which nothing sets."""
    for program in programs(inventory):
        unset = [
            item
            for item in program.settings
            if not {variable.upper() for variable in (item.name, *item.aliases)} & program.given
        ]
        for entry in _unread_in_laravel(program) if _is_laravel(program) else unread(program):
            found = next((item for item in unset if names.is_near(entry.name, item.name)), None)
            if found is not None:
                yield program, entry, found
