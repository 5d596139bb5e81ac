"""The places that name the module of Django's settings: entry points, and the configuration of pytest.

Follows https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings and
https://pytest-django.readthedocs.io/en/latest/configuring_django.html.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditlib.inventory.configuration import DJANGO_MODULE, SettingsModule
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

_ENTRY_POINTS = frozenset({"manage.py", "wsgi.py", "asgi.py", "celery.py", "celery_app.py", "conftest.py"})
_CONFIGURATIONS = frozenset({"pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"})
_IN_CODE = regex(rf"[\"']{DJANGO_MODULE}[\"']\s*(?:,|\]\s*=)\s*[\"'](?P<module>[\w.]+)[\"']")
_IN_CONFIGURATION = regex(rf"^[ \t]*(?:--ds=|{DJANGO_MODULE}\s*=\s*)[\"']?(?P<module>[\w.]+)[\"']?[ \t]*$", re.M)


def read(source: Source) -> Reading:
    """A SettingsModule for each place."""
    reading = Reading()
    for path in source.files:
        name = PurePosixPath(path).name
        pattern = _IN_CODE if name in _ENTRY_POINTS else _IN_CONFIGURATION if name in _CONFIGURATIONS else None
        if pattern is None:
            continue
        try:
            text = source.text(path)
        except Unreadable:
            continue  # reported with the kind of file that it is
        for match in pattern.finditer(text) if DJANGO_MODULE in text else ():
            place = Location(path, text.count("\n", 0, match.start("module")) + 1)
            reading.records.append(SettingsModule(match["module"], place))
    return reading
