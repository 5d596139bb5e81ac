"""The runs that a matrix makes of a job."""

import pytest

from auditlib import readers
from auditlib.conventions import matrices
from auditlib.source import Source


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("{app: [api, web]}", [{"app": "api"}, {"app": "web"}]),
        ("{app: [api], os: [a, b]}", [{"app": "api", "os": "a"}, {"app": "api", "os": "b"}]),
        ("{image: [{name: a, dir: x}, {name: b, dir: y}]}",
         [{"image.name": "a", "image.dir": "x"}, {"image.name": "b", "image.dir": "y"}]),
        ("{include: [{name: a, dir: x}, {name: b, dir: y}]}", [{"name": "a", "dir": "x"}, {"name": "b", "dir": "y"}]),
        ("{app: [api, web], include: [{app: web, dir: y}, {app: db, dir: z}]}",
         [{"app": "api"}, {"app": "web", "dir": "y"}, {"app": "db", "dir": "z"}]),
        ("{include: [{name: a, dir: x}, {name: b}]}", [{"name": "a"}, {"name": "b"}]),
        ("{}", [{}]),
    ],
)  # fmt: skip
def test_legs(tmp_path, matrix, expected):
    path = tmp_path / ".github/workflows/ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"on: push\njobs:\n  build:\n    runs-on: a\n    strategy: {{matrix: {matrix}}}\n    steps: [{{run: make}}]\n"
    )
    (job,) = readers.read(Source(tmp_path)).jobs
    found = [{key: value for key, (value,) in leg.matrix} for leg in matrices.legs(job)]

    assert found == expected
    assert not any(leg.included for leg in matrices.legs(job))
