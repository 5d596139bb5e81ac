"""Compose projects as records: places, masked values, overlays, problems and coverage."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditlib import compose as loader
from auditlib import confidence
from auditlib.inventory import Inventory
from auditlib.model import Read
from auditlib.readers import compose
from auditlib.source import Source

REPOSITORY = Path(__file__).parents[2]
CORPUS = REPOSITORY.parent / "shared" / "corpus"


@pytest.fixture
def read(tmp_path):
    def read(files):
        for name, text in files.items():
            path = tmp_path / "repository" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return inventory(tmp_path / "repository")

    return read


def inventory(root):
    source = Source(root)
    reading = compose.read(source)
    return Inventory.of(
        reading.records, name=source.name, root="", commit="", files=source.files, coverage=tuple(reading.coverage)
    )


def service(found, name, project=None):
    return next(item for item in found.services if item.name == name and project in (None, item.project))


def places(items):
    return [str(item.location) for item in items]


def status(found, file):
    return [(str(entry.status), entry.reason) for entry in found.coverage if entry.file == file]


WHOLE = """\
services:
  api:
    image: ghcr.io/acme/api:1.2
    build:
      context: ./backend
      target: runtime
      args: {VERSION: "3"}
    command: uvicorn app:app --redis redis://cache:6379
    profiles: [web]
    ports:
      - "127.0.0.1:8000:80"
      - "9000"
    volumes:
      - data:/data:ro
      - ./config:/etc/app
      - ../outside:/outside
      - /var/run/docker.sock:/sock
    tmpfs: /tmp
    depends_on:
      db:
        condition: service_healthy
        required: false
      cache:
        condition: service_started
    links: [mail]
    environment:
      DATABASE_URL: postgresql://app:${DB_PASSWORD:-hunter22!}@db:5432/app
      PLAIN: value
      FROM_HOST:
    networks:
      back: {aliases: [backend]}
    healthcheck:
      test: [CMD, curl, -f, http://localhost/health]
      interval: 10s
      retries: 3
    deploy:
      replicas: 2
      resources: {limits: {cpus: "0.5", memory: 256M}}
    logging: {driver: json-file, options: {max-size: 10m}}
    labels: {team: core}
    secrets: [token]
    restart: always
    user: "1000"
    stop_grace_period: 30s
  db: {image: "postgres:16", networks: [back]}
  cache: {image: redis:7, networks: [back]}
  mail: {image: mailpit, networks: [back]}
volumes:
  data:
  unused:
networks:
  back: {internal: true}
secrets:
  token: {file: ./token.txt}
"""


def test_a_service_with_everything(read):
    found = read({"compose.yaml": WHOLE})
    api = service(found, "api")

    assert api.image == "ghcr.io/acme/api:1.2"
    assert (str(api.location), str(api.image_location)) == ("compose.yaml:2", "compose.yaml:3")
    assert (api.build.context, api.build.dockerfile, api.build.target) == ("backend", "backend/Dockerfile", "runtime")
    assert [(name, value.text) for name, value in api.build.arguments] == [("VERSION", "3")]
    assert api.command[0] == "uvicorn"
    assert [end.host for end in api.command_endpoints] == ["cache"]
    assert api.profiles == ("web",)
    published = [(port.host_ip, port.host_port, port.target) for port in api.ports]
    assert published == [("127.0.0.1", "8000", "80"), ("", "", "9000")]
    assert places(api.ports) == ["compose.yaml:11", "compose.yaml:12"]
    assert [(mount.kind, mount.source, mount.target, mount.read_only, mount.outside) for mount in api.mounts] == [
        ("volume", "data", "/data", True, False),
        ("bind", "config", "/etc/app", False, False),
        ("bind", "../outside", "/outside", False, True),
        ("bind", "/var/run/docker.sock", "/sock", False, True),
        ("tmpfs", "", "/tmp", False, False),
    ]
    needed = {item.service: (item.condition, item.required, item.implicit) for item in api.dependencies}
    assert needed == {
        "db": ("service_healthy", False, False),
        "cache": ("service_started", True, False),
        "mail": ("service_started", True, True),
    }
    assert [(item.network, item.aliases) for item in api.networks] == [("back", ("backend",))]
    assert api.healthcheck.test == ("curl", "-f", "http://localhost/health")
    assert (api.healthcheck.interval, api.healthcheck.retries, api.healthcheck.shell) == ("10s", "3", False)
    assert (api.replicas, api.cpu_limit, api.memory_limit) == (2, "0.5", "268435456")
    assert (api.log_driver, api.log_options) == ("json-file", (("max-size", "10m"),))
    assert [(label.name, label.value) for label in api.labels] == [("team", "core")]
    assert (api.secrets, api.restart, api.user, api.stop_grace_period) == (("token",), "always", "1000", "30s")


def test_resources_that_nothing_uses_are_there_too(read):
    found = read({"compose.yaml": WHOLE})

    assert [volume.name for volume in found.volumes] == ["data", "unused"]
    assert places(found.volumes) == ["compose.yaml:49", "compose.yaml:50"]
    assert {network.name: network.internal for network in found.networks}["back"]
    assert [(item.kind, item.name, item.source) for item in found.file_objects] == [("secret", "token", "token.txt")]


def test_an_environment_value_has_its_place_its_variables_and_its_hosts(read):
    api = service(read({"compose.yaml": WHOLE}), "api")
    entries = {entry.name: entry for entry in api.environment}

    url = entries["DATABASE_URL"]
    assert (str(url.location), url.variables, url.origin) == ("compose.yaml:27", ("DB_PASSWORD",), "environment")
    assert [(end.scheme, end.host, end.port) for end in url.endpoints] == [("postgresql", "db", "5432")]
    assert url.value.secret
    assert "hunter22" not in url.value.text
    assert entries["PLAIN"].value.text == "value"
    assert entries["FROM_HOST"].value is None


def test_a_variable_points_at_its_dollar_sign(read):
    (variable,) = read({"compose.yaml": WHOLE}).variables

    assert (variable.name, variable.operator, variable.source) == ("DB_PASSWORD", ":-", "default")
    assert (variable.service, variable.target) == ("api", "services.api.environment.DATABASE_URL")
    assert (variable.location.line, variable.location.column) == (27, 38)
    assert variable.default.secret


def test_an_entry_of_a_list_is_named_by_its_variable(read):
    text = "services:\n  a:\n    image: b\n    environment:\n      - X=1\n      - TOKEN=${A_TOKEN:?set it}\n"
    (variable,) = read({"compose.yaml": text}).variables

    assert (variable.target, variable.operator, variable.source) == ("services.a.environment.TOKEN", ":?", "unset")


def test_the_message_about_a_missing_credential_is_none(tmp_path):
    line = "DB_PASSWORD: ${DB_PASSWORD:?Variable not set}"
    (tmp_path / "compose.yaml").write_text(
        f"services:\n  a:\n    image: b\n    environment:\n      {line}\n", encoding="utf-8"
    )
    source = Source(tmp_path)
    compose.read(source)

    assert source.masked_lines("compose.yaml")[4].strip() == line


def test_options_that_take_a_credential_are_none(tmp_path):
    line = "command: redis-server ${REDIS_PASSWORD:+--requirepass ${REDIS_PASSWORD}} ${B_PASSWORD:+%s}"
    (tmp_path / "compose.yaml").write_text(
        f"services:\n  a:\n    image: redis:7\n    {line % 's3cret-x1'}\n", encoding="utf-8"
    )
    source = Source(tmp_path)
    compose.read(source)

    shown = source.masked_lines("compose.yaml")[3].strip()
    assert shown.startswith((line % "").removesuffix("}"))
    assert "s3cret-x1" not in shown


def test_an_anchor_carries_a_variable_into_every_service_that_uses_it(read):
    found = read({
        "compose.yaml": "x-env: &env\n  KEY: ${KEY:-k}\nservices:\n"
        "  a: {image: i, environment: {<<: *env}}\n  b: {image: i, environment: {<<: *env}}\n"
    })  # fmt: skip

    assert [(item.service, str(item.location)) for item in found.variables] == [
        ("a", "compose.yaml:2"),
        ("b", "compose.yaml:2"),
    ]


def test_a_required_variable_that_nobody_sets_stands_for_itself(read):
    found = read({
        "compose.yaml": "services:\n  a:\n    image: b:${TAG:?}\n    ports: ['${PORT:?}:80']\n"
        "    environment:\n      URL: redis://:${PW:?set it}@cache:6379\n"
    })  # fmt: skip
    (entry,) = service(found, "a").environment

    assert entry.value.text == "redis://:${PW}@cache:6379"
    assert entry.endpoints[0].host == "cache"
    assert found.problems == ()
    assert status(found, "compose.yaml") == [("parsed", "")]


def test_a_mount_of_what_no_file_names_costs_no_other_mount(read):
    found = read({
        "compose.yaml": "services:\n  a:\n    image: b:1\n    volumes:\n      - data:/data\n"
        "      - ${MEDIA}:/media:ro\n      - $PHOTOS:/photos\n      - ${MEDIA}/old:/old\nvolumes: {data: {}}\n"
    })  # fmt: skip
    mounts = service(found, "a").mounts

    assert [(item.kind, item.source, item.target) for item in mounts] == [
        ("volume", "data", "/data"), ("bind", "${MEDIA}", "/media"), ("bind", "${PHOTOS}", "/photos"),
        ("bind", "${MEDIA}/old", "/old"),
    ]  # fmt: skip
    assert all(item.outside for item in mounts[1:])
    assert [(item.kind, item.variable) for item in found.problems] == [
        ("warning", "MEDIA"), ("warning", "PHOTOS"), ("warning", "MEDIA"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    environment:\n      RAILS_ENV: development\n", True),
        ("    environment: \n      - NODE_ENV=development\n", True),
        ("    environment:\n      ASPNETCORE_ENVIRONMENT: Development\n", True),
        ("    build: ./vendor/laravel/sail/runtimes/8.3\n", True),
        ("    environment:\n      NODE_ENV: ${NODE_ENV:-development}\n", False),
        ("    environment:\n      NODE_ENV: production\n", False),
    ],
)
def test_a_project_whose_services_run_in_development_is_for_that(read, text, expected):
    found = read({"docker-compose.yml": f"services:\n  a:\n    image: b:1\n{text}"})

    assert found.projects[0].for_development is expected


def test_env_files_give_values_with_their_lines(read):
    found = read({
        "app/compose.yaml": "services:\n  a:\n    image: b\n    env_file:\n      - path: app.env\n"
        "      - {path: missing.env, required: false}\n",
        "app/app.env": "# comment\nMODE=fast\n",
    })  # fmt: skip
    (entry,) = service(found, "a").environment

    assert (entry.origin, str(entry.location)) == ("app/app.env", "app/app.env:2")
    references = [(item.path, item.required, item.location.line) for item in service(found, "a").env_files]
    assert references == [("app/app.env", True, 5), ("app/missing.env", False, 6)]


def test_the_env_file_beside_a_project_gives_values_to_its_variables(read):
    found = read({"compose.yaml": "services: {a: {image: 'b:${TAG}'}}\n", ".env": "TAG=7\n"})

    assert service(found, "a").image == "b:7"
    assert found.projects[0].env_file == ".env"
    assert found.variables[0].source == ".env"


def test_an_ignored_env_file_is_left_out_of_the_audit(read):
    found = read({
        ".gitignore": ".env\nsecret.env\n",
        ".env": "TAG=7\n",
        "secret.env": "ONLY=here\n",
        "compose.yaml": "services: {a: {image: 'b:${TAG:-1}', env_file: [{path: secret.env}]}}\n",
    })  # fmt: skip

    assert service(found, "a").image == "b:1"
    assert service(found, "a").environment == ()


def test_the_environment_of_the_auditor_is_not_seen(read, monkeypatch):
    monkeypatch.setenv("FROM_THE_AUDITOR", "leaked")
    found = read(
        {"compose.yaml": "services: {a: {image: 'b:${FROM_THE_AUDITOR:-own}', environment: [FROM_THE_AUDITOR]}}\n"}
    )

    assert service(found, "a").image == "b:own"
    assert "leaked" not in repr(found)


def test_no_path_of_the_machine_is_in_a_record(read, tmp_path):
    found = read({
        "compose.yaml": "services:\n  a:\n    image: b\n    build: {context: sub}\n"
        "    volumes: ['./x:/x', '${PWD}/y:/y', '../z:/z']\n"
        "    environment: {WHERE: '${PWD}/w'}\n    env_file: [../out.env]\nsecrets: {s: {file: ./s.txt}}\n"
    })  # fmt: skip

    assert [mount.source for mount in service(found, "a").mounts] == ["x", "y", "../z"]
    assert str(tmp_path) not in repr(found)


# -- projects and overlays --------------------------------------------------------------------------------------------


UNREADABLE = "is binary; it was not read as text"


@pytest.mark.parametrize(
    ("binary", "services", "coverage"),
    [
        ("compose.override.yaml", ["a"], {"compose.yaml": "", "compose.override.yaml": UNREADABLE}),
        ("compose.yaml", [], {"compose.yaml": UNREADABLE}),
        ("compose.prod.yaml", ["a"], {"compose.yaml": "", "compose.prod.yaml": UNREADABLE}),
    ],
)
def test_a_file_that_cannot_be_read_costs_no_other(binary, services, coverage, read):
    found = read({"compose.yaml": "services:\n  a: {image: one}\n", binary: "\0"})
    assert [item.name for item in found.services] == services
    assert {entry.file: entry.reason for entry in found.coverage} == coverage


def test_an_overlay_of_an_unreadable_base_is_not_blamed_for_it(read):
    found = read({"compose.yaml": "\0", "compose.prod.yaml": "services:\n  a: {ports: ['80:80']}\n"})
    expected = {"compose.yaml": UNREADABLE, "compose.prod.yaml": "can't be read without compose.yaml"}
    assert {entry.file: entry.reason for entry in found.coverage} == expected


@pytest.mark.parametrize("build", ["../../outside", "{context: ., dockerfile: ../../x/Dockerfile}"])
def test_a_build_from_outside_of_the_repository_is_said(build, read):
    found = read({"compose.yaml": f"services:\n  a:\n    build: {build}\n"})
    assert "A path leads out of the repository: compose.yaml:3." in confidence.assess(found, found.coverage).reasons


def test_a_base_and_its_override_are_one_project(read):
    found = read({
        "compose.yaml": "services:\n  a: {image: one, restart: always}\n",
        "compose.override.yaml": "services:\n  a: {image: two}\n",
    })  # fmt: skip

    assert [(item.name, item.files, item.role) for item in found.projects] == [
        ("compose.yaml", ("compose.yaml", "compose.override.yaml"), "base")
    ]
    (only,) = found.services
    assert (only.image, only.restart) == ("two", "always")
    assert str(only.image_location) == "compose.override.yaml:2"


def test_an_overlay_holds_only_what_it_adds_or_changes(read):
    found = read({
        "compose.yaml": "services:\n  same: {image: a}\n  changed: {image: b:1}\nvolumes: {data: }\n",
        "compose.prod.yaml": "services:\n  changed:\n    image: b:2\n  added: {image: c, depends_on: [same]}\n"
        "volumes: {more: }\n",
    })  # fmt: skip

    overlay = next(item for item in found.projects if item.role == "overlay")
    assert (overlay.name, overlay.base, overlay.files) == ("compose.prod.yaml", "compose.yaml", ("compose.prod.yaml",))
    assert [item.key for item in found.services] == [
        "compose.yaml/same", "compose.yaml/changed", "compose.prod.yaml/changed", "compose.prod.yaml/added",
    ]  # fmt: skip
    changed = service(found, "changed", "compose.prod.yaml")
    assert (changed.image, str(changed.image_location)) == ("b:2", "compose.prod.yaml:3")
    assert (str(changed.location), str(changed.changed_at)) == ("compose.yaml:3", "compose.prod.yaml:2")
    assert [item.name for item in found.distinct_services] == ["same", "changed", "added"]
    volumes = [(item.project, item.name) for item in found.volumes]
    assert volumes == [("compose.yaml", "data"), ("compose.prod.yaml", "more")]
    assert set(found.services_of("compose.prod.yaml")) == {"same", "changed", "added"}


def test_an_overlay_is_laid_over_the_base_without_its_override(read):
    found = read({
        "compose.yaml": "services:\n  a: {image: one}\n",
        "compose.override.yaml": "services:\n  a: {ports: ['80:80']}\n  b: {image: two}\n",
        "compose.prod.yaml": "services:\n  c: {image: three, depends_on: [a]}\n",
    })  # fmt: skip

    assert [item.name for item in found.services if item.project == "compose.prod.yaml"] == ["c"]


def test_an_overlay_that_needs_what_no_base_has_is_one_problem(read):
    found = read({
        "compose.yaml": "services:\n  a: {image: one}\n",
        "compose.prod.yaml": "services:\n  a: {restart: always}\n  b:\n    image: two\n    depends_on: [nobody]\n",
    })  # fmt: skip

    (problem,) = found.problems
    assert (problem.project, problem.kind) == ("compose.prod.yaml", "error")
    assert str(problem.location) == "compose.prod.yaml:5"
    assert "services.b.depends_on" in problem.message
    assert [state for state, _ in status(found, "compose.prod.yaml")] == ["partial"]
    assert status(found, "compose.yaml") == [("parsed", "")]
    assert service(found, "b").image == "two"


def test_projects_have_names_of_their_own(read):
    text = "services:\n  db: {image: postgres}\n"
    found = read(dict.fromkeys(("compose.yaml", "a/compose.yaml", "b/compose.yaml", "b/x/compose.yaml"), text))

    assert sorted(item.name for item in found.projects) == ["a", "b", "b/x", "compose.yaml"]
    assert len({item.key for item in found.services}) == 4


def test_a_base_that_compose_passes_over_is_said(read):
    text = "services:\n  a: {image: b}\n"
    found = read({"compose.yaml": text, "docker-compose.yml": text})

    ((state, reason),) = status(found, "docker-compose.yml")
    assert state == "skipped"
    assert "passes over" in reason


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "failed"),
        ("- a\n- b\n", "failed"),
        ("services:\n  a: [\n", "failed"),
        ("services: hello\n", "failed"),
        ("services:\n  a: {image: b, ports: {x: 1}}\n", "partial"),
        ("services:\n  a: {image: b, depends_on: [nobody]}\n", "partial"),
        ("services:\n  a: {image: b}\n  c: {}\n", "partial"),
        ("services:\n  a: {image: b}\n", "parsed"),
    ],
)
def test_every_error_is_a_problem_and_a_coverage_entry(read, text, expected):
    found = read({"compose.yaml": text, "other/compose.yaml": "services:\n  z: {image: y}\n"})

    entries = status(found, "compose.yaml")
    assert {state for state, _ in entries} == {expected}
    if expected != "parsed":
        assert all(reason for _, reason in entries)
    assert service(found, "z").image == "y"
    assert status(found, "other/compose.yaml") == [("parsed", "")]


def test_a_warning_is_a_problem_and_no_less_coverage(read):
    found = read({"compose.yaml": "version: '3'\nservices:\n  a: {image: b, environment: {K: '${UNSET}'}}\n"})

    assert sorted((item.kind, item.code, item.variable) for item in found.problems) == [
        ("warning", "obsolete", ""),
        ("warning", "unset", "UNSET"),
    ]
    assert status(found, "compose.yaml") == [("parsed", "")]


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("../other/compose.yaml", "../other/compose.yaml"),
        ("{path: a.yaml, project_directory: ../other}", "../other"),
        ("{path: a.yaml, env_file: ../other/own.env}", "../other/own.env"),
    ],
)
def test_an_include_that_leads_out_is_named_as_the_file_has_it(read, entry, named):
    found = read(
        {"compose.yaml": f"services: {{b: {{image: c}}}}\ninclude:\n  - {entry}\n", "a.yaml": "services: {}\n"}
    )

    (problem,) = found.problems
    assert problem.message.startswith(f"{named} leads out of the repository")
    assert str(problem.location) == "compose.yaml:3"


def test_nothing_outside_the_root_is_opened(read, tmp_path):
    (tmp_path / "outside.yaml").write_text("services:\n  stolen: {image: canary-from-outside}\n")
    (tmp_path / "outside.env").write_text("STOLEN=canary-from-outside\n")
    found = read({
        "compose.yaml": "include: [../outside.yaml]\nservices:\n  a:\n    image: b\n    env_file: [../outside.env]\n"
        "    extends: {file: ../outside.yaml, service: stolen}\n"
    })  # fmt: skip

    assert "canary-from-outside" not in repr(found)
    assert any(item.kind == "error" for item in found.problems)
    assert Read.PARSED not in {entry.status for entry in found.coverage}


def test_a_link_out_of_the_root_is_not_followed(read, tmp_path):
    (tmp_path / "outside.env").write_text("STOLEN=canary-from-outside\n")
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "in.env").symlink_to(tmp_path / "outside.env")
    found = read({"compose.yaml": "services:\n  a: {image: b, env_file: [in.env]}\n"})

    assert "canary-from-outside" not in repr(found)


@pytest.mark.parametrize("broken", ["load", "discover"])
def test_a_defect_of_the_loader_costs_the_file_only(read, monkeypatch, broken):
    def crash(*_, **__):
        raise RecursionError("deep")

    monkeypatch.setattr(loader, broken, crash)
    found = read({"compose.yaml": "services:\n  a: {image: b}\n"})

    assert found.services == ()
    assert [entry.status for entry in found.coverage] == [Read.FAILED]
    assert "RecursionError" in found.coverage[0].reason


def test_no_secret_is_in_any_record(read):
    canary = "c4n4ry-S3cret"
    found = read({
        "compose.yaml": f"""\
services:
  redis:
    image: redis
    command: redis-server --requirepass {canary}1
    healthcheck: {{test: [CMD, redis-cli, -a, {canary}1, ping]}}
  api:
    image: api
    build: {{context: ., args: {{API_TOKEN: {canary}2}}}}
    command: [run, --password, {canary}3]
    env_file: [api.env]
    labels: {{auth.token: {canary}5}}
    environment:
      DB_PASSWORD: ${{DB_PASSWORD:-{canary}6}}
      URL: https://user:{canary}7@host/x
""",
        "api.env": f"SECRET_KEY={canary}4\n",
    })  # fmt: skip

    assert "c4n4ry" not in repr(found.services)
    assert "c4n4ry" not in repr(found.variables)
    assert "c4n4ry" not in repr(found.problems)
    assert "c4n4ry" not in repr(found.coverage)


names = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from([
    "image", "build", "ports", "volumes", "depends_on", "environment", "env_file", "healthcheck", "deploy", "networks",
    "profiles", "logging", "labels", "command", "secrets", "extends", "links", "tmpfs", "scale", "x-y",
])  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, st.dictionaries(keys, values, max_size=4) | values, max_size=3))
def test_whatever_stands_in_a_compose_file_the_reader_answers(tmp_path, services):
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": services}), encoding="utf-8")
    found = inventory(tmp_path)

    assert found.coverage
    assert not any("loader failed" in entry.reason for entry in found.coverage)


@pytest.mark.parametrize("name", ["dockprom", "full-stack-fastapi-template", "saleor-platform"])
def test_real_repositories_are_read(name):
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    found = inventory(CORPUS / name)

    assert found.services
    assert {entry.status for entry in found.coverage} <= {Read.PARSED, Read.PARTIAL}
    for item in found.services:
        lines = (CORPUS / name / item.location.file).read_text(encoding="utf-8").splitlines()
        assert lines[item.location.line - 1].strip().startswith(f"{item.name}:")


def test_the_example_has_the_services_of_the_seed():
    found = inventory(REPOSITORY / "data" / "propertypro")

    assert [item.name for item in found.services] == [
        "db", "redis", "chroma", "api", "worker", "scheduler", "frontend", "nginx", "e2e",
    ]  # fmt: skip
    assert {item.name for item in found.volumes} == {
        "postgres_data", "redis_data", "chroma_data", "backend_logs", "backend_uploads",
    }  # fmt: skip
    assert service(found, "worker").dependencies[-1].condition in ("service_healthy", "service_started")
