"""The stack by a boto3 script that does one thing after the other.

usage: sequential.py first|no_op|code|down ZIPS
"""

import os
import sys
import time

from stack import FUNCTIONS, RESERVED, ROLES, ROUTES, Stack

CHANGED = "room"


def first(stack):
    api_id = stack.create_api()
    for key in ROLES:
        stack.create_role(key)
        stack.put_role_policy(key, api_id)
    integrations = {}
    for key in FUNCTIONS:
        stack.create_log_group(key)
        stack.put_retention(key)
        version = stack.create_function(key)
        stack.wait_until_ready(key)
        if key in RESERVED:
            stack.put_concurrency(key)
        integrations[key] = stack.create_integration(api_id, key, version)
    for route_key, key in ROUTES.items():
        stack.create_route(api_id, route_key, integrations[key])
    stack.create_stage(api_id, stack.create_deployment(api_id))


def no_op(stack):
    for key in ROLES:
        stack.check_role(key)
    for key in FUNCTIONS:
        stack.check_function(key)
    stack.check_log_groups()
    api_id = stack.find_api()
    stack.check_integrations(api_id)
    stack.check_routes(api_id)
    stack.check_stage(api_id)


def code(stack):
    version = stack.update_code(CHANGED)
    stack.wait_until_ready(CHANGED)
    api_id = stack.find_api()
    stack.update_integration(api_id, stack.find_integration(api_id, CHANGED), CHANGED, version)
    stack.update_stage(api_id, stack.create_deployment(api_id))


def down(stack):
    stack.delete_api(stack.find_api())
    for key in FUNCTIONS:
        stack.delete_function(key)
        stack.delete_log_group(key)
    for key in ROLES:
        stack.delete_role_policy(key)
        stack.delete_role(key)


if __name__ == "__main__":
    began = time.monotonic()
    {"first": first, "no_op": no_op, "code": code, "down": down}[sys.argv[1]](Stack(sys.argv[2]))
    print(f"work {time.monotonic() - began:.4f}", flush=True)
    # Taking boto3 down in good order takes longer than some of its calls.
    os._exit(0)
