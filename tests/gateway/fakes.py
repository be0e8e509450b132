"""Services at the end of the wire: HTTP/2 on Unix sockets, in a process of their own, steered by headers.

They answer with what arrived: {slot, method, path, headers, length, http}. The headers are `fake-status`,
`fake-fail: <key>` (503 once per key), `fake-sleep` (seconds), `fake-size`, `fake-type`, `fake-cache`,
`fake-key`.
`GET …/fake/count/<key>` tells how often a key was seen.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

import grpc
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

seen: Counter[str] = Counter()
BROKEN = os.environ.get("FAKE_BROKEN", "").split()  # slots that answer 502, though they say they are ready


def application(slot: str):
    async def answer(scope, receive, send):
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        length = 0
        while True:
            message = await receive()
            length += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await asyncio.sleep(float(headers.get("fake-sleep", "0")))
        path = scope["path"]
        key = headers.get("fake-fail", "") or headers.get("fake-key", "")
        seen[key] += 1
        status = int(headers.get("fake-status", "200"))
        if "fake-fail" in headers and seen[key] == 1:
            status = 503
        if slot in BROKEN and path != "/readyz":
            status = 502
        body = {"slot": slot, "method": scope["method"], "path": path, "headers": headers, "length": length}
        body["http"] = scope["http_version"]
        if "/fake/count/" in path:
            body = {"count": seen[path.rsplit("/", 1)[1]]}
        if "fake-size" in headers:
            body["filler"] = "x" * int(headers["fake-size"])
        answered = [(b"content-type", headers.get("fake-type", "application/json").encode())]
        if "fake-cache" in headers:
            answered.append((b"cache-control", headers["fake-cache"].encode()))
        await send({"type": "http.response.start", "status": status, "headers": answered})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    return answer


class EchoRpc(grpc.GenericRpcHandler):
    """Any unary call answers with the metadata that came with it."""

    def service(self, details):
        metadata = dict(details.invocation_metadata)

        async def echo(request, context):
            return json.dumps({"method": details.method, "metadata": metadata}, default=str).encode()

        return grpc.unary_unary_rpc_method_handler(echo)


async def main(sockets: list[Path]) -> None:
    servers = []
    for socket in sockets:
        if socket.name.endswith(".grpc.sock"):
            server = grpc.aio.server()
            server.add_generic_rpc_handlers((EchoRpc(),))
            server.add_insecure_port(f"unix:{socket}")
            await server.start()
        else:
            server = Server(
                application(socket.stem),
                uds=socket,
                interface=Interfaces.ASGI,
                http=HTTPModes.http2,
                websockets=False,
                log_enabled=False,
            )
            servers.append(asyncio.create_task(server.serve()))
    print("ready", flush=True)
    await asyncio.gather(*servers)


if __name__ == "__main__":
    uvloop.run(main([Path(argument) for argument in sys.argv[1:]]))
