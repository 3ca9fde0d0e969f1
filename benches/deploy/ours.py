"""The deployer on the shipped stack, its release binary with the binaries that
`make functions-release` built."""

import pathlib
import shutil

from command import run
from shared.stages import copy_in_memory

HERE = pathlib.Path(__file__).resolve().parent
STAGE = "alpha"
FUNCTIONS = ["connect", "default", "disconnect", "room"]
CHANGED = "room"  # the function whose code changes: the largest


def change(binary, text):
    """Other code that still runs: bytes after an ELF's end mean nothing to it."""
    with binary.open("ab") as file:
        file.write(text.encode())


class Deployer:
    """A copy of the stage files, the built functions, and the deployer at work on
    them. Its build step finds everything built (`prebuilt-cargo`)."""

    name = "deployer"

    def __init__(self, work, root):
        self.work, self.root = work, root
        self.binary = root / "target/release/deployer"
        self.folder = work / "project"
        self.prebuilt = work / "prebuilt"

    def prepare(self, cloud):
        shutil.rmtree(self.folder, ignore_errors=True)
        copy_in_memory(self.root, self.folder)
        self.reset_code()

    def reset_code(self):
        shutil.rmtree(self.prebuilt, ignore_errors=True)
        self.prebuilt.mkdir(parents=True)
        for function in FUNCTIONS:
            shutil.copy(self.root / "target/release" / function, self.prebuilt / function)

    def change_code(self, text):
        change(self.prebuilt / CHANGED, text)

    def missing(self):
        return None if self.binary.exists() else "not built"

    def variables(self, cloud):
        return cloud.variables() | {"CARGO": str(HERE / "prebuilt-cargo"), "PREBUILT": str(self.prebuilt)}

    def verb(self, cloud, verb, *options, stages=(STAGE,)):
        command = [self.binary, "--project", self.folder, verb, *stages, *options]
        return run(command, self.variables(cloud), self.work)

    def run(self, cloud, what):
        if what in ("first", "no_op", "code"):
            return self.verb(cloud, "up", "--no-verify")
        return self.verb(cloud, what)

    def cargo(self, cloud):
        """What a user's `up` does before: cargo finds that everything is fresh."""
        packages = [part for function in FUNCTIONS for part in ("--package", function)]
        return run(["cargo", "build", "--release", *packages], cloud.variables(), self.root)
