"""Named points at which a test lets the process die as `kill -9` would, to prove that nothing is lost
there.

`SHOPWRIGHT_CRASH_AT=place_order.authorise.after-call` kills the process when it first comes by;
`SHOPWRIGHT_CRASH_AT=@FOLDER` the process that first comes by a point of which FOLDER has a file, which it
takes away. Unset, as in every installation, `reach` is one comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_AT = os.environ.get("SHOPWRIGHT_CRASH_AT", "")


def reach(point: str) -> None:
    if _AT and (point == _AT or (_AT.startswith("@") and _taken_from(Path(_AT[1:]), point))):
        os.kill(os.getpid(), signal.SIGKILL)


def _taken_from(folder: Path, point: str) -> bool:
    try:
        (folder / point).unlink()
    except FileNotFoundError:
        return False
    return True
