"""boto3: builds the stack by its clients, talks through it and removes it."""

import json

import stack
from functions.bundle import HANDLER, bundle
from local_cloud import until


class Boto:
    """The account by boto3."""

    def __init__(self, cloud):
        self.cloud = cloud
        clients = ("apigatewayv2", "iam", "lambda", "logs", "sts")
        self.gateway, self.iam, self.lambda_, self.logs, self.sts = map(cloud.client, clients)

    def build(self, name, language):
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(stack.TRUST))["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=name, PolicyName="stack", PolicyDocument=json.dumps(stack.POLICY))
        self.logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
        function = self.lambda_.create_function(
            FunctionName=name, Role=role, Runtime="provided.al2023", Handler=HANDLER, Timeout=20, MemorySize=256,
            Code={"ZipFile": bundle(language)},
        )["FunctionArn"]  # fmt: skip
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
        api = self.gateway.create_api(
            Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression=stack.SELECTION
        )["ApiId"]  # fmt: skip
        self.build_api(api, function)
        account = self.sts.get_caller_identity()["Account"]
        self.lambda_.add_permission(
            FunctionName=name, StatementId="gateway", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com", SourceArn=stack.source_arn(self.cloud.region, account, api),
        )  # fmt: skip
        return stack.Built(name, api, function)

    def build_api(self, api, function):
        integration = self.gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationMethod="POST",
            IntegrationUri=stack.integration_uri(self.cloud.region, function),
        )["IntegrationId"]  # fmt: skip
        for key in stack.ROUTES:
            answers = {"RouteResponseSelectionExpression": "$default"} if key == "$default" else {}
            target = f"integrations/{integration}"
            route = self.gateway.create_route(ApiId=api, RouteKey=key, Target=target, **answers)["RouteId"]
            if answers:
                self.gateway.create_route_response(ApiId=api, RouteId=route, RouteResponseKey="$default")
        deployment = self.gateway.create_deployment(ApiId=api)["DeploymentId"]
        self.gateway.create_stage(ApiId=api, StageName=stack.STAGE, DeploymentId=deployment)

    def remove(self, built):
        self.gateway.delete_api(ApiId=built.api)
        self.lambda_.delete_function(FunctionName=built.name)
        self.logs.delete_log_group(logGroupName=built.log_group)
        self.iam.delete_role_policy(RoleName=built.name, PolicyName="stack")
        self.iam.delete_role(RoleName=built.name)

    def connections(self, built, scheme):
        endpoint = f"{scheme}://127.0.0.1:{self.cloud.port}/{built.api}/{stack.STAGE}"
        return self.cloud.client("apigatewaymanagementapi", endpoint)

    def log(self, built):
        """All that a function has written, its lines joined."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=built.log_group)
        return "\n".join(event["message"] for page in pages for event in page["events"])


def run(cloud, checks):
    boto = Boto(cloud)
    with checks.check("boto3 builds an echo"):
        built = boto.build("by-boto3", "python")
    for scheme in ("http", "https"):
        with checks.check(f"boto3 posts to a connection, describes and closes it, by {scheme}"):
            talk(boto, built, scheme)
    with checks.check("boto3 reads the function's log"):
        until(lambda: "REPORT RequestId" in boto.log(built), "the function's report")
    with checks.check("boto3 removes everything"):
        boto.remove(built)
        cloud.check_empty()


def talk(boto, built, scheme):
    connections = boto.connections(built, scheme)
    with stack.socket_to(boto.cloud, built) as socket:
        answer = stack.ask(socket, "hello")
        assert answer["echo"] == "hello", answer
        identity = {"ConnectionId": answer["connectionId"]}
        connections.post_to_connection(Data=b'{"from":"outside"}', **identity)
        assert stack.receive(socket) == {"from": "outside"}
        found = connections.get_connection(**identity)
        assert found["Identity"]["SourceIp"] == "127.0.0.1", found
        assert found["ConnectedAt"] <= found["LastActiveAt"], found
        connections.delete_connection(**identity)
        assert stack.closed_with(socket) == 1000
        assert stack.gone(lambda: connections.get_connection(**identity)), "a closed connection is gone"
