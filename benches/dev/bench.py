"""Saves a function's code, turn after turn, and asks over one open connection until the new
code answers. Prints a table, and as the last line all figures as JSON."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from projects import ALL, ROOT
from shared.table import aligned
from socket_client import Client

HERE = pathlib.Path(__file__).resolve().parent
TURNS = int(os.environ.get("TURNS", "10"))
ONLY = os.environ.get("ONLY", ",".join(kind.name for kind in ALL)).split(",")
# What may be added to cargo's own time.
GOAL = 0.3
# Between two questions: what is measured is no finer.
PAUSE = 0.005
PATIENCE = 300


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Dev:
    """A running `deployer dev --json`."""

    def __init__(self, project, variables, work):
        self.times = work / "cargo-times"
        deployer = str(ROOT / os.environ["DEPLOYER"])
        self.command = [deployer, "--project", str(project.folder)]
        self.variables = {
            **os.environ,
            **variables,
            "DEPLOYER_LOCAL_PORT": str(free_port()),
            "REAL_CARGO": shutil.which(os.environ.get("CARGO", "cargo")),
            "CARGO": str(HERE / "timed-cargo"),
            "CARGO_TIMES": str(self.times),
        }
        self.said = (work / "stderr").open("w")
        self.process = subprocess.Popen(
            [*self.command, "dev", "--json"], env=self.variables, stdout=subprocess.PIPE, stderr=self.said, text=True
        )
        self.lives = []
        self.heard = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            failed = event["event"] == "result" and not event["ok"]
            if event["event"] == "live" or failed:
                with self.heard:
                    self.lives.append(None if failed else event)
                    self.heard.notify_all()
        with self.heard:
            self.lives.append(None)
            self.heard.notify_all()

    def live(self, so_far=0):
        """The next `live` event after so many; waits for it."""
        with self.heard:
            came = self.heard.wait_for(lambda: None in self.lives or len(self.lives) > so_far, PATIENCE)
            if not came or self.lives[-1] is None:
                raise RuntimeError(f"dev has ended, failed or says nothing:\n{pathlib.Path(self.said.name).read_text()}")
            return self.lives[so_far]

    def cargo(self):
        """The seconds of each build there was."""
        return [int(line) / 1e9 for line in self.times.read_text().split()]

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        down = [*self.command, "down", "local"]
        subprocess.run(down, env=self.variables, stdout=self.said, stderr=self.said, timeout=60)


def turn(dev, project, client, number):
    word = f"turn-{number}"
    builds, lives = len(dev.cargo()), len(dev.lives)
    saved = time.monotonic()
    project.save(word)
    while word not in client.ask(project.asked):
        if time.monotonic() - saved > PATIENCE or None in dev.lives:
            raise RuntimeError(f"{word} doesn't come:\n{pathlib.Path(dev.said.name).read_text()}")
        time.sleep(PAUSE)
    total = time.monotonic() - saved
    dev.live(lives)
    cargo = sum(dev.cargo()[builds:])
    return {"total_s": total, "cargo_s": cargo, "added_s": total - cargo}


def measure(kind, work):
    project = kind(work / kind.name)
    dev = Dev(project, project.make(), work)
    try:
        url = dev.live()["url"]
        client = Client(url)
        client.ask(project.asked)
        # The first compiles what has never been compiled.
        turns = [turn(dev, project, client, number) for number in range(1, TURNS + 2)][1:]
        bytes_ = max(path.stat().st_size for path in zips(project))
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            dev.end()
    median = {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
    return {"median": median, "worst_added_s": max(turn["added_s"] for turn in turns), "zip_bytes": bytes_, "turns": turns}


def zips(project):
    folder = ROOT / "target" if project.name == "chat" else project.folder / "target"
    name = "room" if project.name == "chat" else "tiny"
    return [folder / "debug" / f"{name}.lambda.zip"]


def table(figures):
    rows = [("saving to live, medians", "saved to answered", "cargo's own", "added", "worst added", "zip", "goal met?")]
    for name, figure in figures.items():
        median = figure["median"]
        seconds = [median["total_s"], median["cargo_s"], median["added_s"], figure["worst_added_s"]]
        met = "yes" if median["added_s"] <= GOAL else "NO"
        size = f"{figure['zip_bytes'] / 1e6:.1f} MB"
        rows.append((name, *(f"{1000 * second:.0f} ms" for second in seconds), size, met))
    return aligned(rows)


def main():
    figures = {}
    with tempfile.TemporaryDirectory(prefix="bench-dev-") as work:
        for kind in ALL:
            if kind.name in ONLY:
                folder = pathlib.Path(work) / f"of-{kind.name}"
                folder.mkdir()
                figures[kind.name] = measure(kind, folder)
    print(f"{TURNS} turns each; at most {1000 * GOAL:.0f} ms are to be added to cargo's own time\n")
    print(table(figures))
    print()
    print(json.dumps({"bench": "dev", "turns": TURNS, "goal_added_s": GOAL, "projects": figures}))


main()
