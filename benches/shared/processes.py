"""Processes and their memory, as /proc has them."""

import contextlib
import os
import pathlib

PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid):
    """The process and all below it."""
    found = [pid]
    for process in found:
        for task in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.extend(int(child) for child in task.read_text().split())
    return found


def resident(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / (1 << 20)
    except (OSError, IndexError):
        return 0
