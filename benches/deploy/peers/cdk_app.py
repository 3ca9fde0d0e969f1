"""AWS CDK: `cdk deploy` of `cdk/app.js`. Bootstrapped before the clock runs."""

import pathlib
import shutil

from command import run

HERE = pathlib.Path(__file__).resolve().parent


class Cdk:
    name = "CDK"

    def __init__(self, work, zips, modules):
        self.folder, self.zips, self.modules = work / "cdk", zips, modules
        self.cdk = modules / ".bin/cdk"

    def missing(self):
        return None if self.cdk.exists() and shutil.which("node") else "not installed"

    def prepare(self, cloud):
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "cdk/app.js", self.folder / "app.js")
        self.command(cloud, "bootstrap", f"aws://000000000000/{cloud.variables()['AWS_REGION']}")

    def run(self, cloud, what):
        if what == "down":
            return self.command(cloud, "destroy", "--force")
        return self.command(cloud, "deploy", "--require-approval", "never")

    def command(self, cloud, verb, *options):
        variables = cloud.variables() | {
            "NODE_PATH": str(self.modules),
            "ZIPS": str(self.zips.folder),
            "CDK_DISABLE_CLI_TELEMETRY": "1",
            "HOME": str(self.folder),
            "CI": "true",
        }
        command = [self.cdk, "--app", "node app.js", "--no-notices", "--no-version-reporting", "--no-asset-metadata"]
        return run([*command, verb, *options], variables, self.folder)
