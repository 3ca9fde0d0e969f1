"""The gateways that are measured, each with the same chat; `start` gives its URL."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request

from server import Server, free_port
from shared.stages import copy_in_memory

HERE = pathlib.Path(__file__).resolve().parent
FUNCTIONS = ["connect", "default", "disconnect", "room"]
SETTLE = 1.0  # seconds until an idle gateway's memory is looked at


class Gateway:
    """What all have in common."""

    #: How many idle connections are opened.
    held = 10_000
    #: How many connections are opened for connects a second.
    connects = 2_000

    def __init__(self, root, target):
        self.root, self.target = root, target
        self.folder = target / "work" / self.name
        self.server = None

    def missing(self):
        return None

    def begin(self, command, environment, port, **options):
        self.server = Server(command, environment, self.folder, port, **options)
        time.sleep(SETTLE)
        return {"ready_s": self.server.ready_s, "idle_mb": self.server.own_mb()}

    def fresh_folder(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def deploy(self, project, stage, prebuilt, variables=None, *options):
        """By the deployer, with functions that are built."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "DEPLOYER_"))}
        cargo = {"CARGO": str(self.root / "benches/deploy/prebuilt-cargo"), "PREBUILT": str(prebuilt)}
        command = [self.root / "target/release/deployer", "--project", project, "up", stage, "--json", *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        done = subprocess.run(command, env=kept | cargo | (variables or {}), check=True, text=True, **pipes)
        # The result is the last line; before it come events.
        return json.loads(done.stdout.splitlines()[-1])

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None


class Ours(Gateway):
    """The release binary, the stage `local`, the functions as AWS gets them."""

    name = "ours"

    def __init__(self, root, target):
        super().__init__(root, target)
        self.binary = root / "target/release/deployer"

    def missing(self):
        return None if self.binary.exists() else "not built"

    def start(self):
        self.fresh_folder()
        port = free_port()
        project = self.folder / "project"
        shutil.copytree(self.root / "stages", project / "stages")
        stage = project / "stages/local.toml"
        stage.write_text(stage.read_text().replace("port = 9100", f"port = {port}"))
        command = [self.binary, "--project", project, "local-cloud", "--port", str(port), "--data", self.folder / "data"]
        ready = "GET /_local/health HTTP/1.1"
        figures = self.begin(command, {}, port, request=ready)
        url = self.deploy(project, "local", self.root / "target/release")["url"]
        # A second time with the account that it kept: as a developer's every day.
        self.stop()
        figures["kept_ready_s"] = self.begin(command, {}, port, request=ready)["ready_s"]
        return url, figures


class Ministack(Gateway):
    """The shipped handlers in the runtime provided.al2023, built to post by http://; it
    is deployed to by the deployer."""

    name = "ministack"
    held = 500
    connects = 100

    def __init__(self, root, target):
        super().__init__(root, target)
        self.binary = target / "venv/bin/ministack"
        self.function = root / "target/release/http_function"

    def missing(self):
        return None if self.binary.exists() and self.function.exists() else "not installed"

    def start(self):
        self.fresh_folder()
        port = free_port()
        execute_api = f"http://127.0.0.1:{port}/_aws/execute-api"
        environment = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            # Listeners that would not be on 127.0.0.1 only.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        figures = self.begin([self.binary], environment, port)
        project, prebuilt = self.folder / "project", self.folder / "prebuilt"
        copy_in_memory(self.root, project)
        prebuilt.mkdir()
        for function in FUNCTIONS:
            shutil.copy(self.function, prebuilt / function)
        with (project / "stages/alpha.toml").open("a") as stage:
            stage.write(f'\n[defaults.environment]\nBENCH_EXECUTE_API = "{execute_api}"\n')
        variables = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
        }
        self.deploy(project, "alpha", prebuilt, variables, "--no-verify")
        api = self.api(port)
        return f"ws://127.0.0.1:{port}/_aws/execute-api/{api}/alpha", figures

    def api(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/apis", timeout=20) as answer:
            items = json.load(answer)["items"]
        return next(item["apiId"] for item in items if item["name"].startswith("chat"))


class ServerlessOffline(Gateway):
    """Node handlers within its own process, which is the quickest that it has."""

    name = "serverless-offline"

    def __init__(self, root, target):
        super().__init__(root, target)
        self.modules = target / "npm/node_modules"

    def missing(self):
        there = shutil.which("node") and (self.modules / ".bin/osls").exists()
        return None if there else "not installed"

    def start(self):
        self.fresh_folder()
        project = self.folder / "project"
        shutil.copytree(HERE / "chat", project)
        (project / "node_modules").symlink_to(self.modules)
        port = free_port()
        command = ["node", self.modules / "osls/bin/serverless.js", "offline", "--useInProcess", "--host", "127.0.0.1"]
        command += ["--websocketPort", str(port)]
        for other in ("httpPort", "lambdaPort", "albPort"):
            command += [f"--{other}", str(free_port())]
        environment = {
            "BENCH_MANAGEMENT_URL": f"http://127.0.0.1:{port}",
            "SLS_NOTIFICATIONS_MODE": "off",
            "SLS_TRACKING_DISABLED": "1",
        }
        figures = self.begin(command, environment, port, cwd=project)
        return f"ws://127.0.0.1:{port}", figures
