import pytest

from app.core.settings import Settings


@pytest.mark.parametrize(
    ("environment", "origin"),
    [
        ("production", "https://your-domain.com"),
        ("staging", "https://staging.your-domain.com"),
        ("development", "http://localhost:3000"),
    ],
)
def test_environment_chooses_the_allowed_origins(environment: str, origin: str) -> None:
    assert origin in Settings(ENVIRONMENT=environment).allowed_origins
