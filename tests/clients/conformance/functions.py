"""A life of functions: every operation of Lambda succeeds once, at least."""

import json

from functions.bundle import HANDLER, bundle

SERVICE = "lambda"
MANY = 3


class FunctionsLife:
    """Made, changed, invoked and removed."""

    def __init__(self, account, role):
        self.account, self.role = account, role
        self.name = "conformance-0"

    def call(self, operation, **parameters):
        return self.account.call(SERVICE, operation, **parameters)

    def of_function(self, operation, **parameters):
        return self.call(operation, FunctionName=self.name, **parameters)

    def make(self):
        code = bundle("python")
        made = [
            self.call(
                "CreateFunction", FunctionName=f"conformance-{number}", Runtime="provided.al2023", Role=self.role,
                Handler=HANDLER, Code={"ZipFile": code}, Description="echo", Timeout=20, MemorySize=256,
                Environment={"Variables": {"COLOUR": "blue"}}, Tags={"made": "by hand"}, Architectures=["x86_64"],
                EphemeralStorage={"Size": 512}, TracingConfig={"Mode": "PassThrough"}, Publish=True,
                LoggingConfig={"LogFormat": "Text", "LogGroup": "conformance-0"},
            )
            for number in range(MANY)
        ]  # fmt: skip
        self.arn = made[0]["FunctionArn"].removesuffix(":1")
        self.of_function("GetFunction")
        self.of_function("GetFunctionConfiguration")
        self.of_function("GetFunctionCodeSigningConfig")
        self.call("ListFunctions")
        self.call("GetAccountSettings")
        for number in range(2, MANY + 1):
            self.of_function(
                "UpdateFunctionConfiguration", Description=f"version {number}", Timeout=10, MemorySize=128 + number,
                Environment={"Variables": {"COLOUR": "red"}},
            )  # fmt: skip
            self.of_function("PublishVersion", Description=f"version {number}")
        self.of_function("UpdateFunctionCode", ZipFile=code, Architectures=["x86_64"])
        self.of_function("ListVersionsByFunction")
        self.make_aliases()
        self.make_permissions()
        self.of_function("PutFunctionConcurrency", ReservedConcurrentExecutions=5)
        self.of_function("GetFunctionConcurrency")
        self.of_function("DeleteFunctionConcurrency")
        self.call("TagResource", Resource=self.arn, Tags={"more": "tags"})
        self.call("ListTags", Resource=self.arn)
        self.call("UntagResource", Resource=self.arn, TagKeys=["more"])
        answer = self.of_function("Invoke", Payload=b'{"some":"event"}', LogType="Tail", InvocationType="RequestResponse")
        payload = answer["Payload"].read()
        assert json.loads(payload) == {"some": "event"}, f"the function answers {payload}"

    def make_aliases(self):
        for number in range(MANY):
            self.of_function(
                "CreateAlias", Name=f"alias-{number}", FunctionVersion="1", Description="one of some",
                RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
            )  # fmt: skip
        self.of_function("GetAlias", Name="alias-0")
        self.of_function("ListAliases")
        self.of_function("UpdateAlias", Name="alias-0", FunctionVersion="2", RoutingConfig={})

    def make_permissions(self):
        self.of_function(
            "AddPermission", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
            SourceArn="arn:aws:execute-api:eu-central-1:000000000000:abcdefghij/*", SourceAccount="000000000000",
        )  # fmt: skip
        self.of_function("GetPolicy")

    def remove(self):
        self.of_function("RemovePermission", StatementId="gateway")
        for number in range(MANY):
            self.of_function("DeleteAlias", Name=f"alias-{number}")
        for number in range(MANY):
            self.call("DeleteFunction", FunctionName=f"conformance-{number}")
