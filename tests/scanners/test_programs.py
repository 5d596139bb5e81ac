"""Advice on programs whose purpose is access to their host: the least that works, by the vendor's own document."""

import pytest

from auditlib.audit import audit
from auditlib.model import Finding

NODE = "prom/node-exporter:v1.9.1"
CADVISOR = "gcr.io/cadvisor/cadvisor:v0.52.1"
CASES = {
    "node_exporter at / as nobody": (
        f"image: {NODE}\n    volumes: ['/:/rootfs:ro']", "CL-0001", "info", "medium", "Keep `/` read-only",
    ),
    "node_exporter at / as root": (
        f"image: {NODE}\n    user: root\n    volumes: ['/:/rootfs:ro']", "CL-0001", "high", "high", "its image's user",
    ),
    "node_exporter that may write": (
        f"image: {NODE}\n    volumes: ['/:/rootfs']", "CL-0001", "high", "high", "Mount `/` read-only",
    ),
    "node_exporter at /proc": (
        f"image: {NODE}\n    volumes: ['/proc:/host/proc:ro']", "CL-0013", "info", "medium", "Keep the mount read-only",
    ),
    "node_exporter on the host's network": (
        f"image: {NODE}\n    network_mode: host", "CL-0008", "low", "high", "Keep `network_mode: host`",
    ),
    "node_exporter among the host's processes": (
        f"image: {NODE}\n    pid: host", "CL-0010", "info", "medium", "Keep `pid: host`",
    ),
    "cAdvisor with the socket's folder": (
        f"image: {CADVISOR}\n    volumes: ['/var/run:/var/run:ro']",
        "CL-0001", "medium", "high", "publish no port of it",
    ),
    "cAdvisor, privileged": (
        f"image: {CADVISOR}\n    privileged: true", "CL-0002", "medium", "high", "without `privileged`",
    ),
    "cAdvisor with the kernel's log": (
        f"image: {CADVISOR}\n    devices: ['/dev/kmsg:/dev/kmsg']", "CL-0016", "low", "high", "Keep /dev/kmsg only",
    ),
    "cAdvisor at /sys": (
        f"image: {CADVISOR}\n    volumes: ['/sys:/sys:ro']", "CL-0013", "info", "medium", "Keep the mount read-only",
    ),
    "Promtail with the socket": (
        "image: grafana/promtail:3.2.0\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']",
        "CL-0001", "high", "high", "proxy of the socket",
    ),
    "Promtail at the logs": (
        "image: grafana/promtail:3.2.0\n    volumes: ['/var/lib/docker/containers:/logs:ro']",
        "CL-0013", "info", "medium", "as narrow as the folder of the logs",
    ),
    "Vector at the logs": (
        "image: timberio/vector:0.41.1-debian\n    volumes: ['/var/lib/docker/containers:/logs:ro']",
        "CL-0013", "info", "medium", "as narrow as the folder of the logs",
    ),
    "Fluent Bit at the logs": (
        "image: fluent/fluent-bit:3.1\n    volumes: ['/var/lib/docker/containers:/logs:ro']",
        "CL-0013", "info", "medium", "as narrow as the folder of the logs",
    ),
    "Fluent Bit at what are no logs": (
        "image: fluent/fluent-bit:3.1\n    volumes: ['/etc:/host/etc:ro']",
        "CL-0013", "medium", "medium", "Remove the bind mount",
    ),
    "Portainer": (
        "image: portainer/portainer-ce:2.21.4\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']",
        "CL-0001", "high", "high", "only administrators",
    ),
    "Traefik": (
        "image: traefik:v3.2.0\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']",
        "CL-0001", "high", "high", "proxy of the socket before Traefik",
    ),
    "Watchtower": (
        "image: containrrr/watchtower:1.7.1\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']",
        "CL-0001", "high", "high", "Renovate",
    ),
    "any other program": (
        "image: acme/agent:1.0\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']",
        "CL-0001", "high", "high", "put a proxy that allows little before it",
    ),
}  # fmt: skip


def found(root, services: str) -> list[Finding]:
    (root / "compose.yaml").write_text(f"services:\n{services}\n", encoding="utf-8")
    return [item for item in audit(root).findings if item.rule.startswith("compose-lint/")]


@pytest.mark.parametrize(("service", "rule", "severity", "confidence", "advice"), CASES.values(), ids=CASES)
def test_the_advice_leaves_a_program_what_it_needs(tmp_path, service, rule, severity, confidence, advice):
    (finding,) = (item for item in found(tmp_path, f"  a:\n    {service}") if item.rule == f"compose-lint/{rule}")

    assert (str(finding.severity), str(finding.confidence)) == (severity, confidence)
    assert advice in finding.recommendation


def test_each_program_has_its_own_finding_with_its_vendors_document(tmp_path):
    services = [
        f"  {name}:\n    image: {image}\n    volumes: ['/sys:/s:ro']" for name, image in (("a", NODE), ("b", CADVISOR))
    ]
    sensitive = [item for item in found(tmp_path, "\n".join(services)) if item.rule == "compose-lint/CL-0013"]

    assert [(item.service, item.references[0].split("/")[4].partition("#")[0]) for item in sensitive] == [
        ("a", "node_exporter"), ("b", "cadvisor"),
    ]  # fmt: skip
    assert len({item.fingerprint for item in sensitive}) == 2


def test_a_proxy_is_shown_in_the_names_of_the_service(tmp_path):
    service = "  edge:\n    image: traefik:v3.2.0\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']"
    (finding,) = (item for item in found(tmp_path, service) if item.rule == "compose-lint/CL-0001")

    assert finding.example.startswith("edge:\n  # --providers.docker.endpoint=tcp://docker-proxy:2375")
    assert "environment: {CONTAINERS: 1}" in finding.example


PLAIN = (
    "image: acme/agent:1.0\n    volumes: ['/root/stack/agent/data:/data', '/root/stack/agent/agent.yml:/agent.yml:ro']"
)
KEYS = "image: acme/agent:1.0\n    volumes: ['/root/.ssh:/keys', '/root:/home:ro']"


def test_a_folder_that_only_lies_in_a_home_directory_is_not_sensitive(tmp_path):
    rules = {"compose-lint/CL-0013", "compose-lint/CL-0025"}
    assert not rules & {item.rule for item in found(tmp_path, f"  a:\n    {PLAIN}")}
    assert rules <= {item.rule for item in found(tmp_path, f"  a:\n    {KEYS}")}


def test_the_ports_by_which_the_public_comes_in_are_no_finding(tmp_path):
    services = (
        "  web:\n    image: nginx:1.27\n    ports: ['80:80', '443:443']\n"
        "  app:\n    build: .\n    ports: ['80:3000', '3000:3000']\n"
        "  mail:\n    image: axllent/mailpit:v1.20\n    ports: ['443:8025']"
    )
    (finding,) = (item for item in found(tmp_path, services) if item.rule == "compose-lint/CL-0005")

    assert "'3000:3000'" in finding.message
    assert [related.location.line for related in finding.related] == [10]


def test_a_file_that_only_changes_a_service_does_not_lack_what_its_base_lacks(tmp_path):
    (tmp_path / "compose.override.yaml").write_text(
        "services:\n  a:\n    environment: {DEBUG: 1}\n  b:\n    image: acme/mail:1.0\n", encoding="utf-8"
    )
    (finding,) = (item for item in found(tmp_path, "  a:\n    image: acme/api:1.0") if item.rule.endswith("CL-0003"))

    places = [finding.location, *(related.location for related in finding.related)]
    assert [(place.file, place.line) for place in places] == [("compose.yaml", 2), ("compose.override.yaml", 4)]


def test_an_image_that_is_built_here_is_not_one_without_a_version(tmp_path):
    services = "  api:\n    image: acme:latest\n    build: .\n  job:\n    image: acme:latest\n    command: [work]"
    assert "compose-lint/CL-0004" not in {item.rule for item in found(tmp_path, services)}


def test_a_limit_that_a_file_for_production_sets_is_one(tmp_path):
    (tmp_path / "compose.prod.yaml").write_text(
        "services:\n  a:\n    deploy: {resources: {limits: {memory: 512M}}}\n", encoding="utf-8"
    )
    assert "compose-lint/CL-0026" not in {item.rule for item in found(tmp_path, "  a:\n    image: acme/api:1.0")}


@pytest.mark.parametrize(("port", "edited"), [("3000:3000", True), ("${GRAFANA_PORT:-3000}:3000", False)])
def test_an_edit_is_of_a_line_that_the_file_has(tmp_path, port, edited):
    service = f"  shown:\n    image: acme/shown:1\n    ports: ['{port}']"
    (finding,) = (item for item in found(tmp_path, service) if item.rule == "compose-lint/CL-0005")

    assert finding.change == (("3000:3000", "127.0.0.1:3000:3000") if edited else ("", ""))


def test_a_mounted_file_has_no_folder_below_it_and_a_read_only_system_more_than_two(tmp_path):
    service = "  a:\n    image: acme/agent:1.0\n    volumes: ['/root/.docker/config.json:/config.json:ro']"
    examples = {item.rule: item.example for item in found(tmp_path, service)}

    assert "config.json/<" not in examples["compose-lint/CL-0013"]
    assert "/var/cache/nginx" in examples["compose-lint/CL-0007"]


def test_what_is_for_development_needs_no_limit(tmp_path):
    services = "  a:\n    image: acme/agent:1.0"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "compose.yaml").write_text(f"services:\n{services}\n", encoding="utf-8")

    assert "compose-lint/CL-0026" not in {item.rule for item in found(tmp_path, services)}
