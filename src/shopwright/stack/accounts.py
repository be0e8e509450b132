"""Which account PostgreSQL runs under: it refuses root, so root lends it an existing unprivileged one.

Nothing on the system is changed: no account is made, no directory's mode. Where the account could not even
enter the directories above its data or binaries, it is given the one capability to search directories (see
`unprivileged`).
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("postgres", "nobody", "daemon")


class NoAccount(RuntimeError):
    """Root has no unprivileged account to lend."""


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def lent() -> Account | None:
    """The account that PostgreSQL gets when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise NoAccount(
        f"PostgreSQL refuses to run as root and none of the accounts {', '.join(CANDIDATES)} exists. "
        "Start Shopwright as an ordinary user, or add the account `nobody`."
    )


def lending(command: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """`command` as the lent account would run it, able to reach `paths`; unchanged when we are not root."""
    account = lent()
    if account is None:
        return list(command)
    search = [] if all(_reaches(account, path) for path in paths) else ["--search"]
    wrapper = [sys.executable, "-m", "shopwright.stack.unprivileged", str(account.uid), str(account.gid)]
    return [*wrapper, *search, "--", *command]


def own(path: Path, mode: int) -> None:
    """Make the folder `path` the lent account's, if there is one."""
    path.mkdir(parents=True, exist_ok=True)
    if account := lent():
        os.chown(path, account.uid, account.gid)
    path.chmod(mode)


def _reaches(account: Account, path: Path) -> bool:
    """Whether `account` may enter every directory above `path` (and `path` itself, where it is a
    directory).
    """
    folders = [*path.resolve().parents, *([path] if path.is_dir() else [])]
    for folder in folders:
        if not folder.exists():
            continue
        status = folder.stat()
        if status.st_uid == account.uid:
            needed = 0o100
        elif status.st_gid == account.gid:
            needed = 0o010
        else:
            needed = 0o001
        if not status.st_mode & needed:
            return False
    return True
