"""A page in headless Chromium: it talks with the deployed API, and with nothing else."""

import os
import pathlib
import shutil
import subprocess

import stack
from checks import NotChecked
from programs.boto import Boto

PROGRAM = pathlib.Path(__file__).with_name("browser.mjs")
DEADLINE = 180  # seconds; only a failure takes that long
STEPS = 5


def chromium(cloud):
    """Where Chromium is. CI may install it."""
    if shutil.which("chromium") is None and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        with (cloud.folder / "apt.log").open("wb") as log:
            for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
                subprocess.run(["apt-get", *command], stdout=log, stderr=log, check=False)
    if (found := shutil.which("chromium")) is None:
        raise NotChecked("there is no chromium on the PATH")
    return found


def run(cloud, checks):
    boto = Boto(cloud)
    with checks.check("a page in Chromium talks with the API, sees how sockets end, and drives no control plane"):
        program = chromium(cloud)
        built = boto.build("for-a-page", "python")
        profile = cloud.folder / "profile"
        command = [shutil.which("node"), PROGRAM, program, profile, str(cloud.port), built.api, stack.STAGE]
        variables = cloud.variables() | {"HOME": str(cloud.folder)}
        ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=DEADLINE)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert len(ended.stdout.splitlines()) == STEPS, ended.stdout
        boto.remove(built)
        cloud.check_empty()
