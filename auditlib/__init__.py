"""Reads the deployment side of a repository and reports what is wrong with it, with the line behind every statement.

`auditlib.audit.audit` is the entry point; `auditlib.compose` is a Compose loader that stands on its own.
Importing this package imports nothing else: each room brings what it needs.
"""

__version__ = "0.1.0"
