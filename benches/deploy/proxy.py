"""Stands in front of a cloud: each request reaches it DELAY ms later, and each is
recorded with when it came and when its answer was out.

usage: proxy.py PORT CLOUD_PORT DELAY_MS

`GET /__bench/calls` gives the records since it was last asked, and forgets them.
The delay is that of a round trip on an open connection; opening one costs nothing
here, so tools that open many are favoured. The number of connections is recorded.

ministack drops `credentialsArn` of integrations. It is put back into its answers,
for all tools alike; else every plan of whoever compares it would have changes.
"""

import asyncio
import json
import re
import sys
import time

HOST = "127.0.0.1"
ADMIN = "/__bench/calls"
LIMIT = 1 << 20  # bytes of a head
LOOKED_INTO = 1 << 16  # bytes of a body that is looked into for names
INTEGRATION = re.compile(r"/v2/apis/([^/]+)/integrations(?:/([^/?]+))?")


class Message:
    """A request or an answer: first line, headers, body as it came."""

    def __init__(self, head):
        self.lines = head.decode("latin-1").split("\r\n")[:-2]
        pairs = (line.split(":", 1) for line in self.lines[1:])
        self.headers = {name.strip().lower(): value.strip() for name, value in pairs}
        self.first = self.lines[0]
        self.body = b""

    async def read_body(self, reader, absent):
        """`absent`: what a message without a length has, nothing or all there is."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            parts = []
            while True:
                line = await reader.readline()
                size = int(line.split(b";")[0], 16)
                parts.append(await reader.readexactly(size))
                await reader.readline()
                if size == 0:
                    break
            self.body = b"".join(parts)
        elif "content-length" in self.headers:
            self.body = await reader.readexactly(int(self.headers["content-length"]))
        elif absent == "all":
            self.body = await reader.read()

    def encoded(self, bodiless=False):
        """With a plain length, however it came."""
        drop = ("transfer-encoding:", "content-length:", "expect:", "connection:")
        lines = [line for line in self.lines if not line.lower().startswith(drop)]
        length = self.headers.get("content-length", "0") if bodiless else len(self.body)
        lines.append(f"content-length: {length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def named(request):
    """What tells which call it is; calls.py makes a name of it."""
    method, path, _ = request.first.split(" ", 2)
    scope = re.search(r"Credential=[^/]*/[^/]*/[^/]*/([^/]*)/", request.headers.get("authorization", ""))
    found = {"method": method, "path": path, "service": scope.group(1) if scope else ""}
    if target := request.headers.get("x-amz-target"):
        found["target"] = target.rsplit(".", 1)[-1]
    if len(request.body) <= LOOKED_INTO:
        found["body"] = request.body.decode("utf-8", "replace")[:2000]
    return found


class Proxy:
    def __init__(self, cloud, delay):
        self.cloud, self.delay = cloud, delay
        self.calls, self.connections, self.credentials = [], 0, {}

    async def serve(self, reader, writer):
        connection = None
        upstream = None
        try:
            while True:
                request = Message(await reader.readuntil(b"\r\n\r\n"))
                if request.first.split(" ")[1].startswith(ADMIN):
                    calls, self.calls = self.calls, []
                    writer.write(answer(json.dumps(calls).encode()))
                    await writer.drain()
                    continue
                started = time.monotonic()
                if connection is None:
                    self.connections += 1
                    connection = self.connections
                if request.headers.get("expect", "").lower() == "100-continue":
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await request.read_body(reader, absent="none")
                call = named(request) | {"connection": connection, "start": started}
                self.calls.append(call)
                await asyncio.sleep(max(0.0, started + self.delay - time.monotonic()))
                response, upstream = await self.forward(request, upstream)
                self.mend(request, response)
                bodiless = call["method"] == "HEAD"
                writer.write(response.encoded(bodiless))
                await writer.drain()
                call["end"] = time.monotonic()
                call["status"] = int(response.first.split(" ")[1])
                if call["status"] >= 400:
                    call["error"] = response.body[:500].decode("utf-8", "replace")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            if upstream:
                upstream[1].close()

    async def forward(self, request, upstream):
        data = request.encoded()
        fresh = upstream is None
        while True:
            if upstream is None:
                upstream = await asyncio.open_connection(HOST, self.cloud, limit=LIMIT)
            try:
                upstream[1].write(data)
                await upstream[1].drain()
                while True:
                    response = Message(await upstream[0].readuntil(b"\r\n\r\n"))
                    if not response.first.startswith("HTTP/1.1 1"):
                        break
            except (asyncio.IncompleteReadError, ConnectionError):
                # The cloud closed an idle connection: the request never reached it.
                upstream[1].close()
                if fresh:
                    raise ConnectionError from None
                upstream, fresh = None, True
                continue
            bodiless = request.first.startswith("HEAD") or response.first.split(" ")[1] in ("204", "304")
            closes = response.headers.get("connection", "").lower() == "close"
            if not bodiless:
                await response.read_body(upstream[0], absent="all")
                closes = closes or not {"content-length", "transfer-encoding"} & response.headers.keys()
            if closes:
                upstream[1].close()
                upstream = None
            return response, upstream

    def mend(self, request, response):
        method, path, _ = request.first.split(" ", 2)
        match = INTEGRATION.match(path)
        if not match or method == "DELETE" or not response.first.split(" ")[1].startswith("2"):
            return
        found = json.loads(response.body)
        if method in ("POST", "PATCH"):
            sent = json.loads(request.body)
            if "credentialsArn" in sent:
                self.credentials[match[1], found["integrationId"]] = sent["credentialsArn"]
        for item in found.get("items", [found]):
            arn = self.credentials.get((match[1], item.get("integrationId")))
            if arn:
                item.setdefault("credentialsArn", arn)
        response.body = json.dumps(found).encode()


def answer(body):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def main(port, cloud, delay_ms):
    proxy = Proxy(int(cloud), float(delay_ms) / 1000)
    server = await asyncio.start_server(proxy.serve, HOST, int(port), limit=LIMIT)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
