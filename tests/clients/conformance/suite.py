"""Every operation that the local cloud says it serves, by botocore's models of it."""

import types

from . import paging, unknown
from .account import Account
from .functions import FunctionsLife
from .gateway import GatewayLife
from .others import LogsLife, MetricsLife, RolesLife, SecretsLife

# Operations that the lives below don't carry out, and why.
NEVER_SUCCEEDS = {}


def run(cloud, checks):
    account, served = Account(cloud), cloud.ask("operations")
    live(account, checks, served)
    for service, operations in served.items():
        with checks.check(f"{service}: each of {len(operations)} operations succeeds"):
            missing = set(operations) - account.succeeded.get(service, set())
            none({f"{service} {name} was never successful" for name in missing} - NEVER_SUCCEEDS.keys())
        with checks.check(f"{service}: answers are as its model has them"):
            none(account.answers.get(service, []))
        for kind, found in (("lack what is required", account.missing), ("break a rule of the model", account.illegal)):
            if not (found := found.get(service, [])):
                continue
            with checks.check(f"{service}: {len(found)} calls that {kind} are refused"):
                none(f"{operation} with {what}: {wrong}" for operation, what, wrong in found if wrong)
        with checks.check(f"{service}: what isn't served is named"):
            count, wrong = unknown.check(account, service, operations)
            none(wrong)


def live(account, checks, served):
    """Makes one of everything, pages through it, and removes it."""
    roles, logs, secrets = RolesLife(account), LogsLife(account), SecretsLife(account)
    lives = types.SimpleNamespace(roles=roles, logs=logs)
    with checks.check("one of everything is made"):
        roles.make()
        logs.make()
        secrets.make()
        lives.functions = functions = FunctionsLife(account, roles.arns["lambda"])
        functions.make()
        role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": roles.arns["apigateway"]}
        account.call("apigateway", "UpdateAccount", patchOperations=[role])
        account.call("apigateway", "GetAccount")
        lives.gateway = gateway = GatewayLife(account, functions.arn, roles.arns["apigateway"])
        gateway.make()
        gateway.talk()
        lives.metrics = metrics = MetricsLife(account)
        metrics.ask(functions.name)
    for service, operations in served.items():
        with checks.check(f"{service}: pages are the whole list"):
            none(paging.check(account, service, operations, lives)[1])
    with checks.check("everything is removed"):
        for life in (gateway, functions, secrets, logs, roles):
            life.remove()
        account.cloud.check_empty()


def none(wrong):
    """Fails with all that is wrong."""
    wrong = sorted(wrong)
    assert not wrong, f"{len(wrong)} wrong:\n  " + "\n  ".join(wrong)
