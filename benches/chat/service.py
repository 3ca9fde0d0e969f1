"""The chat on a local cloud of its own, with its rooms in dynalite's table."""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DYNALITE = ROOT / "target/stores"
READY = 30  # seconds


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


#: An emulated DynamoDB: http://HOST:PORT, and its process.
Table = collections.namedtuple("Table", "address pid")


@contextlib.contextmanager
def dynalite():
    port = free_port()
    with (DYNALITE / "server.log").open("wb") as log:
        command = ["node", ROOT / "tests/stores/dynalite.js", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        await_port(port, server)
        address = f"http://127.0.0.1:{port}"
        yield Table(address, server.pid)
    finally:
        server.kill()
        server.wait()


def await_port(port, server):
    deadline = time.monotonic() + READY
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"dynalite doesn't start: {(DYNALITE / 'server.log').read_text()}")
        time.sleep(0.02)


class Chat:
    """Deployed to a local cloud; gone with it."""

    def __init__(self, deployer, functions, address, folder, extra=""):
        self.deployer, self.project = pathlib.Path(deployer).resolve(), folder
        shutil.copytree(ROOT / "stages", folder / "stages")
        self.port = free_port()
        # Rooms in the table that the service says, as on AWS.
        text = f'target = "local"\nport = {self.port}\n{extra}'
        (folder / "stages/local.toml").write_text(text)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = kept | {
            "CARGO": str(ROOT / "benches/deploy/prebuilt-cargo"),
            "PREBUILT": str(pathlib.Path(functions).resolve()),
            "DEPLOYER_LOCAL_DYNAMODB": address,
        }

    def run(self, *command):
        command = [self.deployer, "--project", self.project, *command]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command} failed: {done.stderr}")
        return done.stdout

    def __enter__(self):
        self.url = json.loads(self.run("up", "local", "--json"))["url"]
        return self

    def __exit__(self, *_):
        self.run("down", "local")
        # A local cloud that has more than the stage goes on otherwise.
        url = f"http://127.0.0.1:{self.port}/_local/shutdown"
        request = urllib.request.Request(url, method="POST", headers={"x-local-cloud": "1"})
        with contextlib.suppress(OSError):
            urllib.request.urlopen(request, timeout=READY).close()
