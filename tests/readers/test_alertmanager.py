"""Alertmanager: the routing tree, the receivers, what is masked and what is a placeholder."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.inventory.alerting import Receiver, Route
from auditlib.model import Read
from auditlib.readers import alertmanager
from auditlib.source import Source

ROOT = Path(__file__).parents[2]
DOCKPROM = ROOT.parent / "shared/corpus/dockprom"


def reading(tmp_path, text, name="alertmanager.yml"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return alertmanager.read(Source(tmp_path))


def integrations(found):
    return [item for record in found.records if isinstance(record, Receiver) for item in record.integrations]


TREE = """\
route:
  receiver: default
  routes:
    - match: {severity: critical}
      match_re: {team: "a|b"}
      continue: true
      routes:
        - matchers: [ 'env="prod"', job=~"x.*" ]
          receiver: pager
    - matchers: '{severity="warning", team!~"c"}'
      receiver: mail
receivers:
  - name: default
"""


def test_the_routing_tree_is_read_depth_first_with_inherited_receivers(tmp_path):
    routes = [record for record in reading(tmp_path, TREE).records if isinstance(record, Route)]
    shown = [
        (route.depth, route.receiver, [f"{m.name}{m.operator}{m.value}" for m in route.matchers], route.location.line)
        for route in routes
    ]
    assert shown == [
        (0, "default", [], 2),
        (1, "default", ["severity=critical", "team=~a|b"], 4),
        (2, "pager", ["env=prod", "job=~x.*"], 8),
        (1, "mail", ["severity=warning", "team!~c"], 10),
    ]
    assert [route.continues for route in routes] == [False, True, False, False]


RECEIVERS = {
    "slack": ('slack_configs: [{api_url: "https://hooks.slack.com/services/T/B/abc123def"}]', "hooks.slack.com", False),
    "a file": ('slack_configs: [{api_url_file: "/run/secrets/slack"}]', "", False),
    "webhook": ('webhook_configs: [{url: "http://bot:8080/x"}]', "bot", False),
    "loopback": ('webhook_configs: [{url: "http://127.0.0.1:5001/"}]', "127.0.0.1", False),
    "pagerduty": ("pagerduty_configs: [{routing_key: 0123456789abcdef}]", "", False),
    "email": ("email_configs: [{to: ops@acme.org, smarthost: 'mail.acme.org:587'}]", "mail.acme.org", False),
    "exchange is no change": ("email_configs: [{to: ops@exchange.acme.org}]", "", False),
    "example.com": ("email_configs: [{to: team@example.com}]", "", True),
    "YOUR": ('slack_configs: [{api_url: "https://hooks.slack.com/services/YOUR/WEBHOOK"}]', "hooks.slack.com", True),
    "angle brackets": ('slack_configs: [{api_url: "https://hooks.slack.com/services/<id>"}]', "hooks.slack.com", True),
    "xxx": ("telegram_configs: [{bot_token: xxxxxxxx, chat_id: 1}]", "", True),
    "changeme": ("opsgenie_configs: [{api_key: changeme}]", "", True),
    "empty": ("discord_configs: [{webhook_url: ''}]", "", True),
}


@pytest.mark.parametrize("name", RECEIVERS)
def test_where_a_receiver_leads(name, tmp_path):
    text, host, placeholder = RECEIVERS[name]
    (item,) = integrations(reading(tmp_path, f"route: {{receiver: a}}\nreceivers:\n  - name: a\n    {text}\n"))
    assert (item.host, item.placeholder, item.location.line) == (host, placeholder, 4)
    assert not any(secret in item.endpoint for secret in ("abc123def", "0123456789abcdef", "xxxxxxxx"))


def test_global_settings_stand_in_for_what_a_receiver_lacks(tmp_path):
    text = """\
global: {slack_api_url: "https://hooks.slack.com/services/T/B/q1w2e3r4t5", smtp_smarthost: "smtp.acme.org:25"}
route: {receiver: a}
receivers:
  - name: a
    slack_configs: [{channel: "#a"}]
    email_configs: [{to: a@acme.org}]
    discord_configs: [{title: x}]
"""
    slack, email, discord = integrations(reading(tmp_path, text))
    assert (slack.host, slack.endpoint_location.line) == ("hooks.slack.com", 1)
    assert "q1w2e3r4t5" not in slack.endpoint
    assert (email.host, email.endpoint) == ("smtp.acme.org", "a@acme.org")
    assert (discord.endpoint, discord.endpoint_location) == ("", None)


BAD = {
    "route: [1]\nreceivers: {a: 1}\n": Read.PARTIAL,
    "route: {receiver: a, routes: {a: 1}}\nreceivers: [1]\n": Read.PARTIAL,
    "route: {receiver: a, matchers: ['nonsense']}\nreceivers: []\n": Read.PARTIAL,
    "route: {receiver: a}\nreceivers: [{name: a, unheard_configs: [{url: x}]}]\n": Read.PARTIAL,
    "route: [\nreceivers: x": Read.FAILED,
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_understood_is_an_entry(text, tmp_path):
    assert {entry.status for entry in reading(tmp_path, text).coverage} == {BAD[text]}


def test_a_collector_is_no_alertmanager(tmp_path):
    assert not reading(tmp_path, "receivers: {otlp: {}}\nexporters: {x: {}}\n").coverage


def test_a_bomb_of_routes_is_bounded(tmp_path):
    lines = ["r0: &r0 {receiver: a}"]
    lines += [f"r{n}: &r{n} {{routes: [{', '.join([f'*r{n - 1}'] * 9)}]}}" for n in range(1, 20)]
    found = reading(tmp_path, "\n".join([*lines, "route: *r19", "receivers: [{name: a}]"]))
    assert sum(isinstance(item, Route) for item in found.records) <= alertmanager.ROUTE_LIMIT
    assert "more than" in found.coverage[0].reason


@pytest.mark.skipif(not DOCKPROM.exists(), reason="the corpus is not here")
def test_dockprom():
    (item,) = integrations(alertmanager.read(Source(DOCKPROM)))
    assert (item.kind, item.placeholder, item.location.line) == ("slack", True, 7)


def test_the_example():
    found = alertmanager.read(Source(ROOT / "data/propertypro"))
    kinds = [(item.kind, item.placeholder, item.host) for item in integrations(found)]
    assert kinds == [
        ("webhook", False, "127.0.0.1"), ("slack", True, "hooks.slack.com"), ("email", True, "smtp.example.com"),
    ]  # fmt: skip


@settings(max_examples=80)
@given(text=st.text(st.sampled_from("ab:- \n[]{}\"'*&?|>#1=~!"), max_size=60))
def test_any_text_gives_records_or_entries(text, tmp_path_factory):
    reading(tmp_path_factory.mktemp("any"), f"route:{text}\nreceivers: [{{name: a, slack_configs: {text}}}]\n")
    reading(tmp_path_factory.mktemp("any"), f"route: {{matchers: {text!r}}}\nreceivers: []\n")
