"""Log to the console and to the files that the settings name."""

import logging
from pathlib import Path

from app.core.settings import settings

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure_logging() -> None:
    handlers: list[logging.Handler] = [
        logging.StreamHandler(),
        logging.FileHandler(settings.LOG_FILE),
    ]
    logging.basicConfig(level=settings.LOG_LEVEL, format=FORMAT, handlers=handlers)

    audit_file = Path(settings.AUDIT_LOG_FILE)
    audit_file.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("propertypro.audit").addHandler(logging.FileHandler(audit_file))
