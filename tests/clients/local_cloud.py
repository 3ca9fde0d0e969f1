"""A local cloud of the suite's own, on a free port, with an empty account."""

import contextlib
import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.request

import boto3
from botocore.config import Config

PROJECT = pathlib.Path(__file__).resolve().parents[2]
START_DEADLINE = 60  # seconds; only a failure takes that long
DEADLINE = 60
# Such as the account's own user has: any will do.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIALOCALCLOUDUSER00",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


class LocalCloud:
    """Runs `deployer local-cloud` meanwhile."""

    def __init__(self, deployer, folder):
        self.folder = pathlib.Path(folder)
        command = [deployer, "--project", str(PROJECT), "local-cloud", "--port", "0", "--data", str(self.folder / "data")]
        variables = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "DEPLOYER_"))}
        self.process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.wait_for_start()
        self.port = int(self.endpoint.rpartition(":")[2])
        self.region = self.ask("health")["region"]
        self.authority = self.folder / "data" / "ca" / "ca.pem"

    def wait_for_start(self):
        """Its first line tells where it listens."""
        killer = threading.Timer(START_DEADLINE, self.process.kill)
        killer.start()
        line = self.process.stdout.readline()
        killer.cancel()
        assert "http://" in line, f"the local cloud doesn't start: {line!r}"
        return line[line.index("http://") :].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(DEADLINE)
        self.process.kill()
        self.process.wait()

    def ask(self, what):
        """One of the cloud's own requests."""
        with urllib.request.urlopen(f"{self.endpoint}/_local/{what}") as answer:
            return json.load(answer)

    def check_empty(self):
        health = self.ask("health")
        assert health["empty"], f"the account is not empty: {health['inventory']}"

    def variables(self):
        """What programs need to use this account, and no other."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return kept | CREDENTIALS | {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
            "NODE_EXTRA_CA_CERTS": str(self.authority),
            "NO_PROXY": "127.0.0.1",
        }

    def client(self, service, endpoint=None, **config):
        """boto3's client of a service; an endpoint by https is trusted by the cloud's own authority."""
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
        )
        settings = Config(retries={"total_max_attempts": 1}, proxies={}, inject_host_prefix=False, **config)
        return session.client(
            service, endpoint_url=endpoint or self.endpoint, verify=str(self.authority), config=settings
        )


def until(found, what):
    """Asks again until there is something, with a deadline."""
    end = time.monotonic() + DEADLINE
    while not (result := found()):
        assert time.monotonic() < end, f"{what} hasn't come"
        time.sleep(0.02)
    return result
