// Posts by the SDK, as the Rust functions do: so many at once, one client for all events.
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi"
import { NodeHttpHandler } from "@smithy/node-http-handler"
import { Agent } from "node:http"

const POSTS_AT_ONCE = 32

const client = new ApiGatewayManagementApiClient({
  endpoint: process.env.BENCH_MANAGEMENT_URL,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIABENCH", secretAccessKey: "bench" },
  requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true, maxSockets: POSTS_AT_ONCE }) }),
})

// Gives those whose connection is gone.
export async function tell(to, text) {
  const gone = []
  const waiting = [...to]
  const post = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: text }))
      } catch (error) {
        if (error.$metadata?.httpStatusCode === 410) gone.push(id)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(POSTS_AT_ONCE, waiting.length) }, post))
  return gone
}
