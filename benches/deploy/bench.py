"""Measures deploys of the chat stack; README.md says how to read what it prints.

usage: bench.py [--only PART,…] [--repeat N] [--largest N] [--delay MS]
"""

import argparse
import functools
import json
import pathlib
import shutil
import sys

import clouds
from growth import SIZES, grow
from ours import Deployer
from peers.boto3_script import Boto3
from peers.cdk_app import Cdk
from peers.cloudformation import CloudFormation
from peers.terraform_plan import Terraform
from peers.zips import Zips
from report import table
from series import LIFE, measure
from stages import many, no_op

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "target/bench-deploy"
PEERS = ("boto3", "cloudformation", "cdk", "terraform")
PARTS = ("ours", *PEERS, "local", "realism", *(f"growth-{kind}" for kind in SIZES))
# By `make bench-stages`; some ten minutes.
STAGES = "stages"
SEED = 1  # of the realism profile
CARGO_RUNS = 5


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(PARTS), help=", ".join(PARTS))
    parser.add_argument("--repeat", type=int, default=3, help="turns; figures are medians")
    parser.add_argument("--largest", type=int, default=max(map(max, SIZES.values())), help="largest size of growth")
    parser.add_argument("--delay", type=float, default=50, help="ms added to each call")
    found = parser.parse_args()
    found.only = found.only.split(",")
    if unknown := [part for part in found.only if part not in (*PARTS, "growth", STAGES)]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}, growth, {STAGES}")
    if "growth" in found.only:
        found.only += [f"growth-{kind}" for kind in SIZES]
    return found


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = TARGET / "work"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.waterfalls = TARGET / "waterfalls"
        self.waterfalls.mkdir(exist_ok=True)
        self.zips = Zips(self.work, ROOT)
        self.deployer = Deployer(self.work, ROOT)

    def change_code(self, text):
        self.deployer.change_code(text)
        self.zips.change_code(text)

    def reset_code(self):
        self.deployer.reset_code()
        self.zips.prepare()

    def local_cloud(self, realism=None):
        return clouds.local_cloud(self.work, self.options.delay, self.deployer.binary, ROOT, realism)

    def keep(self, part, tool, what, waterfall):
        name = f"{part}-{tool}-{what}".replace(" ", "-")
        (self.waterfalls / f"{name}.txt").write_text(waterfall + "\n")

    def series(self, part, tools, make_cloud, life=LIFE):
        print(f"{part}:", file=sys.stderr)
        keep = functools.partial(self.keep, part)
        return measure(tools, make_cloud, self.change_code, self.reset_code, self.options.repeat, life, keep)

    def against_ministack(self):
        chosen = [part for part in ("ours", *PEERS) if part in self.options.only]
        tools = []
        for part in chosen:
            tools += {
                "ours": lambda: [self.deployer],
                "boto3": lambda: [Boto3("ideal", self.zips), Boto3("sequential", self.zips)],
                "cloudformation": lambda: [CloudFormation(self.work, self.zips)],
                "cdk": lambda: [Cdk(self.work, self.zips, TARGET / "npm/node_modules")],
                "terraform": lambda: [Terraform(self.work, self.zips)],
            }[part]()
        make_cloud = functools.partial(clouds.ministack, self.work, self.options.delay)
        return self.series("ministack", tools, make_cloud) if tools else {}

    def cargo(self):
        """Seconds of cargo's look at what is fresh, which an `up` begins with."""
        with self.local_cloud() as cloud:
            return sorted(self.deployer.cargo(cloud).seconds for _ in range(CARGO_RUNS))[CARGO_RUNS // 2]

    def run(self):
        only, figures = self.options.only, {"delay_ms": self.options.delay, "repeat": self.options.repeat}
        figures["ministack"] = self.against_ministack()
        if "ours" in only:
            figures["cargo_s"] = round(self.cargo(), 4)
        if "local" in only:
            life = ("first", "no_op", "plan", "code", "down")
            figures["local"] = self.series("local", [self.deployer], self.local_cloud, life)
        if "realism" in only:
            tools = [self.deployer, *(Boto3(script, self.zips, strict=True) for script in ("ideal", "sequential"))]
            strict = functools.partial(self.local_cloud, SEED)
            figures["realism"] = self.series("realism", tools, strict)
        for kind in SIZES:
            if f"growth-{kind}" in only:
                print(f"growth of {kind}:", file=sys.stderr)
                strict = functools.partial(self.local_cloud, SEED)
                keep = functools.partial(self.keep, "growth")
                self.reset_code()
                grown = grow(kind, self.options.largest, self.deployer, strict, self.options.delay / 1000, keep)
                figures.setdefault("growth", {})[kind] = grown
        if STAGES in only:
            strict = functools.partial(self.local_cloud, SEED)
            keep = functools.partial(self.keep, "stages")
            self.reset_code()
            at_once = functools.partial(clouds.local_cloud, self.work, 0, self.deployer.binary, ROOT)
            figures["no_op_s"] = no_op(self.deployer, at_once)
            figures["cargo_s"] = round(self.cargo(), 4)
            figures["stages"] = many(self.options.largest, self.deployer, strict, self.options.delay / 1000, keep)
        return figures


def main():
    bench = Bench(arguments())
    figures = bench.run()
    print(table(figures))
    print(f"\nwaterfalls: {bench.waterfalls.relative_to(ROOT)}/")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
