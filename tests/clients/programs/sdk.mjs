// The AWS SDK for JavaScript, version 3: builds the stack by its clients, talks through
// it by `ws` and removes it. usage: sdk.mjs ZIP PORT
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { ApiGatewayManagementApi } from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2 } from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { IAM } from "@aws-sdk/client-iam";
import { Lambda, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import WebSocket from "ws";

const [zip, port] = process.argv.slice(2);
const name = "by-javascript";
const stage = "prod";
const logGroupName = `/aws/lambda/${name}`;
const region = process.env.AWS_REGION;
const statement = (Statement) => JSON.stringify({ Version: "2012-10-17", Statement });

const [gateway, logs, iam, lambda] = [new ApiGatewayV2(), new CloudWatchLogs(), new IAM(), new Lambda()];

async function build() {
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.createRole({ RoleName: name, AssumeRolePolicyDocument: statement([trust]) });
  await iam.putRolePolicy({
    RoleName: name,
    PolicyName: "stack",
    PolicyDocument: statement([
      { Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*" },
      { Effect: "Allow", Action: "execute-api:ManageConnections", Resource: "*" },
    ]),
  });
  await logs.createLogGroup({ logGroupName });
  const { FunctionArn } = await lambda.createFunction({
    FunctionName: name,
    Role: Role.Arn,
    Runtime: "provided.al2023",
    Handler: "handler.handle",
    Timeout: 20,
    MemorySize: 256,
    Code: { ZipFile: await readFile(zip) },
  });
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20 }, { FunctionName: name });
  const ApiId = await buildApi(FunctionArn);
  const account = FunctionArn.split(":")[4];
  await lambda.addPermission({
    FunctionName: name,
    StatementId: "gateway",
    Action: "lambda:InvokeFunction",
    Principal: "apigateway.amazonaws.com",
    SourceArn: `arn:aws:execute-api:${region}:${account}:${ApiId}/*/*`,
  });
  return ApiId;
}

async function buildApi(functionArn) {
  const RouteSelectionExpression = "$request.body.action";
  const { ApiId } = await gateway.createApi({ Name: name, ProtocolType: "WEBSOCKET", RouteSelectionExpression });
  const { IntegrationId } = await gateway.createIntegration({
    ApiId,
    IntegrationType: "AWS_PROXY",
    IntegrationMethod: "POST",
    IntegrationUri: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
  });
  const route = { ApiId, Target: `integrations/${IntegrationId}` };
  for (const RouteKey of ["$connect", "$disconnect"]) await gateway.createRoute({ ...route, RouteKey });
  const answers = { RouteKey: "$default", RouteResponseSelectionExpression: "$default" };
  const { RouteId } = await gateway.createRoute({ ...route, ...answers });
  await gateway.createRouteResponse({ ApiId, RouteId, RouteResponseKey: "$default" });
  const { DeploymentId } = await gateway.createDeployment({ ApiId });
  await gateway.createStage({ ApiId, StageName: stage, DeploymentId });
  return ApiId;
}

async function talk(ApiId) {
  const place = `127.0.0.1:${port}/${ApiId}/${stage}`;
  const socket = new WebSocket(`wss://${place}`, { ca: await readFile(process.env.NODE_EXTRA_CA_CERTS) });
  const next = async () => JSON.parse((await once(socket, "message"))[0]);
  await once(socket, "open");
  socket.send("hello");
  const answer = await next();
  assert.equal(answer.echo, "hello");
  const ConnectionId = answer.connectionId;
  for (const scheme of ["http", "https"]) {
    const connections = new ApiGatewayManagementApi({ endpoint: `${scheme}://${place}` });
    const [read] = await Promise.all([next(), connections.postToConnection({ ConnectionId, Data: `{"by":"${scheme}"}` })]);
    assert.deepEqual(read, { by: scheme });
  }
  const connections = new ApiGatewayManagementApi({ endpoint: `https://${place}` });
  const found = await connections.getConnection({ ConnectionId });
  assert.equal(found.Identity.SourceIp, "127.0.0.1");
  assert.ok(found.ConnectedAt instanceof Date && found.ConnectedAt <= found.LastActiveAt);
  const closed = once(socket, "close");
  await connections.deleteConnection({ ConnectionId });
  assert.equal((await closed)[0], 1000);
  await assert.rejects(connections.getConnection({ ConnectionId }), { name: "GoneException" });
}

async function readLog() {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const { events } = await logs.filterLogEvents({ logGroupName });
    if (events.some(({ message }) => message.startsWith("REPORT RequestId"))) return;
  }
  assert.fail("the function's report hasn't come");
}

async function remove(ApiId) {
  await gateway.deleteApi({ ApiId });
  await lambda.deleteFunction({ FunctionName: name });
  await logs.deleteLogGroup({ logGroupName });
  await iam.deleteRolePolicy({ RoleName: name, PolicyName: "stack" });
  await iam.deleteRole({ RoleName: name });
}

const ApiId = await build();
await talk(ApiId);
await readLog();
await remove(ApiId);
