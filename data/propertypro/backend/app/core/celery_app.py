"""The Celery application of the worker and the scheduler."""

from celery import Celery
from celery.schedules import crontab

from app.core.logging import configure_logging
from app.core.settings import settings

configure_logging()

app = Celery(
    "propertypro",
    broker=settings.CELERY_BROKER_URL,
    backend=settings.CELERY_RESULT_BACKEND,
    include=["app.tasks.documents", "app.tasks.market"],
)

app.conf.update(
    task_serializer="json",
    result_expires=3600,
    timezone="Asia/Dubai",
    beat_schedule={
        "refresh-market-averages": {
            "task": "app.tasks.market.refresh_averages",
            "schedule": crontab(hour=3, minute=0),
        },
    },
)
