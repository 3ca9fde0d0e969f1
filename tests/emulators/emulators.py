"""Deploys a tiny project to emulators that others wrote, to the local cloud, or to
AWS, and reads back with boto3 what is there.

usage: emulators.py DEPLOYER
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from readback import FUNCTIONS_ROLE, NEIGHBOUR_LOGS, REGION, Account, Function, Stage, same

HERE = pathlib.Path(__file__).resolve().parent
START_DEADLINE = 60  # seconds until an emulator listens
DEADLINE = 150  # seconds for one command; only a failure takes that long
LISTENING = "0A"  # a socket's state in /proc/net/tcp


class Server:
    """An account on 127.0.0.1 only, by a server that runs meanwhile."""

    def __init__(self, name, folder, command, environment=None, keeps_credentials=True, answers=False):
        self.name, self.keeps_credentials, self.answers = name, keeps_credentials, answers
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.variables = {
            "AWS_ACCESS_KEY_ID": "AKIALOCALCLOUDUSER00",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        self.log = folder / f"{name}.log"
        home = folder / name
        home.mkdir()
        variables = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
        variables |= {key: value.format(port=self.port) for key, value in (environment or {}).items()}
        # An absolute path stays what it is.
        executable = pathlib.Path(sys.executable).parent / command[0]
        arguments = [argument.format(port=self.port) for argument in command[1:]]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [executable, *arguments], env=variables, cwd=home, stdout=log, stderr=log
            )

    def __enter__(self):
        deadline = time.monotonic() + START_DEADLINE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            dead = self.process.poll() is not None
            if dead or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"{self.name} doesn't start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def check_listens_here_only(self):
        process = pathlib.Path(f"/proc/{self.process.pid}")
        if not process.is_dir():
            return  # no Linux
        sockets = set()
        for handle in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.add(os.readlink(handle))
        for table in ("tcp", "tcp6"):
            for line in (process / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                local, state, inode = fields[1], fields[3], fields[9]
                if state == LISTENING and f"socket:[{inode}]" in sockets:
                    # 127.0.0.1, least significant byte first.
                    assert local.startswith("0100007F:"), f"{self.name} listens on {local}"


class Aws:
    """The real account that the environment's credentials lead to. What a failed part
    leaves there is removed, too."""

    name, keeps_credentials, answers = "AWS", True, True

    def __init__(self):
        self.variables = {key: value for key, value in os.environ.items() if key.startswith("AWS_")}
        self.variables.pop("AWS_REGION", None)

    def __enter__(self):
        account = Account(self.variables)
        there = {kind: names for kind, names in account.everything().items() if names}
        assert not there, f"this account has what the suite would make: {there}"
        return self

    def __exit__(self, *_):
        Account(self.variables).remove_neighbours()

    def check_listens_here_only(self):
        pass


class Project:
    """A copy of the project, and the deployer run on it."""

    def __init__(self, deployer, folder, place):
        self.deployer, self.place = deployer, place
        self.root = folder
        shutil.copytree(HERE / "project", folder)
        self.variables = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.variables |= place.variables
        self.variables |= {"AWS_REGION": REGION, "CARGO_TARGET_DIR": str(folder / "target")}

    def edit(self, path, old, new):
        text = (self.root / path).read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} of {old!r}"
        (self.root / path).write_text(text.replace(old, new))

    def command(self, verb, *options):
        return [self.deployer, "--project", str(self.root), verb, "alpha", *options]

    def run(self, verb, *options, code=0):
        """Runs a verb; gives stdout and stderr."""
        ended = subprocess.run(
            self.command(verb, *options), env=self.variables, capture_output=True, text=True, timeout=DEADLINE
        )
        assert ended.returncode == code, f"{verb} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        return ended.stdout, ended.stderr

    def plan(self):
        """The planned steps: AWS's operation and the rest of each."""
        return [step["action"] for step in json.loads(self.run("plan", "--json")[0])["steps"]]

    def status(self):
        return json.loads(self.run("status", "--json")[0])

    def apply(self, verb="up"):
        """A verb that makes something live."""
        _, said = self.run(verb, *([] if self.place.answers else ["--no-verify"]))
        assert "failed:" not in said, said

    def remove(self):
        """However far a part came."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.run("down")

    def binary(self, function):
        # cargo-zigbuild's go to a folder named after the target.
        [path] = self.root.glob(f"target/**/release/{function}")
        return path.read_bytes()


FIRST = Stage(
    functions={
        "connect": Function("Accepts a connection"),
        "default": Function("Echoes what matches no route"),
        "room": Function(
            "Serves join and send", timeout=20, retention=30, reserved=1, environment={"LANGUAGE": "English"}
        ),
    },
    routes={
        "$connect": "connect",
        "$default": "default",
        "$disconnect": "connect",
        "join": "room",
        "send": "room",
    },
)


def change(stage, function, **changes):
    changed = dataclasses.replace(stage.functions[function], **changes)
    return dataclasses.replace(stage, functions={**stage.functions, function: changed})


class Suite:
    """Counts what passed; the first failure ends an emulator's part."""

    def __init__(self):
        self.passed = 0

    def passes(self, sentence):
        self.passed += 1
        print(f"ok: {sentence}", flush=True)


def ministack(folder):
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": "{port}",
        # Listeners that would not be on 127.0.0.1 only.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    return Server("ministack", folder, ["ministack"], environment, keeps_credentials=False)


def moto(folder):
    environment = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    return Server("moto", folder, ["moto_server", "-H", "127.0.0.1", "-p", "{port}"], environment)


def local_cloud(deployer, folder):
    command = [deployer, "--project", str(HERE / "project"), "local-cloud", "--port", "{port}"]
    return Server("local cloud", folder, [*command, "--data", str(folder / "cloud")], answers=True)


def whole_flow(suite, deployer, folder, place):
    """Everything from the first `up` to `down`."""
    with place:
        account = Account(place.variables)
        project = Project(deployer, folder / "project", place)
        account.add_neighbours()
        try:
            flow(suite, account, project)
        except BaseException:
            project.remove()
            raise
        place.check_listens_here_only()


def flow(suite, account, project):
    place = project.place

    def read_back(stage):
        """Checks everything; gives what tells one release from another."""
        api_id, invoked = account.check_draft(stage, place.keeps_credentials)
        account.check_roles(stage, api_id)
        account.check_log_groups(stage, [NEIGHBOUR_LOGS])
        published = account.check_functions(stage)
        code = {}
        for key, version in invoked.items():
            assert version in published[key], f"{key}:{version} is invoked but isn't published"
            code[key] = account.check_version(key, stage.functions[key], version)
            account.check_code(key, version, project.binary(key))
        deployment, release = account.check_release(api_id)
        account.check_manifest(api_id, invoked, stage.routes)
        status = project.status()
        same(status["release"], release, "the release that status shows")
        assert status["url"].endswith("/alpha") and api_id in status["url"], status["url"]
        found = {"api": api_id, "invoked": invoked, "code": code}
        return found | {"published": published, "deployment": deployment, "release": release}

    project.apply()
    stage = FIRST
    first = read_back(stage)
    suite.passes(f"{place.name}: the first up makes everything")

    planned = project.plan()
    if place.keeps_credentials:
        same(planned, [], "the second plan")
    else:
        # Integrations differ, so the draft is put right and deployed anew each time.
        repeated = [step["key"] for step in planned if step["action"] == "UpdateIntegration"]
        same(sorted(repeated), sorted(stage.functions), "the integrations of the second plan")
    project.apply()
    again = read_back(stage)
    if not place.keeps_credentials:
        first["deployment"] = again["deployment"]
    same(again, first, "after an up without changes")
    first = again
    suite.passes(f"{place.name}: an up without changes releases nothing (but where credentials aren't kept)")

    project.edit("functions/room/src/main.rs", "room, first", "room, second")
    project.apply()
    second = read_back(stage)
    same(changed(first, second), ["room"], "functions with other code or versions")
    assert first["code"]["room"] != second["code"]["room"], "the code is the old one"
    assert first["release"] != second["release"], "new code is live under the old release"
    same(first["api"], second["api"], "the API")
    suite.passes(f"{place.name}: new code goes live as a new version of one function")

    project.edit("stages/service.toml", 'send = "room"', 'leave = "room"')
    with (project.root / "stages/alpha.toml").open("a") as file:
        file.write("\n[functions.connect]\nmemory_mb = 256\nlog_retention_days = 7\n")
    routes = {**FIRST.routes, "leave": "room"}
    del routes["send"]
    stage = change(dataclasses.replace(FIRST, routes=routes), "connect", memory=256, retention=7)
    project.apply()
    third = read_back(stage)
    same(changed(second, third), ["connect"], "functions with other code or versions")
    same(second["code"], third["code"], "code")
    assert second["release"] != third["release"], "other routes are live under the old release"
    suite.passes(f"{place.name}: a route comes, a route goes, memory and retention change")

    project.apply("rollback")
    deployment, release = account.check_release(third["api"])
    same(release, second["release"], "the release before")
    same(deployment, second["deployment"], "its deployment")
    account.check_manifest(third["api"], second["invoked"], FIRST.routes)
    same(account.check_draft(stage, place.keeps_credentials), (third["api"], third["invoked"]), "the draft")
    assert "UpdateStage" in [step["action"] for step in project.plan()], "what was rolled back is live again"
    project.apply()
    again = read_back(stage)
    same(again["release"], third["release"], "the release after an up")
    same(again["invoked"], third["invoked"], "its versions")
    suite.passes(f"{place.name}: rollback is one write, and the next up makes the file's release live again")

    block = '[functions.default]\ndescription = "Echoes what matches no route"\n'
    project.edit("stages/service.toml", block, "")
    project.edit("stages/service.toml", '"$default" = "default"', '"$default" = "room"')
    functions = {key: stage.functions[key] for key in ("connect", "room")}
    stage = dataclasses.replace(stage, functions=functions, routes={**routes, "$default": "room"})
    project.apply()
    read_back(stage)
    suite.passes(f"{place.name}: a function that the file no longer names goes with its log group and permissions")

    said, _ = project.run("down")
    assert said.startswith("suite/alpha is gone"), said
    account.check_only_neighbours()
    said, _ = project.run("down")
    same(said, "suite/alpha: nothing to do\n", "the second down")
    suite.passes(f"{place.name}: down leaves nothing of ours, and what isn't ours")


def changed(before, after):
    """Functions whose invoked version or code differs."""
    return [
        key
        for key in sorted(after["invoked"])
        if before["invoked"][key] != after["invoked"][key] or before["code"][key] != after["code"][key]
    ]


def parts(suite, deployer, folder, place):
    """moto: everything up to CreateDeployment, which it lacks."""
    with place:
        account = Account(place.variables)
        project = Project(deployer, folder / "project", place)
        account.add_neighbours()

        def up_to_the_deployment():
            _, said = project.run("up", code=1)
            same(re.findall("  failed: ([a-z ]+) ", said), ["create deployment"], "what failed")
            assert re.search("apigateway:CreateDeployment [0-9a-f]{16}: HTTP status 404 ", said), said
            assert re.search("[0-9]+ left; nothing is live yet", said), said

        def read_back(stage):
            api_id, invoked = account.check_draft(stage, place.keeps_credentials)
            account.check_roles(stage, api_id)
            account.check_log_groups(stage, [NEIGHBOUR_LOGS])
            account.check_functions(stage)
            code = {
                key: account.check_version(key, stage.functions[key], version)
                for key, version in invoked.items()
            }
            return {"api": api_id, "invoked": invoked, "code": code}

        up_to_the_deployment()
        first = read_back(FIRST)
        suite.passes("moto: up makes everything before CreateDeployment and says what failed")

        for verb in ("plan", "up", "down"):
            _, said = project.run(verb, code=1)
            missing = f"apigateway:GetDeployments {first['api']}: HTTP status 404 "
            assert missing in said, said
        same(read_back(FIRST), first, "after commands that couldn't read the account")
        suite.passes("moto: an account that can't be read is left alone")

        account.api.delete_api(ApiId=first["api"])
        steps = project.plan()
        unchanged = ("Function", "Version", "Retention", "LogGroup", "CreateRole", "AssumeRole", "Detach")
        planned = [step for step in steps if any(part in step["action"] for part in unchanged)]
        same(planned, [], "what a lost API changes beside the API")
        # The functions' policy names the API; the gateway's doesn't.
        policies = [step["role"] for step in steps if step["action"] == "PutRolePolicy"]
        same(policies, [FUNCTIONS_ROLE], "policies that a lost API changes")
        suite.passes("moto: roles, log groups and functions compare equal to what was asked for")

        project.edit("functions/room/src/main.rs", "room, first", "room, second")
        project.edit("stages/service.toml", "timeout_seconds = 20", "timeout_seconds = 25")
        with (project.root / "stages/alpha.toml").open("a") as file:
            file.write("\n[functions.connect]\nmemory_mb = 256\nlog_retention_days = 7\n")
        stage = change(FIRST, "connect", memory=256, retention=7)
        stage = change(stage, "room", timeout=25)
        up_to_the_deployment()
        second = read_back(stage)
        same(changed(first, second), ["connect", "room"], "functions with other code or versions")
        same(first["code"]["connect"], second["code"]["connect"], "code of connect")
        assert first["code"]["room"] != second["code"]["room"], "the code is the old one"
        suite.passes("moto: new code and settings become new versions")

        account.api.delete_api(ApiId=second["api"])
        said, _ = project.run("down")
        assert said.startswith("suite/alpha is gone"), said
        account.check_only_neighbours()
        said, _ = project.run("down")
        same(said, "suite/alpha: nothing to do\n", "the second down")
        place.check_listens_here_only()
        suite.passes("moto: down leaves nothing of ours, and what isn't ours")


def main():
    [deployer] = sys.argv[1:]
    deployer = str(pathlib.Path(deployer).resolve())
    if os.environ.get("SUITE_ON_AWS"):
        todo = [(whole_flow, lambda _: Aws())]
    else:
        todo = [
            (parts, moto),
            (whole_flow, ministack),
            (whole_flow, lambda folder: local_cloud(deployer, folder)),
        ]
    suite, failed = Suite(), 0
    for part, place in todo:
        with tempfile.TemporaryDirectory(prefix="emulators-") as folder:
            folder = pathlib.Path(folder)
            try:
                part(suite, deployer, folder, place(folder))
            except Exception:  # counted, and the next part still runs
                failed += 1
                traceback.print_exc()
                for log in folder.glob("*.log"):
                    print(f"the end of {log.name}:", *log.read_text().splitlines()[-20:], sep="\n", file=sys.stderr)
    print(f"emulators: {suite.passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
