"""A WebSocket client as small as one can be: texts of one frame, no TLS."""

import base64
import os
import socket
import struct
import urllib.parse

PATIENCE = 20


class Client:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.stream = socket.create_connection((parts.hostname, parts.port), PATIENCE)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        request = [
            f"GET {parts.path} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        self.stream.sendall("\r\n".join([*request, "", ""]).encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())

    def ask(self, text):
        """Sends a text and gives the answer."""
        data = text.encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
        # A mask of zeros is one.
        self.stream.sendall(b"\x81" + length + bytes(4) + data)
        return self._text()

    def _text(self):
        self._need(2)
        kind, length = self.buffer[0] & 15, self.buffer[1]
        start = 2
        if length == 126:
            self._need(4)
            (length,), start = struct.unpack("!H", self.buffer[2:4]), 4
        self._need(start + length)
        text, self.buffer = self.buffer[start : start + length], self.buffer[start + length :]
        if kind != 1:
            raise RuntimeError(f"a frame of kind {kind}: {text!r}")
        return text.decode()

    def _need(self, length):
        while len(self.buffer) < length:
            self._read()

    def _read(self):
        more = self.stream.recv(65536)
        if not more:
            raise RuntimeError("the connection was cut")
        self.buffer += more
