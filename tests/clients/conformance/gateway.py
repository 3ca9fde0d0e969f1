"""A life of an API: every operation of API Gateway succeeds once, at least."""

import contextlib
import json

from websockets.sync.client import connect

from local_cloud import DEADLINE

SERVICE = "apigatewayv2"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
LOG_FORMAT = '{"id":"$context.requestId"}'
# Of each that is listed, so that lists have pages.
MANY = 3


class GatewayLife:
    """Made, used and removed, with what is asked in between."""

    def __init__(self, account, function_arn, gateway_role):
        self.account, self.role = account, gateway_role
        region = account.cloud.region
        path = f"path/2015-03-31/functions/{function_arn}/invocations"
        self.uri = f"arn:aws:apigateway:{region}:lambda:{path}"
        self.tagged = None

    def call(self, operation, **parameters):
        return self.account.call(SERVICE, operation, **parameters)

    def of_api(self, operation, **parameters):
        return self.call(operation, ApiId=self.api, **parameters)

    def make(self):
        self.make_api()
        self.make_routes()
        self.make_stages()

    def make_api(self):
        apis = [
            self.call(
                "CreateApi", Name=f"conformance-{number}", ProtocolType="WEBSOCKET",
                RouteSelectionExpression="$request.body.action", Description="one of some",
                Version="1", Tags={"made": "by hand"},
            )
            for number in range(MANY)
        ]  # fmt: skip
        self.apis = [api["ApiId"] for api in apis]
        self.api = self.apis[0]
        self.of_api("GetApi")
        self.call("GetApis")
        self.of_api("UpdateApi", Name="renamed", Description="changed")
        region = self.account.cloud.region
        self.tagged = f"arn:aws:apigateway:{region}::/apis/{self.api}"
        self.call("TagResource", ResourceArn=self.tagged, Tags={"more": "tags"})
        self.call("GetTags", ResourceArn=self.tagged)
        self.call("UntagResource", ResourceArn=self.tagged, TagKeys=["more"])

    def make_routes(self):
        integrations = [
            self.of_api(
                "CreateIntegration", IntegrationType="AWS_PROXY", IntegrationUri=self.uri, IntegrationMethod="POST",
                CredentialsArn=self.role, Description="echo", TimeoutInMillis=5000,
            )
            for _ in range(MANY)
        ]  # fmt: skip
        self.integrations = [made["IntegrationId"] for made in integrations]
        integration = self.integrations[0]
        self.of_api("GetIntegration", IntegrationId=integration)
        self.of_api("GetIntegrations")
        self.of_api("UpdateIntegration", IntegrationId=integration, TimeoutInMillis=29000)
        authorizers = [
            self.of_api(
                "CreateAuthorizer", Name=f"asks-{number}", AuthorizerType="REQUEST", AuthorizerUri=self.uri,
                IdentitySource=["route.request.querystring.who"], AuthorizerCredentialsArn=self.role,
            )
            for number in range(MANY)
        ]  # fmt: skip
        self.authorizers = [made["AuthorizerId"] for made in authorizers]
        self.of_api("GetAuthorizer", AuthorizerId=self.authorizers[0])
        self.of_api("GetAuthorizers")
        self.of_api("UpdateAuthorizer", AuthorizerId=self.authorizers[0], Name="asks-whom")
        routes = [
            self.of_api(
                "CreateRoute", RouteKey=key, Target=f"integrations/{integration}", AuthorizationType="NONE",
                OperationName="echo", RouteResponseSelectionExpression="$default",
            )
            for key in ("$default", "first", "second")
        ]  # fmt: skip
        self.routes = [made["RouteId"] for made in routes]
        self.of_api("GetRoute", RouteId=self.routes[0])
        self.of_api("GetRoutes")
        self.of_api("UpdateRoute", RouteId=self.routes[1], OperationName="changed")
        of_route = {"RouteId": self.routes[0]}
        made = self.of_api("CreateRouteResponse", RouteResponseKey="$default", **of_route)
        self.response = of_route | {"RouteResponseId": made["RouteResponseId"]}
        self.of_api("GetRouteResponse", **self.response)
        self.of_api("GetRouteResponses", **of_route)
        self.of_api("UpdateRouteResponse", RouteResponseKey="$default", **self.response)

    def make_stages(self):
        deployments = [self.of_api("CreateDeployment", Description="one of some") for _ in range(MANY)]
        self.deployments = [made["DeploymentId"] for made in deployments]
        self.of_api("GetDeployment", DeploymentId=self.deployments[0])
        self.of_api("GetDeployments")
        self.of_api("UpdateDeployment", DeploymentId=self.deployments[0], Description="changed")
        self.stages = [f"stage-{number}" for number in range(MANY)]
        settings = {"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5.5, "LoggingLevel": "ERROR"}
        for stage in self.stages:
            self.of_api(
                "CreateStage", StageName=stage, DeploymentId=self.deployments[0], Description="serves",
                StageVariables={"colour": "blue"}, DefaultRouteSettings=settings, RouteSettings={"first": settings},
                Tags={"made": "by hand"}, AccessLogSettings=self.access_log(),
            )  # fmt: skip
        stage = self.stages[0]
        self.of_api("GetStage", StageName=stage)
        self.of_api("GetStages")
        self.of_api("UpdateStage", StageName=stage, Description="changed", StageVariables={"colour": "red"})
        self.of_api("DeleteRouteSettings", StageName=stage, RouteKey="first")
        self.of_api("DeleteAccessLogSettings", StageName=stage)

    def access_log(self):
        region = self.account.cloud.region
        number = self.account.send("sts", "GetCallerIdentity", {})["Account"]
        return {"DestinationArn": f"arn:aws:logs:{region}:{number}:log-group:conformance-0", "Format": LOG_FORMAT}

    def talk(self):
        """@connections, of a socket that is open meanwhile."""
        url = f"ws://127.0.0.1:{self.account.cloud.port}/{self.api}/{self.stages[0]}"
        with contextlib.closing(connect(url, open_timeout=DEADLINE)) as socket:
            socket.send("hello")
            identity = {"ConnectionId": json.loads(socket.recv(timeout=DEADLINE))["connectionId"]}
            service = "apigatewaymanagementapi"
            self.account.paths[service] = f"/{self.api}/{self.stages[0]}"
            self.account.call(service, "GetConnection", **identity)
            self.account.call(service, "PostToConnection", Data=b"from outside", **identity)
            # What an empty post has sent comes first.
            assert [socket.recv(timeout=DEADLINE) for _ in range(2)] == ["", "from outside"]
            self.account.call(service, "DeleteConnection", **identity)

    def remove(self):
        self.of_api("DeleteRouteResponse", **self.response)
        for stage in self.stages:
            self.of_api("DeleteStage", StageName=stage)
        for route in self.routes:
            self.of_api("DeleteRoute", RouteId=route)
        for integration in self.integrations:
            self.of_api("DeleteIntegration", IntegrationId=integration)
        for authorizer in self.authorizers:
            self.of_api("DeleteAuthorizer", AuthorizerId=authorizer)
        for deployment in self.deployments:
            self.of_api("DeleteDeployment", DeploymentId=deployment)
        for api in self.apis:
            self.call("DeleteApi", ApiId=api)
