"""Measures WebSocket gateways with the chat; README.md says how to read what it prints.

usage: bench.py [--only NAME,…] [--repeat N] [--seconds S] [--load PATH]
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys

from gateways import Ministack, Ours, ServerlessOffline
from load import Load
from report import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "target/bench-gateway"
GATEWAYS = {gateway.name: gateway for gateway in (Ours, ServerlessOffline, Ministack)}
NAMES = ("bare", *GATEWAYS)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(NAMES), help=", ".join(NAMES))
    parser.add_argument("--repeat", type=int, default=3, help="turns; figures are medians")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement of echoes")
    parser.add_argument("--load", type=pathlib.Path, default=ROOT / "target/release/gateway-load")
    found = parser.parse_args()
    found.only = found.only.split(",")
    if unknown := [name for name in found.only if name not in NAMES]:
        parser.error(f"no such gateway: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return found


class Bench:
    def __init__(self, options):
        self.options = options
        self.load = Load(options.load, options.seconds)
        self.gateways = [GATEWAYS[name](ROOT, TARGET) for name in options.only if name != "bare"]
        self.figures = {}
        self.failures = {}
        self.turns = {}

    def note(self, name, figures):
        for key, value in figures.items():
            self.turns.setdefault(name, {}).setdefault(key, []).append(value)

    def fail(self, gateway, error):
        """What has failed isn't measured any more; what it was measured before counts."""
        print(f"  {gateway.name}: {error}", file=sys.stderr)
        self.failures[gateway.name] = f"failed: {error}"
        gateway.stop()

    def turn(self, number):
        print(f"turn {number + 1}:", file=sys.stderr)
        with contextlib.ExitStack() as stack:
            running = []
            for gateway in self.gateways:
                if gateway.name in self.figures or gateway.name in self.failures:
                    continue
                stack.callback(gateway.stop)
                try:
                    url, figures = gateway.start()
                except (subprocess.CalledProcessError, SystemExit) as error:
                    self.fail(gateway, getattr(error, "stderr", None) or error)
                    continue
                self.note(gateway.name, figures)
                running.append((gateway, url))
            # Everything measures the same thing in turn, so that what disturbs the
            # machine disturbs all alike.
            for what, measure in self.load.measures():
                if "bare" in self.options.only and (bare := self.load.bare(what)):
                    self.note("bare", {what: bare})
                for gateway, url in list(running):
                    try:
                        found = measure(gateway, url)
                    except subprocess.CalledProcessError as error:
                        running.remove((gateway, url))
                        self.fail(gateway, f"{what}: {(error.stderr or '').strip()[-300:]}")
                        continue
                    self.note(gateway.name, {what: found})
                    print(f"  {gateway.name}: {what}: {json.dumps(found)}", file=sys.stderr)
            for gateway, _ in running:
                self.note(gateway.name, {"busy_tree_mb": gateway.server.tree_mb()})

    def run(self):
        for gateway in self.gateways:
            if reason := gateway.missing():
                self.figures[gateway.name] = reason
        for number in range(self.options.repeat):
            self.turn(number)
        for name, measured in self.turns.items():
            self.figures.setdefault(name, {key: median(values) for key, values in measured.items()})
        for name, failure in self.failures.items():
            self.figures.setdefault(name, {})["failed"] = failure
        return {"repeat": self.options.repeat, "gateways": self.figures}


def median(values):
    """Of numbers, or of each number in dictionaries of the same keys."""
    if isinstance(values[0], dict):
        return {key: median([value[key] for value in values]) for key in values[0]}
    if any(value is None or isinstance(value, str) for value in values):
        return values[-1]
    return round(statistics.median(values), 4)


def main():
    figures = Bench(arguments()).run()
    print(table(figures["gateways"]))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
