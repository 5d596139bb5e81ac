"""A suppression matches no finding.

What it excused has been mended, moved, or was never found. It would silently hide the same fault when that comes back.

Anti-pattern:

    # auditlib: ignore[healthcheck-missing] the image has none
    db:
      image: postgres:16
      healthcheck: {test: [CMD, pg_isready]}

Better:

    db:
      image: postgres:16
      healthcheck: {test: [CMD, pg_isready]}

Recommendation:

    Delete the suppression, or move it to the line that `auditlib check` names for the finding.

References:

- https://docs.astral.sh/ruff/rules/unused-noqa/
"""
