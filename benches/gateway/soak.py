"""Starts the local cloud with the chat, has the load client soak it, and ends it.

usage: soak.py [--minutes N] [--clients N] [--load PATH]
"""

import argparse
import pathlib
import subprocess
import sys

from gateways import Ours
from shared.processes import tree

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "target/bench-gateway"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--load", type=pathlib.Path, default=ROOT / "target/release/gateway-load")
    options = parser.parse_args()
    ours = Ours(ROOT, TARGET)
    if reason := ours.missing():
        raise SystemExit(f"the deployer is {reason}")
    url, _ = ours.start()
    try:
        pid = ours.server.process.pid
        sizes = ["--minutes", str(options.minutes), "--clients", str(options.clients)]
        code = subprocess.run([options.load, "soak", "--url", url, "--pid", str(pid), *sizes]).returncode
        if left := tree(pid)[1:]:
            print(f"processes of functions are left: {left}", file=sys.stderr)
            code = code or 1
    finally:
        ours.stop()
    sys.exit(code)


if __name__ == "__main__":
    main()
