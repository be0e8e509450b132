"""Calls of the command line to a running shop, through its gateway as anybody would call it.

A refusal is told in the words of its problem. A token that ends is asked for again where a login is known; a
rate limit is waited for.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 300
ATTEMPTS = 5


class Refused(RuntimeError):
    """The shop said no; the message is why."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Unreachable(RuntimeError):
    """Nobody answers."""


class Gateway:
    """A shop's gateway; `token`, or a `login` (email and password) to get one."""

    def __init__(self, url: str, *, token: str = "", login: tuple[str, str] | None = None) -> None:
        self._url, self._token, self._login = urlsplit(url), token, login

    def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """A JSON call."""
        content = None if body is None else json.dumps(body).encode()
        for attempt in range(ATTEMPTS):
            status, headers, answer = self._answer(method, _with(path, query), content, "application/json")
            if status == 429 and attempt < ATTEMPTS - 1:
                time.sleep(min(30, int(headers.get("retry-after", "1") or 1)))
            elif status == 503 and method == "GET" and attempt < ATTEMPTS - 1:
                time.sleep(1 + attempt)
            else:
                break
        return _document(status, answer)

    def upload(self, path: str, file: IO[bytes], size: int, query: Mapping[str, Any]) -> dict[str, Any]:
        """POST a file as it is read."""
        self._log_in()
        status, _, answer = self._send("POST", _with(path, query), file, "application/octet-stream", size)
        return _document(status, answer)

    def download(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The body of a GET, as it comes."""
        self._log_in()
        connection = self._connect()
        try:
            connection.request("GET", _with(path, query), headers=self._headers())
            response = connection.getresponse()
            if response.status >= 400:
                _document(response.status, response.read())
            while chunk := response.read(65_536):
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the shop broke off: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def _answer(
        self, method: str, path: str, content: bytes | None, kind: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        self._log_in()
        status, headers, answer = self._send(method, path, content, kind, len(content or b""))
        if status == 401 and self._login is not None:
            self._token = ""
            self._log_in()
            status, headers, answer = self._send(method, path, content, kind, len(content or b""))
        return status, headers, answer

    def _log_in(self) -> None:
        if self._token or self._login is None:
            return
        email, password = self._login
        content = json.dumps({"email": email, "password": password}).encode()
        status, _, answer = self._send(
            "POST", "/v1/sessions", content, "application/json", len(content)
        )  # fmt: skip
        self._token = str(_document(status, answer)["access_token"])

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def _send(
        self, method: str, path: str, body: bytes | IO[bytes] | None, kind: str, size: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = self._headers()
        if body is not None:
            headers |= {"content-type": kind, "content-length": str(size)}
        connection = self._connect()
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused while we still sent
                connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"no answer from {self._url.geturl()}: {error or type(error).__name__}. `shopwright status` "
                "tells whether the shop is up."
            ) from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        place = self._url.hostname or "127.0.0.1"
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(place, self._url.port, timeout=TIMEOUT_S)
        return http.client.HTTPConnection(place, self._url.port, timeout=TIMEOUT_S)


def of_installation(demo: Path, token: str) -> Gateway:
    """The gateway of the installation whose `demo.json` this is; without a token as its demo's admin."""
    try:
        known = json.loads(demo.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unreachable("the shop is not up; `shopwright up` first") from None
    if token:
        return Gateway(known["gateway"], token=token)
    return Gateway(known["gateway"], login=(known["admin"]["email"], known["admin"]["password"]))


def _with(path: str, query: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def _document(status: int, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content) if content else {}
    except ValueError:
        answer = {}
    if status >= 400:
        raise Refused(status, _words(status, answer if isinstance(answer, dict) else {}))
    return answer if isinstance(answer, dict) else {}


def _words(status: int, problem: Mapping[str, Any]) -> str:
    title, detail = str(problem.get("title", f"the shop answered {status}")), str(problem.get("detail", ""))
    errors = problem.get("errors") or []
    fields = "".join(f"\n  {e.get('pointer', '')}: {e.get('detail', '')}" for e in errors[:20])
    return f"{title}: {detail}{fields}" if detail else f"{title}{fields}"
