"""A first `up` of more and more routes, functions or stages, on the local cloud with
AWS's quotas, against what these quotas leave possible."""

import shutil
import sys

from calls import Record, name
from command import CommandFailed, run

SIZES = {"routes": (10, 100, 300), "functions": (1, 10, 50), "stages": (1, 10, 50)}
# AWS's, an account and region; the local cloud keeps them (crates/cloud-model).
GATEWAY_BURST, GATEWAY_RATE = 40, 10  # calls; calls a second
SECONDS_PER_DEPLOYMENT = 5
# Assumed there, because AWS documents none.
LAMBDA_BURST, LAMBDA_RATE = 15, 15
IAM_BURST, IAM_RATE = 15, 15
# Writes to one API exclude each other; one takes so long on the local cloud, on average.
WRITE = 0.05  # seconds


def bound(functions, routes, stages, delay):
    """The least seconds by quotas, for the calls that any tool needs; and by the writes
    to one API that must come after a function, one after the other."""
    # GetApis, CreateApi, integrations, routes, CreateDeployment, CreateStage
    gateway = stages * (4 + functions + routes)
    quotas = {
        "API Gateway": max(0, gateway - GATEWAY_BURST) / GATEWAY_RATE,
        "CreateDeployment": SECONDS_PER_DEPLOYMENT * (stages - 1),
        "Lambda": max(0, stages * functions - LAMBDA_BURST) / LAMBDA_RATE,
        "IAM": max(0, stages * 4 - IAM_BURST) / IAM_RATE,
    }
    tightest = max(quotas, key=quotas.get)
    # Integrations, routes, CreateDeployment, CreateStage
    serial = (2 + functions + routes) * (delay + WRITE)
    return {"quota_s": round(quotas[tightest], 2), "tightest": tightest, "serial_s": round(serial, 2)}


def role_known(record, began):
    """Seconds until Lambda knew the new role, at least: the end of the last refusal."""
    creations = (call for call in record.calls if name(call).startswith("CreateFunction"))
    refused = [call["end"] for call in creations if call["status"] == 400]
    return round(max(refused, default=began) - began, 2)


def shape(kind, size):
    """Functions, routes and stages of a size."""
    return {"routes": (1, size, 1), "functions": (size, size, 1), "stages": (4, 5, size)}[kind]


def grow(kind, largest, deployer, make_cloud, delay, keep):
    results = {}
    for size in SIZES[kind]:
        if size > largest:
            continue
        functions, routes, stages = shape(kind, size)
        names = [f"s{number:02}" for number in range(1, stages + 1)]
        project = write(deployer.work / "growth", functions, routes, names)
        variables = {"PREBUILT": str(deployer.prebuilt)}
        with make_cloud() as cloud:
            command = [deployer.binary, "--project", project, "up", "--no-verify", *names]
            cloud.take_calls()
            expected = bound(functions, routes, stages, delay)
            try:
                ran = run(command, deployer.variables(cloud) | variables, deployer.work)
            except CommandFailed as error:
                print(f"  {kind} {size}: {error}", file=sys.stderr)
                results[size] = expected | {"failed": str(error)[-400:]}
                continue
            record = Record(cloud.take_calls())
            keep(deployer.name, f"{kind}-{size}", record.waterfall(ran.began, ran.ended))
            expected["role_s"] = role_known(record, ran.began)
            least = max(expected["quota_s"], expected["role_s"] + expected["serial_s"])
            results[size] = (
                {"seconds": round(ran.seconds, 2), "peak_mb": ran.peak_mb}
                | expected
                | {"over_bound": round(ran.seconds / least, 2)}
                | {key: record.figures()[key] for key in ("calls", "trips", "in_flight", "refused")}
            )
            print(f"  {kind} {size}: {results[size]}", file=sys.stderr)
    return results


def write(folder, functions, routes, stages):
    """Stage files of that many functions, all running `connect`'s binary."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "stages").mkdir(parents=True)
    keys = [f"f{number:02}" for number in range(1, functions + 1)]
    lines = ['service = "grown"']
    lines += [f'[functions.{key}]\npackage = "connect"' for key in keys]
    lines.append("[routes]")
    lines += [f'r{number:03} = "{keys[number % functions]}"' for number in range(routes)]
    (folder / "stages/service.toml").write_text("\n".join(lines) + "\n")
    for stage in stages:
        (folder / f"stages/{stage}.toml").write_text('target = "aws"\n')
    return folder
