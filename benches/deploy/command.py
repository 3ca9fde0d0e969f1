"""Runs one command: how long it took, and how much memory it had at most."""

import dataclasses
import pathlib
import resource
import subprocess
import threading
import time

from shared.processes import resident, tree

DEADLINE = 1800  # seconds; only a failure takes that long
EVERY = 0.01  # seconds between two looks at the memory


@dataclasses.dataclass
class Ran:
    """How a command went. Times in s of this machine's monotonic clock, which the
    proxy's records have, too."""

    began: float
    ended: float
    code: int
    output: str
    peak_mb: float
    tree_mb: float
    cpu_s: float

    @property
    def seconds(self):
        return self.ended - self.began


def run(command, variables, folder, expect=0):
    """`peak_mb` is the kernel's high-water mark of the command's own process;
    rusage's would be that of this Python, which the command was forked from.
    `tree_mb` is the largest sum of it and its children, as sampled; `cpu_s` is what
    they all used."""
    before = processor()
    began = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        env=variables,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peaks = {"own": 0.0, "tree": 0.0}
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, peaks, done))
    watcher.start()
    try:
        output, _ = process.communicate(timeout=DEADLINE)
        ended = time.monotonic()
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise SystemExit(f"{command} doesn't end:\n{output[-3000:]}") from None
    finally:
        done.set()
        watcher.join()
    if expect is not None and process.returncode != expect:
        raise CommandFailed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{output[-3000:]}")
    memory = (round(peaks[key], 1) for key in ("own", "tree"))
    return Ran(began, ended, process.returncode, output, *memory, round(processor() - before, 3))


class CommandFailed(Exception):
    """A command that should have succeeded."""


def processor():
    """Seconds of processor that commands which have ended used; clouds still run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch(pid, peaks, done):
    while not done.is_set():
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
            if peak:
                peaks["own"] = max(peaks["own"], int(peak.split()[1]) / 1024)
            peaks["tree"] = max(peaks["tree"], peaks["own"], sum(map(resident, tree(pid))))
        except (OSError, IndexError):
            pass
        done.wait(EVERY)
