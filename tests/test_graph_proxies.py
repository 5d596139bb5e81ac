"""Proxies in the graph: to whom they pass requests, and who can't be reached without them."""

import pytest

from auditlib.audit import audit

CADDY = """\
services:
  caddy: {image: "caddy:2.10.0", ports: ["3000:3000", "8443:443"], volumes: ["./caddy:/etc/caddy"]}
  grafana: {image: "grafana/grafana:12.0.2", volumes: ["./grafana:/etc/grafana/provisioning/datasources"]}
  prometheus: {image: "prom/prometheus:v3.4.2"}
  api: {image: "acme/api:1.2.3", ports: ["80:80"]}
"""
CADDYFILE = ":3000 {\n    reverse_proxy grafana:3000\n}\n:443 {\n    reverse_proxy api:80\n}\n"
SOURCES = "apiVersion: 1\ndatasources:\n  - {name: Metrics, type: prometheus, url: 'http://prometheus:9090'}\n"
TRAEFIK = """\
services:
  proxy: {image: "traefik:3.6.1", ports: ["80:80"]}
  web:
    image: acme/web:1.2.3
    labels: ["traefik.enable=true", "traefik.http.services.web.loadbalancer.server.port=8000"]
  off:
    image: acme/off:1.2.3
    labels: ["traefik.enable=false", "traefik.http.services.off.loadbalancer.server.port=8000"]
  plain: {image: "acme/plain:1.2.3"}
"""
OVERRIDE = 'services:\n  web: {ports: ["8000:8000"]}\n'
BEHIND = CADDY.replace('"caddy:2.10.0", ', '"caddy:2.10.0", depends_on: {api: {condition: service_healthy}}, ')
UNREACHABLE, SOFT, HARD = "can't be reached from outside", "goes on without it", "fails too"
CASES = {
    "the only way in": (CADDY, {}, "caddy", {"grafana": UNREACHABLE}),
    "an upstream": (CADDY, {}, "grafana", {"caddy": SOFT}),
    "what Grafana asks": (CADDY, {}, "prometheus", {"Metrics": HARD, "grafana": SOFT, "caddy": SOFT}),
    "what the proxy waits for": (BEHIND, {}, "api", {"caddy": HARD, "grafana": UNREACHABLE}),
    "labels for Traefik": (TRAEFIK, {}, "proxy", {"web": UNREACHABLE}),
    "a port for development": (TRAEFIK, {"compose.override.yaml": OVERRIDE}, "proxy", {"web": UNREACHABLE}),
    "a port of its own": (TRAEFIK, {"compose.prod.yaml": OVERRIDE}, "proxy", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_proxy_takes_along_runs_and_is_out_of_reach(tmp_path, case):
    compose, files, name, expected = CASES[case]
    for path, text in {
        "caddy/Caddyfile": CADDYFILE,
        "grafana/sources.yml": SOURCES,
        "compose.yaml": compose,
        **files,
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    found = audit(tmp_path, [], scanned=False).graph

    assert {row["name"]: row["effect"] for row in found.what_breaks(name).table.to_dict("records")} == expected
    points = {point.name: point for point in found.single_points()}
    shut = tuple(f"service:{node}" for node, effect in expected.items() if effect == UNREACHABLE)
    assert (points[name].unreachable if name in points else ()) == shut


def test_an_edge_tells_at_which_port_the_proxy_takes_requests(tmp_path):
    for path, text in {"caddy/Caddyfile": CADDYFILE, "compose.yaml": CADDY}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    edges = audit(tmp_path, [], scanned=False).graph.edges_from("caddy", "forwards_to")

    assert [(edge.target, edge.attributes["ports"], edge.location.line) for edge in edges] == [
        ("service:grafana", ("3000",), 2),
        ("service:api", ("443",), 5),
    ]
