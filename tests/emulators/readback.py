"""What is in an account, by boto3; asserts that it is what a stage should be.

Nothing here is taken from the deployer: names, tags and policies are spelled out.
"""

import base64
import dataclasses
import hashlib
import io
import json
import re
import urllib.request
import zipfile

import boto3

REGION = "eu-central-1"
TAGS = {"deployer:schema": "1", "deployer:service": "suite", "deployer:stage": "alpha"}
NAME = "suite-alpha"
FUNCTIONS_ROLE = f"suite-alpha-{REGION}-functions"
GATEWAY_ROLE = f"suite-alpha-{REGION}-gateway"
NEIGHBOUR = f"{NAME}-neighbour"
NEIGHBOUR_ROLE = f"{NAME}-{REGION}-neighbour"
NEIGHBOUR_LOGS = f"/aws/lambda/{NEIGHBOUR}"


@dataclasses.dataclass
class Function:
    """A function as the stage files say."""

    description: str
    memory: int = 128
    timeout: int = 10
    retention: int = 14
    reserved: int | None = None
    environment: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Stage:
    """A stage as the stage files say."""

    functions: dict
    routes: dict
    selection: str = "$request.body.action"


def same(found, expected, what):
    if found != expected:
        shown = [json.dumps(value, indent=1, sort_keys=True, default=str) for value in (found, expected)]
        raise AssertionError(f"{what}: found {shown[0]}, expected {shown[1]}")


class Account:
    """One account, as others see it. Of everything it may hold, only what is named as
    the stage's is looked at."""

    def __init__(self, variables):
        session = boto3.Session(
            aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=variables.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )

        def client(name):
            return session.client(name, endpoint_url=variables.get("AWS_ENDPOINT_URL"))

        self.api, self.iam = client("apigatewayv2"), client("iam")
        self.functions, self.logs = client("lambda"), client("logs")
        self.id = client("sts").get_caller_identity()["Account"]

    def role_arn(self, name):
        return f"arn:aws:iam::{self.id}:role/{name}"

    def function_arn(self, key):
        return f"arn:aws:lambda:{REGION}:{self.id}:function:suite-alpha-{key}"

    # Roles

    def check_roles(self, stage, api_id):
        logs = f"arn:aws:logs:{REGION}:{self.id}:log-group:/aws/lambda/suite-alpha-"
        keys = sorted(stage.functions)
        connections = f"arn:aws:execute-api:{REGION}:{self.id}:{api_id}/alpha/POST/@connections/*"
        self.check_role(
            FUNCTIONS_ROLE,
            "lambda.amazonaws.com",
            [
                {
                    "Sid": "WriteLogs",
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": [f"{logs}{key}:*" for key in keys],
                },
                {
                    "Sid": "PostToConnections",
                    "Effect": "Allow",
                    "Action": "execute-api:ManageConnections",
                    "Resource": connections,
                },
            ],
        )
        self.check_role(
            GATEWAY_ROLE,
            "apigateway.amazonaws.com",
            [
                {
                    "Sid": "InvokeFunctions",
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": [f"{self.function_arn(key)}:*" for key in keys],
                }
            ],
        )

    def check_role(self, name, service, statements):
        role = self.iam.get_role(RoleName=name)["Role"]
        same(role["Arn"], self.role_arn(name), f"ARN of {name}")
        tags = self.iam.list_role_tags(RoleName=name)["Tags"]
        same({tag["Key"]: tag["Value"] for tag in tags}, TAGS, f"tags of {name}")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        same(role["AssumeRolePolicyDocument"], document, f"trust of {name}")
        same(self.iam.list_role_policies(RoleName=name)["PolicyNames"], ["deployer"], f"policies of {name}")
        policy = self.iam.get_role_policy(RoleName=name, PolicyName="deployer")["PolicyDocument"]
        same(policy, {"Version": "2012-10-17", "Statement": statements}, f"policy of {name}")
        attached = self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        same(attached, [], f"attached policies of {name}")

    # Log groups

    def check_log_groups(self, stage, neighbours=()):
        found = {}
        pages = self.logs.get_paginator("describe_log_groups")
        for page in pages.paginate(logGroupNamePrefix="/aws/lambda/suite-alpha-"):
            for group in page["logGroups"]:
                found[group["logGroupName"]] = group
        expected = [f"/aws/lambda/suite-alpha-{key}" for key in stage.functions]
        same(sorted(found), sorted([*expected, *neighbours]), "log groups")
        for key, function in stage.functions.items():
            group = found[f"/aws/lambda/suite-alpha-{key}"]
            same(group.get("retentionInDays"), function.retention, f"retention of {key}")
            arn = group["arn"].removesuffix(":*")
            same(self.logs.list_tags_for_resource(resourceArn=arn)["tags"], TAGS, f"tags of {key}'s log group")

    # Functions

    def check_functions(self, stage):
        """Checks `$LATEST`; gives the published versions of each function."""
        same(self.our_functions(), sorted(f"suite-alpha-{key}" for key in stage.functions), "functions")
        published = {}
        for key, function in stage.functions.items():
            name = f"suite-alpha-{key}"
            answer = self.functions.get_function(FunctionName=name)
            self.check_configuration(key, function, answer["Configuration"])
            same(answer["Tags"], TAGS, f"tags of {name}")
            reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
            same(reserved, function.reserved, f"reserved concurrency of {name}")
            versions = self.functions.get_paginator("list_versions_by_function")
            pages = versions.paginate(FunctionName=name)
            published[key] = [
                version["Version"]
                for page in pages
                for version in page["Versions"]
                if version["Version"] != "$LATEST"
            ]
            assert published[key], f"{name} has no published version"
        return published

    def our_functions(self):
        pages = self.functions.get_paginator("list_functions").paginate()
        names = [function["FunctionName"] for page in pages for function in page["Functions"]]
        return sorted(name for name in names if name.startswith(NAME))

    def check_configuration(self, key, function, found):
        expected = {
            "Description": function.description,
            "Handler": "bootstrap",
            "MemorySize": function.memory,
            "Role": self.role_arn(FUNCTIONS_ROLE),
            "Runtime": "provided.al2023",
            "Timeout": function.timeout,
        }
        same({name: found.get(name) for name in expected}, expected, f"configuration of {key}")
        environment = found.get("Environment", {}).get("Variables", {})
        same(environment, function.environment, f"environment of {key}")

    def check_version(self, key, function, version):
        """A published version is as desired; gives the hash of its code."""
        name = f"suite-alpha-{key}"
        found = self.functions.get_function(FunctionName=name, Qualifier=version)["Configuration"]
        same(found["Version"], version, f"version of {name}")
        self.check_configuration(key, function, found)
        latest = self.functions.get_function_configuration(FunctionName=name)
        same(found["CodeSha256"], latest["CodeSha256"], f"code of {name}:{version} and $LATEST")
        return found["CodeSha256"]

    def check_code(self, key, version, binary):
        """The zip of a version, as the emulator keeps it, holds `binary`."""
        answer = self.functions.get_function(FunctionName=f"suite-alpha-{key}", Qualifier=version)
        with urllib.request.urlopen(answer["Code"]["Location"], timeout=20) as response:
            content = response.read()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        same(answer["Configuration"]["CodeSha256"], digest, f"CodeSha256 of {key}")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            same(archive.namelist(), ["bootstrap"], f"files of {key}")
            same(oct(archive.infolist()[0].external_attr >> 16), oct(0o100755), f"mode of {key}'s bootstrap")
            assert archive.read("bootstrap") == binary, f"{key} isn't what was built"

    # The API

    def our_apis(self):
        return [api for api in self.apis() if api.get("Tags", {}).get("deployer:service")]

    def apis(self):
        pages = self.api.get_paginator("get_apis").paginate()
        return [api for page in pages for api in page["Items"] if api["Name"].startswith(NAME)]

    def check_draft(self, stage, keeps_credentials):
        """API, routes and integrations; gives the API's id and the version each
        function is invoked by."""
        apis = self.our_apis()
        same([api["Name"] for api in apis], ["suite-alpha"], "our APIs")
        api = apis[0]
        expected = {
            "Description": "Chat rooms for emulators",
            "ProtocolType": "WEBSOCKET",
            "RouteSelectionExpression": stage.selection,
            "Tags": TAGS,
        }
        same({name: api.get(name) for name in expected}, expected, "the API")
        integrations = self.api.get_paginator("get_integrations").paginate(ApiId=api["ApiId"])
        invoked, keys = {}, {}
        for integration in [item for page in integrations for item in page["Items"]]:
            key, version = self.invocation(integration["IntegrationUri"])
            same(integration["IntegrationType"], "AWS_PROXY", f"type of {key}'s integration")
            same(integration["IntegrationMethod"], "POST", f"method of {key}'s integration")
            # Written down in README.md: whoever sees this fail there may take the row out.
            credentials = self.role_arn(GATEWAY_ROLE) if keeps_credentials else None
            same(integration.get("CredentialsArn"), credentials, f"credentials of {key}'s integration")
            assert key not in invoked, f"two integrations invoke {key}"
            invoked[key] = version
            keys[f"integrations/{integration['IntegrationId']}"] = key
        same(sorted(invoked), sorted(stage.functions), "functions with an integration")
        routes = self.api.get_paginator("get_routes").paginate(ApiId=api["ApiId"])
        found = [(route["RouteKey"], keys.get(route["Target"])) for page in routes for route in page["Items"]]
        same(sorted(found), sorted(stage.routes.items()), "routes")
        return api["ApiId"], invoked

    def invocation(self, uri):
        head = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{self.function_arn('')}"
        match = re.fullmatch(re.escape(head) + r"([a-z]+):([0-9]+)/invocations", uri)
        assert match, f"the integration URI names no published version of ours: {uri}"
        return match.groups()

    def check_release(self, api_id):
        """The API stage and what it serves; gives deployment and release."""
        stages = self.api.get_stages(ApiId=api_id)["Items"]
        same([stage["StageName"] for stage in stages], ["alpha"], "API stages")
        same(stages[0].get("Tags"), TAGS, "tags of the API stage")
        same(stages[0].get("AutoDeploy", False), False, "automatic deployment")
        deployment = self.api.get_deployment(ApiId=api_id, DeploymentId=stages[0]["DeploymentId"])
        match = re.fullmatch(
            "deployer release ([0-9a-f]{16}) manifest [0-9a-f]{12}", deployment["Description"]
        )
        assert match, f"the live deployment says {deployment['Description']!r}"
        return deployment["DeploymentId"], match.group(1)

    # The journal

    def check_manifest(self, api_id, invoked, routes):
        """What the live release's manifest says it is."""
        [stage] = self.api.get_stages(ApiId=api_id)["Items"]
        deployment = self.api.get_deployment(ApiId=api_id, DeploymentId=stage["DeploymentId"])
        release, key = re.search("release ([0-9a-f]{16}) manifest ([0-9a-f]{12})", deployment["Description"]).groups()
        events = self.logs.get_log_events(
            logGroupName=f"/deployer/{NAME}", logStreamName=f"release/{key}", startFromHead=True
        )["events"]
        [manifest] = [json.loads(event["message"]) for event in events]
        same(manifest["release"], release, "the release that the manifest names")
        same(manifest["routes"], routes, "the manifest's routes")
        versions = {key: function["version"] for key, function in manifest["functions"].items()}
        same(versions, invoked, "the manifest's versions")

    # Neighbours and emptiness

    def add_neighbours(self):
        """What looks like the stage's but isn't: it carries no tags of ours."""
        principal = {"Service": "lambda.amazonaws.com"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        self.logs.create_log_group(logGroupName=NEIGHBOUR_LOGS)
        self.iam.create_role(
            RoleName=NEIGHBOUR_ROLE,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        self.api.create_api(
            Name=NEIGHBOUR, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )

    def remove_neighbours(self):
        """As far as they are there."""
        for api in self.apis():
            if api["Name"] == NEIGHBOUR:
                self.api.delete_api(ApiId=api["ApiId"])
        if NEIGHBOUR_ROLE in self.our_roles():
            self.iam.delete_role(RoleName=NEIGHBOUR_ROLE)
        if NEIGHBOUR_LOGS in self.our_log_groups():
            self.logs.delete_log_group(logGroupName=NEIGHBOUR_LOGS)

    def our_roles(self):
        pages = self.iam.get_paginator("list_roles").paginate()
        names = [role["RoleName"] for page in pages for role in page["Roles"]]
        return sorted(name for name in names if name.startswith(f"{NAME}-"))

    def our_log_groups(self):
        found = []
        for prefix in (f"/aws/lambda/{NAME}-", f"/deployer/{NAME}"):
            pages = self.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
            found += [group["logGroupName"] for page in pages for group in page["logGroups"]]
        return sorted(found)

    def everything(self):
        """All that looks like the stage's, by kind."""
        return {
            "functions": self.our_functions(),
            "roles": self.our_roles(),
            "log groups": self.our_log_groups(),
            "APIs": [(api["Name"], api.get("Tags", {})) for api in self.apis()],
        }

    def check_only_neighbours(self):
        expected = {
            "functions": [],
            "roles": [NEIGHBOUR_ROLE],
            "log groups": [NEIGHBOUR_LOGS],
            "APIs": [(NEIGHBOUR, {})],
        }
        same(self.everything(), expected, "what is left")
