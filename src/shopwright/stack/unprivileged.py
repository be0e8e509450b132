"""Become another account, then exec: `python -m shopwright.stack.unprivileged UID GID [--search] --
COMMAND…`.

With `--search` the account keeps one capability, to enter and read directories it does not own
(CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE where a container took that away), as an ambient capability
(capabilities(7)). It is how PostgreSQL runs below a directory that only root may enter, without anybody's
mode being changed.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_KEEPCAPS, PR_CAPBSET_READ = 8, 23
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    uid, gid, *options = arguments[:split]
    become(int(uid), int(gid), search="--search" in options)
    command = arguments[split + 1 :]
    os.execv(command[0], command)  # noqa: S606 - the command comes from our own supervisor


def become(uid: int, gid: int, *, search: bool) -> None:
    """Take on `uid` and `gid` for good; keep only the capability to search directories, if asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    kept = _searching(libc) if search else None
    if kept is not None:
        _must(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if kept is None:
        return
    header = _Header(CAPABILITY_VERSION_3, 0)
    data = (_Data * 2)()
    data[0].effective = data[0].permitted = data[0].inheritable = 1 << kept
    _must(libc.capset(ctypes.byref(header), data), "capset")
    _must(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept, 0, 0), "prctl(PR_CAP_AMBIENT_RAISE)")


def _searching(libc: ctypes.CDLL) -> int:
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
            return capability
    raise PermissionError(
        "PostgreSQL's account cannot enter the folders above SHOPWRIGHT_HOME and this container allows no "
        "capability to do so; choose a home that others may enter, such as one below /var/tmp"
    )


def _must(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
