// Answers through the address that its event tells, as AWS's examples do.
"use strict";

const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require("@aws-sdk/client-apigatewaymanagementapi");

class Unhappy extends Error {
  name = "Unhappy";
}

exports.handle = async (event) => {
  const context = event.requestContext;
  if (!context) return event;
  if (context.eventType !== "MESSAGE") return { statusCode: 200 };
  if (event.body === "throw") throw new Unhappy("as it was asked to");
  const ConnectionId = context.connectionId;
  const answer = JSON.stringify({ echo: event.body, connectionId: ConnectionId, language: "node" });
  if (event.body === "post") {
    const endpoint = `https://${context.domainName}/${context.stage}`;
    const client = new ApiGatewayManagementApiClient({ endpoint });
    await client.send(new PostToConnectionCommand({ ConnectionId, Data: answer }));
    return { statusCode: 200 };
  }
  return { statusCode: 200, body: answer };
};
