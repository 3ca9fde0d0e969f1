"""A gateway's process: started, waited for until it answers, looked at, ended."""

import contextlib
import os
import signal
import socket
import subprocess
import time

from shared.processes import resident, tree

READY_DEADLINE = 60  # seconds
STOP_DEADLINE = 20
LOOK_AGAIN = 0.001


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process and all below it."""

    def __init__(self, command, environment, folder, port, request="GET / HTTP/1.1", cwd=None):
        kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
        self.log = folder / "log"
        self.port = port
        began = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                env=kept | environment,
                cwd=cwd or folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.answers(request)
        self.ready_s = time.monotonic() - began

    def answers(self, request):
        """Waits for the first answer to a request, whatever it says."""
        deadline = time.monotonic() + READY_DEADLINE
        head = f"{request}\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n".encode()
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as stream:
                stream.settimeout(5)
                stream.sendall(head)
                if stream.recv(1):
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit(f"{self.log} says why this doesn't start:\n{self.log.read_text()[-2000:]}")
            time.sleep(LOOK_AGAIN)

    def own_mb(self):
        return resident(self.process.pid)

    def tree_mb(self):
        return sum(map(resident, tree(self.process.pid)))

    def stop(self):
        below = tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for left in below[1:]:
            with contextlib.suppress(OSError):
                os.kill(left, signal.SIGKILL)
