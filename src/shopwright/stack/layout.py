"""Where one installation keeps things: its home, and a runtime directory short enough for Unix sockets."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RUN_BYTES_MAX = 60  # leaves room below the 107 bytes of a socket's path for the longest name in it
UNTOLD = re.compile(r"""[\x00-\x1f\x7f"'\\;#%]""")  # supervisord's configuration cannot hold them in a path
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # what stands in a URL, a command line and a configuration as it is


class BadHome(RuntimeError):
    """The home cannot be used; the message says why and what would help."""


@dataclass(frozen=True)
class Layout:
    home: Path
    run: Path

    @classmethod
    def of(cls, home: Path) -> Layout:
        home = home.resolve()
        if found := UNTOLD.search(str(home)):
            raise BadHome(f"SHOPWRIGHT_HOME={str(home)!r} has {found[0]!r} in its name; choose one without")
        layout = cls(home, home / "run")
        if not _fits(layout.run):
            run = Path(tempfile.gettempdir()).resolve() / layout.label
            # made 0700 and checked for its owner below
            layout = cls(home, run if _fits(run) else Path("/tmp") / run.name)  # noqa: S108
        return layout

    @classmethod
    def of_environment(cls, environ: Mapping[str, str] = os.environ) -> Layout:
        return cls.of(Path(environ.get("SHOPWRIGHT_HOME", ".shopwright")))

    @property
    def label(self) -> str:
        """A name for what lies outside the home: no other home, and no other user, has the same."""
        return f"shopwright-{os.getuid()}-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]}"

    config = property(lambda self: self.home / "config")
    secrets = property(lambda self: self.home / "secrets")
    tls = property(lambda self: self.home / "tls")
    data = property(lambda self: self.home / "data")
    logs = property(lambda self: self.home / "log")
    mailbox = property(lambda self: self.home / "mailbox")
    demo = property(lambda self: self.home / "demo.json")
    choices = property(lambda self: self.config / "started-with.json")
    lock = property(lambda self: self.home / "up.lock")
    pg_sockets = property(lambda self: self.run / "pg")
    valkey_socket = property(lambda self: self.run / "valkey.sock")
    supervisor_socket = property(lambda self: self.run / "supervisor.sock")

    def secret(self, name: str) -> Path:
        return Path(self.secrets / name)

    def make(self) -> None:
        """Create the folders; raises BadHome when that cannot be done."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            for folder in (self.config, self.data, self.logs, self.mailbox, self.data / "media"):
                folder.mkdir(parents=True, exist_ok=True)
            for private in (self.secrets, self.tls, self.data / "search"):
                private.mkdir(mode=0o700, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            (self.run / "mesh").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise BadHome(
                f"cannot write to {error.filename or self.home}: {error.strerror}. "
                "Give a folder of your own with SHOPWRIGHT_HOME=…, or make room on the disk."
            ) from error
        status = self.run.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise BadHome(
                f"{self.run} belongs to somebody else; remove it or set TMPDIR to a folder of your own"
            )


def _fits(run: Path) -> bool:
    return len(os.fsencode(run)) <= RUN_BYTES_MAX and bool(PLAIN.fullmatch(str(run)))


def ports(environ: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """The gateway's plain and TLS port; raises BadHome for values that are not two ports."""
    found = []
    for name, default in (("SHOPWRIGHT_PORT", "8080"), ("SHOPWRIGHT_TLS_PORT", "8443")):
        value = environ.get(name, default)
        if not value.isdigit() or not 1 <= int(value) <= 65_535:
            raise BadHome(f"{name}={value} is not a port; give a number from 1 to 65535")
        found.append(int(value))
    if found[0] == found[1]:
        raise BadHome(f"SHOPWRIGHT_PORT and SHOPWRIGHT_TLS_PORT are both {found[0]}; give two ports")
    return found[0], found[1]
