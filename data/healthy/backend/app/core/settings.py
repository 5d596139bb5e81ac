"""Application settings. What differs between environments has no default: a missing variable stops the start."""

from typing import Literal

from pydantic import RedisDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    ENVIRONMENT: Literal["production", "staging", "development"]
    LOG_LEVEL: str = "INFO"
    ALLOWED_ORIGINS: list[str]

    # Security
    SECRET_KEY: SecretStr
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 30

    # Data stores
    POSTGRES_HOST: str
    POSTGRES_DB: str
    POSTGRES_USER: str
    POSTGRES_PASSWORD: SecretStr
    REDIS_HOST: str
    REDIS_PASSWORD: SecretStr
    CHROMA_HOST: str
    CHROMA_PORT: int

    # AI
    OPENAI_API_KEY: SecretStr
    OPENAI_MODEL: str = "gpt-4o-mini"

    # Limits
    RATE_LIMIT_REQUESTS: int = 100
    RATE_LIMIT_WINDOW_SECONDS: int = 60
    MAX_UPLOAD_SIZE_MB: int = 10
    UPLOAD_DIR: str

    # Mail
    SMTP_HOST: str
    SMTP_PORT: int = 587
    MAIL_FROM: str

    @property
    def database_url(self) -> URL:
        return URL.create(
            "postgresql",
            username=self.POSTGRES_USER,
            password=self.POSTGRES_PASSWORD.get_secret_value(),
            host=self.POSTGRES_HOST,
            database=self.POSTGRES_DB,
        )

    def redis_url(self, database: int) -> str:
        password = self.REDIS_PASSWORD.get_secret_value()
        return str(
            RedisDsn.build(scheme="redis", host=self.REDIS_HOST, password=password, path=str(database))
        )


settings = Settings()
