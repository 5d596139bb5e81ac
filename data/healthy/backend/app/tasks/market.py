from redis import Redis
from sqlalchemy import func, select

from app.core.celery_app import app
from app.core.database import SessionLocal
from app.core.settings import settings
from app.models import Property


@app.task
def refresh_averages() -> int:
    query = select(Property.area, func.avg(Property.price)).group_by(Property.area)
    with SessionLocal() as session:
        averages = {area: float(price) for area, price in session.execute(query)}
    if averages:
        Redis.from_url(settings.redis_url(0)).hset("market:averages", mapping=averages)
    return len(averages)
