"""`python -m auditlib` and the `auditlib` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit status."""
    from auditlib.collector import collected_rarely  # here, so that importing this module costs nothing

    with collected_rarely():
        from auditlib.cli import run

        status = run(sys.argv[1:])
    sys.exit(status)


if __name__ == "__main__":
    main()
