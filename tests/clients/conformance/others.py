"""Roles, log groups, parameters and secrets: every operation of their services succeeds
once, at least."""

import json
import time

from .gateway import TRUST

MANY = 3
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
PUSH_LOGS = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
ATTACHED = [PUSH_LOGS, "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess"]


class RolesLife:
    """IAM and STS."""

    def __init__(self, account):
        self.account = account
        self.first = {"RoleName": "conformance-lambda"}

    def call(self, operation, **parameters):
        return self.account.call("iam", operation, **parameters)

    def make(self):
        self.arns = {}
        identity = self.account.call("sts", "GetCallerIdentity")
        trust = {service: TRUST % service for service in ("lambda", "apigateway")}
        myself = {"Effect": "Allow", "Principal": {"AWS": identity["Arn"]}, "Action": "sts:AssumeRole"}
        trust["user"] = json.dumps({"Version": "2012-10-17", "Statement": [myself]})
        for name, document in trust.items():
            made = self.call(
                "CreateRole", RoleName=f"conformance-{name}", AssumeRolePolicyDocument=document, Path="/conformance/",
                Description="one of some", MaxSessionDuration=3600, Tags=[{"Key": "made", "Value": "by hand"}],
            )  # fmt: skip
            self.arns[name] = made["Role"]["Arn"]
        self.call("GetRole", **self.first)
        self.call("ListRoles", PathPrefix="/conformance/")
        self.call("UpdateRole", Description="changed", MaxSessionDuration=7200, **self.first)
        self.call("UpdateAssumeRolePolicy", PolicyDocument=trust["lambda"], **self.first)
        for number in range(MANY):
            self.call("PutRolePolicy", PolicyName=f"inline-{number}", PolicyDocument=POLICY, **self.first)
            self.call("AttachRolePolicy", PolicyArn=ATTACHED[number], **self.first)
        self.call("AttachRolePolicy", PolicyArn=PUSH_LOGS, RoleName="conformance-apigateway")
        self.call("PutRolePolicy", PolicyName="all", PolicyDocument=POLICY, RoleName="conformance-apigateway")
        self.call("GetRolePolicy", PolicyName="inline-0", **self.first)
        self.call("ListRolePolicies", **self.first)
        self.call("ListAttachedRolePolicies", **self.first)
        made = self.call("CreatePolicy", PolicyName="boundary", PolicyDocument=POLICY, Description="all")
        self.policy = {"PolicyArn": made["Policy"]["Arn"]}
        self.call("GetPolicy", **self.policy)
        self.call("PutRolePermissionsBoundary", PermissionsBoundary=made["Policy"]["Arn"], **self.first)
        self.call("TagRole", Tags=[{"Key": f"key-{number}", "Value": "value"} for number in range(MANY)], **self.first)
        self.call("ListInstanceProfilesForRole", **self.first)
        self.summarize()
        self.call("ListRoleTags", **self.first)
        self.account.call(
            "sts", "AssumeRole", RoleArn=self.arns["user"], RoleSessionName="conformance", DurationSeconds=900
        )

    def summarize(self):
        """Counts what is there against the account's quotas."""
        summary = self.call("GetAccountSummary")["SummaryMap"]
        assert len(self.arns) <= summary["Roles"] < summary["RolesQuota"], summary

    def remove(self):
        self.call("UntagRole", TagKeys=["key-0"], **self.first)
        self.call("DeleteRolePermissionsBoundary", **self.first)
        self.call("DeletePolicy", **self.policy)
        for number in range(MANY):
            self.call("DeleteRolePolicy", PolicyName=f"inline-{number}", **self.first)
            self.call("DetachRolePolicy", PolicyArn=ATTACHED[number], **self.first)
        self.call("DetachRolePolicy", PolicyArn=PUSH_LOGS, RoleName="conformance-apigateway")
        self.call("DeleteRolePolicy", PolicyName="all", RoleName="conformance-apigateway")
        for name in self.arns:
            self.call("DeleteRole", RoleName=f"conformance-{name}")


class LogsLife:
    """CloudWatch Logs, and what API Gateway's account says of them."""

    def __init__(self, account):
        self.account = account
        self.first = {"logGroupName": "conformance-0"}

    def call(self, operation, **parameters):
        return self.account.call("logs", operation, **parameters)

    def make(self):
        for number in range(MANY):
            group = f"conformance-{number}"
            self.call("CreateLogGroup", logGroupName=group, tags={"made": "by hand"}, logGroupClass="STANDARD")
        found = self.call("DescribeLogGroups", logGroupNamePrefix="conformance-")
        self.arn = {"resourceArn": found["logGroups"][0]["logGroupArn"]}
        self.call("PutRetentionPolicy", retentionInDays=14, **self.first)
        self.call("DeleteRetentionPolicy", **self.first)
        self.call("TagResource", tags={"more": "tags"}, **self.arn)
        self.call("ListTagsForResource", **self.arn)
        self.call("UntagResource", tagKeys=["more"], **self.arn)
        now = int(time.time() * 1000)
        for number in range(MANY):
            stream = {"logStreamName": f"stream-{number}"} | self.first
            self.call("CreateLogStream", **stream)
            events = [{"timestamp": now + number, "message": f"line {number}"} for number in range(MANY)]
            self.call("PutLogEvents", logEvents=events, **stream)
        self.call("DescribeLogStreams", orderBy="LogStreamName", **self.first)
        self.call("GetLogEvents", logStreamName="stream-0", startFromHead=True, **self.first)
        self.call("FilterLogEvents", filterPattern="line", **self.first)
        self.follow()

    def follow(self):
        """A session shows what arrives while it lasts."""
        event_stream = self.call("StartLiveTail", logGroupIdentifiers=[self.arn["resourceArn"]])["responseStream"]
        events = iter(event_stream)
        assert "sessionStart" in next(events)
        event = {"timestamp": int(time.time() * 1000), "message": "followed"}
        self.call("PutLogEvents", logEvents=[event], logStreamName="stream-0", **self.first)
        update = next(found for event in events if (found := event["sessionUpdate"])["sessionResults"])
        assert [it["message"] for it in update["sessionResults"]] == ["followed"], update
        event_stream.close()

    def remove(self):
        self.call("DeleteLogStream", logStreamName="stream-0", **self.first)
        for number in range(MANY):
            self.call("DeleteLogGroup", logGroupName=f"conformance-{number}")


class MetricsLife:
    """CloudWatch, of what functions did before."""

    def __init__(self, account):
        self.account = account
        self.asked = {}

    def ask(self, function):
        now = int(time.time())
        metric = {
            "Namespace": "AWS/Lambda", "MetricName": "Invocations",
            "Dimensions": [{"Name": "FunctionName", "Value": function}],
        }  # fmt: skip
        queries = [
            {"Id": f"m{number}", "Label": "all", "ReturnData": True,
             "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat, "Unit": "Count"}}
            for number, stat in enumerate(("Sum", "SampleCount", "p50"))
        ]  # fmt: skip
        self.asked = {
            "MetricDataQueries": queries, "StartTime": now - now % 60 - 3000, "EndTime": now - now % 60 + 60,
        }  # fmt: skip
        answer = self.account.call("cloudwatch", "GetMetricData", ScanBy="TimestampAscending", **self.asked)
        values = [result["Values"] for result in answer["MetricDataResults"]]
        assert len(values) == len(queries) and all(value and value[0] >= 1 for value in values), values


class SecretsLife:
    """Parameters and secrets."""

    def __init__(self, account):
        self.account = account

    def make(self):
        name = {"Name": "/conformance/parameter"}
        self.account.call(
            "ssm", "PutParameter", Value="value", Type="SecureString", Overwrite=False, Tier="Standard", DataType="text", **name
        )
        self.account.call("ssm", "GetParameter", WithDecryption=True, **name)
        made = self.account.call("secretsmanager", "CreateSecret", Name="conformance", SecretString="one")
        self.secret = {"SecretId": made["ARN"]}
        self.account.call("secretsmanager", "PutSecretValue", SecretString="two", **self.secret)
        self.account.call("secretsmanager", "GetSecretValue", VersionStage="AWSCURRENT", **self.secret)

    def remove(self):
        self.account.call("ssm", "DeleteParameter", Name="/conformance/parameter")
        self.account.call("secretsmanager", "DeleteSecret", RecoveryWindowInDays=7, **self.secret)
        self.account.send("secretsmanager", "DeleteSecret", {"ForceDeleteWithoutRecovery": True} | self.secret)
