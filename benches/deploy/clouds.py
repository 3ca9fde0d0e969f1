"""The clouds that are deployed to, each behind the proxy that adds the delay."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
REGION = "us-east-1"
START_DEADLINE = 60  # seconds


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cloud:
    """A cloud and its proxy; both end with the `with` block."""

    def __init__(self, command, environment, delay_ms, folder, lazy=False):
        self.folder, self.lazy = folder, lazy
        self.port, self.proxy_port = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self.proxy_port}"
        self.commands = [
            ([part.format(port=self.port) for part in command], {k: v.format(port=self.port) for k, v in environment.items()}),
            ([sys.executable, str(HERE / "proxy.py"), str(self.proxy_port), str(self.port), str(delay_ms)], {}),
        ]
        self.processes = []

    def __enter__(self):
        with (self.folder / "cloud.log").open("ab") as log:
            for (command, environment), port in zip(self.commands, (self.port, self.proxy_port)):
                variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder)}
                process = subprocess.Popen(
                    command, env=variables | environment, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
                )
                self.processes.append(process)
                self.wait_for(process, port)
        return self

    def wait_for(self, process, port):
        deadline = time.monotonic() + START_DEADLINE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise SystemExit(f"a cloud doesn't start: {(self.folder / 'cloud.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def take_calls(self):
        """The calls since this was last asked."""
        with urllib.request.urlopen(f"{self.endpoint}/__bench/calls", timeout=20) as response:
            return json.load(response)

    def variables(self):
        """What makes a tool use this cloud, and nothing of this machine's AWS settings."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "DEPLOYER_"))}
        return kept | {
            "AWS_ACCESS_KEY_ID": "AKIALOCALCLOUDUSER00",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


def ministack(work, delay_ms):
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": "{port}",
        # Listeners that would not be on 127.0.0.1 only.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    executable = pathlib.Path(sys.executable).with_name("ministack")
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    return Cloud([str(executable)], environment, delay_ms, folder, lazy=True)


def local_cloud(work, delay_ms, deployer, root, realism=None):
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    command = [str(deployer), "--project", str(root), "local-cloud", "--port", "{port}", "--data", str(folder / "data")]
    if realism is not None:
        command += ["--realism", str(realism)]
    return Cloud(command, {}, delay_ms, folder)
