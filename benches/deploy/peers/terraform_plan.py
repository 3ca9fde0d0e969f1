"""Terraform, when `terraform` is on the PATH: `terraform apply` of `terraform/`.
Initialised before the clock runs; BENCH_TF_PLUGIN_DIR names a folder with the AWS
provider where the registry can't be reached."""

import os
import pathlib
import shutil

from command import CommandFailed, run

HERE = pathlib.Path(__file__).resolve().parent


class Terraform:
    name = "Terraform"

    def __init__(self, work, zips):
        self.folder, self.zips = work / "terraform", zips

    def missing(self):
        return None if shutil.which("terraform") else "not installed"

    def prepare(self, cloud):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(HERE / "terraform", self.folder)
        plugins = os.environ.get("BENCH_TF_PLUGIN_DIR")
        try:
            self.command(cloud, "init", *([f"-plugin-dir={plugins}"] if plugins else []))
        except CommandFailed as error:
            raise SystemExit(f"Terraform's AWS provider can't be had: {error}") from None

    def run(self, cloud, what):
        return self.command(cloud, "destroy" if what == "down" else "apply", "-auto-approve")

    def command(self, cloud, verb, *options):
        variables = cloud.variables() | {
            "TF_VAR_endpoint": cloud.endpoint,
            "TF_VAR_region": cloud.variables()["AWS_REGION"],
            "TF_VAR_zips": str(self.zips.folder),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        variables.pop("TF_CLI_CONFIG_FILE", None)
        return run(["terraform", verb, "-no-color", "-input=false", *options], variables, self.folder)
