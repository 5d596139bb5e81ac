"""`python -m auditlib` and the `auditlib` command."""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # `-m` looks in the current folder first, which may be the repository to audit

import gc
import signal
from types import FrameType


def main() -> None:
    """Run the command line and end the process with its exit status."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    from auditlib.collector import collected_rarely  # here, so that importing this module costs nothing

    with collected_rarely():
        from auditlib.cli import run

        status = run(sys.argv[1:])
        gc.freeze()  # at its end Python looks for circles once more, in all that goes anyway
    sys.exit(status)


def _end(number: int, _: FrameType | None) -> None:
    """End because of a signal, with what was begun cleaned up, and the status that a shell gives to that."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
