"""A hand-written boto3 script, in sequence (`sequential.py`) or in the ideal order
(`ideal.py`)."""

import pathlib
import sys

from command import run

HERE = pathlib.Path(__file__).resolve().parent


class Boto3:
    def __init__(self, script, zips, strict=False):
        self.name = f"boto3 {script}"
        self.script, self.zips, self.strict = HERE / f"{script}.py", zips, strict

    def missing(self):
        return None

    def prepare(self, cloud):
        pass

    def run(self, cloud, what):
        variables = cloud.variables() | ({"BENCH_STRICT": "1"} if self.strict else {})
        ran = run([sys.executable, self.script, what, self.zips.folder], variables, HERE)
        # Without the interpreter's start and the import of boto3.
        ran.work = float(ran.output.split()[-1])
        return ran
