"""What the readers found in a repository: frozen records, each with its place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from auditlib import stages
from auditlib.inventory import code, delivery, dockerfile, stack
from auditlib.inventory.records import Records
from auditlib.model import Location
from auditlib.paths import folders_of

_NEVER_RETIRED = frozenset({"documents", "absent_paths"})


def _mounts_its_source(service: stack.Service) -> bool:
    """Whether a service mounts, to write in it, the folder that it is built from."""
    build = service.build
    return build is not None and not build.outside and any(
        mount.kind == "bind" and not mount.outside and not mount.read_only and mount.source == build.context
        for mount in service.mounts
    )  # fmt: skip


@dataclass(frozen=True)
class Inventory(Records):
    """Everything that is known of one repository, and what is asked of it. Rules, graph and tables see nothing else.

    Its fields are those of `Records`; `Inventory.of` sorts records into them by type.
    """

    @classmethod
    def of(cls, records: Iterable[Any], **identity: Any) -> Inventory:
        """An inventory of these records, in their order, sorted into the fields by their type."""
        by_type: defaultdict[type, list[Any]] = defaultdict(list)
        for record in records:
            by_type[type(record)].append(record)
        sorted_in: dict[str, Any] = {
            item.name: tuple(by_type[item.metadata["of"]]) for item in fields(cls) if "of" in item.metadata
        }
        return cls(**identity, **sorted_in)

    @cached_property
    def in_use(self) -> Inventory:
        """The inventory without what lies in folders of retired files, but with the documents in them.

        Documents there still tell what a thing is for.
        """
        return self.without(frozenset(filter(stages.is_retired, self.files)))

    def without(self, files: frozenset[str]) -> Inventory:
        """The inventory without what stands in some files, but with what documents and paths say."""
        if not files:
            return self
        names = (item.name for item in fields(self) if "of" in item.metadata and item.name not in _NEVER_RETIRED)
        kept: dict[str, Any] = {
            name: tuple(item for item in getattr(self, name) if item.location.file not in files) for name in names
        }
        return replace(self, **kept)

    @cached_property
    def services_by_name(self) -> dict[str, tuple[stack.Service, ...]]:
        """The services of all projects by name, since a name may stand in several projects."""
        return _grouped((service.name, service) for service in self.services)

    @cached_property
    def base_projects(self) -> tuple[stack.Project, ...]:
        """The projects that stand on their own."""
        return tuple(project for project in self.projects if project.role == "base")

    @cached_property
    def distinct_services(self) -> tuple[stack.Service, ...]:
        """Each service once: those of base projects and those that overlays add, not those that overlays change."""
        return tuple(service for service in self.services if service.changed_at is None)

    @cached_property
    def deployed_projects(self) -> tuple[stack.Project, ...]:
        """The base projects that are deployed as far as anything tells, what a command starts first."""
        found = (project for project in self.base_projects if not project.aside)
        return tuple(sorted(found, key=lambda project: not project.started_at))

    @cached_property
    def development_files(self) -> frozenset[str]:
        """The Compose files for development: those that say so of themselves, by their names too unless a command for
        production starts them, and those that show it.

        One shows it by mounting the very folder that it builds an image from, while another is called for production;
        or by its plain name, while another one of its folder is started for production in its place.
        """
        said = {project.location.file for project in self.projects if project.for_development}
        elsewhere = {item.name for item in self.base_projects if stages.names_production(item.location.file)}
        shown = {
            project.location.file
            for project in self.base_projects
            if elsewhere - {project.name} and project.name not in elsewhere
            and not project.started_at and not project.for_swarm
            and any(map(_mounts_its_source, self.services_of(project.name).values()))
        }  # fmt: skip
        replaced = {
            project.location.file
            for project in self.base_projects
            if project.aside and project.location.file.rpartition("/")[2].count(".") == 1
        }
        started = {file for project in self.base_projects if project.started_at for file in project.files}
        named = {file for project in self.projects for file in project.files if stages.is_for_development(file)}
        return frozenset(said | shown | replaced | (named - started))

    @cached_property
    def aside(self) -> frozenset[str]:
        """The names of the projects that what is deployed is known to leave out."""
        return frozenset(project.name for project in self.projects if project.aside)

    @cached_property
    def deployed_services(self) -> tuple[stack.Service, ...]:
        """The distinct services without those of projects that are known to be left out of what is deployed."""
        return tuple(service for service in self.distinct_services if service.project not in self.aside)

    @cached_property
    def image_builders(self) -> dict[tuple[str, str], stack.Service]:
        """By project and image the service that builds it; others of the project may run the same image."""
        return {(item.project, item.image): item for item in self.services if item.image and item.build is not None}

    @cached_property
    def keepers(self) -> dict[str | int, list[tuple[stack.Service, stack.EnvironmentEntry]]]:
        """The databases with a volume by the name or the value of what they are given at their first start, once asked.

        Each finding about a password asks, and there are as many as services.
        """
        return {}

    @cached_property
    def runners(self) -> dict[str, tuple[stack.Service, ...]]:
        """By file the services that mount it, as far as somebody asked: each asks all services, and many rules do."""
        return {}

    @cached_property
    def proxy_runners(self) -> dict[str, tuple[stack.Service, ...]]:
        """By the file of a proxy's configuration the services that run with it, as far as somebody asked."""
        return {}

    @cached_property
    def answers(self) -> dict[Callable[..., Any], Any]:
        """What `auditlib.inventory.answers` keeps: by the question its answer, once asked."""
        return {}

    @cached_property
    def _shared_names(self) -> frozenset[str]:
        numbers = Counter(service.name for service in self.distinct_services)
        return frozenset(name for name, number in numbers.items() if number > 1)

    def label(self, service: stack.Service) -> str:
        """What people call a service: its name, with its project before it where several services have that name."""
        return service.key if service.name in self._shared_names else service.name

    def base_of(self, project: str) -> str:
        """The project that an overlay is laid over; any other one is its own."""
        return self._bases.get(project, "") or project

    def files_of(self, project: str) -> tuple[str, ...]:
        """The Compose files that make a project, those of its base first."""
        base = self.base_of(project)
        return tuple(dict.fromkeys((*self._files.get(base, ()), *self._files.get(project, ()))))

    @cached_property
    def _files(self) -> dict[str, tuple[str, ...]]:
        return {item.name: item.files for item in self.projects}

    @cached_property
    def _bases(self) -> dict[str, str]:
        return {item.name: item.base for item in self.projects}

    @cached_property
    def _own(self) -> dict[str, dict[str, stack.Service]]:
        own: defaultdict[str, dict[str, stack.Service]] = defaultdict(dict)
        for service in self.services:
            own[service.project][service.name] = service
        return dict(own)

    @cached_property
    def _scopes(self) -> dict[str, dict[str, stack.Service]]:
        own = self._own
        return {item.name: {**own.get(item.base, {}), **own.get(item.name, {})} for item in self.projects}

    def services_of(self, project: str) -> dict[str, stack.Service]:
        """The services of a project by name; of an overlay those of its base too, as the overlay changes them."""
        return self._scopes.get(project, {})

    @cached_property
    def _families(self) -> dict[str, tuple[str, ...]]:
        return _grouped((key, item.name) for item in self.projects for key in {item.name, item.base} - {""})

    def family(self, project: str) -> tuple[str, ...]:
        """The names of a base project and of its overlays, in the order of the projects."""
        return self._families.get(project, ())

    def versions(self, service: stack.Service) -> list[stack.Service]:
        """A service as its project has it, and as each overlay changes it, in the order of the files."""
        own = (self._own.get(project, {}) for project in self._families.get(service.project, (service.project,)))
        return [services[service.name] for services in own if service.name in services]

    @cached_property
    def dockerfiles_by_path(self) -> dict[str, dockerfile.Dockerfile]:
        """The Dockerfiles by their path."""
        return {item.path: item for item in self.dockerfiles}

    @cached_property
    def imports_by_path(self) -> dict[str, code.LocalImports]:
        """What the files of code import, by their path."""
        return {item.path: item for item in self.local_imports}

    @cached_property
    def importing_names(self) -> frozenset[str]:
        """The last parts of the paths of the files of code whose imports are known."""
        return frozenset(path.rpartition("/")[2] for path in self.imports_by_path)

    @cached_property
    def scripts_by_path(self) -> dict[str, delivery.Script]:
        """The scripts by their path."""
        return {item.path: item for item in self.scripts}

    @cached_property
    def losers(self) -> dict[Location, tuple[Location, ...]]:
        """The places of the values that lost to the one at a place, oldest first."""
        return {item.location: item.losers for item in self.overrides}

    @cached_property
    def jobs(self) -> tuple[delivery.Job, ...]:
        """The jobs of all workflows."""
        return tuple(job for workflow in self.workflows for job in workflow.jobs)

    @cached_property
    def steps(self) -> tuple[delivery.Step, ...]:
        """The steps of all jobs."""
        return tuple(step for job in self.jobs for step in job.steps)

    @cached_property
    def file_set(self) -> frozenset[str]:
        """The audited files, for asking whether one exists."""
        return frozenset(self.files)

    @cached_property
    def files_by_name(self) -> dict[str, tuple[str, ...]]:
        """The audited files by the last part of their path."""
        return _grouped((path.rpartition("/")[2], path) for path in self.files)

    @cached_property
    def variables_of(self) -> dict[tuple[str, str], tuple[stack.Variable, ...]]:
        """The variables in what a service says, by its project and name."""
        return _grouped(((item.project, item.service), item) for item in self.variables if item.service)

    @cached_property
    def _links(self) -> frozenset[str]:
        return frozenset(entry.file for entry in self.coverage if entry.kind == "link")

    def leads_through_link(self, path: str) -> bool:
        """Whether a path is a link that wasn't followed, or lies behind one, so that nobody knows what is there."""
        parts = path.split("/")
        return any("/".join(parts[:length]) in self._links for length in range(1, len(parts) + 1))

    @cached_property
    def folder_set(self) -> frozenset[str]:
        """The folders that hold an audited file, however deep; the root is `.`."""
        return folders_of(self.files)


def _grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, tuple[Any, ...]]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for key, item in pairs:
        groups[key].append(item)
    return {key: tuple(items) for key, items in groups.items()}
