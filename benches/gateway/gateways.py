"""The gateways that are measured, each with the same chat; `start` gives its URL."""

import json
import os
import pathlib
import shutil
import subprocess
import time

from server import Server, free_port

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
        (project / "stages/local.toml").write_text(f'target = "local"\nport = {port}\n')
        command = [self.binary, "--project", project, "local-cloud", "--port", str(port), "--data", self.folder / "data"]
        ready = "GET /_local/health HTTP/1.1"
        figures = self.begin(command, {}, port, request=ready)
        url = self.up(project)
        # A second time with the account that it kept: as a developer's every day.
        self.stop()
        figures["kept_ready_s"] = self.begin(command, {}, port, request=ready)["ready_s"]
        return url, figures

    def up(self, project):
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "DEPLOYER_"))}
        prebuilt = {
            "CARGO": str(self.root / "benches/deploy/prebuilt-cargo"),
            "PREBUILT": str(self.root / "target/release"),
        }
        command = [self.binary, "--project", project, "up", "local", "--json"]
        done = subprocess.run(command, env=kept | prebuilt, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)["url"]


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
