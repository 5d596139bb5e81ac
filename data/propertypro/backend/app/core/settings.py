"""Application settings, read from the environment and from a .env file."""

import os
from pathlib import Path

from dotenv import load_dotenv
from pydantic_settings import BaseSettings, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parents[2]

load_dotenv(BASE_DIR / ".env")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", case_sensitive=True, extra="ignore")

    PROJECT_NAME: str = "PropertyPro AI"
    ENVIRONMENT: str = "development"
    DEBUG: bool = True

    # Security
    SECRET_KEY: str = "your-secret-key-change-in-production"
    JWT_SECRET: str = "your-jwt-secret"
    JWT_ALGORITHM: str = "HS256"
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 60 * 24
    REFRESH_TOKEN_EXPIRE_DAYS: int = 7

    # Data stores
    DATABASE_URL: str = "postgresql://admin:password123@localhost:5432/propertypro"
    REDIS_URL: str = "redis://localhost:6379/0"
    CELERY_BROKER_URL: str = "redis://localhost:6379/1"
    CELERY_RESULT_BACKEND: str = "redis://localhost:6379/2"
    CHROMA_HOST: str = "localhost"
    CHROMA_PORT: int = 8001

    # AI
    OPENAI_API_KEY: str
    OPENAI_MODEL: str = "gpt-4o-mini"
    EMBEDDING_MODEL: str = "text-embedding-3-small"

    # Limits
    RATE_LIMIT_REQUESTS: int = 60
    RATE_LIMIT_WINDOW_SECONDS: int = 60
    MAX_UPLOAD_SIZE_MB: int = 10
    UPLOAD_DIR: str = "uploads"

    # Mail
    SMTP_HOST: str = "localhost"
    SMTP_PORT: int = 1025

    # Logging
    LOG_LEVEL: str = "INFO"
    LOG_FILE: str = "logs/app.log"
    AUDIT_LOG_FILE: str = "/var/log/propertypro/audit.log"

    @property
    def allowed_origins(self) -> list[str]:
        if self.ENVIRONMENT == "production":
            return ["https://your-domain.com", "https://app.your-domain.com"]
        if self.ENVIRONMENT == "staging":
            return ["https://staging.your-domain.com"]
        return ["http://localhost:3000", "http://localhost:5173", "*"]


settings = Settings()

os.makedirs(os.path.dirname(settings.LOG_FILE), exist_ok=True)
os.makedirs(settings.UPLOAD_DIR, exist_ok=True)
