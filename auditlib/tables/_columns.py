"""What every table holds: its description, and the dtype and meaning of each column.

Names are joined by `, ` where a cell holds several. `file` and `line` say where a row comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT, NUMBER, YES_NO = "string", "Int64", "boolean"
Column = tuple[str, str]

_PLACE: dict[str, Column] = {
    "file": (TEXT, "the file, relative to the root of the repository"),
    "line": (NUMBER, "the line, from 1"),
}
_SERVICE: dict[str, Column] = {
    "project": (TEXT, "the Compose project: its folder, or its file"),
    "service": (TEXT, "the service"),
}
_VALUE: dict[str, Column] = {
    "value": (TEXT, "the value; of a secret its length and a short hash"),
    "secret": (YES_NO, "whether it is, or holds, a secret"),
    "weak": (YES_NO, "whether the secret is a well-known or guessable one"),
    "placeholder": (YES_NO, "whether it says of itself that it is to be replaced"),
}


@dataclass(frozen=True)
class Schema:
    """A table: what a row of it is, and its columns by name, each a dtype and a meaning."""

    description: str
    columns: dict[str, Column]


def _table(description: str, *parts: dict[str, Column]) -> Schema:
    columns = {name: column for part in parts for name, column in part.items()}
    return Schema(description, {**columns, **_PLACE})


SCHEMAS: dict[str, Schema] = {
    "files": _table(
        "A row for each file that the audit considers.",
        {
            "folder": (TEXT, "its folder, `.` for the root"),
            "extension": (TEXT, "its extension with the dot"),
            "kind": (TEXT, "what it was read as; empty if no reader is for it"),
            "status": (TEXT, "`parsed`, `partial` or `failed`; empty if no reader is for it"),
        },
    ),
    "services": _table(
        "A row for each service of each Compose project; of an overlay those that it adds or changes.",
        _SERVICE,
        {
            "changed": (YES_NO, "whether an overlay changes a service of its base here"),
            "image": (TEXT, "the image; empty for one that is only built"),
            "build": (TEXT, "the Dockerfile that it is built from; empty if it isn't"),
            "command": (TEXT, "the command, secrets masked"),
            "profiles": (TEXT, "the profiles that it starts with; empty for always"),
            "layer": (NUMBER, "its place in the start order, from 0"),
            "depends_on": (TEXT, "the services that it declares to need"),
            "ports": (TEXT, "`host:container` of each published port"),
            "networks": (TEXT, "the networks that it joins"),
            "volumes": (TEXT, "the named volumes that it mounts"),
            "healthcheck": (YES_NO, "whether its health is probed"),
            "restart": (TEXT, "the restart policy; empty for none"),
            "replicas": (NUMBER, "the copies that it asks for; missing if it says nothing"),
            "cpu_limit": (TEXT, "the limit of processors"),
            "memory_limit": (TEXT, "the limit of memory, in bytes"),
            "log_driver": (TEXT, "the logging driver; empty for Docker's default"),
            "container_name": (TEXT, "the fixed name of its container"),
            "user": (TEXT, "the user that it runs as; empty for the image's"),
            "privileged": (YES_NO, "whether it has all rights on the host"),
            "read_only": (YES_NO, "whether its file system is read-only"),
            "breaks": (NUMBER, "the services that its failure takes along, hard or soft"),
        },
    ),
    "images": _table(
        "A row for each use of an image: by a service, by a build stage, by a service of a CI job.",
        {
            "image": (TEXT, "the reference as it is written"),
            "repository": (TEXT, "the reference without tag and digest"),
            "tag": (TEXT, "the tag; empty if it gives none"),
            "digest": (TEXT, "the digest; empty if it gives none"),
            "pinned": (YES_NO, "whether it names a digest, or a tag other than `latest`"),
            "used_by": (TEXT, "the service, the stage or the job"),
            "kind": (TEXT, "`service`, `stage` or `job`"),
        },
    ),
    "ports": _table(
        "A row for each port that a service publishes on its host.",
        _SERVICE,
        {
            "host_ip": (TEXT, "the address that it is bound to; empty for all of them"),
            "host_port": (TEXT, "the port on the host; empty if Docker chooses one"),
            "container_port": (TEXT, "the port in the container"),
            "protocol": (TEXT, "`tcp` or `udp`"),
            "public": (YES_NO, "whether other machines can reach it"),
        },
    ),
    "mounts": _table(
        "A row for each mount of each service.",
        _SERVICE,
        {
            "kind": (TEXT, "`bind`, `volume`, `tmpfs` …"),
            "source": (TEXT, "the volume, or the path relative to the root"),
            "target": (TEXT, "the path in the container"),
            "read_only": (YES_NO, "whether it can't be written"),
            "outside": (YES_NO, "whether the source lies outside the repository"),
        },
    ),
    "volumes": _table(
        "A row for each named volume of each project.",
        {
            "project": _SERVICE["project"],
            "volume": (TEXT, "the volume"),
            "driver": (TEXT, "its driver; empty for the default"),
            "external": (YES_NO, "whether it is made elsewhere"),
            "used_by": (TEXT, "the services that mount it"),
            "writers": (NUMBER, "how many of them can write to it"),
        },
    ),
    "networks": _table(
        "A row for each network of each project.",
        {
            "project": _SERVICE["project"],
            "network": (TEXT, "the network"),
            "driver": (TEXT, "its driver; empty for the default"),
            "external": (YES_NO, "whether it is made elsewhere"),
            "internal": (YES_NO, "whether it leads nowhere else"),
            "services": (TEXT, "the services that join it"),
        },
    ),
    "healthchecks": _table(
        "A row for each service; one without a health check has `defined` false.",
        _SERVICE,
        {
            "defined": (YES_NO, "whether the Compose file defines one"),
            "disabled": (YES_NO, "whether it switches off the image's"),
            "test": (TEXT, "the command, secrets masked"),
            "interval": (TEXT, "the time between probes"),
            "timeout": (TEXT, "the time that a probe may take"),
            "retries": (TEXT, "the failures in a row that make it unhealthy"),
            "start_period": (TEXT, "the time in which failures don't count"),
        },
    ),
    "dependencies": _table(
        "A row for each `depends_on`, and for each address of another service in a value or command.",
        _SERVICE,
        {
            "needs": (TEXT, "the service that it needs"),
            "condition": (TEXT, "what it waits for; empty for an address"),
            "required": (YES_NO, "whether it can't do without"),
            "declared": (YES_NO, "whether `depends_on` says so"),
            "inferred": (YES_NO, "whether the row comes from an address"),
            "variable": (TEXT, "the variable that holds the address"),
            "healthcheck": (YES_NO, "whether the needed service has a health check"),
        },
    ),
    "profiles": _table(
        "A row for each service and each profile that it starts with.",
        {**_SERVICE, "profile": (TEXT, "the profile")},
    ),
    "environment": _table(
        "A row for each variable that a container gets.",
        _SERVICE,
        {
            "variable": (TEXT, "its name in the container"),
            **_VALUE,
            "interpolated": (TEXT, "the `${…}` that the value is made of"),
            "origin": (TEXT, "`environment`, or the env file"),
        },
    ),
    "env_templates": _table(
        "A row for each line of each environment file, templates and real ones.",
        {
            "template": (YES_NO, "whether the file is there to be copied"),
            "variable": (TEXT, "the name"),
            **_VALUE,
            "commented": (YES_NO, "whether the line is a comment"),
            "malformed": (TEXT, "what is wrong with the line; empty for nothing"),
        },
    ),
    "settings": _table(
        "A row for each variable that code reads.",
        {
            "variable": (TEXT, "the environment variable"),
            "attribute": (TEXT, "the field or the function that reads it"),
            "type": (TEXT, "the declared type"),
            "default": (TEXT, "the default; of a secret its length and a short hash"),
            "default_kind": (TEXT, "`none`, `null`, `literal`, `empty` or `expression`"),
            "required": (YES_NO, "whether the code fails without it"),
            "secret": _VALUE["secret"],
            "weak": _VALUE["weak"],
            "placeholder": _VALUE["placeholder"],
            "style": (TEXT, "how it is read: `pydantic`, `getenv` …"),
        },
    ),
    "scrape_targets": _table(
        "A row for each target of each scrape job; a job that only discovers its targets has one without a host.",
        {
            "job": (TEXT, "the job"),
            "host": (TEXT, "the host"),
            "port": (TEXT, "the port"),
            "path": (TEXT, "the path of the metrics"),
            "scheme": (TEXT, "`http` or `https`"),
            "service": (TEXT, "the service that it leads to; empty for none"),
            "resolved": (YES_NO, "whether it leads to a service of the repository"),
            "discovery": (TEXT, "the mechanisms that find further targets"),
        },
    ),
    "alert_rules": _table(
        "A row for each alerting and recording rule.",
        {
            "group": (TEXT, "its group"),
            "rule": (TEXT, "its name"),
            "kind": (TEXT, "`alert` or `record`"),
            "expression": (TEXT, "the PromQL expression"),
            "duration": (TEXT, "how long it must hold"),
            "severity": (TEXT, "the label `severity`"),
            "metrics": (TEXT, "the metrics that it looks at"),
            "jobs": (TEXT, "the scrape jobs that its matchers name"),
            "receivers": (TEXT, "the receivers that it is routed to"),
            "runbook": (TEXT, "the annotation `runbook_url` or `runbook`"),
            "error": (TEXT, "why the expression can't be parsed; empty if it can"),
        },
    ),
    "receivers": _table(
        "A row for each way in which each receiver reaches someone; one that reaches nobody has one without a kind.",
        {
            "receiver": (TEXT, "the receiver"),
            "kind": (TEXT, "`email`, `slack`, `webhook` …"),
            "host": (TEXT, "the host of its address"),
            "endpoint": (TEXT, "the address, secrets masked"),
            "placeholder": (YES_NO, "whether the address is to be replaced"),
            "routes": (NUMBER, "the routes that lead to it"),
        },
    ),
    "datasources": _table(
        "A row for each provisioned data source of Grafana.",
        {
            "datasource": (TEXT, "its name"),
            "type": (TEXT, "its type"),
            "uid": (TEXT, "its uid"),
            "url": (TEXT, "its address, secrets masked"),
            "default": (YES_NO, "whether it is the default"),
            "service": (TEXT, "the service that it leads to; empty for none"),
        },
    ),
    "dashboards": _table(
        "A row for each panel of each dashboard; a dashboard without panels has one without a panel.",
        {
            "dashboard": (TEXT, "the title of the dashboard"),
            "uid": (TEXT, "its uid"),
            "panel": (TEXT, "the title of the panel"),
            "datasource": (TEXT, "the data source that it asks; empty for the default"),
            "queries": (NUMBER, "how many queries it has"),
            "metrics": (TEXT, "the metrics that it shows"),
            "error": (TEXT, "why a query can't be parsed; empty if all can"),
        },
    ),
    "workflows": _table(
        "A row for each workflow of GitHub Actions.",
        {
            "workflow": (TEXT, "its name"),
            "triggers": (TEXT, "the events that start it"),
            "branches": (TEXT, "the branches that it is limited to"),
            "jobs": (NUMBER, "how many jobs it has"),
            "secrets": (TEXT, "the secrets that it refers to, by name"),
        },
    ),
    "jobs": _table(
        "A row for each job of each workflow.",
        {
            "job": (TEXT, "its id"),
            "name": (TEXT, "its name"),
            "needs": (TEXT, "the jobs that it waits for"),
            "runs_on": (TEXT, "the runner"),
            "matrix": (TEXT, "`name=value|value` of each dimension"),
            "services": (TEXT, "the images of its service containers"),
            "environment": (TEXT, "the deployment environment"),
            "condition": (TEXT, "the condition under which it runs"),
            "continue_on_error": (YES_NO, "whether its failure is passed over"),
            "uses": (TEXT, "the reusable workflow that it calls"),
            "steps": (NUMBER, "how many steps it has"),
        },
    ),
    "steps": _table(
        "A row for each step of each job.",
        {
            "job": (TEXT, "the id of its job"),
            "step": (NUMBER, "its place in the job, from 0"),
            "name": (TEXT, "its name"),
            "uses": (TEXT, "the action that it uses"),
            "run": (TEXT, "the commands that it runs, secrets masked"),
            "condition": (TEXT, "the condition under which it runs"),
            "cannot_fail": (YES_NO, "whether a failure of it, or of a command of it, is passed over"),
            "working_directory": (TEXT, "the folder that it runs in"),
        },
    ),
    "scripts": _table(
        "A row for each script.",
        {
            "script": (TEXT, "its path"),
            "interpreter": (TEXT, "what runs it"),
            "summary": (TEXT, "the first sentence of its description; empty for none"),
            "executable": (YES_NO, "whether it may be started by its name"),
            "run_by": (TEXT, "the jobs and scripts that run it"),
            "documented_in": (TEXT, "the documents that mention it"),
        },
    ),
    "documents": _table(
        "A row for each Markdown document.",
        {
            "document": (TEXT, "its path"),
            "title": (TEXT, "its title"),
            "headings": (NUMBER, "how many headings it has"),
            "paths": (NUMBER, "how many paths it mentions"),
            "commands": (NUMBER, "how many commands it shows"),
            "variables": (NUMBER, "how many variables it mentions"),
        },
    ),
    "findings": _table(
        "A row for each finding, the worst first.",
        {
            "rule": (TEXT, "the rule's id"),
            "title": (TEXT, "the fault"),
            "message": (TEXT, "the fault, here"),
            "severity": (TEXT, "`critical`, `high`, `medium`, `low` or `info`"),
            "confidence": (TEXT, "`high`, `medium` or `low`"),
            "area": (TEXT, "the area of the audit"),
            "effort": (TEXT, "what mending takes: `small`, `medium` or `large`"),
            "service": _SERVICE["service"],
            "related": (NUMBER, "how many further places it rests on"),
            "recommendation": (TEXT, "what to do"),
            "source": (TEXT, "who found it"),
            "status": (TEXT, "`open` or `suppressed`"),
            "fingerprint": (TEXT, "what it is known by in later runs"),
        },
    ),
    "coverage": _table(
        "A row for each file and each thing that it was read as, with how far it was understood; files that no reader "
        "knows are one row for each ending, and a scanner that is missing or failed has one of its own.",
        {
            "kind": (TEXT, "what it was read as"),
            "status": (TEXT, "`parsed`, `partial`, `failed` or `skipped`"),
            "reason": (TEXT, "why not further; empty if all was"),
        },
    ),
}
"""All tables by name."""
