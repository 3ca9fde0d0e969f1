"""Several tools through first, no_op, code and down, in turns, each on a cloud of its
own that is warm: what disturbs the machine disturbs all of them."""

import contextlib
import statistics
import sys
import time

import botocore.session

from calls import Record
from command import CommandFailed

LIFE = ("first", "no_op", "code", "down")
# Seconds between the end of a tool's command and its next. The deployer lets reads
# settle for 2 s where the deploy before ended less than 5 s ago, which no person's did.
REST = 7
# One call of each service.
READS = {
    "sts": "get_caller_identity",
    "iam": "list_roles",
    "lambda": "list_functions",
    "logs": "describe_log_groups",
    "apigatewayv2": "get_apis",
}


def measure(tools, make_cloud, change_code, reset_code, repeat, life=LIFE, keep=None):
    """For each tool and what it is asked for, the median of each figure; `keep`
    takes (tool's name, what, waterfall) of the last turn."""
    figures = {tool.name: {} for tool in tools}
    runs = {tool.name: {what: [] for what in life} for tool in tools}
    with contextlib.ExitStack() as stack:
        clouds = {}
        for tool in tools:
            if reason := tool.missing():
                figures[tool.name] = reason
                continue
            cloud = stack.enter_context(make_cloud())
            if cloud.lazy:
                warm(cloud)
            reset_code()
            tool.prepare(cloud)
            clouds[tool] = cloud
        ended = {tool: -REST for tool in clouds}
        for turn in range(repeat):
            reset_code()
            # All tools do the same thing in turn, so that none waits alone.
            for what in life:
                if what == "code":
                    change_code(f"changed in turn {turn}")
                for tool, cloud in clouds.items():
                    if isinstance(figures[tool.name], str):
                        continue
                    time.sleep(max(0, ended[tool] + REST - time.monotonic()))
                    try:
                        found, record, ran = one(tool, cloud, what)
                    except CommandFailed as error:
                        figures[tool.name] = f"failed at {what}: {error}"
                        print(f"  {tool.name} {figures[tool.name]}", file=sys.stderr)
                        continue
                    ended[tool] = time.monotonic()
                    runs[tool.name][what].append(found)
                    print(f"  turn {turn + 1}: {tool.name} {what}: {found['seconds']:.2f} s", file=sys.stderr)
                    if keep:
                        keep(tool.name, what, record.waterfall(ran.began, ran.ended))
    for tool in clouds:
        if not isinstance(figures[tool.name], str):
            figures[tool.name] = {what: median(found) for what, found in runs[tool.name].items()}
    return figures


def one(tool, cloud, what):
    cloud.take_calls()
    ran = tool.run(cloud, what)
    record = Record(cloud.take_calls())
    found = {"seconds": round(ran.seconds, 4)}
    found |= {"cpu_s": round(ran.cpu_s, 3), "peak_mb": ran.peak_mb, "tree_mb": ran.tree_mb}
    if hasattr(ran, "work"):
        found["work_s"] = ran.work
    return found | record.figures(), record, ran


def median(found):
    return {key: round(statistics.median(turn[key] for turn in found), 4) for key in found[0]}


def warm(cloud):
    """Has a cloud load its parts, which it does when they are first asked for."""
    settings = cloud.variables()
    session = botocore.session.get_session()
    for service, operation in READS.items():
        client = session.create_client(
            service,
            endpoint_url=cloud.endpoint,
            region_name=settings["AWS_REGION"],
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        )
        getattr(client, operation)()
