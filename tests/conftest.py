"""What holds for all tests: no property test fails because the machine is slow."""

from hypothesis import HealthCheck, settings

settings.register_profile("auditlib", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("auditlib")
