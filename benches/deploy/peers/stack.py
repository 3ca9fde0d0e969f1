"""The chat stack as a boto3 script has it: what it is made of, and each call.

Names and settings are those that the deployer's stage `alpha` has. Nothing here
decides an order: sequential.py and ideal.py do.
"""

import base64
import hashlib
import json
import os
import pathlib
import threading
import time

import botocore.config
import botocore.session

REGION = os.environ.get("AWS_REGION", "us-east-1")
ACCOUNT = "000000000000"
NAME = "chat-alpha"
TAGS = {"service": "chat", "stage": "alpha"}
TAG_LIST = [{"Key": key, "Value": value} for key, value in TAGS.items()]
FUNCTIONS = {
    "connect": {"Description": "Accepts a connection", "Timeout": 10},
    "disconnect": {"Description": "Notes that a connection has ended", "Timeout": 10},
    "default": {"Description": "Echoes what matches no route", "Timeout": 10},
    "room": {"Description": "Serves join and send; rooms live in its memory", "Timeout": 20},
}
RESERVED = {"room": 1}
ROUTES = {"$connect": "connect", "$disconnect": "disconnect", "$default": "default", "join": "room", "send": "room"}
RETENTION = 14
ROLES = {"functions": "lambda.amazonaws.com", "gateway": "apigateway.amazonaws.com"}
# A role just made can't be assumed for some seconds; where the cloud is strict.
PATIENCE = 60  # seconds
STRICT = bool(os.environ.get("BENCH_STRICT"))
WAIT = 0.05 if not STRICT else 0.5  # seconds between two looks at a function
CONFIG = botocore.config.Config(
    # Ample, so that no call waits for a connection; retries as boto3 recommends.
    max_pool_connections=32,
    retries={"mode": "standard", "max_attempts": 10 if STRICT else 3},
)


def name(key):
    return f"{NAME}-{key}"


def role_arn(key):
    return f"arn:aws:iam::{ACCOUNT}:role/{name(key)}"


def function_arn(key):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name(key)}"


def uri(key, version):
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn(key)}:{version}/invocations"


def zipped(folder, key):
    return (pathlib.Path(folder) / f"{key}.zip").read_bytes()


def sha256(content):
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class Stack:
    """Each call of the stack. Clients are made when first used: making one takes
    longer than many a call."""

    def __init__(self, zips):
        self.zips = zips
        self.session = botocore.session.get_session()
        self.clients, self.lock = {}, threading.Lock()
        # API Gateway refuses parallel changes of one API.
        self.changes = threading.Lock() if STRICT else None

    def client(self, service):
        if service not in self.clients:
            # A session makes one at a time; who has its own needn't wait for that.
            with self.lock:
                if service not in self.clients:
                    self.clients[service] = self.session.create_client(service, config=CONFIG)
        return self.clients[service]

    def change(self, operation, **parameters):
        """A write to the API; one at a time where the cloud is strict."""
        call = getattr(self.client("apigatewayv2"), operation)
        if self.changes is None:
            return call(**parameters)
        with self.changes:
            return call(**parameters)

    # Roles

    def create_role(self, key):
        trust = {"Effect": "Allow", "Principal": {"Service": ROLES[key]}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.client("iam").create_role(RoleName=name(key), AssumeRolePolicyDocument=document, Tags=TAG_LIST)

    def put_role_policy(self, key, api_id):
        logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{NAME}-"
        statements = {
            "functions": [
                {
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": [f"{logs}{function}:*" for function in FUNCTIONS],
                },
                {
                    "Effect": "Allow",
                    "Action": "execute-api:ManageConnections",
                    "Resource": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api_id}/alpha/POST/@connections/*",
                },
            ],
            "gateway": [
                {
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": [f"{function_arn(function)}:*" for function in FUNCTIONS],
                }
            ],
        }[key]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.client("iam").put_role_policy(RoleName=name(key), PolicyName="stack", PolicyDocument=document)

    def delete_role_policy(self, key):
        self.client("iam").delete_role_policy(RoleName=name(key), PolicyName="stack")

    def delete_role(self, key):
        self.client("iam").delete_role(RoleName=name(key))

    # Functions and their log groups

    def create_log_group(self, key):
        self.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name(key)}", tags=TAGS)

    def put_retention(self, key):
        group = f"/aws/lambda/{name(key)}"
        self.client("logs").put_retention_policy(logGroupName=group, retentionInDays=RETENTION)

    def delete_log_group(self, key):
        self.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name(key)}")

    def create_function(self, key):
        """Its first version, published in the same call."""
        client = self.client("lambda")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = client.create_function(
                    FunctionName=name(key),
                    Runtime="provided.al2023",
                    Handler="bootstrap",
                    Role=role_arn("functions"),
                    Code={"ZipFile": zipped(self.zips, key)},
                    MemorySize=128,
                    Publish=True,
                    Tags=TAGS,
                    **FUNCTIONS[key],
                )
                return answer["Version"]
            except client.exceptions.InvalidParameterValueException as error:
                if "assume" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def update_code(self, key):
        content = zipped(self.zips, key)
        answer = self.client("lambda").update_function_code(FunctionName=name(key), ZipFile=content, Publish=True)
        return answer["Version"]

    def wait_until_ready(self, key):
        client = self.client("lambda")
        while True:
            found = client.get_function_configuration(FunctionName=name(key))
            if found.get("State", "Active") == "Active" and found.get("LastUpdateStatus") != "InProgress":
                return
            time.sleep(WAIT)

    def put_concurrency(self, key):
        self.client("lambda").put_function_concurrency(
            FunctionName=name(key), ReservedConcurrentExecutions=RESERVED[key]
        )

    def delete_function(self, key):
        self.client("lambda").delete_function(FunctionName=name(key))

    # The API

    def create_api(self):
        return self.client("apigatewayv2").create_api(
            Name=NAME,
            Description="Chat rooms over WebSocket",
            ProtocolType="WEBSOCKET",
            RouteSelectionExpression="$request.body.action",
            Tags=TAGS,
        )["ApiId"]

    def find_api(self):
        items = self.client("apigatewayv2").get_apis(MaxResults="500")["Items"]
        return next((api["ApiId"] for api in items if api["Name"] == NAME), None)

    def create_integration(self, api_id, key, version):
        return self.change(
            "create_integration",
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=uri(key, version),
            CredentialsArn=role_arn("gateway"),
        )["IntegrationId"]

    def find_integration(self, api_id, key):
        items = self.client("apigatewayv2").get_integrations(ApiId=api_id, MaxResults="500")["Items"]
        return next(item["IntegrationId"] for item in items if f"{function_arn(key)}:" in item["IntegrationUri"])

    def update_integration(self, api_id, integration_id, key, version):
        self.change("update_integration", ApiId=api_id, IntegrationId=integration_id, IntegrationUri=uri(key, version))

    def create_route(self, api_id, route_key, integration_id):
        self.change("create_route", ApiId=api_id, RouteKey=route_key, Target=f"integrations/{integration_id}")

    def create_deployment(self, api_id):
        return self.change("create_deployment", ApiId=api_id)["DeploymentId"]

    def create_stage(self, api_id, deployment_id):
        self.change("create_stage", ApiId=api_id, StageName="alpha", DeploymentId=deployment_id, Tags=TAGS)

    def update_stage(self, api_id, deployment_id):
        self.change("update_stage", ApiId=api_id, StageName="alpha", DeploymentId=deployment_id)

    def delete_api(self, api_id):
        self.client("apigatewayv2").delete_api(ApiId=api_id)

    # What is there

    def check_role(self, key):
        self.client("iam").get_role(RoleName=name(key))

    def check_function(self, key):
        found = self.client("lambda").get_function_configuration(FunctionName=name(key))
        assert found["CodeSha256"] == sha256(zipped(self.zips, key)), f"{key} has other code"

    def check_log_groups(self):
        answer = self.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}-")
        assert len(answer["logGroups"]) == len(FUNCTIONS), "a log group is missing"

    def check_integrations(self, api_id):
        items = self.client("apigatewayv2").get_integrations(ApiId=api_id, MaxResults="500")["Items"]
        assert len(items) == len(FUNCTIONS), "an integration is missing"

    def check_routes(self, api_id):
        items = self.client("apigatewayv2").get_routes(ApiId=api_id, MaxResults="500")["Items"]
        assert {item["RouteKey"] for item in items} == set(ROUTES), "a route is missing"

    def check_stage(self, api_id):
        self.client("apigatewayv2").get_stage(ApiId=api_id, StageName="alpha")
