"""Terraform's AWS provider: applies, finds nothing to change, changes, destroys.

CLIENTS_TF_PLUGIN_DIR names a folder with the provider; without it Terraform asks its
registry.
"""

import json
import os
import pathlib
import shutil
import subprocess

import stack
from checks import NotChecked
from functions.bundle import HANDLER, bundle

PLAN = pathlib.Path(__file__).with_name("main.tf")
DEADLINE = 600  # seconds for one command; only a failure takes that long
CHANGED = 2  # of `plan -detailed-exitcode`


class Terraform:
    """Terraform in a folder of its own."""

    def __init__(self, cloud):
        self.program = shutil.which("terraform")
        if self.program is None:
            raise NotChecked("there is no terraform on the PATH")
        self.folder = cloud.folder / "terraform"
        self.folder.mkdir()
        shutil.copy(PLAN, self.folder)
        zipped = self.folder / "function.zip"
        zipped.write_bytes(bundle("python"))
        inputs = {"endpoint": cloud.endpoint, "region": cloud.region, "zip": str(zipped), "handler": HANDLER}
        self.variables = cloud.variables() | {f"TF_VAR_{name}": value for name, value in inputs.items()}
        self.variables |= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "HOME": str(self.folder)}
        self.describe("at first")

    def describe(self, text):
        self.variables["TF_VAR_description"] = text

    def run(self, *words, codes=(0,)):
        command = [self.program, f"-chdir={self.folder}", *words]
        ended = subprocess.run(command, env=self.variables, capture_output=True, text=True, timeout=DEADLINE)
        assert ended.returncode in codes, f"{words} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        return ended

    def init(self):
        plugins = os.environ.get("CLIENTS_TF_PLUGIN_DIR")
        where = [f"-plugin-dir={plugins}"] if plugins else []
        ended = self.run("init", "-input=false", "-no-color", *where, codes=(0, 1))
        if ended.returncode:
            reason = next(line for line in ended.stderr.splitlines() if "Error" in line)
            raise NotChecked(f"the AWS provider can't be had ({reason.strip()})")

    def plan(self):
        """Whether there is anything to change."""
        ended = self.run("plan", "-input=false", "-no-color", "-detailed-exitcode", codes=(0, CHANGED))
        return ended.stdout if ended.returncode == CHANGED else None

    def apply(self):
        self.run("apply", "-input=false", "-no-color", "-auto-approve")

    def outputs(self):
        return {name: told["value"] for name, told in json.loads(self.run("output", "-json").stdout).items()}


def run(cloud, checks):
    ready = False
    with checks.check("Terraform's AWS provider applies an echo"):
        terraform = Terraform(cloud)
        terraform.init()
        terraform.apply()
        ready = True
    if not ready:
        return
    with checks.check("what Terraform applied answers"):
        made = terraform.outputs()
        built = stack.Built("by-terraform", made["api"], made["function"])
        with stack.socket_to(cloud, built) as socket:
            assert stack.ask(socket, "hello")["echo"] == "hello"
    with checks.check("Terraform finds nothing to change in what it applied"):
        none(terraform.plan())
    with checks.check("Terraform applies a change, and then finds nothing to change"):
        terraform.describe("as changed")
        terraform.apply()
        found = cloud.client("lambda").get_function_configuration(FunctionName=made["function"])
        assert found["Description"] == "as changed", found
        none(terraform.plan())
    with checks.check("Terraform destroys everything"):
        terraform.run("destroy", "-input=false", "-no-color", "-auto-approve")
        cloud.check_empty()


def none(changes):
    assert changes is None, f"there is something to change:\n{changes}"
