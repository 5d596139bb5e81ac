import pytest
from pydantic import ValidationError

from app.core.settings import Settings


@pytest.mark.parametrize("name", ["ENVIRONMENT", "SECRET_KEY", "POSTGRES_PASSWORD", "ALLOWED_ORIGINS"])
def test_a_missing_variable_stops_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError, match=name):
        Settings(_env_file=None)


def test_secrets_are_not_shown() -> None:
    settings = Settings()
    assert settings.POSTGRES_PASSWORD.get_secret_value() not in repr(settings)
