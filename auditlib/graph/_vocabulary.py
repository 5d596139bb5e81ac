"""The kinds of nodes and the verbs of edges, each with what it means."""

from __future__ import annotations

KINDS: dict[str, str] = {
    "service": "a service of a Compose project",
    "image": "an image by its reference, or by the Dockerfile that it is built from",
    "volume": "a named volume",
    "network": "a network",
    "host_port": "a port of the host (`5432`, `127.0.0.1:5432`, `53/udp`)",
    "bind_path": "a file or folder that is mounted into containers",
    "env_var": "an environment variable by its name, whoever sets or reads it",
    "env_file": "an environment file, templates included",
    "setting": "a variable that code reads",
    "profile": "a profile of Compose",
    "secret": "a secret of Compose, or of GitHub Actions",
    "config": "a config of Compose",
    "scrape_job": "a job of Prometheus",
    "alert_rule": "an alerting rule of Prometheus",
    "receiver": "a receiver of Alertmanager",
    "datasource": "a data source of Grafana",
    "dashboard": "a dashboard of Grafana",
    "workflow": "a workflow of GitHub Actions",
    "job": "a job of a workflow",
    "script": "a script",
    "document": "a Markdown document",
}

VERBS: dict[str, str] = {
    "depends_on": "a service needs another one",
    "mounts": "a service mounts a volume, a path, a secret or a config",
    "joins": "a service is in a network",
    "publishes": "a service takes a port of the host",
    "reads_env": "a service, a setting or a job takes the value of a variable, an environment file or a secret",
    "sets_env": "a service, an environment file or a job gives a variable its value",
    "scrapes": "Prometheus collects metrics of a service",
    "alerts_on": "an alert looks at a scrape job",
    "routes_to": "an alert reaches a receiver; a receiver, a service",
    "forwards_to": "a reverse proxy passes requests to a service",
    "queries": "a dashboard asks a data source; a data source, a service",
    "builds": "a service or a job builds an image",
    "runs": "a service runs an image or loads a configuration; a workflow, a job; a job or script, a script",
    "needs": "a job waits for another",
    "documents": "a document mentions a script, a file or a variable",
    "gated_by": "a service starts with a profile only",
}
