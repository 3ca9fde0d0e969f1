"""The stack by a boto3 script in the ideal order: threads, each call as soon as
what it needs is there, no call that isn't needed. It looks for no drift, keeps no
release to go back to, and two of it at once would spoil each other.

usage: ideal.py first|no_op|code|down ZIPS
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from stack import FUNCTIONS, RESERVED, ROLES, ROUTES, Stack

CHANGED = "room"
# A function just made has this version, so that its integration needn't wait for it.
FIRST_VERSION = "1"


class Ideal:
    def __init__(self, stack):
        self.stack = stack
        self.pool = ThreadPoolExecutor(max_workers=32)

    def start(self, function, *arguments):
        return self.pool.submit(function, *arguments)

    def all(self, function, keys, *arguments):
        return [self.start(function, key, *arguments) for key in keys]

    def first(self):
        stack = self.stack
        api = self.start(stack.create_api)
        role = self.start(stack.create_role, "functions")
        gateway = self.start(stack.create_role, "gateway")

        def log_group(key):
            stack.create_log_group(key)
            stack.put_retention(key)

        def policy(key, after):
            after.result()
            stack.put_role_policy(key, api.result())

        def function(key):
            role.result()
            version = stack.create_function(key)
            assert version == FIRST_VERSION, version
            after = self.start(stack.wait_until_ready, key)
            if key in RESERVED:
                stack.put_concurrency(key)
            after.result()

        def integration(key):
            return stack.create_integration(api.result(), key, FIRST_VERSION)

        def route(route_key, integrations):
            stack.create_route(api.result(), route_key, integrations[ROUTES[route_key]].result())

        rest = self.all(log_group, FUNCTIONS)
        functions = self.all(function, FUNCTIONS)
        api.result()
        integrations = {key: self.start(integration, key) for key in FUNCTIONS}
        policies = [self.start(policy, "functions", role), self.start(policy, "gateway", gateway)]
        finish(self.all(route, ROUTES, integrations))
        deployment = self.start(stack.create_deployment, api.result())
        finish(functions + policies)
        stack.create_stage(api.result(), deployment.result())
        finish(rest)

    def no_op(self):
        stack = self.stack
        api = self.start(stack.find_api)
        checks = self.all(stack.check_role, ROLES)
        checks += self.all(stack.check_function, FUNCTIONS)
        checks.append(self.start(stack.check_log_groups))
        parts = [stack.check_integrations, stack.check_routes, stack.check_stage]
        finish([self.start(part, api.result()) for part in parts])
        finish(checks)

    def code(self):
        stack = self.stack

        def update():
            version = stack.update_code(CHANGED)
            return version, self.start(stack.wait_until_ready, CHANGED)

        update = self.start(update)
        api_id = stack.find_api()
        integration = stack.find_integration(api_id, CHANGED)
        version, ready = update.result()
        stack.update_integration(api_id, integration, CHANGED, version)
        deployment = stack.create_deployment(api_id)
        ready.result()
        stack.update_stage(api_id, deployment)

    def down(self):
        stack = self.stack

        def role(key):
            stack.delete_role_policy(key)
            stack.delete_role(key)

        # First, because it takes two calls, one after the other; so do roles.
        api = self.start(lambda: stack.delete_api(stack.find_api()))
        rest = self.all(role, ROLES)
        rest += self.all(stack.delete_function, FUNCTIONS)
        rest += self.all(stack.delete_log_group, FUNCTIONS)
        finish([api, *rest])


def finish(futures):
    for future in futures:
        future.result()


if __name__ == "__main__":
    began = time.monotonic()
    getattr(Ideal(Stack(sys.argv[2])), sys.argv[1])()
    print(f"work {time.monotonic() - began:.4f}", flush=True)
    # Taking boto3 down in good order takes longer than some of its calls.
    os._exit(0)
