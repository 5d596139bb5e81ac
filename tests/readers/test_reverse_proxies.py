"""Reverse proxies: what they listen on, and whom they pass requests to."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.model import Read
from auditlib.readers import nginx, reverse_proxies
from auditlib.source import Source

ROOT = Path(__file__).parents[2]
DOCKPROM = ROOT.parent / "shared/corpus/dockprom"

CASES = {
    "nginx": (
        "nginx/default.conf",
        "upstream app {\n  server api:8000 weight=2; # server old:1;\n  server unix:/run/x.sock;\n}\nserver {\n"
        "  listen 80 default_server;\n  listen [::]:443 ssl;\n  location /a/ { proxy_pass http://app; }\n"
        "  location = /b { proxy_pass https://web:8443/x; }\n  location ~ \\.php$ { fastcgi_pass php:9000; }\n}\n",
        ("80", "443"),
        [("api", "8000", "", "app", 2), ("", "", "", "app", 3), ("web", "8443", "= /b", "", 9),
         ("php", "9000", "~ \\.php$", "", 10)],
    ),
    "nginx with variables": (
        "nginx.conf.template",
        "server {\n  listen ${PORT};\n  set $up http://api:8000;\n  location / { proxy_pass $up; }\n"
        "  location /x { proxy_pass http://${HOST}:${X_PORT}; }\n  location /y { proxy_pass http://$host; }\n}\n",
        (),
        [("api", "8000", "/", "", 4), ("", "", "/x", "", 5), ("", "", "/y", "", 6)],
    ),
    "nginx with quotes": (
        "x.conf",
        "server {\n  add_header X \"a; b } \\\" c\";\n  location / { proxy_pass 'http://api:1'; }\n}\n",
        ("80",),
        [("api", "1", "/", "", 3)],
    ),
    "Caddy": (
        "Caddyfile",
        ":8080, example.com:8443 {\n  reverse_proxy /api/* api:8000 api2:8000\n"
        "  reverse_proxy {\n    to web:3000\n  }\n  reverse_proxy {$UPSTREAM}\n}\n",
        ("8080", "8443"),
        [("api", "8000", "/api/*", "", 2), ("api2", "8000", "/api/*", "", 2), ("web", "3000", "", "", 4)],
    ),
    "Traefik": (
        "dynamic.yml",
        "http:\n  services:\n    api:\n      loadBalancer:\n        servers:\n          - url: http://api:8000\n",
        (),
        [("api", "8000", "", "api", 6)],
    ),
    "Traefik in TOML": (
        "dynamic.toml",
        '[http.services.api.loadBalancer]\n[[http.services.api.loadBalancer.servers]]\n  url = "http://api:8000"\n',
        (),
        [("api", "8000", "", "", 3)],
    ),
    "HAProxy": (
        "haproxy.cfg",
        "frontend f\n  bind *:80\n  default_backend b\nbackend b\n  server s1 api:8000 check\n",
        ("80",),
        [("api", "8000", "", "b", 5)],
    ),
}  # fmt: skip


def read(root):
    source = Source(root)
    found, other = nginx.read(source), reverse_proxies.read(source)
    return found.records + other.records, found.coverage + other.coverage


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_upstreams(name, tmp_path):
    file, text, listens, upstreams = CASES[name]
    write(tmp_path, file, text)
    (record,), (entry,) = read(tmp_path)
    assert entry.status is Read.PARSED
    assert record.listens == listens
    found = [(item.host, item.port, item.path, item.group, item.location.line) for item in record.upstreams]
    assert found == upstreams


OTHERS = {
    "supervisord.conf": "[program:x]\ncommand=server {\n",
    "svc.yml": "spec: {type: x}\nstatus: {loadBalancer: {}}\n",
}


@pytest.mark.parametrize(("name", "text"), OTHERS.items(), ids=OTHERS)
def test_other_files_have_these_words_too(name, text, tmp_path):
    write(tmp_path, name, text)
    assert read(tmp_path) == ([], [])


@pytest.mark.parametrize(("text", "status"), [("server {\n", Read.PARTIAL), ("server " + "{" * 5_000, Read.FAILED)])
def test_what_is_broken_is_an_entry(text, status, tmp_path):
    write(tmp_path, "nginx.conf", text)
    assert [entry.status for entry in read(tmp_path)[1]] == [status]


@pytest.mark.skipif(not DOCKPROM.exists(), reason="the corpus is not here")
def test_dockprom():
    (record,), _ = read(DOCKPROM)
    hosts = [item.host for item in record.upstreams]
    assert hosts == ["grafana", "cadvisor", "prometheus", "alertmanager", "pushgateway"]


def test_the_example():
    records, _ = read(ROOT / "data/propertypro")
    assert {(item.host, item.port) for record in records for item in record.upstreams} >= {("api", "8000")}


@settings(max_examples=80)
@given(text=st.text(st.sampled_from("ab:/- \n[]{}\"'$;#=1"), max_size=60))
def test_any_text_gives_records_or_entries(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    write(root, "nginx.conf", f"server {{ location / {{ proxy_pass http:{text}; }} }}\n")
    write(root, "Caddyfile", f"{text} {{\n  reverse_proxy {text}\n}}\n")
    write(root, "haproxy.cfg", f"backend b\n  server x {text}\n")
    write(root, "t.toml", f'[http.x.loadBalancer]\nurl = "{text}"\n')
    read(root)
