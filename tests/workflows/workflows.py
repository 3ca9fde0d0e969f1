"""The workflows of .github/workflows, run against a local cloud: twenty pull requests get
their previews side by side and lose them again, `main` reaches alpha, a tag reaches prod;
afterwards the account is empty.

usage: workflows.py DEPLOYER
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from github import Failed, Runner, Workflow

ROOT = pathlib.Path(__file__).resolve().parents[2]
PULL_REQUESTS = 20
READY = 60  # seconds
VARIABLES = {
    "AWS_REGION": "us-east-1",
    "AWS_PREVIEW_ROLE": "arn:aws:iam::000000000000:role/preview",
    "AWS_ALPHA_ROLE": "arn:aws:iam::000000000000:role/alpha",
    "AWS_PROD_ROLE": "arn:aws:iam::000000000000:role/prod",
}
# Keeps the comments of pull requests, each with the number of its pull request for an id.
GH = r"""#!/bin/bash
set -eu
test "$1" = api -a -n "$GH_TOKEN"
case "$*" in
"api --paginate repos/owner/chat/issues/"*"/comments --jq "*)
    number=${3%/comments} number=${number##*/}
    [ ! -e "$KEPT/$number.md" ] || { grep -q '^<!-- deployer plan -->$' "$KEPT/$number.md" && echo "$number"; } ;;
"api -X PATCH repos/owner/chat/issues/comments/"*" -F body=@plan.md") cp plan.md "$KEPT/${4##*/}.md" ;;
"api repos/owner/chat/issues/"*"/comments -F body=@plan.md")
    number=${2%/comments} number=${number##*/}
    test ! -e "$KEPT/$number.md" && cp plan.md "$KEPT/$number.md" ;;
*) echo "gh $*" >&2; exit 2 ;;
esac
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(command, port, log):
    with log.open("wb") as out:
        # An open stdin: a local cloud in the foreground ends with whoever started it.
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + READY
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} doesn't start: {log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()


def pull_request(number, action):
    repository = {"full_name": "owner/chat"}
    head = {"repo": repository}
    return {"action": action, "number": number, "pull_request": {"head": head}, "repository": repository}


PUSH = {"repository": {"full_name": "owner/chat"}}


def changes_nothing(comment):
    """But for the preview's end, which each push puts off, to a full minute."""
    rows = [line for line in comment.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    renewed = [row for row in rows if row.count("→") == 1 and "`deployer:expires`" in row]
    return "no change" in comment.lower() if not rows else rows == renewed


class Suite:
    def __init__(self, deployer, folder, endpoint, tables):
        self.folder, self.endpoint, self.tables = folder, endpoint, tables
        tools, self.comments = folder / "tools", folder / "comments"
        tools.mkdir()
        self.comments.mkdir()
        (tools / "deployer").symlink_to(deployer)
        (tools / "gh").write_text(GH)
        (tools / "gh").chmod(0o755)
        os.environ["KEPT"] = str(self.comments)
        keys = {"AWS_ACCESS_KEY_ID": "AKIALOCALCLOUDUSER00", "AWS_SECRET_ACCESS_KEY": "local"}
        self.account = keys | {"AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
        self.runner = Runner(ROOT, tools, folder / "artifacts", self.account)
        self.deployer, self.passed, self.jobs = deployer, 0, 0

    def job(self, workflow, job, event, **more):
        self.jobs += 1
        folder = self.folder / f"job-{self.jobs}"
        folder.mkdir()
        file = Workflow(ROOT / f".github/workflows/{workflow}.yml")
        return self.runner.run(file, job, event, folder, variables=VARIABLES, **more)

    def for_all(self, job, event, **more):
        """The job for each pull request, all at once; how long it took."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(PULL_REQUESTS) as pool:
            numbers = range(1, PULL_REQUESTS + 1)
            asked = [pool.submit(self.job, "preview", job, pull_request(n, event), **more) for n in numbers]
            for future in asked:
                assert future.result() is not None
        return time.monotonic() - began

    def stages(self):
        """The account's, as its own listing has them."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= self.account | {"AWS_REGION": "us-east-1"}
        # From a folder without a project.
        command = [self.deployer, "list", "--json"]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True)
        return {line["stage"]: line for line in map(json.loads, done.stdout.splitlines())}

    def run(self, *command):
        environment = os.environ | self.account | {"AWS_REGION": "us-east-1"}
        done = subprocess.run([self.deployer, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{command}: {done.stderr}")

    def holds(self, what, condition):
        if not condition:
            raise Failed(f"doesn't hold: {what}")
        self.passed += 1
        print(f"ok: {what}")

    def previews(self):
        built = self.job("preview", "build", pull_request(1, "opened"), source=True)
        needs = {"build": {"outputs": built}}
        fork = pull_request(1, "opened")
        fork["pull_request"]["head"] = {"repo": {"full_name": "somebody/chat"}}
        self.holds("a fork's pull request gets no preview", self.job("preview", "build", fork) is None)
        seconds = self.for_all("up", "opened", needs=needs)
        names = {f"pr-{number}" for number in range(1, PULL_REQUESTS + 1)}
        stages = self.stages()
        self.holds(f"{PULL_REQUESTS} previews are up, in {seconds:.0f} s", set(stages) == names)
        self.holds("each of them expires", all(stage["expires"] for stage in stages.values()))
        comments = {path.stem: path.read_text() for path in self.comments.iterdir()}
        planned = all(f"pr-{number}" in text for number, text in comments.items())
        self.holds("each has its plan as a comment", len(comments) == PULL_REQUESTS and planned)
        self.job("sweep", "sweep", PUSH)
        self.holds("a sweep leaves those that haven't expired", set(self.stages()) == names)
        again = self.job("preview", "up", pull_request(7, "synchronize"), needs=needs)
        self.holds("a second push of the same source changes nothing", again is not None)
        self.holds("and its comment says so", changes_nothing((self.comments / "7.md").read_text()))
        seconds = self.for_all("down", "closed")
        self.holds(f"{PULL_REQUESTS} previews are down, in {seconds:.0f} s", not self.stages())
        self.job("preview", "down", pull_request(7, "closed"))
        self.holds("closing twice is no failure", not self.stages())

    def releases(self):
        built = self.job("alpha", "build", PUSH, source=True)
        self.job("alpha", "up", PUSH, needs={"build": {"outputs": built}})
        alpha = self.stages()["alpha"]
        self.job("prod", "promote", PUSH)
        prod = self.stages()["prod"]
        self.holds("main is on alpha, and a tag takes it to prod", alpha["url"] and prod["url"])
        self.run("down", "alpha")
        self.run("down", "prod")
        self.holds("both are gone", not self.stages())

    def empty(self):
        with urllib.request.urlopen(f"{self.endpoint}/_local/health", timeout=READY) as answer:
            health = json.load(answer)
        self.holds("the account is empty", health["empty"])


def main():
    deployer = pathlib.Path(sys.argv[1]).resolve()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tables, port = free_port(), free_port()
        moto = shutil.which("moto_server", path=pathlib.Path(sys.executable).parent)
        command = [moto, "--host", "127.0.0.1", "--port", str(tables)]
        stack.enter_context(serving(command, tables, folder / "moto.log"))
        command = [deployer, "local-cloud", "--port", str(port), "--data", folder / "cloud"]
        command += ["--dynamodb", f"http://127.0.0.1:{tables}"]
        stack.enter_context(serving(command, port, folder / "cloud.log"))
        suite = Suite(deployer, folder, f"http://127.0.0.1:{port}", tables)
        for part in (suite.previews, suite.releases, suite.empty):
            part()
    print(f"workflows: {suite.passed} passed, 0 failed")


main()
