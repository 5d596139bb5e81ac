"""The dependency graph: its nodes and edges, and the questions that it answers."""

from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib import graph, readers
from auditlib.errors import UsageError
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Integration, Receiver, Route
from auditlib.inventory.configuration import EnvFile, EnvLine, Setting
from auditlib.inventory.dashboards import Dashboard, Datasource, Panel
from auditlib.inventory.delivery import Command, Job, Script, Step, Workflow
from auditlib.inventory.document import Document, Mention
from auditlib.inventory.monitoring import AlertRule, LabelMatcher, Query, ScrapeJob, Target
from auditlib.inventory.stack import Dependency, Endpoint, EnvironmentEntry, Project, Service
from auditlib.model import Location
from auditlib.redaction import Vault
from auditlib.source import Source

REPOSITORY = Path(__file__).parents[1]
CORPUS = REPOSITORY.parent / "shared" / "corpus"
FILE = "compose.yaml"


def at(line, file=FILE):
    return Location(file, line)


def build(*records):
    if not any(isinstance(item, Project) for item in records):
        records = (Project("compose.yaml", (FILE,), "base", "", at(1)), *records)
    return graph.build(Inventory.of(records, name="", root="", commit=""))


def service(name, *needs, line=10, project="compose.yaml", hard=True, **fields):
    condition = "service_healthy" if hard else "service_started"
    dependencies = tuple(Dependency(other, condition, True, at(line + 1)) for other in needs)
    return Service(project, name, f"{name}:1", at(line), at(line), dependencies=dependencies, **fields)


def entry(name, text, *endpoints, line=20):
    return EnvironmentEntry(name, Vault().value(name, text), (), "environment", at(line), endpoints)


@pytest.fixture
def audited(tmp_path):
    def audited(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return graph.build(readers.read(Source(tmp_path)))

    return audited


STACK = """\
services:
  db:
    image: postgres:16
    container_name: acme-db
    environment: {POSTGRES_PASSWORD: "${DB_PASSWORD:-hunter22!}"}
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {test: [CMD, pg_isready]}
  redis:
    image: redis:7
    profiles: [cache]
  api:
    build: ./backend
    env_file: [api.env]
    ports: ["127.0.0.1:8000:80"]
    depends_on: {db: {condition: service_healthy}}
    environment:
      DATABASE_URL: postgresql://app:${DB_PASSWORD:-hunter22!}@db:5432/app
      REDIS_URL: redis://redis:6379
      HOME_PAGE: http://web
    volumes: ["./config:/etc/app:ro"]
  web:
    image: nginx:1
    depends_on: [api]
volumes: {data: }
"""


# -- nodes and edges --------------------------------------------------------------------------------------------------


def test_every_node_has_a_kind_and_a_name_and_every_edge_a_verb_and_a_place(audited):
    found = audited({"compose.yaml": STACK, "api.env": "MODE=x\n"})

    assert isinstance(found, networkx.MultiDiGraph)
    for _, data in found.nodes(data=True):
        assert data["kind"] in graph.KINDS
        assert data["name"]
        assert data["location"] is None or isinstance(data["location"], Location)
    for _, _, data in found.edges(data=True):
        assert data["verb"] in graph.VERBS
        assert isinstance(data["location"], Location)


def test_a_stack_becomes_nodes_and_edges(audited):
    found = audited({"compose.yaml": STACK, "api.env": "MODE=x\n"})
    edges = {(e.source, verb, e.target, e.location.line) for verb in graph.VERBS for e in found.edges_of(verb)}

    assert {
        ("service:db", "runs", "image:postgres:16", 3),
        ("service:db", "mounts", "volume:data", 6),
        ("service:redis", "gated_by", "profile:cache", 10),
        ("service:api", "builds", "image:backend/Dockerfile", 12),
        ("service:api", "reads_env", "env_file:api.env", 13),
        ("service:api", "publishes", "host_port:127.0.0.1:8000", 14),
        ("service:api", "depends_on", "service:db", 15),
        ("service:api", "sets_env", "env_var:REDIS_URL", 18),
        ("service:api", "reads_env", "env_var:DB_PASSWORD", 17),
        ("service:api", "mounts", "bind_path:config", 20),
        ("service:web", "depends_on", "service:api", 23),
    } <= edges
    assert {target for source, verb, target, _ in edges if verb == "joins"} == {"network:default"}


def test_an_address_in_a_value_is_a_connection(audited):
    found = audited({"compose.yaml": STACK})
    edges = [edge for edge in found.edges_of("depends_on") if edge.attributes["inferred"]]

    assert {(e.target, e.attributes["variable"], e.attributes["declared"], e.location.line) for e in edges} == {
        ("service:db", "DATABASE_URL", True, 17),
        ("service:redis", "REDIS_URL", False, 18),
        ("service:web", "HOME_PAGE", False, 19),
    }
    assert {edge.target for edge in found.undeclared()} == {"service:redis", "service:web"}


def test_a_host_name_may_be_an_alias_a_container_or_a_host_name(audited):
    found = audited({
        "compose.yaml": "services:\n  a:\n    image: i\n"
        "    environment: {X_HOST: box, Y_HOST: c.local, Z_HOST: nick, U_HOST: a}\n"
        "  b: {image: i, container_name: box}\n  c: {image: i, hostname: c.local}\n"
        "  d: {image: i, networks: {default: {aliases: [nick]}}}\n"
    })  # fmt: skip

    assert [edge.target for edge in found.undeclared()] == ["service:b", "service:c", "service:d"]


def test_equal_names_of_two_projects_are_told_apart():
    found = build(
        Project("a", ("a/compose.yaml",), "base", "", at(1, "a/compose.yaml")),
        Project("b", ("b/compose.yaml",), "base", "", at(1, "b/compose.yaml")),
        service("db", project="a"),
        service("db", project="b"),
        service("api", "db", project="b"),
    )

    assert {node.id for node in found.of_kind("service")} == {"service:a/db", "service:b/db", "service:api"}
    assert [edge.target for edge in found.edges_from("api", "depends_on")] == ["service:b/db"]
    assert found.find("a/db") == "service:a/db"
    with pytest.raises(UsageError, match="service:a/db or service:b/db"):
        found.find("db")


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [("exporters", "service:compose.exporters.yaml/node"), ("compose", "service:compose.yaml/node"),
     (None, "service:compose.yaml/node")],
)  # fmt: skip
def test_a_name_of_two_projects_means_that_of_who_mounts_the_file(audited, mounts, expected):
    scraper = "  prom: {image: prom/prometheus, volumes: ['./prom:/etc/prometheus']}\n"
    found = audited({
        "compose.yaml": "services:\n  node: {image: i, networks: [n]}\n" + scraper * (mounts == "compose")
        + "networks: {n: }\n",
        "compose.exporters.yaml": "services:\n  node: {image: i, network_mode: host}\n"
        + scraper * (mounts == "exporters"),
        "prom/prometheus.yml": "scrape_configs: [{job_name: node, static_configs: [{targets: ['node:9100']}]}]\n",
    })  # fmt: skip

    assert [edge.target for edge in found.edges_of("scrapes")] == [expected]


def test_an_overlay_adds_edges_to_the_services_of_its_base(audited):
    found = audited({
        "compose.yaml": "services:\n  a: {image: i}\n  b: {image: i}\n",
        "compose.prod.yaml": "services:\n  a:\n    depends_on: [b, c]\n  c: {image: i}\n",
    })  # fmt: skip

    assert {node.id for node in found.of_kind("service")} == {"service:a", "service:b", "service:c"}
    edges = found.edges_from("a", "depends_on")
    assert {(edge.target, edge.attributes["overlay"]) for edge in edges} == {
        ("service:b", "compose.prod.yaml"),
        ("service:c", "compose.prod.yaml"),
    }
    assert len(found.edges_from("a", "runs")) == 1


MATCH = LabelMatcher("severity", "=", "critical")


def in_file(file):
    return lambda line: Location(file, line)


IN_P, IN_RULES, IN_AM = in_file("p/prometheus.yml"), in_file("p/rules.yml"), in_file("p/am.yml")
MONITORING = (
    service("api", line=2),
    service("prometheus", line=4),
    ScrapeJob("p/prometheus.yml", "api", "/metrics", "http", (Target("api", "8000", IN_P(5)),), (), IN_P(4)),
    ScrapeJob("p/prometheus.yml", "gone", "/metrics", "http", (Target("gone", "1", IN_P(9)),), (), IN_P(8)),
    AlertRule(
        "p/rules.yml", "g", "alert", "Down", Query('up{job="api"} == 0', ("up",), (LabelMatcher("job", "=", "api"),)),
        "1m", (("severity", "critical"),), (), IN_RULES(3), IN_RULES(4),
    ),
    AlertRule(
        "p/rules.yml", "g", "alert", "Slow", Query("x > 1", ("x",), ()), "1m", (), (), IN_RULES(8), IN_RULES(9)
    ),
    Receiver("p/am.yml", "pager", (Integration("webhook", "http://api/hook", "api", False, IN_AM(9)),), IN_AM(8)),
    Receiver("p/am.yml", "mail", (), IN_AM(12)),
    Route("p/am.yml", "mail", (), 0, False, IN_AM(2)),
    Route("p/am.yml", "pager", (MATCH,), 1, False, IN_AM(4)),
    Route("p/am.yml", "mail", (), 1, False, IN_AM(6)),
    Datasource("g/ds.yml", "Prometheus", "prometheus", "prom", "http://prometheus:9090", True, at(4, "g/ds.yml")),
    Dashboard("g/d.json", "API", "u", (Panel("p", "", "", (), at(7, "g/d.json")),), at(1, "g/d.json")),
)  # fmt: skip


def test_monitoring_becomes_nodes_and_edges():
    found = build(*MONITORING)

    def pairs(verb):
        return [(edge.source, edge.target) for edge in found.edges_of(verb)]

    assert pairs("scrapes") == [("scrape_job:api", "service:api")]
    assert found.nodes["scrape_job:gone"]["unresolved"] == ("gone:1",)
    assert pairs("alerts_on") == [("alert_rule:Down", "scrape_job:api")]
    assert ("alert_rule:Down", "receiver:pager") in pairs("routes_to")
    assert ("alert_rule:Down", "receiver:mail") not in pairs("routes_to")
    assert ("alert_rule:Slow", "receiver:mail") in pairs("routes_to")
    assert ("receiver:pager", "service:api") in pairs("routes_to")
    assert pairs("queries") == [
        ("datasource:Prometheus", "service:prometheus"),
        ("dashboard:API", "datasource:Prometheus"),
    ]


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [("api", "1", "service:api"), ("API.", "", "service:api"), ("host.docker.internal", "8000", "service:api"),
     ("host.docker.internal", "9", None), ("example.org", "80", None), ("acme-db", "5432", "service:db")],
)  # fmt: skip
def test_a_scrape_target_leads_to_the_service_behind_its_name(audited, host, port, expected):
    assert audited({"compose.yaml": STACK}).resolve(host, port) == expected


def test_delivery_becomes_nodes_and_edges():
    mention = Mention("path", "./scripts/deploy.sh", at(3, "README.md"))
    command = Command(("bash", "scripts/deploy.sh"), at(9, "ci.yml"))
    step = Step("ci.yml", "deploy", 0, "", "", "", (command,), (), (), "", "", False, at(8, "ci.yml"))
    fields = {"runs_on": "", "matrix": (), "services": (), "env": (), "environment": "", "condition": "", "uses": "",
              "continue_on_error": False, "working_directory": ""}  # fmt: skip
    jobs = (
        Job("ci.yml", "test", "", (), steps=(), location=at(4, "ci.yml"), **fields),
        Job("ci.yml", "deploy", "", ("test",), steps=(step,), location=at(6, "ci.yml"), **fields),
    )
    found = build(
        Workflow("ci.yml", "CI", (), (), jobs, (), at(1, "ci.yml")),
        Script("scripts/deploy.sh", "bash", "", True, (), at(1, "scripts/deploy.sh")),
        Document("README.md", "R", (), (mention,), frozenset(), at(1, "README.md")),
    )

    edges = {(edge.source, verb, edge.target) for verb in graph.VERBS for edge in found.edges_of(verb)}
    assert edges == {
        ("workflow:ci.yml", "runs", "job:test"),
        ("workflow:ci.yml", "runs", "job:deploy"),
        ("job:deploy", "needs", "job:test"),
        ("job:deploy", "runs", "script:scripts/deploy.sh"),
        ("document:README.md", "documents", "script:scripts/deploy.sh"),
    }


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["service:db", "db", "compose.yaml/db", "acme-db", "DB"])
def test_a_name_may_be_written_in_several_ways(audited, name):
    found = audited({"compose.yaml": STACK})

    assert found.find(name) == "service:db"


def test_an_unknown_name_says_which_are_near(audited):
    found = audited({"compose.yaml": STACK})

    with pytest.raises(UsageError, match=r"'rediss'.*did you mean service:redis"):
        found.what_breaks("rediss")
    with pytest.raises(UsageError, match="no volume called 'db'"):
        found.find("db", kind="volume")


# -- questions --------------------------------------------------------------------------------------------------------


def test_start_order_is_in_layers():
    found = build(
        service("web", "api"), service("api", "db", "redis"), service("db"), service("redis"), service("alone")
    )

    assert found.start_order() == [
        ["service:alone", "service:db", "service:redis"],
        ["service:api"],
        ["service:web"],
    ]
    assert {node.id for node in found.waits_for("web")} == {"service:api", "service:db", "service:redis"}


def test_services_that_wait_for_each_other_share_a_layer_and_are_a_cycle():
    found = build(service("a", "b", line=10), service("b", "c", line=20), service("c", "a", line=30), service("d", "a"))

    assert found.start_order() == [["service:a", "service:b", "service:c"], ["service:d"]]
    (cycle,) = found.cycles()
    assert cycle.nodes == ("service:a", "service:b", "service:c")
    assert [(link.dependent, link.needed, link.location.line) for link in cycle.links] == [
        ("service:a", "service:b", 11),
        ("service:b", "service:c", 21),
        ("service:c", "service:a", 31),
    ]


def test_a_service_that_waits_for_itself_is_a_cycle():
    (cycle,) = build(service("a", "a")).cycles()

    assert cycle.nodes == ("service:a",)


def test_an_empty_repository_has_an_empty_graph():
    found = build()

    assert (found.start_order(), found.cycles(), found.single_points(), found.credential_flow(), found.isolated()) == (
        [], [], [], [], [],
    )  # fmt: skip


def test_what_breaks_says_how_hard_and_why():
    found = build(
        service("redis"), service("api", "redis", line=20), service("worker", "redis", hard=False, line=30),
        service("nginx", "api", hard=False, line=40), service("e2e", "api", line=50), service("other"),
    )  # fmt: skip
    broken = {item.name: item for item in found.what_breaks("redis")}

    assert {name for name, item in broken.items() if item.hard} == {"api", "e2e"}
    assert {name for name, item in broken.items() if not item.hard} == {"worker", "nginx"}
    assert broken["nginx"].why == "nginx depends_on api depends_on redis"
    assert [link.location.line for link in broken["nginx"].path] == [21, 41]
    assert found.what_breaks("other") == []


@pytest.mark.parametrize(
    ("condition", "required", "scheme", "hard"),
    [
        ("service_healthy", True, None, True),
        ("service_healthy", False, None, False),
        ("service_started", True, None, False),
        ("service_started", True, "redis", True),
        ("service_started", False, "redis", False),
        (None, None, "redis", True),
        (None, None, "http", False),
    ],
)
def test_a_need_is_hard_by_condition_by_requirement_or_by_address(condition, required, scheme, hard):
    dependencies = (Dependency("b", condition, required, at(3)),) if condition else ()
    environment = (entry("X", "x", Endpoint(scheme, "b", "1")),) if scheme else ()
    a = Service("compose.yaml", "a", "i", at(1), at(1), dependencies=dependencies, environment=environment)
    (broken,) = [item for item in build(a, service("b")).what_breaks("b") if item.kind == "service"]

    assert broken.hard is hard


@pytest.mark.parametrize(
    ("variable", "scheme"), [("OTEL_EXPORTER_OTLP_ENDPOINT", "http"), ("SENTRY_DSN", "https"), ("EMAIL_URL", "smtp")]
)
@pytest.mark.parametrize(("condition", "hard"), [("service_started", False), ("service_healthy", True)])
def test_who_only_sends_telemetry_or_mail_goes_on_without(variable, scheme, condition, hard):
    dependencies = (Dependency("b", condition, True, at(3)),)
    environment = (entry(variable, "x", Endpoint(scheme, "b", "1")),)
    a = Service("compose.yaml", "a", "i", at(1), at(1), dependencies=dependencies, environment=environment)
    (broken,) = [item for item in build(a, service("b")).what_breaks("b") if item.kind == "service"]

    assert broken.hard is hard


def test_a_volume_or_an_image_that_is_gone_takes_its_services_along(audited):
    found = audited({"compose.yaml": STACK})

    assert [item.name for item in found.what_breaks("data")] == ["db", "api", "web"]
    assert [item.hard for item in found.what_breaks("image:postgres:16")] == [True, True, False]


def test_single_points_are_ranked_by_what_they_take_along():
    found = build(
        service("db"), service("redis"), service("api", "db", "redis", line=20), service("worker", "db", line=30),
        service("web", "api", hard=False, line=40), service("scaled", replicas=2), service("user", "scaled", line=50),
    )  # fmt: skip
    points = found.single_points()

    assert [(point.name, len(point.hard), len(point.soft)) for point in points] == [
        ("db", 2, 1),
        ("redis", 1, 1),
        ("api", 0, 1),
    ]
    assert points[0].hard == ("service:api", "service:worker")
    assert len(found.single_points(limit=1)) == 1
    assert found.reach_of_failures()["service:db"] == 3


def test_a_credential_flows_from_its_origins_to_what_it_opens(audited):
    found = audited({"compose.yaml": STACK, ".env.example": "DB_PASSWORD=change-me\n"})
    (flow,) = found.credential_flow("DB_PASSWORD")

    kinds = [(origin.kind, str(origin.location)) for origin in flow.origins]
    assert ("default", "compose.yaml:5") in kinds
    assert ("default", "compose.yaml:17") in kinds
    assert flow.services == ("service:api", "service:db")
    assert flow.images == ("image:backend/Dockerfile", "image:postgres:16")
    assert flow.opens == ("service:db",)
    assert [(use.service, use.target) for use in flow.uses] == [
        ("service:db", "environment.POSTGRES_PASSWORD"),
        ("service:api", "environment.DATABASE_URL"),
    ]
    assert "hunter22" not in repr(found.credential_flow())
    with pytest.raises(UsageError, match="DB_PASSWORD"):
        found.credential_flow("DB_PASSWROD")


def test_templates_and_settings_are_origins_too():
    vault = Vault()
    found = build(
        EnvFile(".env.example", True, (EnvLine("API_TOKEN", vault.value("API_TOKEN", "change-me"), at(1)),), at(1)),
        Setting("API_TOKEN", "S.api_token", "str", vault.value("API_TOKEN", "secret123"), "literal", False, "pydantic",
                at(5, "s.py")),
    )  # fmt: skip
    (flow,) = found.credential_flow()

    assert [(origin.kind, origin.placeholder, origin.weak) for origin in flow.origins] == [
        ("template", True, False),
        ("setting", False, True),
    ]


def test_what_is_isolated_reaches_nothing_and_is_reached_by_nothing(audited):
    found = audited({
        "compose.yaml": "services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i}\n  alone: {image: i}\n"
        "  published: {image: i, ports: ['80:80']}\nvolumes: {unused: }\nnetworks: {empty: }\n"
    })  # fmt: skip

    assert [node.id for node in found.isolated("service")] == ["service:alone"]
    assert {"volume:unused", "network:empty"} <= {node.id for node in found.isolated()}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.booleans()), max_size=20))
def test_the_answers_agree_with_plain_search(edges):
    services = [
        Service(
            "compose.yaml", str(n), "i", at(1), at(1),
            dependencies=tuple(
                Dependency(str(b), "service_healthy" if hard else "service_started", True, at(k + 1))
                for k, (a, b, hard) in enumerate(edges) if a == n
            ),
        )
        for n in range(8)
    ]  # fmt: skip
    found = build(*services)

    def reached(start, hard_only):
        return {n for n in range(8) if n != start and networkx.has_path(plain(hard_only), n, start)}

    def plain(hard_only):
        simple = networkx.DiGraph([(a, b) for a, b, hard in edges if hard or not hard_only])
        simple.add_nodes_from(range(8))
        return simple

    for n in range(8):
        broken = [item for item in found.what_breaks(f"service:{n}") if item.kind == "service"]
        assert {int(item.name) for item in broken if item.hard} == reached(n, True)
        assert {int(item.name) for item in broken} == reached(n, False)
    points = {int(point.name): point for point in found.single_points()}
    assert {n: len(point.hard) for n, point in points.items()} == {n: len(reached(n, True)) for n in points}
    assert set(points) == {n for n in range(8) if reached(n, False)}
    layer = {node: level for level, nodes in enumerate(found.start_order()) for node in nodes}
    circular = {frozenset(group) for group in networkx.strongly_connected_components(plain(False))}
    for a, b, _ in edges:
        together = any({a, b} <= group for group in circular)
        assert together or layer[f"service:{a}"] > layer[f"service:{b}"]
    assert bool(found.cycles()) == (not networkx.is_directed_acyclic_graph(plain(False)))


def test_three_thousand_services_in_a_chain_are_no_trouble():
    size = 3000
    found = build(*(service(f"s{n}", *([f"s{n - 1}"] if n else []), line=n + 1) for n in range(size)))

    assert len(found.start_order()) == size
    assert found.cycles() == []
    assert len(found.single_points(limit=1)[0].hard) == size - 1
    assert len(found.what_breaks("s0")) == size - 1


@pytest.mark.parametrize("name", ["dockprom", "full-stack-fastapi-template", "saleor-platform"])
def test_real_repositories_become_graphs(name):
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    found = graph.build(readers.read(Source(CORPUS / name)))

    assert sum(len(layer) for layer in found.start_order()) == len(found.of_kind("service"))
    assert found.cycles() == []
    if name == "dockprom":
        assert {edge.target for edge in found.edges_of("scrapes")} >= {
            "service:docker-compose.yml/cadvisor",
            "service:docker-compose.yml/nodeexporter",
        }
    if name == "saleor-platform":
        assert ("service:worker", "service:db") in {(edge.source, edge.target) for edge in found.undeclared()}


def test_the_example_answers_what_the_seed_says():
    found = graph.build(readers.read(Source(REPOSITORY / "data" / "propertypro")))

    assert {"api", "worker", "scheduler"} <= {item.name for item in found.what_breaks("redis") if item.hard}
    assert found.credential_flow("POSTGRES_PASSWORD")[0].opens == ("service:db",)
    assert {edge.source for edge in found.edges_to("frontend", "gated_by")} == set()
    assert {edge.target for edge in found.edges_from("frontend", "gated_by")} == {"profile:frontend"}
    assert found.nodes["scrape_job:postgres"]["unresolved"]
