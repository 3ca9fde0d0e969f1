"""The suite of clients.

usage: clients.py DEPLOYER [PART…]
"""

import importlib
import pathlib
import sys
import tempfile

from checks import Checks
from local_cloud import LocalCloud

# Each is a module with `run(cloud, checks)`.
PARTS = {
    "conformance": "conformance.suite",
    "boto3": "programs.boto",
    "cli": "programs.cli",
    "javascript": "programs.javascript",
    "functions": "functions.suite",
    "terraform": "terraform.suite",
    "browser": "browser.suite",
}


def main():
    deployer, *wanted = sys.argv[1:]
    unknown = set(wanted) - PARTS.keys()
    assert not unknown, f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}"
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="clients-") as folder:
        for part in wanted or PARTS:
            home = pathlib.Path(folder, part)
            home.mkdir()
            with LocalCloud(str(pathlib.Path(deployer).resolve()), home) as cloud:
                importlib.import_module(PARTS[part]).run(cloud, checks)
    print(f"clients: {checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
