"""Where Celery is set up, and when its tasks are acknowledged."""

import pytest

from auditlib.inventory.tasks import TaskQueue
from auditlib.readers import task_queues
from auditlib.source import Source


def queues(tmp_path, text, name="shop/tasks.py"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [
        (str(item.location), item.acknowledges_late)
        for item in task_queues.read(Source(tmp_path)).records
        if isinstance(item, TaskQueue)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('from celery import Celery\napp = Celery("shop")\n', [("shop/tasks.py:2", None)]),
        ("import celery\napp = celery.Celery()\n", [("shop/tasks.py:2", None)]),
        ("app.conf.update(task_acks_late=True)\n", [("shop/tasks.py:1", True)]),
        ("app.conf.task_acks_late = False\n", [("shop/tasks.py:1", False)]),
        ("CELERY_TASK_ACKS_LATE = env.bool('LATE')\n", [("shop/tasks.py:1", True)]),
        ("@app.task(acks_late=True)\ndef work(): ...\n", [("shop/tasks.py:1", True)]),
        ("class Celery: ...\nCelery()\n", []),
        ("def broken(:\n    Celery(\n", []),
    ],
    ids=["application", "by its module", "keyword", "attribute", "Django", "a task", "another class", "no Python"],
)
def test_reads_when_tasks_are_acknowledged(tmp_path, text, expected):
    assert queues(tmp_path, text) == expected


def test_tests_of_the_audited_code_do_not_count(tmp_path):
    assert queues(tmp_path, "CELERY_TASK_ACKS_LATE = True\n", "tests/conftest.py") == []
