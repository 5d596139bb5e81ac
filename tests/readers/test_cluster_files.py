"""What is written for a cluster, by its name and by a line that it has to hold."""

import pytest

from auditlib import readers
from auditlib.readers import cluster_files
from auditlib.source import Source

MANIFEST = "apiVersion: v1\nkind: Service\n"


def written(tmp_path, path, text):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    return Source(tmp_path)


@pytest.mark.parametrize(
    ("path", "text", "kinds"),
    [
        ("k8s/api.yaml", MANIFEST, ["manifest"]),
        ("deploy/charts/api/templates/api.tpl", "{{ if .Values.on }}\n" + MANIFEST, ["manifest"]),
        ("kube/api.json", '{"kind": "Service",\n  "apiVersion": "v1"}', ["manifest"]),
        ("k8s/api.json", '{"apiVersion": "v1"}', ["manifest"]),
        ("k8s/kustomization.yaml", "resources: [api.yaml]\n", ["kustomization"]),
        ("charts/api/Chart.yaml", "apiVersion: v2\nname: api\n", ["chart"]),
        ("helmfile.yaml", "releases:\n  - name: api\n", ["helmfile"]),
        ("deploy/api.nomad", 'job "api" {\n', ["job of Nomad"]),
        ("charts/prices.json", '{"title": "Prices"}', []),
        ("charts/values.yaml", "replicas: 3\n", []),
        ("api.yaml", MANIFEST, []),
    ],
)
def test_is_known_by_its_name_and_a_line(tmp_path, path, text, kinds):
    found = cluster_files.read(written(tmp_path, path, text))
    assert [item.kind for item in found.records] == kinds


def test_is_among_the_files_that_were_read(tmp_path):
    coverage = readers.read(written(tmp_path, "k8s/kustomization.yaml", "resources: [api.yaml]\n")).coverage
    assert [str(entry.status) for entry in coverage if entry.file == "k8s/kustomization.yaml"] == ["parsed"]


def test_names_the_images_that_it_runs_with_their_lines(tmp_path):
    text = (
        f'{MANIFEST}spec:\n  containers:\n    - image: "acme/api:1"  # the API\n    - name: b\n      image: acme/b:2\n'
    )
    (found,) = cluster_files.read(written(tmp_path, "k8s/api.yaml", text)).records
    assert [(item.image, item.location.line) for item in found.images] == [("acme/api:1", 5), ("acme/b:2", 7)]


def test_tells_which_images_a_kustomization_replaces(tmp_path):
    text = "images:\n  - name: acme/api\n    newName: acme/other\nconfigMapGenerator:\n  - name: c\nresources: []\n"
    (found,) = cluster_files.read(written(tmp_path, "k8s/kustomization.yaml", text)).records
    assert found.replaced == ("acme/api",)
    assert [(item.image, item.location.line) for item in found.images] == [("acme/other", 3)]


def test_tells_what_is_wrong_with_a_manifest_that_is_no_yaml(tmp_path):
    found = cluster_files.read(written(tmp_path, "k8s/api.yaml", "apiVersion: v1\n  kind: Service\n"))
    assert [item.fault_line for item in found.records] == [2]
    assert [(str(item.status), item.line) for item in found.coverage] == [("partial", 2)]


def test_says_nothing_of_a_template(tmp_path):
    text = f'{MANIFEST}metadata:\n  {{{{- include "labels" . }}}}\n'
    found = cluster_files.read(written(tmp_path, "charts/api/templates/api.yaml", text))
    assert [item.fault for item in found.records] == [""]
