"""Two clients chat; every line they read must be the contract's.

usage: transcript.py websockets|wscat URL
"""

import json
import os
import pty
import queue
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

from websockets.sync.client import connect

DEADLINE = 20  # seconds for one answer; only a failure takes that long


class WebSockets:
    """Python's websockets."""

    def __init__(self, url):
        self.socket = connect(url)

    def send(self, text):
        self.socket.send(text)

    def receive(self):
        return self.socket.recv(timeout=DEADLINE)

    def close(self):
        self.socket.close()


class Wscat:
    """wscat in a terminal of its own, typed into and read from."""

    def __init__(self, url):
        ours, theirs = pty.openpty()
        program = os.path.join(os.path.dirname(__file__), "node_modules/.bin/wscat")
        self.process = subprocess.Popen(
            [program, "--no-color", "-c", url],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )
        os.close(theirs)
        self.terminal = ours
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        while "Connected" not in self.next_line():
            pass

    def read(self):
        screen = ""
        while True:
            try:
                chunk = os.read(self.terminal, 4096)
            except OSError:
                return
            screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", chunk.decode())
            *whole, screen = re.split(r"[\r\n]+", screen)
            for line in whole:
                self.lines.put(line)

    def next_line(self):
        return self.lines.get(timeout=DEADLINE)

    def send(self, text):
        os.write(self.terminal, text.encode() + b"\r")

    def receive(self):
        while True:
            line = self.next_line()
            if line.startswith("< "):
                return line[2:]

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=DEADLINE)


class Transcript:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.health = f"http://{parts.netloc}/_local/health"
        self.local = parts.scheme == "ws"

    def until_idle(self):
        """The room takes one event at a time; a person's typing gives it time."""
        if not self.local:
            time.sleep(1)
            return
        end = time.monotonic() + DEADLINE
        while json.load(urllib.request.urlopen(self.health))["invocations"]:
            assert time.monotonic() < end, "functions are still at work"

    def step(self, sender, text, *expected):
        """`sender` says `text`; each of `expected` is (reader, what it reads)."""
        sender.send(text)
        for reader, wanted in expected:
            found = reader.receive()
            assert found == wanted, f"{text}: read {found!r} instead of {wanted!r}"
        self.until_idle()

    def join(self, sender, *readers):
        """`sender` joins; gives its id, which all `readers` must see."""
        sender.send('{"action":"join","room":"room1"}')
        found = [reader.receive() for reader in readers]
        assert len(set(found)) == 1, f"members read different things: {found}"
        match = re.fullmatch(r"([A-Za-z0-9_-]{15}=) has joined to Room room1", found[0])
        assert match, f"read {found[0]!r} at a join"
        self.until_idle()
        return match.group(1)

    def run(self, client, url):
        a = client(url)
        self.step(a, "hi there", (a, "hi there"))
        id_a = self.join(a, a)
        self.step(a, '{"action":"join","room":"room1"}', (a, "You have already joined to room1."))
        said = f"[{id_a}]: this is AWS"
        self.step(a, '{"action":"send","room":"room1","msg":"this is AWS"}', (a, said))
        b = client(url)
        self.until_idle()
        refused = "In order to send message room to room1, join first."
        self.step(b, '{"action":"send","room":"room1","msg":"x"}', (b, refused))
        id_b = self.join(b, a, b)
        said = f"[{id_b}]: this is AWS User B"
        message = '{"action":"send","room":"room1","msg":"this is AWS User B"}'
        self.step(b, message, (a, said), (b, said))
        a.close()
        b.close()
        self.until_idle()


def main():
    name, url = sys.argv[1:]
    Transcript(url).run({"websockets": WebSockets, "wscat": Wscat}[name], url)
    print(f"{name}: the transcript is as it should be")


if __name__ == "__main__":
    main()
