"""The Celery application of the worker and the scheduler."""

from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, task_postrun, worker_init
from prometheus_client import Counter, start_http_server

from app.core.logging import configure_logging
from app.core.settings import settings

configure_logging()

METRICS_PORT = 9101
TASKS = Counter("propertypro_tasks_total", "Tasks that ended", ["task", "state"])

app = Celery(
    "propertypro",
    broker=settings.redis_url(1),
    backend=settings.redis_url(2),
    include=["app.tasks.documents", "app.tasks.market"],
)

app.conf.update(
    task_serializer="json",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={"visibility_timeout": 3600},
    result_expires=3600,
    timezone="Asia/Dubai",
    beat_schedule={
        "refresh-market-averages": {
            "task": "app.tasks.market.refresh_averages",
            "schedule": crontab(hour=3, minute=0),
        },
    },
)


@worker_init.connect
@beat_init.connect
def serve_metrics(**_: Any) -> None:
    start_http_server(METRICS_PORT)


@task_postrun.connect
def count_task(task: Any = None, state: str | None = None, **_: Any) -> None:
    TASKS.labels(task=task.name, state=state).inc()
