"""The AWS CLI, version 1: a process for each call, as scripts have it."""

import json
import pathlib
import subprocess
import sys

import stack
from functions.bundle import HANDLER, bundle
from local_cloud import DEADLINE, until

AWS = str(pathlib.Path(sys.executable).parent / "aws")


class Cli:
    """The account by `aws`."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.variables = cloud.variables() | {"AWS_PAGER": "", "AWS_DEFAULT_OUTPUT": "json", "HOME": str(cloud.folder)}

    def aws(self, *words, code=0, **options):
        """One command; gives its answer. Options are told as the CLI has them."""
        command = [AWS, *words]
        for name, value in options.items():
            text = value if isinstance(value, str) else json.dumps(value)
            # As one word: a connection's id may begin with a dash.
            command.append(f"--{name.replace('_', '-')}={text}")
        ended = subprocess.run(command, env=self.variables, capture_output=True, text=True, timeout=DEADLINE)
        assert ended.returncode == code, f"{command} ended with {ended.returncode}: {ended.stderr}"
        return json.loads(ended.stdout) if ended.stdout.strip() else ended.stderr

    def build(self, name, language):
        zipped = self.cloud.folder / f"{name}.zip"
        zipped.write_bytes(bundle(language))
        made = self.aws("iam", "create-role", role_name=name, assume_role_policy_document=stack.TRUST)
        policy = {"policy_name": "stack", "policy_document": stack.POLICY}
        self.aws("iam", "put-role-policy", role_name=name, **policy)
        self.aws("logs", "create-log-group", log_group_name=f"/aws/lambda/{name}")
        function = self.aws(
            "lambda", "create-function", function_name=name, role=made["Role"]["Arn"], runtime="provided.al2023",
            handler=HANDLER, timeout="20", memory_size="256", zip_file=f"fileb://{zipped}",
        )["FunctionArn"]  # fmt: skip
        self.aws("lambda", "wait", "function-active-v2", function_name=name)
        gateway = "apigatewayv2"
        selection = {"route_selection_expression": stack.SELECTION}
        api = self.aws(gateway, "create-api", name=name, protocol_type="WEBSOCKET", **selection)["ApiId"]
        integration = self.aws(
            gateway, "create-integration", api_id=api, integration_type="AWS_PROXY", integration_method="POST",
            integration_uri=stack.integration_uri(self.cloud.region, function),
        )["IntegrationId"]  # fmt: skip
        for key in stack.ROUTES:
            answers = {"route_response_selection_expression": "$default"} if key == "$default" else {}
            target = f"integrations/{integration}"
            route = self.aws(gateway, "create-route", api_id=api, route_key=key, target=target, **answers)["RouteId"]
            if answers:
                self.aws(gateway, "create-route-response", api_id=api, route_id=route, route_response_key="$default")
        deployment = self.aws(gateway, "create-deployment", api_id=api)["DeploymentId"]
        self.aws(gateway, "create-stage", api_id=api, stage_name=stack.STAGE, deployment_id=deployment)
        account = self.aws("sts", "get-caller-identity")["Account"]
        self.aws(
            "lambda", "add-permission", function_name=name, statement_id="gateway", action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com", source_arn=stack.source_arn(self.cloud.region, account, api),
        )  # fmt: skip
        return stack.Built(name, api, function)

    def connections(self, built, scheme, operation, identity, code=0, **options):
        """One command of @connections; an endpoint that is told wins."""
        endpoint = f"{scheme}://127.0.0.1:{self.cloud.port}/{built.api}/{stack.STAGE}"
        service = "apigatewaymanagementapi"
        return self.aws(service, operation, code=code, endpoint_url=endpoint, connection_id=identity, **options)

    def log(self, built):
        events = self.aws("logs", "filter-log-events", log_group_name=built.log_group)["events"]
        return "\n".join(event["message"] for event in events)

    def remove(self, built):
        self.aws("apigatewayv2", "delete-api", api_id=built.api)
        self.aws("lambda", "delete-function", function_name=built.name)
        self.aws("logs", "delete-log-group", log_group_name=built.log_group)
        self.aws("iam", "delete-role-policy", role_name=built.name, policy_name="stack")
        self.aws("iam", "delete-role", role_name=built.name)


def run(cloud, checks):
    cli = Cli(cloud)
    with checks.check("the AWS CLI builds an echo"):
        built = cli.build("by-cli", "python")
    with checks.check("the AWS CLI posts to a connection, describes and closes it, by http and https"):
        talk(cli, built)
    with checks.check("the AWS CLI reads the function's log"):
        until(lambda: "REPORT RequestId" in cli.log(built), "the function's report")
    with checks.check("the AWS CLI removes everything"):
        cli.remove(built)
        cloud.check_empty()


def talk(cli, built):
    with stack.socket_to(cli.cloud, built) as socket:
        answer = stack.ask(socket, "hello")
        assert answer["echo"] == "hello", answer
        identity = answer["connectionId"]
        cli.connections(built, "https", "post-to-connection", identity, data='{"from":"outside"}')
        assert stack.receive(socket) == {"from": "outside"}
        found = cli.connections(built, "https", "get-connection", identity)
        assert found["Identity"]["SourceIp"] == "127.0.0.1", found
        cli.connections(built, "http", "delete-connection", identity)
        assert stack.closed_with(socket) == 1000
        said = cli.connections(built, "https", "get-connection", identity, code=255)
        assert "GoneException" in said or "410" in said, said
