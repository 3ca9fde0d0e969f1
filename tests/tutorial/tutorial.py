"""Does what docs/TUTORIAL.md says, block by block, and compares what it shows.

usage: tutorial.py PAGE FOLDER      FOLDER: where the first command is typed
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import page

#: Of what is waited for in the second terminal: a build is among it.
DEADLINE = 600  # seconds
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs commands one after the other, and keeps folder and variables between them."""

    def __init__(self, folder, scratch):
        self.folder, self.scratch = folder, scratch
        self.environment = dict(os.environ)

    def run(self, body):
        state = self.scratch / "state"
        # The state is written whatever happens, but read only after success.
        script = f'trap \'pwd >"{state}"; env -0 >>"{state}"\' EXIT\n{body}'
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        printed = ESCAPES.sub("", done.stdout)
        if done.returncode:
            raise SystemExit(f"{body}ends with {done.returncode}:\n{printed}")
        folder, variables = state.read_text().split("\n", 1)
        self.folder = folder
        pairs = (pair.split("=", 1) for pair in variables.split("\0") if "=" in pair)
        self.environment = {name: value for name, value in pairs if name not in ("_", "SHLVL")}
        return printed


class Second:
    """The second terminal: one command, which goes on."""

    def __init__(self, body, terminal):
        self.log = terminal.scratch / "second"
        self.read = 0  # characters that have been compared
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-c", f"exec {body}"],
                cwd=terminal.folder,
                env=terminal.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def expect(self, body):
        """Waits until what it has printed since the last time is as the text says."""
        if body.startswith("^C\n"):
            body = body.removeprefix("^C\n")
            self.process.send_signal(signal.SIGINT)
            if code := self.process.wait(DEADLINE):
                raise SystemExit(f"after Ctrl-C the second terminal's command ends with {code}")
        until = time.monotonic() + DEADLINE
        while True:
            ended = self.process.poll() is not None
            printed = ESCAPES.sub("", self.log.read_text())
            whole = printed[: printed.rfind("\n") + 1][self.read :]
            if page.shows(whole, body):
                self.read += len(whole)
                return
            if ended or time.monotonic() > until:
                raise SystemExit(f"the second terminal should show\n{body}but shows\n{printed[self.read:]}")
            time.sleep(0.05)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def main():
    path, folder = sys.argv[1:]
    blocks = page.blocks(pathlib.Path(path).read_text())
    second = printed = None
    compared = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        terminal = Terminal(folder, pathlib.Path(scratch))
        try:
            for block in blocks:
                if block.language == "sh":
                    seconds = time.monotonic() - began
                    print(f"{seconds:5.0f} s  {path}:{block.line}  {block.body.splitlines()[0]}", flush=True)
                match (block.language, block.second):
                    case ("sh", False):
                        printed = terminal.run(block.body)
                    case ("sh", True):
                        second = Second(block.body, terminal)
                    case ("text", True):
                        second.expect(block.body)
                        compared += 1
                    case ("text", False):
                        if not page.shows(printed, block.body):
                            raise SystemExit(f"{path}:{block.line}: it says\n{block.body}but this is shown:\n{printed}")
                        compared += 1
        finally:
            if second:
                second.end()
    commands = sum(block.language == "sh" for block in blocks)
    print(f"tutorial: {commands} blocks of commands done, {compared} texts as shown, 0 failed, in {time.monotonic() - began:.0f} s")


main()
