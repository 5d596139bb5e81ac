"""The errors that a user may see. Each message says what happened, where, and what to do about it."""


class AuditlibError(Exception):
    """Base of every error that auditlib raises on purpose; the command line prints its message without a traceback."""

    exit_status = 2


class ProjectError(AuditlibError):
    """The project can't be read at all: not a folder, no permission to list it, or none of its files is readable."""


class UsageError(AuditlibError):
    """The caller asked for something that doesn't exist: an unknown rule, format, parameter or option value."""


class PrintError(AuditlibError):
    """The report could not be printed, so nothing was published."""

    exit_status = 3
