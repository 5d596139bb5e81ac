"""What files for Traefik set, static or dynamic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.readers import traefik_files
from auditlib.source import Source

CASES = {
    "static YAML": (
        "traefik.yml",
        "entryPoints:\n  web:\n    address: ':80'\ncertificatesResolvers:\n  le:\n    acme:\n      email: a@b.org\n"
        "      storage: /acme.json\n",
        {("entrypoints.web.address", ":80", 3), ("certificatesresolvers.le.acme.storage", "/acme.json", 8),
         ("certificatesresolvers.le.acme.email", "", 7)},
    ),
    "dynamic YAML": (
        "dynamic.yaml",
        "http:\n  routers:\n    api:\n      rule: Host(`a`)\n      middlewares: [login, limit]\n  middlewares:\n"
        "    login:\n      basicAuth:\n        users: ['admin:$2y$05$x']\n",
        {("http.routers.api.middlewares", "login,limit", 5), ("http.middlewares.login.basicauth", "", 8),
         ("http.middlewares.login.basicauth.users", "", 9)},
    ),
    "TOML": (
        "dynamic.toml",
        '[http.routers.api]\n  rule = "Host(`a`)"\n  middlewares = ["login"]\n[tls.options.default]\n'
        '  minVersion = "VersionTLS12"\n',
        {("http.routers.api.middlewares", "login", 3), ("tls.options.default.minversion", "VersionTLS12", 5)},
    ),
    "a manifest": ("k8s.yaml", "kind: Ingress\nhttp:\n  routers:\n    a: {rule: b}\n", set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_settings(name, tmp_path):
    file, text, expected = CASES[name]
    (tmp_path / file).write_text(text, encoding="utf-8")
    found = {(item.name, item.value, item.location.line) for item in traefik_files.read(Source(tmp_path)).records}
    assert expected <= found
    assert bool(expected) == bool(found)


@settings(max_examples=25)
@given(st.text(alphabet="abhtp:[]{}=. \n\t\"'#*&-", max_size=200), st.sampled_from(["x.yml", "x.toml"]))
def test_arbitrary_text_does_no_harm(tmp_path_factory, text, name):
    root = tmp_path_factory.mktemp("traefik")
    (root / name).write_text(f"http:\n  routers:\n{text}[http.a]\n", encoding="utf-8")
    traefik_files.read(Source(root))
