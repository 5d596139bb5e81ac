"""A secret becomes a part of an image.

Who can pull the image can read all of its layers and variables, those too that a later instruction deletes or
overwrites. The secret then goes wherever the image goes: registries, caches, other people's machines.

Anti-pattern:

    COPY .env .
    ENV DATABASE_PASSWORD=s3cret

Better:

    # .dockerignore
    .env*
    # compose.yaml
    environment:
      DATABASE_PASSWORD: ${DATABASE_PASSWORD:?set it in .env}

Recommendation:

    Keep secrets out of the build: exclude their files in `.dockerignore`, pass values when the container starts, and
    replace what was built in.

References:

- https://docs.docker.com/build/building/secrets/
- https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
- https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

import pathspec
from msgspec import Struct

from auditlib.conventions import build_calls, build_context, environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_SECRET_FILE = regex(
    r"\.env(?:\.(?:prod|production|staging|local))?|id_(?:rsa|ed25519|ecdsa)|[\w.-]*\.key|[\w.-]*(?:private|key)[\w-]*\.pem|"
    r"\.netrc|\.pypirc|\.git-credentials|service[-_]?account[\w-]*\.json|credentials(?:\.json)?|[\w.-]+\.(?:p12|pfx|jks)"
)


_MADE_KEY = regex(
    r"\bopenssl\s+(?:req\b(?=[^&|;]{0,400}-(?:x509|newkey)\b)[^&|;]{0,400}?-keyout\s+(?P<path>[^\s&|;]{1,200})|"
    r"(?:genrsa|genpkey|ecparam)\b[^&|;]{0,300}?-out\s+(?P<out>[^\s&|;]{1,200}))"
)


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every ENV, COPY or RUN of a Dockerfile that leaves a secret in a layer."""
    written = {(item.location.file, item.location.line): item.kind for item in inventory.committed_secrets}
    for file in inventory.dockerfiles:
        published = _published(inventory, file)
        for item in file.instructions:
            stays = item in published
            for leak in _leaks(inventory, file, item, written):
                if stays or item.keyword != "ENV" or leak[2] is None:  # a stand-in that no image has opens nothing
                    yield _evidence(inventory, file, item, leak, stays=stays)
            if stays and (path := _makes_key(item)) and not _is_covered(inventory, file, path):
                yield _of_made_key(file, item, path)
    keys = [item.location for item in inventory.committed_secrets if item.kind == "private key" and not item.commented]
    for whole in _copied_whole(inventory):
        taken = [key for key in keys if _is_taken(inventory, whole.file, whole.context, key.file)]
        if taken:
            yield _of_keys(whole, taken)


def _makes_key(item: Instruction) -> str:
    """Where an instruction keeps a private key that it makes itself; empty if it makes none, or takes it away again."""
    match = _MADE_KEY.search(item.argument) if item.keyword == "RUN" else None
    path = (match["path"] or match["out"] or "").strip("\"'") if match else ""
    return "" if re.search(rf"\brm\s[^&|;]{{0,200}}{re.escape(posixpath.basename(path))}", item.argument) else path


def _is_covered(inventory: Inventory, file: Dockerfile, path: str) -> bool:
    """Whether a service that runs the image mounts another key, or its folder, over the one that is made."""
    return "/" not in path or any(
        mounts.is_below(path, mount.target)
        for service in inventory.services
        if services.dockerfile(inventory, service) == file
        for mount in service.mounts
    )


def _of_made_key(file: Dockerfile, item: Instruction, path: str) -> Evidence:
    """A key that is the same in all containers of an image, and in all deployments of a published one."""
    place = Location(file.path, item.location.line, item.location.column, item.location.end_line)
    return Evidence(
        f"RUN in {file.path} makes the private key {path} when the image is built: all containers have that one, "
        "everybody who can pull the image can read it, and its certificate ends without being renewed.",
        place,
        subject=path,
        recommendation=f"Mount {path} and its certificate into the container, or make them when it first starts.",
        severity=Severity.LOW if environments.is_for_development(file.path) else Severity.MEDIUM,
        example=f'# Compose\nvolumes: ["<where the host keeps it>:{path}:ro"]',
    )


def _published(inventory: Inventory, file: Dockerfile) -> list[Instruction]:
    """The instructions whose layers or variables an image has that somebody builds: the last stage, and the targets."""
    targets = {"", *(call.target for call in build_calls.of(inventory) if call.dockerfile.path == file.path)}
    for service in inventory.services:
        if service.build and service.build.target and services.dockerfile(inventory, service) == file:
            targets.add(service.build.target)
    return [item for target in sorted(targets) for item in services.final_stage(file, target)[1]]


_Leak = tuple[str, str, Severity | None, Confidence | None]
"""Its subject, what happens, and how bad and how sure it is if not as usual."""


def _of_variables(item: Instruction) -> Iterator[_Leak]:
    """The secrets that ENV sets, and those that ARG has where a build gives none."""
    for name, value in item.variables:
        if value is None or not value.secret or _OF_PAGES.match(name):
            continue
        stand_in = value.placeholder or value.weak
        if item.keyword == "ENV":
            grade = Severity.LOW if _TO_ITSELF.search(value.text) else Severity.MEDIUM
            yield name, f"sets {name} to {value.text}", grade if stand_in else None, None
        elif not stand_in and not _TO_ITSELF.search(value.text):
            yield name, f"gives {name} {value.text} where a build says nothing", None, None


def _leaks(
    inventory: Inventory, file: Dockerfile, item: Instruction, written: dict[tuple[str, int], str]
) -> Iterator[_Leak]:
    """What an instruction leaves in the image."""
    if item.keyword in ("ENV", "ARG"):
        yield from _of_variables(item)
    elif item.written:
        yield item.words[-1], f"writes {item.written[0].text} into {item.words[-1]}", None, None
    elif item.copies_context:
        for source in item.words[:-1]:
            name = posixpath.basename(source)
            public = _PUBLIC.search(name) or "/apt/" in item.words[-1]
            if not _SECRET_FILE.fullmatch(name) or public:
                continue
            found = _meant(inventory, source)
            if found and _hold_secrets(inventory, found):
                yield source, f"copies {source} into the image", None, None
            elif found is not None and not found:
                sure = None if _SURE.fullmatch(name) else Confidence.MEDIUM
                how = "" if sure is None else ", which the repository lacks and which by its name holds secrets"
                yield source, f"copies {source} into the image{how}", None, sure
    elif item.keyword == "RUN":
        lines = range(item.location.line, item.location.last_line + 1)
        kinds = dict.fromkeys(filter(None, (written.get((file.path, line)) for line in lines)))
        for kind in kinds if not _TO_ITSELF.search(item.argument) else ():
            yield kind, f"runs a command with a {kind} in it", None, None


def _meant(inventory: Inventory, source: str) -> set[str] | None:
    """The files of the repository that may be meant by a path of some context; None for a folder."""
    path = posixpath.normpath(source.lstrip("/"))
    if any(folder == path or folder.endswith(f"/{path}") for folder in inventory.folder_set):
        return None
    return {file for file in inventory.files if file == path or file.endswith(f"/{path}")}


def _hold_secrets(inventory: Inventory, paths: set[str]) -> bool:
    lines = [line for env in inventory.env_files if env.path in paths for line in env.lines]
    found = any(item.location.file in paths for item in inventory.committed_secrets)
    return found or any(line.value is not None and line.value.secret for line in lines)


_OF_PAGES = regex(r"(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC|VUE_APP|PUBLIC)_")
"""Variables that go into pages, which every visitor gets."""
_TO_ITSELF = regex(r"@(?:localhost|127\.0\.0\.1|dummy|example|placeholder)\b")
"""An address of the build's own host, at which nothing listens: a stand-in that a step asks for."""
_AT_RUNTIME = regex(r"[\w.-]+\.(?:key|pem|p12|pfx|jks)|credentials(?:\.json)?|service[-_]?account[\w-]*\.json")
"""Files that a program reads while it runs."""
_SURE = regex(r"id_(?:rsa|ed25519|ecdsa)|[\w.-]*private[\w-]*\.pem|\.netrc|\.pypirc|\.git-credentials|"
              r"service[-_]?account[\w-]*\.json")  # fmt: skip
"""Files that hold secrets whatever a repository uses them for."""
_PUBLIC = regex(r"pub(?:lic)?(?![a-z])|gpg|keyring|archive|\bapt\b|release|repo|signing|truststore|cacerts", re.I)
"""Keys that others may have: those by which packages are checked."""


class _Whole(Struct, frozen=True):
    """An instruction that copies the whole context of a service's build into its image."""

    service: Service
    file: Dockerfile
    context: str
    copying: Instruction

    @property
    def ignore(self) -> str:
        """The file that says what of the context is left out."""
        return posixpath.normpath(posixpath.join(self.context, ".dockerignore"))


def _copied_whole(inventory: Inventory) -> Iterator[_Whole]:
    """The first such instruction of each Dockerfile."""
    seen = set()
    for service in inventory.distinct_services:
        file = services.dockerfile(inventory, service)
        if file is None or service.build is None or file.path in seen:
            continue
        seen.add(file.path)
        copying = next(filter(build_context.copies_everything, services.shipped(file, service.build.target)), None)
        if copying:
            yield _Whole(service, file, posixpath.normpath(service.build.context), copying)


def _of_keys(whole: _Whole, keys: list[Location]) -> Evidence:
    """A `COPY . .` of a folder with a private key that the repository holds and nothing excludes."""
    path = keys[0].file
    inside = posixpath.relpath(path, whole.context)
    return Evidence(
        f"{whole.copying.keyword} in {whole.file.path} copies the whole folder, {path} with it, which holds a private "
        "key: everybody who can pull the image can read it.",
        whole.copying.location,
        subject=f"{whole.file.path}/{path}",
        service=whole.service.name,
        related=tuple(Related(key, "the private key") for key in keys[:5]),
        recommendation=f"Replace the key, remove {path} from the repository, and add it to {whole.ignore}.",
        example=f"git rm --cached {shlex.quote(path)}\n{files.into(whole.ignore, inside)}",
    )


def _is_taken(inventory: Inventory, file: Dockerfile, context: str, path: str) -> bool:
    inside = path if context == "." else posixpath.relpath(path, context)
    return not inside.startswith("../") and not _excludes(inventory, file, context, inside)


def _excludes(inventory: Inventory, file: Dockerfile, context: str, path: str) -> bool:
    paths = {posixpath.normpath(posixpath.join(context, ".dockerignore")), f"{file.path}.dockerignore"}
    patterns = [pattern for item in inventory.docker_ignores if item.path in paths for pattern in item.patterns]
    try:
        return pathspec.GitIgnoreSpec.from_lines(patterns).match_file(path)
    except (ValueError, re.error):  # what a pattern that is none excludes isn't known
        return True


def _outside(item: Instruction, subject: str, *, final: bool) -> str:
    """A variable that the container gets when it starts, or a file that one instruction of the build sees."""
    if item.keyword == "ENV":
        return code_lines.required([subject])
    if item.keyword == "RUN":
        name = re.sub(r"\W+", "_", subject.removesuffix(" in a URL"))
        given = f"--mount=type=secret,id={name.lower()},env={name.upper()}"
        return f"RUN {given} <the command, with ${name.upper()} for the secret>"
    if item.written:
        return f'# Compose\nvolumes: ["<where the host keeps it>:{subject}:ro"]'
    if final and posixpath.basename(subject).startswith(".env"):
        return f"# Compose, or docker run --env-file\nenv_file: {subject}"
    if final and _AT_RUNTIME.fullmatch(posixpath.basename(subject)):
        place = item.words[-1] if not item.words[-1].endswith("/") else item.words[-1] + posixpath.basename(subject)
        return f'# Compose\nvolumes: ["<where the host keeps it>:{place}:ro"]'
    name = posixpath.basename(subject).strip(".")
    return f"RUN --mount=type=secret,id={name} <the command that needs it, which reads /run/secrets/{name}>"


def _evidence(
    inventory: Inventory,
    file: Dockerfile,
    item: Instruction,
    leak: _Leak,
    *,
    stays: bool,
) -> Evidence:
    subject, what, severity, confidence = leak
    severity = severity if stays else Severity.MEDIUM
    place = Location(file.path, item.location.line, item.location.column, item.location.end_line)
    return Evidence(
        f"{item.keyword} in {file.path} {what}: "
        + (
            "everybody who can pull the image can read it."
            if stays
            else f"it stays in the build's cache, though not in the image that is built last (stage {item.stage})."
        ),
        place,
        subject=subject,
        recommendation=f"Remove {subject} from {file.path}, give it to the container when it starts, and replace the "
        "value that was built in.",
        severity=Severity.LOW if environments.is_for_development(file.path) else severity,
        confidence=confidence,
        example=login_lines.with_kept(_outside(item, subject, final=severity is None), inventory, [subject]),
    )
