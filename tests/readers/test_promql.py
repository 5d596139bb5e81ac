"""PromQL taken apart, the variables of Grafana included."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.readers import promql

QUERIES = {
    "up == 0": (["up"], []),
    'up{job="api"} == 0': (["up"], ['job="api"']),
    'rate(http_requests_total{job="api",code=~"5.."}[5m])': (["http_requests_total"], ['job="api"', 'code=~"5.."']),
    'a{x!="1"} / on(y) group_left b{x!~"2"}': (["a", "b"], ['x!="1"', 'x!~"2"']),
    'a{x="1" or y="2"}': (["a"], ['x="1"', 'y="2"']),
    '{__name__="a"}': (["a"], []),
    '{__name__=~"a.*"}': ([], ['__name__=~"a.*"']),
    "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m:1m])))": (["x_bucket"], []),
    "absent(up) or vector(1)": (["up"], []),
    "a + a": (["a"], []),
    'rate(x_total{job="$job"}[$__rate_interval])': (["x_total"], ['job="$job"']),
    'x{i=~"${i:regex}"}': (["x"], ['i=~"${i:regex}"']),
    'x{i="[[i]]"}': (["x"], ['i="[[i]]"']),
    "rate(x[[[interval]]])": (["x"], []),
    "increase(x[${__range_s}s])": (["x"], []),
    "topk($limit, x)": (["x"], []),
    "sum(x) by ($group)": (["x"], []),
    "$agg(x)": (["x"], []),
    "x > $threshold": (["x"], []),
    "x / $__interval_ms": (["x"], []),
    "x offset $shift": (["x"], []),
    "foo_${bar}_total + x": (["x"], []),
    "$metric": ([], []),
}


@pytest.mark.parametrize("text", QUERIES)
def test_metrics_and_matchers(text):
    query = promql.parse(text)
    assert query.error == ""
    matchers = [f'{item.name}{item.operator}"{item.value}"' for item in query.matchers]
    assert (list(query.metrics), matchers) == QUERIES[text]


BROKEN = ["", "sum((", "a{", "a[5m", "rate(a)", 'a{b=~"("}', "(" * 5_000, "a+" * 50_000, "-" * 99]


@pytest.mark.parametrize("text", BROKEN, ids=[text[:12] for text in BROKEN])
def test_what_is_no_promql_keeps_the_reason(text):
    query = promql.parse(text)
    assert query.error
    assert query.metrics == ()


def test_an_error_names_no_stand_in():
    assert "auditlib" not in promql.parse("sum($foo{ $bar").error


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab(){}[]\"=~!$,.:59m +-/*\\'`"), max_size=40))
def test_any_text_is_parsed_or_refused(text):
    promql.parse(text)
