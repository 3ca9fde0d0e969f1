"""Deploys stages to a local cloud, exports them, and gives that to cfn-lint and Terraform."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CFN_LINT = pathlib.Path(sys.executable).with_name("cfn-lint")
SNAPSHOTS = ROOT / "crates/core/src/export/snapshots"
STAGES = {"chat": (ROOT, "local"), "full": (HERE / "project", "full")}
DEADLINE = 600  # seconds for one command; only a failure takes that long
CHANGED = 2  # of `plan -detailed-exitcode`
SERVICES = ["apigatewayv2", "iam", "lambda", "logs", "sts"]


class NotChecked(Exception):
    """Something isn't on this machine."""


def main():
    deployer = pathlib.Path(sys.argv[1]).resolve()
    asked = sys.argv[2:] or list(STAGES)
    checked = 0
    for stage in asked:
        with tempfile.TemporaryDirectory() as folder:
            checked += Suite(deployer, pathlib.Path(folder), *STAGES[stage]).run(stage)
    checked += snapshots()
    print(f"export: {checked} passed, 0 failed")


class Suite:
    """One stage on a local cloud of its own."""

    def __init__(self, deployer, folder, project, stage):
        self.deployer, self.folder, self.project, self.stage = deployer, folder, project, stage
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {name: it for name, it in os.environ.items() if not name.startswith(("AWS_", "DEPLOYER_"))}
        self.variables = kept | {"DEPLOYER_LOCAL_PORT": str(self.port)}

    def run(self, name):
        if self.project != ROOT:
            self.project = pathlib.Path(shutil.copytree(self.project, self.folder / "project"))
        self.call("up", self.stage)
        try:
            return self.cloudformation(name) + self.terraform(name)
        finally:
            self.call("down", self.stage)

    def call(self, *words):
        command = [self.deployer, "--project", self.project, *words]
        ended = run(command, self.variables)
        assert ended.returncode == 0, f"{words} failed:\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def export(self, form):
        out = self.folder / form
        told = self.call("export", self.stage, "--format", form, "--out", str(out), "--json")
        told = json.loads(told)
        assert not told["notes"], told["notes"]
        assert sorted(told["files"]) == sorted(path.name for path in out.iterdir())
        # Once more it is the same, so that nothing is in the way.
        self.call("export", self.stage, "--format", form, "--out", str(out))
        return out

    def cloudformation(self, name):
        out = self.export("cloudformation")
        lint(out / "template.json", out / "import-template.json")
        template = json.loads((out / "import-template.json").read_text())
        known = {it["LogicalResourceId"]: it["ResourceType"] for it in json.loads((out / "import.json").read_text())}
        described = {label: it["Type"] for label, it in template["Resources"].items()}
        assert known == described, "each resource to import is described, and the other way round"
        print(f"ok: {name}: cfn-lint has nothing to say about {len(known)} resources")
        return 1

    def terraform(self, name):
        out = self.export("terraform")
        try:
            terraform = Terraform(out, self.variables, self.port)
        except NotChecked as why:
            print(f"{name}: Terraform: NOT CHECKED, {why}")
            return 0
        planned = terraform.plan()
        assert planned == (len(terraform.imports), 0, 0, 0), f"{planned} of {len(terraform.imports)}"
        if self.project == ROOT:
            print(f"ok: {name}: Terraform would import {planned[0]} resources and change none")
            return 1
        terraform.apply()
        assert terraform.plan() is None, "after the import nothing is left to do"
        # What was taken over serves on, and is the deployer's until its tags are off.
        assert "nothing to do" in self.call("up", self.stage)
        print(f"ok: {name}: Terraform imports {planned[0]} resources and changes none")
        return 1


class Terraform:
    """Terraform in the folder of an export."""

    def __init__(self, folder, variables, port):
        self.program = shutil.which("terraform")
        if self.program is None:
            raise NotChecked("there is no terraform on the PATH")
        self.folder = folder
        self.imports = json.loads((folder / "main.tf.json").read_text())["import"]
        local = {
            "endpoints": [{service: f"http://127.0.0.1:{port}" for service in SERVICES}],
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
        }
        (folder / "local_override.tf.json").write_text(json.dumps({"provider": {"aws": local}}))
        self.variables = variables | {
            "AWS_ACCESS_KEY_ID": "AKIALOCALCLOUDUSER00",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }
        plugins = os.environ.get("CLIENTS_TF_PLUGIN_DIR")
        where = [f"-plugin-dir={plugins}"] if plugins else []
        ended = self.call("init", "-input=false", *where, codes=(0, 1))
        if ended.returncode:
            reason = next(line for line in ended.stderr.splitlines() if "Error" in line)
            raise NotChecked(f"the AWS provider can't be had ({reason.strip()})")

    def validate(self):
        self.call("validate")

    def call(self, *words, codes=(0,)):
        command = [self.program, f"-chdir={self.folder}", *words, "-no-color"]
        ended = run(command, self.variables)
        assert ended.returncode in codes, f"{words} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        return ended

    def plan(self):
        """How much is to be imported, added, changed and destroyed; None: nothing."""
        ended = self.call("plan", "-input=false", "-detailed-exitcode", "-out=plan", codes=(0, CHANGED))
        planned = json.loads(self.call("show", "-json", "plan").stdout)
        changes = [it["change"] for it in planned.get("resource_changes", [])]
        if ended.returncode == 0 and not any("importing" in it for it in changes):
            return None
        count = lambda action: sum(action in it["actions"] for it in changes)
        for it in planned["resource_changes"]:
            if it["change"]["actions"] != ["no-op"]:
                print(ended.stdout)
                break
        imported = sum("importing" in it for it in changes)
        return imported, count("create"), count("update"), count("delete")

    def apply(self):
        self.call("apply", "-input=false", "plan")


def snapshots():
    """What the tests of the pure core hold has tables, too."""
    checked = 0
    for path in sorted(SNAPSHOTS.glob("*.snap")):
        form = path.stem.rpartition("__")[2]
        with tempfile.TemporaryDirectory() as folder:
            folder, text = pathlib.Path(folder), path.read_text().split("---\n", 2)[2]
            if form == "template":
                (folder / "template.json").write_text(text)
                lint(folder / "template.json")
                what = "cfn-lint has nothing to say about it"
            elif form == "terraform":
                (folder / "main.tf.json").write_text(text)
                try:
                    Terraform(folder, dict(os.environ), 0).validate()
                except NotChecked as why:
                    print(f"{path.name}: NOT CHECKED, {why}")
                    continue
                what = "Terraform takes it for valid"
            else:
                continue
        print(f"ok: {path.name}: {what}")
        checked += 1
    return checked


def lint(*templates):
    # Errors, warnings and hints, none of them left out.
    command = [str(CFN_LINT), "--format", "parseable", "--include-checks", "I", "--", *map(str, templates)]
    ended = run(command, os.environ)
    assert ended.returncode == 0, f"cfn-lint:\n{ended.stdout}{ended.stderr}"


def run(command, variables):
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=DEADLINE)


main()
