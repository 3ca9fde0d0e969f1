"""`up` and `down` of more and more stages in one command, on the local cloud with AWS's
quotas, against what these quotas leave possible; and an `up` that finds nothing to do."""

import statistics
import sys

from calls import Record
from command import CommandFailed, run
from growth import GATEWAY_BURST, GATEWAY_RATE, IAM_BURST, IAM_RATE, LAMBDA_BURST, LAMBDA_RATE, bound, write

SIZES = (1, 5, 20, 50)
FUNCTIONS, ROUTES = 4, 5
GOAL = 1.2  # times the bound
NO_OP_SECONDS = 0.3  # of our own, cargo's look not counted
NO_OP_RUNS = 5


def down_bound(stages):
    """The least seconds by quotas, for the calls that any tool needs: it finds the APIs by one
    list and deletes each; a function needs one write, a role two, and there are two roles."""
    quotas = {
        "API Gateway": max(0, 1 + stages - GATEWAY_BURST) / GATEWAY_RATE,
        "Lambda": max(0, stages * FUNCTIONS - LAMBDA_BURST) / LAMBDA_RATE,
        "IAM": max(0, stages * 4 - IAM_BURST) / IAM_RATE,
    }
    tightest = max(quotas, key=quotas.get)
    return {"quota_s": round(quotas[tightest], 2), "tightest": tightest}


def many(largest, deployer, make_cloud, delay, keep):
    results = {}
    for size in SIZES:
        if size > largest:
            continue
        names = [f"s{number:02}" for number in range(1, size + 1)]
        project = write(deployer.work / "stages", FUNCTIONS, ROUTES, names)
        bounds = {"up": bound(FUNCTIONS, ROUTES, size, delay), "down": down_bound(size)}
        with make_cloud() as cloud:
            for verb, options in (("up", ["--no-verify"]), ("down", [])):
                command = [deployer.binary, "--project", project, verb, *options, *names]
                cloud.take_calls()
                variables = deployer.variables(cloud) | {"PREBUILT": str(deployer.prebuilt)}
                try:
                    ran = run(command, variables, deployer.work)
                except CommandFailed as error:
                    raise SystemExit(f"{verb} of {size} stages: {error}") from None
                record = Record(cloud.take_calls())
                keep(deployer.name, f"stages-{verb}-{size}", record.waterfall(ran.began, ran.ended))
                found = {"seconds": round(ran.seconds, 2), "peak_mb": ran.peak_mb} | bounds[verb]
                found |= {key: record.figures()[key] for key in ("calls", "refused")}
                # Where quotas bound nothing there is no ratio.
                found["over_bound"] = round(ran.seconds / found["quota_s"], 2) if found["quota_s"] else None
                results.setdefault(size, {})[verb] = found
                print(f"  {verb} of {size} stages: {found}", file=sys.stderr)
    return results


def no_op(deployer, make_cloud):
    """Median seconds of an `up` that finds nothing to do, where calls take no time."""
    with make_cloud() as cloud:
        deployer.prepare(cloud)
        deployer.verb(cloud, "up", "--no-verify")
        found = [deployer.verb(cloud, "up", "--no-verify").seconds for _ in range(NO_OP_RUNS)]
    return round(statistics.median(found), 3)
