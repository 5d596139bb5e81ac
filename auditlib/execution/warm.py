"""What the fork server imports, so that no notebook's process has to. Nothing else imports this module."""

# ruff: noqa: E402, F401 - the order matters, and being imported is the purpose

import gc
import logging
import sys

# A dependency of papermill would compile a grammar of internationalised URIs, which nothing here uses, for a second.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import fast_sugiyama
import markdown_it
import networkx
import pandas
import papermill

from auditlib import rules, snapshot, tables
from auditlib.execution import kernel, shell
from auditlib.report import rendering, sections
from auditlib.report.canvas import Canvas

# A slow machine would otherwise be told that the fonts are being listed, on a line of its own on stderr.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

rules.catalogue()
rendering.environment().get_template("blocks.html.j2")
rendering.environment().get_template("blocks.md.j2")
Canvas(1).svg("")  # matplotlib finds its fonts when the first text is drawn
gc.freeze()  # what is here stays: a collector that looks at it would only copy the memory that forks share
