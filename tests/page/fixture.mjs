// The page with a cloud that always tells the same: for what shall look the same each time
// (screenshots), and for more events at once than this machine's cloud makes (the benchmark).
//
// The page's files are those that are built into the binary, with the same policy.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const PAGE = new URL("../../crates/local-cloud/page/", import.meta.url);
const KINDS = { html: "text/html; charset=utf-8", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const START = Date.parse("2026-11-24T10:03:00.000Z");
const API = "9n78u52z0x";
const ROOM = "chat-local-room";
const PEOPLE = ["dGFkYS1sb3ZlbGFjZQ=", "Z3JhY2UtaG9wcGVyLQ=", "YWxhbi10dXJpbmctLQ="];

const ROUTES = [
  ["$connect", "chat-local-connect"], ["$default", "chat-local-default"], ["$disconnect", ROOM],
  ["history", ROOM], ["join", ROOM], ["leave", ROOM], ["send", ROOM], ["who", ROOM],
];

export const overview = {
  version: "0.1.0", region: "us-east-1", account: "123456789012", consistent: true,
  apis: [{
    apiId: API, name: "chat-local", routeSelectionExpression: "$request.body.action",
    stages: [{
      stageName: "local", url: `ws://127.0.0.1:9100/${API}/local`, secureUrl: `wss://127.0.0.1:9100/${API}/local`,
      deploymentId: "d3p2c1", autoDeploy: false, updatedAt: START - 60_000, release: "3947d10a3f9e681b",
      routes: ROUTES.map(([routeKey, name], n) => ({ routeKey, authorization: "NONE", function: name, qualifier: name === ROOM ? "3" : "1", target: `int${n}` })),
    }],
  }],
  functions: ["connect", "default", "room"].map((name) => ({
    functionName: `chat-local-${name}`, versions: name === "room" ? ["1", "2", "3"] : ["1"], aliases: [],
    memoryMb: 128, timeoutS: name === "room" ? 20 : 10, environmentNames: name === "room" ? ["DEPLOYER_STATE", "GREETING"] : [],
  })),
  connections: PEOPLE.map((connectionId, n) => ({
    connectionId, apiId: API, stage: "local", connectedAt: START - 1000 * (40 * n + 5), sourceIp: "127.0.0.1",
    userAgent: n === 1 ? "deployer-connect/0.1.0" : "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0",
  })),
  connectionsOpen: PEOPLE.length,
};

function deployment(n, memoryMb, routes) {
  const version = (name) => (name === ROOM ? String(n) : "1");
  return {
    deploymentId: `d${n}p2c1`, createdAt: START - (4 - n) * 3_600_000, description: `chat/local release ${n}`,
    release: ["", "aa01d10a3f9e681b", "8b1f0c2d9e7a6543", "3947d10a3f9e681b"][n], liveOn: n === 3 ? ["local"] : [],
    routes: routes.map(([routeKey, name]) => ({ routeKey, authorization: "NONE", integration: { type: "AWS_PROXY", function: name, qualifier: version(name), timeoutMs: 29_000 } })),
    functions: ["chat-local-connect", "chat-local-default", ROOM].map((functionName) => ({
      functionName, version: version(functionName), codeSha256: functionName === ROOM ? `${n}xJ8vYq2mTz0=` : "c0nst4ntC0de=", runtime: "provided.al2023",
      memoryMb: functionName === ROOM ? memoryMb : 128, timeoutS: 10, environmentNames: functionName === ROOM && n === 3 ? ["DEPLOYER_STATE", "GREETING"] : functionName === ROOM ? ["DEPLOYER_STATE"] : [],
    })),
  };
}

const deployments = { deployments: [deployment(3, 256, ROUTES), deployment(2, 128, ROUTES.filter(([key]) => key !== "history")), deployment(1, 128, ROUTES.slice(0, 4))] };
const faults = { faults: [
  { id: "f1", kind: "slow", functionName: ROOM, apiId: null, connectionId: null, delayMs: 2000, remaining: null, hits: 3, createdAt: START - 20_000 },
  { id: "f2", kind: "gone", functionName: null, apiId: API, connectionId: PEOPLE[2], delayMs: null, remaining: 2, hits: 1, createdAt: START - 10_000 },
] };

/** One message to a room, as the cloud tells of it: what its function logs, posts, and answers. */
export function message(n, text = `message number ${n}`) {
  const at = START + n * 730;
  const requestId = `0f5a7c1e-${String(n).padStart(4, "0")}-4b7e-9d7e-3c5b1a2f4e6d`;
  const connectionId = PEOPLE[n % 3];
  const body = JSON.stringify({ action: "send", room: "room1", msg: text });
  const failed = n % 11 === 7;
  const log = (message, more = 0) => ({ kind: "log", at: at + more, logGroup: `/aws/lambda/${ROOM}`, logStream: "2026/11/24/[3]5f3c", message, messageBytes: message.length });
  const event = JSON.stringify({ requestContext: { routeKey: "send", eventType: "MESSAGE", connectionId, apiId: API, stage: "local", requestId: `Qz${n}=`, messageDirection: "IN" }, body, isBase64Encoded: false });
  const response = failed ? JSON.stringify({ errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`, errorType: "Runtime.ExitError" }) : "{\"statusCode\":200}";
  const durationMs = 3.2 + (n % 7);
  return [
    log(`START RequestId: ${requestId} Version: 3`),
    ...(failed ? [] : PEOPLE.map((to) => {
      const said = JSON.stringify({ type: "message", room: "room1", seq: n, from: { connection: connectionId }, text });
      return { kind: "management", at: at + 2, apiId: API, stage: "local", connectionId: to, method: "POST", status: 200, body: said, bodyBytes: said.length };
    })),
    log(`{"level":"INFO","requestId":"${requestId}","routeKey":"send","room":"room1","seq":${n},"delivery":{"delivered":3}}`, 3),
    log(`END RequestId: ${requestId}`, 4),
    log(`REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tMemory Size: 128 MB\tMax Memory Used: 14 MB`, 4),
    { kind: "invocation", at: at + 4, functionName: ROOM, version: "3", requestId, status: failed ? "Runtime.ExitError" : "ok", durationMs, cold: n === 0, initMs: n === 0 ? 4.6 : null, memoryMb: 128, usedMb: 14, event, eventBytes: event.length, response, responseBytes: response.length },
    { kind: "request", at, apiId: API, stage: "local", eventType: "MESSAGE", routeKey: "send", connectionId, requestId: `Qz${n}=`, messageId: `Qm${n}=`, status: failed ? 502 : 200, error: failed ? "Internal server error" : null, durationMs, integration: { functionName: ROOM, version: "3", requestId, status: 200, error: null }, body, bodyBytes: body.length },
  ];
}

/** What is on the screenshots. */
export function scene() {
  const connect = (n) => ({ kind: "request", at: START - 3000 + n * 700, apiId: API, stage: "local", eventType: "CONNECT", routeKey: "$connect", connectionId: PEOPLE[n], requestId: `Qc${n}=`, messageId: null, status: 200, error: null, durationMs: 1.4, integration: { functionName: "chat-local-connect", version: "1", requestId: `connect-${n}`, status: 200, error: null } });
  const texts = ["hello", "is anybody here?", "I am", "this is AWS, on my own machine", "no, really", "it is fast", "try killing it", "boom", "it is back", "and it has lost nothing"];
  return [connect(0), connect(1), connect(2), ...texts.flatMap((text, n) => message(n, text))];
}

export async function startFixture({ events = [] } = {}) {
  let seq = 0;
  const readers = new Set();
  const line = (event) => `${JSON.stringify({ seq: (seq += 1), ...event })}\n`;
  const json = (answer, value) => answer.setHeader("content-type", "application/json").end(JSON.stringify(value));
  let refusing = false;
  const server = createServer(async (request, answer) => {
    if (refusing) return request.destroy();
    answer.setHeader("cache-control", "no-store").setHeader("content-security-policy", POLICY);
    const { pathname } = new URL(request.url, "http://here");
    if (pathname === "/_local/traffic") {
      answer.setHeader("content-type", "application/x-ndjson");
      answer.write(`${JSON.stringify({ seq, kind: "listening", at: START, version: overview.version, connections: overview.connections, connectionsOpen: PEOPLE.length })}\n`);
      for (const event of events) answer.write(line(event));
      readers.add(answer);
      answer.on("close", () => readers.delete(answer));
      return;
    }
    if (pathname === "/_local/overview") return json(answer, overview);
    if (pathname === "/_local/deployments") return json(answer, deployments);
    if (pathname === "/_local/invocations") return json(answer, { invocations: [] });
    if (pathname === "/_local/faults") return json(answer, faults);
    const name = pathname === "/" ? "index.html" : pathname.replace(/^\/_local\/page\//, "");
    if (!/^[\w.-]+$/.test(name)) return answer.writeHead(404).end();
    try {
      answer.setHeader("content-type", KINDS[name.split(".").pop()]).end(await readFile(new URL(name, PAGE)));
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    push(batch) {
      const text = batch.map(line).join("");
      for (const reader of readers) reader.write(text);
    },
    /** As if the cloud had stopped. */
    refuse(yes) {
      refusing = yes;
      if (yes) for (const reader of readers) reader.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
