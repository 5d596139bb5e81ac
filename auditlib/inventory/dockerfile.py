"""The build files of images, and what they keep out."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.delivery import Command
from auditlib.model import Location
from auditlib.redaction import Value


class Instruction(Struct, frozen=True):
    """An instruction of a Dockerfile. `words` is the exec form, or the shell-split argument; `shell` tells which."""

    keyword: str
    argument: str
    words: tuple[str, ...]
    shell: bool
    flags: tuple[str, ...]
    stage: str
    location: Location
    commands: tuple[Command, ...] = ()
    """What RUN, CMD, ENTRYPOINT or HEALTHCHECK executes."""
    variables: tuple[tuple[str, Value | None], ...] = ()
    """What ENV or ARG sets; None for an ARG without a default."""
    written: tuple[Value, ...] = ()
    """The secrets in the text that COPY or ADD writes into a file (`COPY <<EOF /root/.pgpass`)."""

    @property
    def copies_context(self) -> bool:
        """Whether it brings files of the build context."""
        return self.keyword in ("COPY", "ADD") and not self.copies_image

    @property
    def copies_image(self) -> bool:
        """Whether it brings files of another stage, image or named context (`COPY --from=build`)."""
        return any(flag.startswith("--from") for flag in self.flags)


class Stage(Struct, frozen=True):
    """A build stage. `base` is the image or earlier stage it starts from; an unnamed stage is called by its number."""

    name: str
    base: str
    location: Location


class Dockerfile(Struct, frozen=True):
    """A Dockerfile, taken apart."""

    path: str
    stages: tuple[Stage, ...]
    instructions: tuple[Instruction, ...]
    location: Location


class DockerIgnore(Struct, frozen=True):
    """A `.dockerignore`: the patterns in their order, those that include again prefixed with `!`."""

    path: str
    patterns: tuple[str, ...]
    location: Location
