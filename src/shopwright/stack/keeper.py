"""`shopwright keep`: renews certificates at half of their life, for ever. The only process that reads the
CA's key.
"""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

from . import certificates
from .layout import Layout

LOOK_EVERY_S = 60
LOOKS = 8  # per life, where that is short


def keep(layout: Layout, life: timedelta) -> None:
    """Run until SIGTERM; a disk that is full now is tried again at the next look."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            renewed = certificates.renew(layout, life)
        except OSError as error:
            _say(f"could not renew: {error}")
        else:
            if renewed:
                _say(f"renewed {', '.join(renewed)}")
        stop.wait(min(LOOK_EVERY_S, life.total_seconds() / LOOKS))


def _say(words: str) -> None:
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {words}", file=sys.stderr, flush=True)  # noqa: T201
