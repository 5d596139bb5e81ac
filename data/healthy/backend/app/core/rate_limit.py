"""A fixed window for each client address, counted in Redis."""

from typing import cast

from fastapi import HTTPException, Request
from redis import Redis

from app.core.settings import settings

redis = Redis.from_url(settings.redis_url(0))


def rate_limit(request: Request) -> None:
    address = request.client.host if request.client else "unknown"
    key = f"rate:{address}"
    count = cast(int, redis.incr(key))
    if count == 1:
        redis.expire(key, settings.RATE_LIMIT_WINDOW_SECONDS)
    if count > settings.RATE_LIMIT_REQUESTS:
        raise HTTPException(status_code=429, detail="Too many requests")
