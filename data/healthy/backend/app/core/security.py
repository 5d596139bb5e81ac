"""Access tokens."""

from datetime import UTC, datetime, timedelta

import jwt

from app.core.settings import settings

ALGORITHM = "HS256"


def create_access_token(subject: str) -> str:
    expires = datetime.now(UTC) + timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    claims = {"sub": subject, "exp": expires}
    return jwt.encode(claims, settings.SECRET_KEY.get_secret_value(), algorithm=ALGORITHM)


def read_access_token(token: str) -> str:
    claims = jwt.decode(token, settings.SECRET_KEY.get_secret_value(), algorithms=[ALGORITHM])
    return str(claims["sub"])
