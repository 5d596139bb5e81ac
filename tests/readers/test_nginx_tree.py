"""The tree of a configuration of nginx: what stands in which block, and that no secret is kept."""

from auditlib.conventions import nginx_sites
from auditlib.inventory import Inventory
from auditlib.readers import nginx
from auditlib.source import Source

TEXT = """server {
  listen 443 ssl;
  proxy_set_header Host $host;
  location /a/ {
    # deny all;
    proxy_set_header Authorization "Basic dXNlcjpzZWNyZXQ=";
    proxy_pass http://api:8000;
  }
  location /b/ { proxy_pass http://api:8000; }
}
"""


def read(root, text):
    (root / "nginx.conf").write_text(text, encoding="utf-8")
    found = nginx.read(Source(root)).records
    inventory = Inventory.of(found, name="x", root=str(root), commit="")
    return inventory, inventory.reverse_proxies[0]


def test_statements_hold_where_nginx_has_them_hold(tmp_path):
    inventory, config = read(tmp_path, TEXT)
    (server,) = nginx_sites.servers(inventory, config)
    first, second = nginx_sites.locations(server)
    assert nginx_sites.speaks_tls(server)
    assert nginx_sites.ports(server) == ["443"]
    assert [item.words[1] for item in nginx_sites.holding(first, "proxy_set_header")] == ["Authorization"]
    assert [item.words[1] for item in nginx_sites.holding(second, "proxy_set_header")] == ["Host"]
    assert nginx_sites.path(second) == "/b/"


def test_values_of_headers_are_left_out(tmp_path):
    _, config = read(tmp_path, TEXT)
    assert "dXNlcjpzZWNyZXQ" not in str(config.tree)


def test_a_guard_in_a_comment_belongs_to_its_block(tmp_path):
    inventory, config = read(tmp_path, TEXT)
    first = next(nginx_sites.locations(nginx_sites.servers(inventory, config)[0]))
    (comment,) = (item for item in first[0].directives if item.words[0] == "#")
    assert (comment.words, comment.location.line) == (("#", "deny", "all"), 5)


def test_blocks_that_nothing_closes_end_with_the_file(tmp_path):
    _, config = read(tmp_path, "server {\n  listen 80;\n  location / { proxy_pass http://api:1;\n")
    assert [block.words for block in nginx_sites.blocks(config.tree)] == [(), ("server",), ("location", "/")]
