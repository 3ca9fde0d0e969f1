"""CloudFormation by the AWS CLI: `package` uploads code that changed, `deploy`
makes and executes a change set. Its template is written before the clock runs.

ministack has no AWS::ApiGatewayV2::Deployment; the stage deploys automatically.
"""

import hashlib
import json
import pathlib
import sys
import time

from command import CommandFailed, Ran, run
from ours import FUNCTIONS

from peers.stack import FUNCTIONS as SETTINGS
from peers.stack import NAME, RESERVED, RETENTION, ROLES, ROUTES, TAG_LIST, TAGS

BUCKET = "bench-artifacts"


class CloudFormation:
    name = "CloudFormation"

    def __init__(self, work, zips):
        self.folder, self.zips = work / "cloudformation", zips
        self.aws = pathlib.Path(sys.executable).with_name("aws")

    def missing(self):
        return None if self.aws.exists() else "not installed"

    def prepare(self, cloud):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cli(cloud, "s3api", "create-bucket", "--bucket", BUCKET)

    def cli(self, cloud, *arguments, expect=0):
        return run([self.aws, *arguments], cloud.variables(), self.folder, expect)

    def run(self, cloud, what):
        if what == "down":
            began = self.cli(cloud, "cloudformation", "delete-stack", "--stack-name", NAME)
            return joined(began, self.until_gone(cloud))
        (self.folder / "template.json").write_text(json.dumps(template(self.zips.folder)))
        packaged = self.cli(
            cloud, "cloudformation", "package", "--template-file", "template.json", "--s3-bucket", BUCKET,
            "--output-template-file", "packaged.json", "--use-json",
        )  # fmt: skip
        deployed = self.cli(
            cloud, "cloudformation", "deploy", "--template-file", "packaged.json", "--stack-name", NAME,
            "--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset",
        )  # fmt: skip
        return joined(packaged, deployed)

    def until_gone(self, cloud):
        """The CLI's own waiter looks each 30 s; this is kinder to it."""
        while True:
            try:
                looked = self.cli(cloud, "cloudformation", "describe-stacks", "--stack-name", NAME)
            except CommandFailed as error:
                assert "does not exist" in str(error), error
                # When it ended is all that counts of it.
                now = time.monotonic()
                return Ran(now, now, 0, "", 0, 0, 0)
            assert "DELETE_FAILED" not in looked.output, looked.output


def joined(first, last):
    first.ended = last.ended
    first.peak_mb = max(first.peak_mb, last.peak_mb)
    first.tree_mb = max(first.tree_mb, last.tree_mb)
    first.cpu_s += last.cpu_s
    return first


def logical(text):
    return "".join(part.capitalize() for part in text.replace("$", "").split("-"))


def template(zips):
    resources = {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": NAME,
                "Description": "Chat rooms over WebSocket",
                "ProtocolType": "WEBSOCKET",
                "RouteSelectionExpression": "$request.body.action",
                "Tags": TAGS,
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "DependsOn": [f"{logical(key)}Route" for key in ROUTES],
            "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "alpha", "AutoDeploy": True, "Tags": TAGS},
        },
        "FunctionsRole": role("functions", "WriteLogs", functions_statements()),
        "GatewayRole": role("gateway", "Invoke", [
            {
                "Effect": "Allow",
                "Action": "lambda:InvokeFunction",
                "Resource": [{"Fn::Sub": f"${{{logical(key)}Function.Arn}}:*"} for key in FUNCTIONS],
            }
        ]),
    }  # fmt: skip
    for key in FUNCTIONS:
        resources |= function(key, zips / f"{key}.zip")
    for route_key, key in ROUTES.items():
        resources[f"{logical(route_key)}Route"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": route_key,
                "Target": {"Fn::Sub": f"integrations/${{{logical(key)}Integration}}"},
            },
        }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def functions_statements():
    return [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [
                {"Fn::Sub": f"arn:aws:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/{NAME}-{key}:*"}
                for key in FUNCTIONS
            ],
        },
        {
            "Effect": "Allow",
            "Action": "execute-api:ManageConnections",
            "Resource": {
                "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/alpha/POST/@connections/*"
            },
        },
    ]


def role(key, policy, statements):
    trust = {"Effect": "Allow", "Principal": {"Service": ROLES[key]}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": f"{NAME}-{key}",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": policy, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
            ],
            "Tags": TAG_LIST,
        },
    }


def function(key, path):
    """A version's logical id names its code, else there would be no new version."""
    name = logical(key)
    version = f"{name}Version{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    properties = {
        "FunctionName": f"{NAME}-{key}",
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Role": {"Fn::GetAtt": ["FunctionsRole", "Arn"]},
        "Code": str(path),
        "MemorySize": 128,
        "Tags": TAG_LIST,
        **SETTINGS[key],
    }
    if key in RESERVED:
        properties["ReservedConcurrentExecutions"] = RESERVED[key]
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s}/invocations" % version
    return {
        f"{name}LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": f"/aws/lambda/{NAME}-{key}",
                "RetentionInDays": RETENTION,
                "Tags": TAG_LIST,
            },
        },
        f"{name}Function": {
            "Type": "AWS::Lambda::Function",
            "DependsOn": [f"{name}LogGroup"],
            "Properties": properties,
        },
        version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": f"{name}Function"}}},
        f"{name}Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationMethod": "POST",
                "IntegrationUri": {"Fn::Sub": uri},
                "CredentialsArn": {"Fn::GetAtt": ["GatewayRole", "Arn"]},
            },
        },
    }
