// The chat stack as a CDK app. ministack has no AWS::ApiGatewayV2::Deployment; the
// stage deploys automatically.
const { App, CfnOutput, RemovalPolicy, Stack, Tags } = require("aws-cdk-lib");
const apigateway = require("aws-cdk-lib/aws-apigatewayv2");
const iam = require("aws-cdk-lib/aws-iam");
const lambda = require("aws-cdk-lib/aws-lambda");
const logs = require("aws-cdk-lib/aws-logs");
const path = require("path");

const NAME = "chat-alpha";
const FUNCTIONS = {
  connect: { description: "Accepts a connection", timeout: 10 },
  disconnect: { description: "Notes that a connection has ended", timeout: 10 },
  default: { description: "Echoes what matches no route", timeout: 10 },
  room: { description: "Serves join and send; rooms live in its memory", timeout: 20, reserved: 1 },
};
const ROUTES = { $connect: "connect", $disconnect: "disconnect", $default: "default", join: "room", send: "room" };

const app = new App();
const stack = new Stack(app, NAME, { analyticsReporting: false });
Tags.of(stack).add("service", "chat");
Tags.of(stack).add("stage", "alpha");

const api = new apigateway.CfnApi(stack, "Api", {
  name: NAME,
  description: "Chat rooms over WebSocket",
  protocolType: "WEBSOCKET",
  routeSelectionExpression: "$request.body.action",
});
const role = (key, service) =>
  new iam.Role(stack, `${key}-role`, { roleName: `${NAME}-${key}`, assumedBy: new iam.ServicePrincipal(service) });
const functionsRole = role("functions", "lambda.amazonaws.com");
const gatewayRole = role("gateway", "apigateway.amazonaws.com");
functionsRole.addToPolicy(
  new iam.PolicyStatement({
    actions: ["execute-api:ManageConnections"],
    resources: [stack.formatArn({ service: "execute-api", resource: api.ref, resourceName: "alpha/POST/@connections/*" })],
  }),
);

const integrations = {};
for (const [key, settings] of Object.entries(FUNCTIONS)) {
  const logGroup = new logs.LogGroup(stack, `${key}-logs`, {
    logGroupName: `/aws/lambda/${NAME}-${key}`,
    retention: logs.RetentionDays.TWO_WEEKS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  logGroup.grantWrite(functionsRole);
  const fn = new lambda.Function(stack, key, {
    functionName: `${NAME}-${key}`,
    description: settings.description,
    runtime: lambda.Runtime.PROVIDED_AL2023,
    handler: "bootstrap",
    code: lambda.Code.fromAsset(path.join(process.env.ZIPS, `${key}.zip`)),
    role: functionsRole.withoutPolicyUpdates(),
    memorySize: 128,
    timeout: require("aws-cdk-lib").Duration.seconds(settings.timeout),
    reservedConcurrentExecutions: settings.reserved,
    logGroup,
  });
  const version = fn.currentVersion;
  fn.grantInvoke(gatewayRole);
  integrations[key] = new apigateway.CfnIntegration(stack, `${key}-integration`, {
    apiId: api.ref,
    integrationType: "AWS_PROXY",
    integrationMethod: "POST",
    integrationUri: `arn:aws:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${version.functionArn}/invocations`,
    credentialsArn: gatewayRole.roleArn,
  });
}
const stage = new apigateway.CfnStage(stack, "Stage", { apiId: api.ref, stageName: "alpha", autoDeploy: true });
for (const [routeKey, key] of Object.entries(ROUTES)) {
  const route = new apigateway.CfnRoute(stack, `${routeKey.replace("$", "")}-route`, {
    apiId: api.ref,
    routeKey,
    target: `integrations/${integrations[key].ref}`,
  });
  stage.addDependency(route);
}
new CfnOutput(stack, "Url", { value: `${api.attrApiEndpoint}/alpha` });
