"""The AWS SDK for JavaScript: its program does all, by itself."""

import pathlib
import shutil
import subprocess

from functions.bundle import bundle

PROGRAM = pathlib.Path(__file__).with_name("sdk.mjs")
DEADLINE = 120  # seconds; only a failure takes that long


def run(cloud, checks):
    with checks.check("the SDK for JavaScript builds an echo, talks, posts, reads its log and removes everything"):
        zipped = cloud.folder / "function.zip"
        zipped.write_bytes(bundle("node"))
        command = [shutil.which("node"), PROGRAM, zipped, str(cloud.port)]
        variables = cloud.variables()
        ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=DEADLINE)
        assert ended.returncode == 0, ended.stderr
        cloud.check_empty()
